"""The latest map of each market, and beside it what its position model has learned."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.alerts.types import Market
from bot.liquidation.types import LiquidationMap
from bot.storage.access import Access
from bot.storage.codec import map_from_blob, map_to_blob
from bot.storage.statements import upsert
from bot.storage.tables import maps, model_states


@dataclass(frozen=True, slots=True)
class ModelState:
    """What a market's position model has learned: `payload` is for the model of this `version` alone, `time_ms` the
    end of the last bar that it was learned from."""

    market: Market
    version: str
    time_ms: int
    payload: bytes


class Maps:
    """Reads and writes of `maps` and `model_states`: one row a market, the newest only."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def save(self, market: Market, reading: LiquidationMap) -> None:
        blob = map_to_blob(reading)
        row = {"exchange": market.exchange, "symbol": market.symbol, "time_ms": int(reading.time_ms), "payload": blob}
        await self._access.write(lambda connection: upsert(connection, maps, [row]))

    async def load(self, market: Market) -> LiquidationMap | None:
        """Raises UnreadableBlobError where what is stored is damaged."""
        statement = select(maps.c.payload).filter_by(exchange=market.exchange, symbol=market.symbol)
        blob = await self._access.read(lambda connection: connection.execute(statement).scalar())
        return map_from_blob(blob) if blob else None

    async def save_model(self, state: ModelState) -> None:
        row = {
            "exchange": state.market.exchange,
            "symbol": state.market.symbol,
            "version": state.version,
            "time_ms": state.time_ms,
            "payload": state.payload,
        }
        await self._access.write(lambda connection: upsert(connection, model_states, [row]))

    async def load_model(self, market: Market) -> ModelState | None:
        def work(connection: Connection) -> ModelState | None:
            key = {"exchange": market.exchange, "symbol": market.symbol}
            row = connection.execute(select(model_states).filter_by(**key)).first()
            return ModelState(market, row.version, row.time_ms, row.payload) if row else None

        return await self._access.read(work)
