"""A market's history: what is missing of it is asked for, once; what an exchange never had stays a hole."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np

from bot.alerts.types import Market
from bot.coverage import Coverage, Hole
from bot.liquidation import History
from bot.liquidation.types import COLUMNS
from bot.market.exchange import Exchange, ExchangeError, ExchangeUnavailableError
from bot.market.history import align
from bot.market.types import BAR_MS, Ints, OpenInterest
from bot.ranges import Ranges, Span
from bot.storage.database import Database

What = Literal["bars", "open_interest"]
WHATS: Final[tuple[What, ...]] = ("bars", "open_interest")

LATE_ROWS_MS: Final = 3_600_000
"""How old a row must be before one that does not come is given up: open interest may come late."""

REACH_MS: Final = BAR_MS
"""How long after a bar's close the open interest of now still stands for it: until the next close.

Late by minutes it is off by far less than an estimate from volume would be.
"""

SHORT_REACH_MS: Final = BAR_MS // 2
"""The same where the exact figure can be had later: from its history of open interest."""

_READ_MS: Final = 60 * 86_400_000

log = logging.getLogger(__name__)


class NoMapError(Exception):
    """There is no map of this market now; `reason` is no_data or exchange_down."""

    def __init__(self, market: Market, reason: str) -> None:
        super().__init__(f"{market.exchange} {market.symbol}: {reason}")
        self.market = market
        self.reason = reason


class HistoryStore:
    """Asks the exchanges for bars and open interest, and remembers in the database what it was given.

    Safe to use from many tasks at once: two that fill the same gap ask twice and store the same.
    """

    def __init__(self, exchanges: Mapping[str, Exchange], db: Database) -> None:
        self._exchanges = exchanges
        self._db = db
        self._covered: dict[tuple[What, Market], Coverage] = {}
        self._outdated: set[tuple[What, Market]] = set()
        self._grown: set[Market] = set()

    async def up_to_date(
        self, market: Market, start_ms: int, end_ms: int, *, known: History | None = None, fill_from_ms: int = 0
    ) -> History:
        """The history from `start_ms` to `end_ms`; of what is `known` only the last hours are read again.

        What is missing before `fill_from_ms` is not asked for now. With a history of its own a market outlives an
        exchange that is down; without one: NoMapError.
        """
        failed: ExchangeError | None = None
        try:
            await self.fill(market, max(start_ms, fill_from_ms), end_ms)
        except ExchangeError as error:
            log.warning("%s %s not brought up to date: %s", *market, error)
            failed = error
        if market in self._grown:
            self._grown.discard(market)
            known = None
        history = await self.stored(market, start_ms, end_ms, known=known)
        if failed is not None and known is None and not len(history):
            raise NoMapError(market, "exchange_down") from failed
        return history

    async def stored(self, market: Market, start_ms: int, end_ms: int, *, known: History | None = None) -> History:
        """The history as it is in store; of what is `known` only the last hours are read again."""
        from_ms = start_ms if known is None else max(start_ms, known.end_ms - LATE_ROWS_MS)
        bars = await self._db.series.load_bars(market, start_ms=from_ms, end_ms=end_ms)
        samples = await self._db.series.load_open_interest(market, start_ms=from_ms + 1, end_ms=end_ms + 1)
        newest = align(bars, samples)
        return newest if known is None else spliced(known, newest, start_ms=start_ms, from_ms=from_ms)

    def look_again(self, market: Market) -> None:
        """Other processes may have filled the store: what is missing of a market is found anew."""
        self._outdated |= {(what, market) for what in WHATS}

    async def fill(self, market: Market, start_ms: int, end_ms: int) -> None:
        """Ask for the bars and the open interest that are missing, newest first. Raises ExchangeError."""
        await self.fill_bars(market, start_ms, end_ms)
        if self._exchanges[market.exchange].gives_open_interest_history:
            coverage = await self._coverage("open_interest", market, start_ms, end_ms)
            missing = coverage.missing(start_ms, end_ms, now_ms=self._now_ms(market))
            # One figure alone is cheaper as that of now.
            if missing.spans != ((end_ms - BAR_MS, end_ms),) or not await self.sample_open_interest(market, end_ms):
                await self.fill_open_interest(market, start_ms, end_ms)
        await self.sample_open_interest(market, end_ms)

    async def fill_bars(self, market: Market, start_ms: int, end_ms: int) -> None:
        """Ask for the closed bars that are missing, newest first. Raises ExchangeError."""
        for span in await self.missing("bars", market, start_ms, end_ms):
            bars = await self._exchanges[market.exchange].bars(market.symbol, start_ms=span[0], end_ms=span[1])
            await self._db.series.save_bars({market: bars})
            await self._took("bars", market, span, bars.open_ms, end_ms)

    async def fill_open_interest(self, market: Market, start_ms: int, end_ms: int) -> None:
        """Ask for the samples that are missing, newest first, where the exchange keeps any. Raises ExchangeError."""
        if not self._exchanges[market.exchange].gives_open_interest_history:
            return
        for span in await self.missing("open_interest", market, start_ms, end_ms):
            samples = await self._exchanges[market.exchange].open_interest_history(
                market.symbol, start_ms=span[0], end_ms=span[1]
            )
            await self._db.series.save_open_interest({market: samples})
            await self._took("open_interest", market, span, _opens(samples.time_ms), end_ms)

    async def sample_open_interest(self, market: Market, end_ms: int) -> bool:
        """The open interest of now as the sample of the bar that has just closed, where it has none; True once it has.

        So a model of an exchange without a history begins estimated and becomes measured, bar by bar. Each bar keeps
        its first sample. Raises ExchangeError.
        """
        sample = await self.sample_of_now(market, end_ms)
        if sample is not None:
            await self.keep_samples({market: sample}, end_ms)
        return (await self._coverage("open_interest", market, end_ms - BAR_MS, end_ms)).is_there(end_ms - BAR_MS)

    async def sample_of_now(self, market: Market, end_ms: int) -> OpenInterest | None:
        """One row at `end_ms`, where it is missing and the open interest of now still stands for it. Not stored."""
        exchange = self._exchanges[market.exchange]
        reach_ms = SHORT_REACH_MS if exchange.gives_open_interest_history else REACH_MS
        coverage = await self._coverage("open_interest", market, end_ms - BAR_MS, end_ms)
        if coverage.is_there(end_ms - BAR_MS) or exchange.server_now_ms() - end_ms >= reach_ms:
            return None
        try:
            now = await exchange.open_interest(market.symbol)
        except ExchangeUnavailableError as error:
            log.debug("no open interest of %s %s now: %s", *market, error)
            return None
        if not 0 <= now.time_ms[-1] - end_ms < reach_ms:
            return None
        return OpenInterest(np.array([end_ms], dtype=np.int64), now.coins[-1:])

    async def keep_samples(self, samples: Mapping[Market, OpenInterest], end_ms: int) -> None:
        """Store samples of now of many markets, in few commits."""
        await self._db.series.save_open_interest(samples)
        for market in samples:
            coverage = self._covered["open_interest", market]
            coverage.take(Ranges(((end_ms - BAR_MS, end_ms),)))
            coverage.forget(end_ms - _READ_MS)

    async def missing(self, what: What, market: Market, start_ms: int, end_ms: int) -> Sequence[Span]:
        """What is to be asked for, newest first, in bar opens: neither stored nor known to be a hole."""
        coverage = await self._coverage(what, market, start_ms, end_ms)
        return coverage.missing(start_ms, end_ms, now_ms=self._now_ms(market)).spans[::-1]

    async def holes(self, what: What, market: Market, start_ms: int, end_ms: int) -> Sequence[Span]:
        """What is not there between these times, holes among it."""
        return (await self._coverage(what, market, start_ms, end_ms)).absent(start_ms, end_ms).spans

    async def is_whole(self, market: Market, start_ms: int, end_ms: int) -> bool:
        """Whether nothing is to be asked for but what may still come late."""
        old_ms = end_ms - LATE_ROWS_MS
        whats: tuple[What, ...] = ("bars",)
        if self._exchanges[market.exchange].gives_open_interest_history:
            whats = ("bars", "open_interest")
        return not any([await self.missing(what, market, start_ms, old_ms) for what in whats])

    async def _took(self, what: What, market: Market, span: Span, open_ms: Ints, end_ms: int) -> None:
        """Rows of a span are stored; what did not come of it and is old will not come: it is a hole."""
        coverage = self._covered[what, market]
        coverage.take(Ranges.of_rows(open_ms, BAR_MS))
        coverage.forget(end_ms - _READ_MS)
        old_ms = min(span[1], end_ms - LATE_ROWS_MS)
        if span[0] < old_ms:
            self._grown.add(market)
            if coverage.give_up((span[0], old_ms), now_ms=self._now_ms(market)):
                await self._db.kv.set(_holes_key(what, market), coverage.holes)

    async def _coverage(self, what: What, market: Market, start_ms: int, end_ms: int) -> Coverage:
        """What is stored, read once: from 60 days back, so that no window reaches behind it."""
        known = self._covered.get((what, market))
        if known is None or (what, market) in self._outdated:
            from_ms = min(start_ms, end_ms - _READ_MS)
            if what == "bars":
                opens = (await self._db.series.load_bars(market, start_ms=from_ms, end_ms=end_ms)).open_ms
            else:
                stored = await self._db.series.load_open_interest(market, start_ms=from_ms + 1, end_ms=end_ms + 1)
                opens = _opens(stored.time_ms)
            holes = [Hole(*hole) for hole in await self._db.kv.get(_holes_key(what, market), ())]
            read = Coverage(Ranges.of_rows(opens, BAR_MS), holes)
            if (what, market) in self._outdated:
                self._outdated.discard((what, market))
                self._covered[what, market] = read
            known = self._covered.setdefault((what, market), read)
            known.forget(from_ms)
        return known

    def _now_ms(self, market: Market) -> int:
        return self._exchanges[market.exchange].server_now_ms()


def spliced(old: History, new: History, *, start_ms: int, from_ms: int) -> History:
    """The rows of `old` from `start_ms` to `from_ms`, then `new`."""
    first, last = np.searchsorted(old.open_ms, (start_ms, from_ms))
    kept = old.rows(first, last)
    return History(old.bar_ms, *(np.concatenate((getattr(kept, name), getattr(new, name))) for name in COLUMNS))


def _opens(time_ms: Ints) -> Ints:
    """The opens of the bars at whose ends samples were taken, each once."""
    opens: Ints = np.unique((time_ms - 1) // BAR_MS * BAR_MS)
    return opens


def _holes_key(what: str, market: Market) -> str:
    return f"holes:{what}:{market.exchange}:{market.symbol}"
