"""Which slots of which jobs are done, so that running one again does nothing."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from bot.alerts.types import Market
from bot.storage.access import Access
from bot.storage.statements import insert_new
from bot.storage.tables import slots

NO_MARKET = Market("", "")


class Slot(NamedTuple):
    """One run of one job: `slot_ms` is the time it stands for, not the time it ran."""

    job: str
    slot_ms: int
    market: Market = NO_MARKET


class Slots:
    """Reads and writes of the `slots` table."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def is_done(self, slot: Slot) -> bool:
        statement = select(slots.c.done_ms).filter_by(**_key(slot))
        return await self._access.read(lambda connection: connection.execute(statement).first() is not None)

    async def mark(self, slot: Slot, *, now_ms: int) -> bool:
        """Note a slot as done; False where it was done before."""
        return await self._access.write(lambda connection: mark_slot(connection, slot, now_ms=now_ms))


def mark_slot(connection: Connection, slot: Slot, *, now_ms: int) -> bool:
    row = {**_key(slot), "done_ms": now_ms}
    return insert_new(connection, slots, row, unique=("job", "exchange", "symbol", "slot_ms"))


def _key(slot: Slot) -> dict[str, str | int]:
    return {
        "job": slot.job,
        "exchange": slot.market.exchange,
        "symbol": slot.market.symbol,
        "slot_ms": slot.slot_ms,
    }
