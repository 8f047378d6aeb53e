"""How a message gets into the outbox: in the transaction that decided it, and into another's message where it joins."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Connection, case, func, select, update

from bot.storage.statements import insert_all_new, insert_new
from bot.storage.tables import outbox

_KEYS_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message to come: `payload` is plain data in no language, `dedupe_key` is unique for ever.

    It joins the message of the row with the key `lead`, which is then due at the earlier of both times; where that
    has been claimed it goes by itself. A row that is `held` does not keep back the chat's later ones.
    """

    dedupe_key: str
    chat: int
    payload: Mapping[str, Any]
    created_ms: int
    due_ms: int = 0
    lead: str = ""
    held: bool = False


def enqueue(connection: Connection, rows: Sequence[OutboxRow]) -> int:
    """Insert messages; a dedupe key that is there already is left as it is. Returns how many were new."""
    new = 0
    # One that joins another must find it there; the rest, of which a tick may bring a thousand, go in together.
    for joins, run in groupby(rows, key=lambda row: bool(row.lead) and row.lead != row.dedupe_key):
        if joins:
            new += sum(
                insert_new(connection, outbox, _values(row, _join(connection, row)), unique=("dedupe_key",))
                for row in run
            )
        else:
            new += _insert_together(connection, list(run))
    return new


def _insert_together(connection: Connection, rows: Sequence[OutboxRow]) -> int:
    keys = list(dict.fromkeys(row.dedupe_key for row in rows))
    there = 0
    for start in range(0, len(keys), _KEYS_A_QUERY):
        known = outbox.c.dedupe_key.in_(keys[start : start + _KEYS_A_QUERY])
        there += connection.execute(select(func.count()).select_from(outbox).where(known)).scalar_one()
    insert_all_new(connection, outbox, [_values(row) for row in rows])
    return len(keys) - there


def _values(row: OutboxRow, lead: int | None = None) -> dict[str, Any]:
    return {
        "dedupe_key": row.dedupe_key,
        "chat": row.chat,
        "payload": to_json(row.payload),
        "created_ms": row.created_ms,
        "due_ms": row.due_ms or row.created_ms,
        "lead": lead,
        "held": int(row.held),
    }


def _join(connection: Connection, row: OutboxRow) -> int | None:
    """The id of the row whose message this one joins, which is then due no later than it; None where that has gone."""
    statement = (
        update(outbox)
        .where(outbox.c.dedupe_key == row.lead, outbox.c.chat == row.chat, outbox.c.lead.is_(None))
        .where(
            outbox.c.done_ms.is_(None),
            outbox.c.lease_owner.is_(None),
            outbox.c.attempts == 0,
            outbox.c.held == int(row.held),
        )
        .values(due_ms=case((outbox.c.due_ms > row.due_ms, row.due_ms), else_=outbox.c.due_ms))
        .returning(outbox.c.id)
    )
    return connection.execute(statement).scalar()


def to_json(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), default=_number)


def _number(value: Any) -> Any:
    """A numpy scalar as the number it is; json asks for what it does not know."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a message cannot hold a {type(value).__name__}")
