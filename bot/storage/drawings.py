"""Maps that workers drew for whoever judges them: one row a market and bar, of which the newest alone has its map."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, select, update

from bot.alerts.types import Market
from bot.liquidation import ModelParameters
from bot.liquidation.parameters import parameters_of
from bot.liquidation.types import LiquidationMap
from bot.storage.access import Access
from bot.storage.blobs import pack, unpack
from bot.storage.codec import map_from_parts, map_to_parts
from bot.storage.errors import UnreadableBlobError
from bot.storage.leases import now_by
from bot.storage.statements import insert_or
from bot.storage.tables import drawings


@dataclass(frozen=True, slots=True)
class Drawing:
    """The model's map of a market at the close of its newest bar, before anything that only the judge knows.

    `bars` is the length of the history behind it, `whole` False while older parts of that are still to come;
    `parameters` are what was learned of the market, whether the map uses them or not.
    """

    map: LiquidationMap
    version: str
    bars: int
    whole: bool
    parameters: ModelParameters


class Drawings:
    """Reads and writes of the `drawings` table."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def save(self, market: Market, slot_ms: int, drawing: Drawing | None, *, made_by: str) -> bool:
        """Keep what was drawn for a slot, None where nothing can be; False where it was drawn before."""
        payload = None if drawing is None else _to_blob(drawing)

        def work(connection: Connection) -> bool:
            row = {**market._asdict(), "slot_ms": slot_ms, "made_by": made_by, "payload": payload}
            statement = insert_or(connection, drawings).values(made_ms=now_by(connection), **row)
            new = connection.execute(statement.on_conflict_do_nothing().returning(drawings.c.slot_ms)).first()
            older = drawings.c.payload.is_not(None) & (drawings.c.slot_ms < slot_ms)
            connection.execute(update(drawings).filter_by(**market._asdict()).where(older).values(payload=None))
            return new is not None

        return await self._access.write(work)

    async def of_slot(self, slot_ms: int, markets: Sequence[Market]) -> Mapping[Market, Drawing | None]:
        """What is there of these markets for a slot; None where it could not be drawn, or is there no more.

        One that cannot be read counts as one that could not be drawn.
        """
        symbols = {market.symbol for market in markets}
        statement = select(drawings).where(drawings.c.slot_ms == slot_ms, drawings.c.symbol.in_(symbols))
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        found = {Market(row.exchange, row.symbol): row.payload for row in rows}
        return {market: _from_blob(found[market]) for market in markets if market in found}

    async def signed(self, slot_ms: int) -> Mapping[Market, str]:
        """Who drew the maps of a slot."""
        statement = select(drawings.c.exchange, drawings.c.symbol, drawings.c.made_by).filter_by(slot_ms=slot_ms)
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        return {Market(row.exchange, row.symbol): row.made_by for row in rows}

    async def newest_ms(self, market: Market) -> int | None:
        """The newest slot that was drawn of a market."""
        statement = select(func.max(drawings.c.slot_ms)).filter_by(**market._asdict())
        return await self._access.read(lambda connection: connection.execute(statement).scalar())


def _to_blob(drawing: Drawing) -> bytes:
    arrays, facts = map_to_parts(drawing.map)
    told = {"version": drawing.version, "bars": drawing.bars, "whole": drawing.whole}
    return pack(arrays, {**facts, "drawing": {**told, "parameters": asdict(drawing.parameters)}})


def _from_blob(blob: bytes | None) -> Drawing | None:
    if blob is None:
        return None
    try:
        arrays, facts = unpack(blob)
        told = facts.pop("drawing")
        parameters = parameters_of(told.pop("parameters"))
        return Drawing(map_from_parts(arrays, facts), parameters=parameters, **told)
    except (UnreadableBlobError, KeyError, TypeError, ValueError):
        return None
