"""The scan over all markets that are known: a glance at each, renewed in the background a little at a time.

A glance takes some 20 ms of a processor and no request: an open market is in memory, a warm one in the database. What
a scan asks exchanges for are prices, one request for all, and order books of the few markets where they count.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.alerts.types import Market
from bot.clock import Clock
from bot.combined_markets import CombinedMarkets
from bot.hindsight import Part
from bot.liquidation import DEFAULT
from bot.liquidation.depth import Depth
from bot.liquidation.glance import Glance, GlanceRow, Order, ranked, row_of
from bot.market.exchange import Exchange, ExchangeError
from bot.market.priority import Priority, asking_as
from bot.market.types import BAR_MS
from bot.markets import LEAST_BARS
from bot.order_books import OrderBooks
from bot.scanning import glance_at
from bot.storage.errors import StorageError
from bot.telegram.survey import SHOWN, ScanLine, ScanView

OLD_MS: Final = 2 * BAR_MS
"""A glance is taken anew after so long: bars of warm markets come in the background, hour by hour."""

AT_ONCE: Final = 12
"""So many glances are taken while somebody waits: a quarter of a second of work."""

BREATH: Final = 9.0
"""After each glance in the background so many times what it took is rested: a tenth of a processor at most."""

LEAST_BREATH_S: Final = 0.05
IDLE_S: Final = 20.0
PRICES_S: Final = 30.0
BOOKS_S: Final = 600.0
BOOK_LEVELS: Final = 500
BOOK_PATIENCE_S: Final = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A glance, None where there was no map to take one of, and when by the monotonic clock."""

    glance: Glance | None
    at_s: float


class Scanner:
    """Keeps glances at the `candidates` of each exchange, and ranks them.

    A coin that several exchanges list is looked at on the first of them that has a map of it.
    """

    def __init__(
        self,
        *,
        markets: CombinedMarkets,
        exchanges: Mapping[str, Exchange],
        books: OrderBooks,
        clock: Clock,
        candidates: Callable[[str], Sequence[Market]],
        simulated: frozenset[str] = frozenset(),
    ) -> None:
        self._markets = markets
        self._exchanges = exchanges
        self._books = books
        self._clock = clock
        self._candidates = candidates
        self._simulated = simulated
        self._seen: dict[Market, _Seen] = {}
        self._depths: dict[Market, tuple[Depth, float]] = {}
        self._prices: dict[str, tuple[Mapping[str, float], float]] = {}
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Renew glances until cancelled, the oldest first."""
        with asking_as(Priority.BACKGROUND):
            while True:
                due = self._due()
                if not due:
                    await self._clock.sleep(IDLE_S)
                    continue
                begun_s = self._clock.monotonic()
                await self._look_at(due[0])
                took_s = self._clock.monotonic() - begun_s
                await self._clock.sleep(max(LEAST_BREATH_S, BREATH * took_s))

    async def scan(self, order: Order) -> ScanView:
        """All that is known, in an order. A few glances that are missing are taken first."""
        for market in self._due()[:AT_ONCE]:
            await self._look_at(market)
        wanted = self._wanted()
        glances = [(market, seen.glance) for market in wanted if (seen := self._seen.get(market)) and seen.glance]
        prices = await self._prices_of({market.exchange for market, _ in glances})
        if order is Order.ABSORPTION:
            await self._read_books(await asyncio.to_thread(self._heads, glances, prices))
        rows = await asyncio.to_thread(self._rows, glances, prices)
        lines = tuple(self._line(*glances[index], rows[index]) for index in ranked(rows, order))
        several = len({market.exchange for market, _ in glances}) > 1
        return ScanView(order, lines, read=len(glances), wanted=len(wanted), several=several)

    def _wanted(self) -> list[Market]:
        """One market of each coin: the first that has a map, else the first."""
        of_coin: dict[Market, Market] = {}
        for exchange in self._exchanges:
            opened = [market for market in self._markets.opened() if market.exchange == exchange]
            for market in dict.fromkeys((*self._candidates(exchange), *opened)):
                instrument = self._markets.book.get(market.symbol, market.exchange)
                if instrument is None:
                    continue
                coin = self._markets.combined(instrument) or market
                known = of_coin.get(coin)
                if known is None or (self._is_empty(known) and not self._is_empty(market)):
                    of_coin[coin] = market
        return list(of_coin.values())

    def _is_empty(self, market: Market) -> bool:
        """Whether it was looked at in vain."""
        seen = self._seen.get(market)
        return seen is not None and seen.glance is None

    def _due(self) -> list[Market]:
        """Whose glance is missing or old: those never seen first, then the oldest."""
        now_s = self._clock.monotonic()
        due = []
        for market in self._wanted():
            seen = self._seen.get(market)
            if seen is None or now_s - seen.at_s >= OLD_MS / 1000:
                due.append((-1.0 if seen is None else seen.at_s, market))
        return [market for _, market in sorted(due, key=lambda pair: pair[0])]

    async def _look_at(self, market: Market) -> None:
        async with self._turn:
            try:
                part = await self._part(market)
                glance = None if part is None else await asyncio.to_thread(glance_at, part)
            except StorageError as failure:
                log.warning("the history of %s %s could not be read for a scan: %s", *market, failure)
                glance = None
            self._seen[market] = _Seen(glance, self._clock.monotonic())

    async def _part(self, market: Market) -> Part | None:
        """The market's history from memory or from the database, never from its exchange."""
        live, calibration = self._markets.get(market), self._markets.calibration_of(market)
        if live is not None:
            shown = live.parameters if calibration.learned else DEFAULT
            return Part(market.exchange, live.history, live.tiers, shown, calibration.weights)
        history = await self._markets.histories.stored(market, *self._markets.window(market.exchange))
        if len(history) < LEAST_BARS:
            return None
        _, tiers = await self._markets.tiers_of(market)
        return Part(market.exchange, history, tiers, DEFAULT, calibration.weights)

    def _rows(self, glances: Sequence[tuple[Market, Glance]], prices: Mapping[Market, float]) -> list[GlanceRow]:
        return [row_of(glance, price=prices.get(market), depth=self._fresh_depth(market)) for market, glance in glances]

    def _heads(self, glances: Sequence[tuple[Market, Glance]], prices: Mapping[Market, float]) -> list[Market]:
        """The first of the orders that need no book: of these the books are read."""
        rows = self._rows(glances, prices)
        orders = (order for order in Order if order is not Order.ABSORPTION)
        heads = [index for order in orders for index in ranked(rows, order)[:SHOWN]]
        return [glances[index][0] for index in dict.fromkeys(heads)]

    async def _read_books(self, markets: Sequence[Market]) -> None:
        """Those that are not known or old. What takes too long comes with a later scan."""
        wanted = [market for market in markets if self._fresh_depth(market) is None]
        asking = [asyncio.ensure_future(self._read_book(market)) for market in wanted]
        if asking:
            _, late = await asyncio.wait(asking, timeout=BOOK_PATIENCE_S)
            for task in late:
                task.cancel()

    async def _read_book(self, market: Market) -> None:
        depth = await self._books.read(market, levels=BOOK_LEVELS, within_s=BOOKS_S)
        if depth is not None:
            self._depths[market] = depth, self._clock.monotonic()

    def _fresh_depth(self, market: Market) -> Depth | None:
        depth, at_s = self._depths.get(market, (None, 0.0))
        return depth if self._clock.monotonic() - at_s <= BOOKS_S else None

    async def _prices_of(self, exchanges: set[str]) -> dict[Market, float]:
        """The newest prices, one request an exchange; of one that does not answer none, and its maps' own stand."""
        found: dict[Market, float] = {}
        for name in sorted(exchanges):
            known, at_s = self._prices.get(name, ({}, -PRICES_S))
            if self._clock.monotonic() - at_s >= PRICES_S:
                try:
                    tick = await self._exchanges[name].mark_prices()
                except ExchangeError as error:
                    log.info("a scan does without new prices: %s", error)
                    known = {}
                else:
                    known = dict(zip(tick.symbols, tick.price.tolist(), strict=True))
                self._prices[name] = known, self._clock.monotonic()
            found.update({Market(name, symbol): price for symbol, price in known.items()})
        return found

    def _line(self, market: Market, glance: Glance, row: GlanceRow) -> ScanLine:
        instrument = self._markets.book.get(market.symbol, market.exchange)
        base = market.symbol if instrument is None else instrument.base
        return ScanLine(market, base, glance.time_ms, row, simulated=market.exchange in self._simulated)
