"""One live exchange written down: its bars, open interest, prices, liquidations and risk tiers, into a recording."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bot.clock import Clock
from bot.jobs import BARS_DELAY_S, RECOMPUTE_DELAY_S
from bot.market.exchange import Exchange, ExchangeError, KnowsDepth, UnknownSymbolError
from bot.market.feed import LiquidationFeed
from bot.market.growth import GrowingMarket, GrowingPrints, GrowingTiers
from bot.market.recording import BARS_FILE
from bot.market.symbols import SymbolBook
from bot.market.types import BAR_MS, Instrument, OpenInterest

MOST_TRADED: Final = 10
"""Contracts of each exchange that are recorded where none are named."""

TIERS_EVERY_S: Final = 6 * 3600.0
WRITE_EVERY_S: Final = 5.0
RETRY_S: Final = 5.0
REACH_MS: Final = 60_000
"""A sample of open interest so long after a bar's end is still that bar's."""

BOOK_LEVELS: Final = 1000

LATE_ROWS_MS: Final = 3_600_000
"""Open interest that does not come for so long never does."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be recorded. `symbols` as typed; empty: the most traded and what the folder has; None: everything.

    Order books are recorded of so many contracts at most: each costs a venue as much as months of bars.
    """

    symbols: tuple[str, ...] | None
    history_ms: int
    tick_s: float
    most_books: int = 50


class VenueRecorder:
    """Records one exchange below `out` until it is cancelled. Trouble of the exchange is told and outlived."""

    def __init__(
        self, exchange: Exchange, feed: LiquidationFeed | None, out: Path, *, wanted: Wanted, clock: Clock
    ) -> None:
        """Continue what is there. Raises RecordingError where it cannot be continued."""
        self.name = exchange.name
        self.counts: Counter[str] = Counter()
        self.listed: Sequence[Instrument] | None = None
        self._exchange = exchange
        self._feed = feed
        self._folder = out / exchange.name
        self._wanted = wanted
        self._clock = clock
        self._markets: dict[str, GrowingMarket] = {}
        self._troubles: dict[str, str] = {}
        self._begun = asyncio.Event()
        self._prints = GrowingPrints(self._folder)
        self._tiers = GrowingTiers(out, exchange.name)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The contracts that are recorded; none before the exchange has answered."""
        return tuple(self._markets)

    @property
    def trouble(self) -> str:
        """What was not given when it was last asked for; empty where all was."""
        return next(reversed(self._troubles.values()), "")

    @property
    def dropped(self) -> int:
        """Rows for which there was no room while they waited."""
        return self._prints.dropped + sum(market.dropped for market in self._markets.values())

    async def run(self) -> None:
        """Record until cancelled. Raises OSError, RecordingError."""
        while not await self._answered(self._choose(), "contracts"):
            await self._clock.sleep(RETRY_S)
        works = [self._read_prices(), self._fetch_series(), self._read_books(), self._ask_tiers()]
        works.append(self._write_what_is_due())
        if self._feed is not None:
            works.append(self._feed.run())
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def finish(self) -> None:
        """Put everything in place that waits. Raises OSError."""
        self._hear()
        await self._write(all_of_it=True)

    async def _choose(self) -> None:
        """Learn the contracts, and which of them are wanted."""
        listed = [one for one in await self._exchange.instruments() if is_a_name(one.symbol)]
        book = SymbolBook(listed)
        if self._wanted.symbols is None:
            chosen = [one.symbol for one in listed]
        elif self._wanted.symbols:
            found = [book.resolve(f"{self.name}:{text}") for text in self._wanted.symbols]
            chosen = [one.symbol for one in found if one is not None]
        else:
            volumes = await self._exchange.volumes()
            ranked = sorted((one.symbol for one in listed), key=lambda symbol: -volumes.get(symbol, 0.0))
            had = [one.symbol for one in listed if (self._folder / one.symbol / BARS_FILE).exists()]
            chosen = had or ranked[:MOST_TRADED]
        self._markets = {symbol: GrowingMarket(self._folder / symbol) for symbol in chosen}
        self.listed = listed

    async def _read_prices(self) -> None:
        while True:
            await self._answered(self._read_tick(), "prices")
            await self._clock.sleep(self._wanted.tick_s)

    async def _read_tick(self) -> None:
        tick = await self._exchange.mark_prices()
        for symbol, time_ms, price in zip(tick.symbols, tick.time_ms.tolist(), tick.price.tolist(), strict=True):
            if symbol in self._markets:
                self.counts["prices"] += self._markets[symbol].add_price(time_ms, price)

    async def _fetch_series(self) -> None:
        """The missing bars soon after each has closed, and its open interest when the venue has it."""
        await self._for_each(self._fetch_bars, "bars")
        await self._for_each(self._fetch_open_interest, "open interest")
        self._begun.set()
        while True:
            await self._until_after_a_boundary(BARS_DELAY_S)
            await self._for_each(self._fetch_bars, "bars")
            if self._exchange.gives_open_interest_history:
                await self._until_after_a_boundary(RECOMPUTE_DELAY_S)
            await self._for_each(self._fetch_open_interest, "open interest")

    async def _for_each(self, fetch: Callable[[str], Awaitable[None]], what: str) -> None:
        for symbol in self.symbols:
            try:
                await self._answered(fetch(symbol), f"{what} of {symbol}")
            except UnknownSymbolError as error:
                log.warning("%s", error)
                self._let_go(symbol)

    async def _fetch_bars(self, symbol: str) -> None:
        market, now_ms = self._markets[symbol], self._exchange.server_now_ms()
        oldest_ms = now_ms - self._wanted.history_ms
        start_ms = oldest_ms if market.newest_bar_ms is None else market.newest_bar_ms + BAR_MS
        bars = await self._exchange.bars(symbol, start_ms=start_ms, end_ms=now_ms)
        self.counts["bars"] += market.add_bars(bars)

    async def _fetch_open_interest(self, symbol: str) -> None:
        market, now_ms = self._markets[symbol], self._exchange.server_now_ms()
        newest_ms = market.newest_open_interest_ms
        if self._exchange.gives_open_interest_history:
            start_ms = now_ms - self._wanted.history_ms if newest_ms is None else newest_ms
            samples = await self._exchange.open_interest_history(symbol, start_ms=start_ms, end_ms=now_ms)
            self.counts["open interest"] += market.add_open_interest(samples)
            return
        end_ms = now_ms // BAR_MS * BAR_MS
        if now_ms - end_ms < REACH_MS and (newest_ms is None or newest_ms < end_ms):
            now = await self._exchange.open_interest(symbol)
            sample = OpenInterest(np.array([end_ms], dtype=np.int64), now.coins[-1:])
            self.counts["open interest"] += market.add_open_interest(sample)

    async def _read_books(self) -> None:
        """Every book once in five minutes, apart from the series: large answers hold up no bar."""
        await self._begun.wait()
        while True:
            for symbol in self.symbols if len(self._markets) <= self._wanted.most_books else ():
                try:
                    await self._answered(self._read_book(symbol), f"order book of {symbol}")
                except UnknownSymbolError:
                    continue  # its bars say so, too, and let it go
            await self._until_after_a_boundary(BARS_DELAY_S)

    async def _read_book(self, symbol: str) -> None:
        if isinstance(self._exchange, KnowsDepth):
            depth = await self._exchange.depth(symbol, levels=BOOK_LEVELS)
            market = self._markets.get(symbol)
            if market is not None and not depth.is_thin:
                self.counts["order books"] += market.add_book(depth)

    async def _ask_tiers(self) -> None:
        while True:
            tiers = {}
            for symbol in self.symbols:
                try:
                    tiers[symbol] = await self._exchange.risk_tiers_of(symbol)
                except ExchangeError as error:
                    log.warning("risk tiers of %s on %s are not recorded now: %s", symbol, self.name, error)
            self._tiers.put(tiers)
            await self._clock.sleep(TIERS_EVERY_S if tiers else RETRY_S)

    async def _write_what_is_due(self) -> None:
        while True:
            self._hear()
            await self._write()
            await self._clock.sleep(WRITE_EVERY_S)

    def _hear(self) -> None:
        if self._feed is not None:
            heard = self._feed.take()
            self.counts["liquidations"] += self._prints.add(heard.prints)
            self._prints.add_heard(heard.stretches)

    async def _write(self, *, all_of_it: bool = False) -> None:
        now_s = self._clock.monotonic()
        self._prints.write(now_s, all_of_it=all_of_it)
        for market in tuple(self._markets.values()):  # one may be let go meanwhile
            market.write(now_s, all_of_it=all_of_it)
            await asyncio.sleep(0)

    async def _until_after_a_boundary(self, delay_s: int) -> None:
        """Wait until so long after the next 5-minute boundary that has this moment still before it."""
        delay_ms = delay_s * 1000
        now_ms = self._exchange.server_now_ms()
        wait_ms = BAR_MS - (now_ms - delay_ms) % BAR_MS
        await self._clock.sleep(wait_ms / 1000)

    async def _answered(self, answer: Awaitable[None], question: str) -> bool:
        """Whether the exchange gave what was asked. Where not, why is kept, and logged once until it is given again.

        Raises UnknownSymbolError.
        """
        try:
            await answer
        except UnknownSymbolError:
            raise
        except ExchangeError as error:
            if question not in self._troubles:
                log.warning("%s, %s: not recorded now: %s", self.name, question, error)
            self._troubles[question] = str(error)
            return False
        if self._troubles.pop(question, None) is not None:
            log.warning("%s, %s: recorded again", self.name, question)
        return True

    def _let_go(self, symbol: str) -> None:
        """A contract that is gone: what waits of it is put in place, and no more is asked."""
        self._troubles = {asked: why for asked, why in self._troubles.items() if not asked.endswith(f" {symbol}")}
        self._markets.pop(symbol).write(self._clock.monotonic(), all_of_it=True)


def is_a_name(symbol: str) -> bool:
    """Whether a symbol can be a folder's name and a cell."""
    return bool(symbol) and not symbol.startswith(".") and not set(symbol) & set('/\\:*?"<>|,\n\r\t\0')
