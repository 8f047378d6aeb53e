"""What is forgotten, and when: in small transactions, so that no alert waits for the broom."""

from collections.abc import Mapping
from functools import partial

from sqlalchemy import ColumnElement, Connection, Table, delete, select, tuple_

from bot.alerts.types import Phase
from bot.storage.access import Access
from bot.storage.series import DAY_MS
from bot.storage.tables import (
    bars,
    briefs,
    broadcasts,
    cluster_history,
    decisions,
    drawings,
    heard,
    nodes,
    open_interest,
    outbox,
    outcomes,
    prints,
    pulses,
    rule_states,
    rules,
    scores,
    slots,
    tracks,
    updates,
)

_ROWS_A_COMMIT = 500

SPARE_DAYS = 10
"""Bars and open interest stay so much longer than maps use them: a longer history can be set without fetching it."""

# Days each kind of row stays after its end. A sent message's key must outlive any chance of the same event again;
# leverage is learned from a month of prints; who spoke in a week is counted.
KEEP_DAYS = {
    "prints": 31,
    "pulses": 14,
    "heard": 31,
    "briefs": 8,
    "scores": 8,
    "cluster_history": 14,
    "outbox": 60,
    "outcomes": 90,
    "rule_states": 14,
    "rules": 2,
    "slots": 3,
    "tracks": 30,
    "updates": 8,
    "broadcasts": 60,
    "drawings": 3,
    "nodes": 1,
}


async def clean(access: Access, *, now_ms: int, history_days: int, why_days: int) -> Mapping[str, int]:
    """Delete what is past its time; returns how many rows of each table went.

    Maps use the last `history_days`, and /why answers from the decisions of the last `why_days`.
    """
    gone: dict[str, int] = {}
    for table, is_over in _over(now_ms, history_days, why_days):
        gone[table.name] = 0
        while count := await access.write(partial(_delete_some, table=table, is_over=is_over)):
            gone[table.name] += count
    return gone


def _over(now_ms: int, history_days: int, why_days: int) -> list[tuple[Table, ColumnElement[bool]]]:
    def since(name: str) -> int:
        return now_ms - KEEP_DAYS[name] * DAY_MS

    history_day = now_ms // DAY_MS - history_days - SPARE_DAYS
    closed = rule_states.c.phase == Phase.CLOSED.value
    return [
        (bars, bars.c.day < history_day),
        (open_interest, open_interest.c.day < history_day),
        (prints, prints.c.time_ms < since("prints")),
        (pulses, pulses.c.time_ms < since("pulses")),
        (heard, heard.c.end_ms < since("heard")),
        (briefs, briefs.c.time_ms < since("briefs")),
        (scores, scores.c.time_ms < since("scores")),
        (cluster_history, cluster_history.c.slot_ms < since("cluster_history")),
        (decisions, decisions.c.time_ms < now_ms - why_days * DAY_MS),
        (outcomes, outcomes.c.time_ms < since("outcomes")),
        (outbox, outbox.c.done_ms < since("outbox")),
        (rule_states, closed & (rule_states.c.last_ms < since("rule_states"))),
        (rules, rules.c.deleted_ms < since("rules")),
        (slots, slots.c.done_ms < since("slots")),
        (tracks, tracks.c.closed.is_not(None) & (tracks.c.seen_ms < since("tracks"))),
        (broadcasts, broadcasts.c.created_ms < since("broadcasts")),
        (drawings, drawings.c.slot_ms < since("drawings")),
        (nodes, nodes.c.seen_ms < since("nodes")),
        (updates, updates.c.handled_ms < since("updates")),
    ]


def _delete_some(connection: Connection, table: Table, is_over: ColumnElement[bool]) -> int:
    key = tuple(table.primary_key)
    some = select(*key).where(is_over).limit(_ROWS_A_COMMIT)
    return connection.execute(delete(table).where(tuple_(*key).in_(some))).rowcount
