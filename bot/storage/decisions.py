"""The decision log: what became of each event, and the steps that gave none. What `/why` answers from."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, Row, insert, select

from bot.alerts.reasons import HELD, TELLS, TURNS, Reason
from bot.alerts.types import LogEntry, Market
from bot.storage.access import Access
from bot.storage.tables import decisions

NEWEST = 50


class Decisions:
    """Reads of the `decisions` table; it is written by `Database.commit_changes`."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def of_rule(self, rule_id: int, *, since_ms: int, limit: int = NEWEST) -> Sequence[LogEntry]:
        """The newest lines of a rule, newest first."""
        return await self._newest(limit, decisions.c.rule_id == rule_id, decisions.c.time_ms >= since_ms)

    async def of_chat(self, chat: int, *, since_ms: int, limit: int = NEWEST) -> Sequence[LogEntry]:
        """The newest lines of a chat's events, newest first."""
        return await self._newest(
            limit, decisions.c.chat == chat, decisions.c.key != "", decisions.c.time_ms >= since_ms
        )

    async def of_exchange(self, exchange: str, *, since_ms: int) -> Sequence[LogEntry]:
        """When an exchange's data went stale and came back, newest first."""
        about_data = decisions.c.reason.in_((Reason.STALE.value, Reason.BACK.value))
        of_it = (decisions.c.chat == 0, decisions.c.exchange == exchange, decisions.c.time_ms >= since_ms)
        return await self._newest(NEWEST, *of_it, about_data)

    async def lately(self, *, since_ms: int) -> Sequence[LogEntry]:
        """What the gate has to remember after a restart, oldest first."""
        matters = [reason.value for reason in sorted(TELLS | HELD | TURNS)]
        statement = (
            select(decisions)
            .where(decisions.c.time_ms >= since_ms, decisions.c.reason.in_(matters))
            .order_by(decisions.c.id)
        )
        return await self._access.read(lambda connection: [_entry(row) for row in connection.execute(statement)])

    async def _newest(self, limit: int, *conditions: Any) -> Sequence[LogEntry]:
        order = (decisions.c.time_ms.desc(), decisions.c.id.desc())
        statement = select(decisions).where(*conditions).order_by(*order).limit(limit)
        return await self._access.read(lambda connection: [_entry(row) for row in connection.execute(statement)])


def write_log(connection: Connection, log: Iterable[LogEntry]) -> None:
    """Append lines."""
    rows = [_row(entry) for entry in log]
    if rows:
        connection.execute(insert(decisions), rows)


def _row(entry: LogEntry) -> dict[str, Any]:
    values = structs.asdict(entry)
    numbers = {name: None if values[name] is None else float(values[name]) for name in ("value_pct", "price")}
    times = {name: int(values[name]) for name in ("time_ms", "until_ms")}
    place = {"exchange": entry.market.exchange, "symbol": entry.market.symbol}
    del values["market"]
    return {**values, **numbers, **times, **place, "reason": entry.reason.value}


def _entry(row: Row[Any]) -> LogEntry:
    fields = {name: row._mapping[name] for name in LogEntry.__struct_fields__ if name != "market"}
    return LogEntry(**{**fields, "reason": Reason(row.reason)}, market=Market(row.exchange, row.symbol))
