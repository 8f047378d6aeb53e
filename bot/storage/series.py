"""The cache of market data: bars and open interest, one deflated day of one market a row.

Why days: 30 days of one symbol are 30 rows and load in a few milliseconds, where 8,640 rows take tens; 500 symbols take
some 110 MB instead of 400; and a new bar rewrites 8 kB, once in five minutes.
"""

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, select

from bot.alerts.types import Market
from bot.market.types import Bars, OpenInterest
from bot.storage import tables
from bot.storage.access import Access
from bot.storage.blobs import pack, unpack
from bot.storage.errors import UnreadableBlobError
from bot.storage.statements import alone_with, upsert

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
# Small transactions: an alert waits behind one of these at most.
_MARKETS_A_COMMIT = 25
_BARS = ("open_ms", "open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")
_OPEN_INTEREST = ("time_ms", "coins")

Columns = dict[str, NDArray[Any]]


class Series:
    """Reads and writes of `bars` and `open_interest`. New rows join the old; of two at one time the newer stays."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def save_bars(self, bars: Mapping[Market, Bars]) -> None:
        await self._save(tables.bars, {market: _columns(value, _BARS) for market, value in bars.items()})

    async def save_open_interest(self, samples: Mapping[Market, OpenInterest]) -> None:
        columns = {market: _columns(value, _OPEN_INTEREST) for market, value in samples.items()}
        await self._save(tables.open_interest, columns)

    async def load_bars(self, market: Market, *, start_ms: int, end_ms: int) -> Bars:
        """Cached bars with start_ms <= open_ms < end_ms, oldest first; empty where there are none."""
        return Bars(**await self._load(tables.bars, _BARS, market, start_ms, end_ms))

    async def load_open_interest(self, market: Market, *, start_ms: int, end_ms: int) -> OpenInterest:
        """Cached samples with start_ms <= time_ms < end_ms, oldest first; empty where there are none."""
        return OpenInterest(**await self._load(tables.open_interest, _OPEN_INTEREST, market, start_ms, end_ms))

    async def _save(self, table: Table, series: Mapping[Market, Columns]) -> None:
        markets = list(series)
        for start in range(0, len(markets), _MARKETS_A_COMMIT):
            some = {market: series[market] for market in markets[start : start + _MARKETS_A_COMMIT]}
            await self._access.write(partial(_merge_all, table=table, series=some))

    async def _load(self, table: Table, names: tuple[str, ...], market: Market, start_ms: int, end_ms: int) -> Columns:
        def work(connection: Connection) -> list[bytes]:
            days = table.c.day.between(start_ms // DAY_MS, (end_ms - 1) // DAY_MS)
            rows = select(table.c.payload).filter_by(exchange=market.exchange, symbol=market.symbol).where(days)
            return list(connection.execute(rows.order_by(table.c.day)).scalars())

        blobs = await self._access.read(work)
        days = [day for day in (_unpack(blob, names, market) for blob in blobs) if day]
        columns = {name: np.concatenate([day[name] for day in days] or [_nothing(name)]) for name in names}
        inside = slice(*np.searchsorted(columns[names[0]], (start_ms, end_ms)))
        return {name: column[inside] for name, column in columns.items()}


def _merge_all(connection: Connection, table: Table, series: Mapping[Market, Columns]) -> None:
    alone_with(connection, (f"{table.name} {market.exchange} {market.symbol}" for market in series))
    rows = []
    for market, columns in series.items():
        for day, part in _by_day(columns):
            key = {"exchange": market.exchange, "symbol": market.symbol, "day": day}
            stored = connection.execute(select(table.c.payload).filter_by(**key)).scalar()
            old = _unpack(stored, tuple(columns), market) if stored else None
            rows.append({**key, "payload": pack(_merge(old, part) if old else part)})
    upsert(connection, table, rows)


def _by_day(columns: Columns) -> Iterator[tuple[int, Columns]]:
    days = next(iter(columns.values())) // DAY_MS
    for day in np.unique(days):
        yield int(day), {name: column[days == day] for name, column in columns.items()}


def _merge(old: Columns, new: Columns) -> Columns:
    time = next(iter(new))
    both = {name: np.concatenate((new[name], old[name])) for name in new}
    # `unique` keeps the first of equals, and the new ones stand first.
    _, order = np.unique(both[time], return_index=True)
    return {name: column[order] for name, column in both.items()}


def _columns(series: Bars | OpenInterest, names: tuple[str, ...]) -> Columns:
    return {name: getattr(series, name) for name in names}


def _nothing(name: str) -> NDArray[Any]:
    return np.empty(0, dtype=np.int64 if name.endswith("_ms") else np.float64)


def _unpack(blob: bytes, names: tuple[str, ...], market: Market) -> Columns | None:
    """One day, or None where it cannot be read: a cache, so the market is asked again."""
    try:
        columns, _ = unpack(blob)
        return {name: columns[name] for name in names}
    except (UnreadableBlobError, KeyError) as error:
        log.warning("A cached day of %s %s is unreadable and left out: %s", market.exchange, market.symbol, error)
        return None
