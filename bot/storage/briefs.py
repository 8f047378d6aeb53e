"""Maps in brief, as they stood before anybody knew what would be liquidated, and the newest scores."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from bot.alerts.types import Market
from bot.liquidation.types import Floats
from bot.storage.access import Access
from bot.storage.blobs import pack, unpack
from bot.storage.errors import UnreadableBlobError
from bot.storage.slots import Slot, mark_slot
from bot.storage.statements import upsert
from bot.storage.tables import briefs, scores

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredBrief:
    """The maps of one market at one moment: `usd` by model, each (2, cells), longs below and shorts above the price.

    `totals` are the notionals of the whole sides (long, short), NaN where open interest is not measured. Kept in
    single precision.
    """

    market: Market
    time_ms: int
    price: float
    totals: tuple[float, float]
    usd: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A score of one market, or with an empty symbol of an exchange; `payload` is anything JSON can hold."""

    market: Market
    time_ms: int
    payload: Mapping[str, Any]


class Briefs:
    """Reads and writes of `briefs` and `scores`."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def save(self, brief: StoredBrief, slot: Slot, *, now_ms: int) -> bool:
        """Store a brief and note its slot as done, both or neither; False where the slot was done before."""

        def work(connection: Connection) -> bool:
            if not mark_slot(connection, slot, now_ms=now_ms):
                return False
            upsert(connection, briefs, [_brief_row(brief)])
            return True

        return await self._access.write(work)

    async def load(self, market: Market, *, start_ms: int, end_ms: int) -> Sequence[StoredBrief]:
        """The briefs with start_ms <= time_ms < end_ms, oldest first; a damaged one is left out."""
        statement = (
            select(briefs)
            .filter_by(exchange=market.exchange, symbol=market.symbol)
            .where(briefs.c.time_ms >= start_ms, briefs.c.time_ms < end_ms)
            .order_by(briefs.c.time_ms)
        )
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        return [found for row in rows if (found := _brief(market, row.time_ms, row.payload)) is not None]

    async def markets(self, *, since_ms: int) -> Sequence[Market]:
        """Every market with a brief since then, in a fixed order."""
        statement = select(briefs.c.exchange, briefs.c.symbol).where(briefs.c.time_ms >= since_ms).distinct()
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        return sorted(Market(row.exchange, row.symbol) for row in rows)

    async def save_scores(self, found: Sequence[StoredScore]) -> None:
        rows = [
            {
                "exchange": score.market.exchange,
                "symbol": score.market.symbol,
                "time_ms": score.time_ms,
                "payload": json.dumps(dict(score.payload), allow_nan=False),
            }
            for score in found
        ]
        await self._access.write(lambda connection: upsert(connection, scores, rows))

    async def scores(self) -> Sequence[StoredScore]:
        rows = await self._access.read(lambda connection: connection.execute(select(scores)).all())
        return [StoredScore(Market(row.exchange, row.symbol), row.time_ms, json.loads(row.payload)) for row in rows]


def _brief_row(brief: StoredBrief) -> dict[str, Any]:
    maps = {name: usd.astype(np.float32).ravel() for name, usd in brief.usd.items()}
    return {
        "exchange": brief.market.exchange,
        "symbol": brief.market.symbol,
        "time_ms": brief.time_ms,
        "payload": pack({"totals": np.array(brief.totals), **maps}, {"price": brief.price}),
    }


def _brief(market: Market, time_ms: int, blob: bytes) -> StoredBrief | None:
    try:
        arrays, facts = unpack(blob)
        long_total, short_total = arrays.pop("totals").tolist()
        usd = {name: array.reshape(2, -1).astype(np.float64) for name, array in arrays.items()}
        return StoredBrief(market, time_ms, float(facts["price"]), (long_total, short_total), usd)
    except (UnreadableBlobError, KeyError, ValueError) as error:
        log.warning("A stored brief of %s %s is unreadable and left out: %s", *market, error)
        return None
