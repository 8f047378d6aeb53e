"""A market's history: fetched once, stored, and from then on only what is missing."""

import logging
from collections.abc import Mapping

import numpy as np

from bot.alerts.types import Market
from bot.liquidation import History
from bot.liquidation.types import COLUMNS
from bot.market.exchange import Exchange, ExchangeError
from bot.market.history import align
from bot.market.types import BAR_MS, OpenInterest
from bot.storage.database import Database

LATE_ROWS_MS = 3_600_000
"""How far back the newest rows are asked for and read again: open interest may come late."""

REACH_MS = BAR_MS
"""How long after a bar's close the open interest of now still stands for it: until the next close.

Late by minutes it is off by far less than an estimate from volume would be.
"""

log = logging.getLogger(__name__)


class NoMapError(Exception):
    """There is no map of this market now; `reason` is no_data or exchange_down."""

    def __init__(self, market: Market, reason: str) -> None:
        super().__init__(f"{market.exchange} {market.symbol}: {reason}")
        self.market = market
        self.reason = reason


class HistoryStore:
    """Asks the exchanges for bars and open interest, and remembers in the database what it was given."""

    def __init__(self, exchanges: Mapping[str, Exchange], db: Database) -> None:
        self._exchanges = exchanges
        self._db = db
        self._have: dict[tuple[str, Market], int] = {}
        self._noted: set[str] = set()

    async def up_to_date(self, market: Market, start_ms: int, end_ms: int, *, known: History | None = None) -> History:
        """The history from `start_ms` to `end_ms`; of what is `known` only the last hours are read again.

        With a history of its own a market outlives an exchange that is down; without one: NoMapError.
        """
        failed: ExchangeError | None = None
        try:
            await self.fetch_bars(market, start_ms, end_ms)
            await self._fetch_open_interest(market, start_ms, end_ms)
        except ExchangeError as error:
            log.warning("%s %s not brought up to date: %s", *market, error)
            failed = error
        from_ms = start_ms if known is None else max(start_ms, known.end_ms - LATE_ROWS_MS)
        bars = await self._db.series.load_bars(market, start_ms=from_ms, end_ms=end_ms)
        samples = await self._db.series.load_open_interest(market, start_ms=from_ms + 1, end_ms=end_ms + 1)
        if failed is not None and known is None and not len(bars):
            raise NoMapError(market, "exchange_down") from failed
        newest = align(bars, samples)
        return newest if known is None else spliced(known, newest, start_ms=start_ms, from_ms=from_ms)

    async def fetch_bars(self, market: Market, start_ms: int, end_ms: int) -> None:
        """Fetch and store the closed bars that are missing. Raises ExchangeError."""
        from_ms = self._have.get(("bars", market))
        if from_ms is None:
            known = await self._db.series.load_bars(market, start_ms=start_ms, end_ms=end_ms)
            newest_ms = int(known.open_ms[-1]) + BAR_MS if len(known) else None
            from_ms = await self._first_missing("bars", market, start_ms, newest_ms)
        from_ms = max(from_ms, start_ms)
        if from_ms < end_ms:
            bars = await self._exchanges[market.exchange].bars(market.symbol, start_ms=from_ms, end_ms=end_ms)
            await self._db.series.save_bars({market: bars})
            await self._asked("bars", market, start_ms)
            from_ms = int(bars.open_ms[-1]) + BAR_MS if len(bars) else from_ms
        self._have["bars", market] = from_ms

    async def _fetch_open_interest(self, market: Market, start_ms: int, end_ms: int) -> None:
        """Ask from an hour before the last question: a row may come late, and one that never comes is given up."""
        if not self._exchanges[market.exchange].gives_open_interest_history:
            await self._sample_open_interest(market, end_ms)
            return
        from_ms = self._have.get(("open_interest", market))
        if from_ms is None:
            known = await self._db.series.load_open_interest(market, start_ms=start_ms + 1, end_ms=end_ms + 1)
            newest_ms = int(known.time_ms[-1]) if len(known) else None
            from_ms = await self._first_missing("open_interest", market, start_ms, newest_ms)
        from_ms = max(from_ms, start_ms)
        if from_ms < end_ms:
            samples = await self._exchanges[market.exchange].open_interest_history(
                market.symbol, start_ms=from_ms, end_ms=end_ms
            )
            await self._db.series.save_open_interest({market: samples})
            await self._asked("open_interest", market, start_ms)
            newest_ms = int(samples.time_ms[-1]) if len(samples) else from_ms
            from_ms = max(newest_ms, end_ms - LATE_ROWS_MS)
        self._have["open_interest", market] = from_ms

    async def _sample_open_interest(self, market: Market, end_ms: int) -> None:
        """Where an exchange only tells what is open now: that, as the sample of the bar that has just closed.

        So a model that begins estimated becomes measured, bar by bar. Each bar keeps its first sample.
        """
        exchange = self._exchanges[market.exchange]
        if self._have.get(("open_interest", market), 0) >= end_ms or exchange.server_now_ms() - end_ms >= REACH_MS:
            return
        now = await exchange.open_interest(market.symbol)
        if 0 <= now.time_ms[-1] - end_ms < REACH_MS:
            sample = OpenInterest(np.array([end_ms], dtype=np.int64), now.coins[-1:])
            await self._db.series.save_open_interest({market: sample})
            self._have["open_interest", market] = end_ms

    async def _first_missing(self, what: str, market: Market, start_ms: int, newest_ms: int | None) -> int:
        """From when to ask: after the newest row, or from the start where it was never asked for so far back.

        A young contract has no rows at the start, so what was asked for is kept, not guessed from what came.
        """
        asked_ms = await self._db.kv.get(_asked_key(what, market))
        return start_ms if asked_ms is None or asked_ms > start_ms or newest_ms is None else newest_ms

    async def _asked(self, what: str, market: Market, start_ms: int) -> None:
        key = _asked_key(what, market)
        if key not in self._noted:
            asked_ms = await self._db.kv.get(key)
            if asked_ms is None or asked_ms > start_ms:
                await self._db.kv.set(key, start_ms)
            self._noted.add(key)


def spliced(old: History, new: History, *, start_ms: int, from_ms: int) -> History:
    """The rows of `old` from `start_ms` to `from_ms`, then `new`."""
    first, last = np.searchsorted(old.open_ms, (start_ms, from_ms))
    kept = old.rows(first, last)
    return History(old.bar_ms, *(np.concatenate((getattr(kept, name), getattr(new, name))) for name in COLUMNS))


def _asked_key(what: str, market: Market) -> str:
    return f"asked_from:{what}:{market.exchange}:{market.symbol}"
