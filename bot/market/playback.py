"""Recorded or simulated markets as an exchange that, at each moment, knows what was known then and nothing later."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from bot.clock import Clock
from bot.liquidation.margin import RiskTier
from bot.liquidation.score import Cover, listened
from bot.market.bar_path import price_at, slice_bars
from bot.market.exchange import ExchangeUnavailableError, NotGivenError, UnknownSymbolError
from bot.market.feed import FeedStatus, Heard, Stretch, rows_of_prints
from bot.market.recorded_books import newest_book
from bot.market.recording import Recording
from bot.market.simulator import EXCHANGE as SIMULATED
from bot.market.simulator import SimulatedMarket, merge_prints
from bot.market.symbols import QUOTES
from bot.market.tick_size import tick_size
from bot.market.types import BAR_MS, Bars, Depth, Instrument, OpenInterest, Prices, Prints, Tick

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class RecordedMarket:
    """All that was recorded of one market; None or empty where there is none. `depth_at` tells its book at a moment."""

    symbol: str
    bars: Bars
    open_interest: OpenInterest | None
    prices: Prices | None
    tiers: tuple[RiskTier, ...]
    depth_at: Callable[[int], Depth | None] = lambda _: None

    @classmethod
    def simulated(cls, market: SimulatedMarket) -> "RecordedMarket":
        return cls(market.symbol, market.bars, market.open_interest, market.prices, market.tiers, market.depth_at)


def load_markets(recording: Recording, exchange: str) -> tuple[RecordedMarket, ...]:
    """Read every market of one exchange of a recording. Raises RecordingError."""
    tiers = recording.tiers(exchange)
    return tuple(
        RecordedMarket(
            symbol=symbol,
            bars=recording.bars(exchange, symbol),
            open_interest=recording.open_interest(exchange, symbol),
            prices=recording.prices(exchange, symbol),
            tiers=tiers.get(symbol, ()),
            depth_at=partial(newest_book, recording.books(exchange, symbol), within_ms=BAR_MS),
        )
        for symbol in recording.symbols(exchange)
    )


class PlaybackExchange:
    """An exchange out of what was recorded, up to the clock's now. Satisfies `Exchange` and `KnowsDepth`."""

    gives_open_interest_history: bool = True

    def __init__(
        self,
        name: str,
        markets: Iterable[RecordedMarket],
        clock: Clock,
        *,
        prints: Prints | None = None,
        heard: Cover | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._markets = {market.symbol: market for market in markets}
        self._prints = prints
        self._cover = () if prints is None else heard or listened(prints.time_ms)

    @classmethod
    def of_recording(cls, recording: Recording, exchange: str, clock: Clock) -> "PlaybackExchange":
        """Play one exchange of a recording. Raises RecordingError."""
        prints = recording.prints(exchange)
        heard = None if prints is None else recording.heard(exchange, prints)
        return cls(exchange, load_markets(recording, exchange), clock, prints=prints, heard=heard)

    @classmethod
    def of_simulation(cls, markets: Sequence[SimulatedMarket], clock: Clock) -> "PlaybackExchange":
        """Play simulated markets, under the name `simulated`."""
        prints = merge_prints([market.prints for market in markets]) if markets else None
        return cls(SIMULATED, map(RecordedMarket.simulated, markets), clock, prints=prints)

    @property
    def start_ms(self) -> int:
        """The open of the first bar of any market."""
        return min(int(market.bars.open_ms[0]) for market in self._markets.values())

    @property
    def end_ms(self) -> int:
        """The close of the last bar of any market."""
        return max(int(market.bars.open_ms[-1]) for market in self._markets.values()) + BAR_MS

    def server_now_ms(self) -> int:
        return self._clock.now_ms()

    async def instruments(self) -> Sequence[Instrument]:
        return [self._instrument(market) for market in self._markets.values()]

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        bars = self._market(symbol).bars
        closed_ms = self._clock.now_ms() - BAR_MS
        begin, end = np.searchsorted(bars.open_ms, [start_ms, min(end_ms, closed_ms + 1)])
        return slice_bars(bars, int(begin), max(int(begin), int(end)))

    async def open_interest_history(self, symbol: str, *, start_ms: int, end_ms: int) -> OpenInterest:
        samples = self._market(symbol).open_interest
        if samples is None:
            return OpenInterest(time_ms=np.empty(0, dtype=np.int64), coins=np.empty(0))
        ends = [start_ms, min(end_ms, self._clock.now_ms())]
        begin, end = np.searchsorted(samples.time_ms, ends, side="right")
        rows = slice(int(begin), max(int(begin), int(end)))
        return OpenInterest(time_ms=samples.time_ms[rows], coins=samples.coins[rows])

    async def open_interest(self, symbol: str) -> OpenInterest:
        """The newest sample; where there is none yet, or none at all, ExchangeUnavailableError."""
        known = await self.open_interest_history(symbol, start_ms=-1, end_ms=self._clock.now_ms())
        if len(known) == 0:
            raise ExchangeUnavailableError(f"{self.name} has no open interest of {symbol}")
        return OpenInterest(time_ms=known.time_ms[-1:], coins=known.coins[-1:])

    async def mark_prices(self) -> Tick:
        """The newest price of each market that has begun, with the time it is of: after a market's end, its last."""
        now_ms = self._clock.now_ms()
        found = {symbol: price_at(market.bars, market.prices, now_ms) for symbol, market in self._markets.items()}
        known = {symbol: price for symbol, price in found.items() if price is not None}
        return Tick(
            exchange=self.name,
            symbols=tuple(known),
            time_ms=np.array([time_ms for time_ms, _ in known.values()], dtype=np.int64),
            price=np.array([price for _, price in known.values()], dtype=np.float64),
        )

    async def volumes(self) -> Mapping[str, float]:
        """Quote volume of the last 24 h by symbol, at each bar's close."""
        now_ms = self._clock.now_ms()
        found = {}
        for symbol, market in self._markets.items():
            begin, end = np.searchsorted(market.bars.open_ms, (now_ms - DAY_MS, now_ms - BAR_MS + 1))
            found[symbol] = float(market.bars.volume[begin:end] @ market.bars.close[begin:end])
        return found

    async def risk_tiers_of(self, symbol: str) -> Sequence[RiskTier]:
        return self._market(symbol).tiers

    async def risk_tiers(self) -> Mapping[str, Sequence[RiskTier]]:
        return {symbol: market.tiers for symbol, market in self._markets.items() if market.tiers}

    async def depth(self, symbol: str, *, levels: int = 100) -> Depth:
        """The book of now, as far as it was recorded; where it was not, NotGivenError."""
        found = self._market(symbol).depth_at(self._clock.now_ms())
        if found is None:
            raise NotGivenError(f"{self.name} has no order book of {symbol} of this time.")
        return found.nearest(levels)

    def feed(self) -> "PlaybackFeed":
        """The liquidations from now on, as they come."""
        return PlaybackFeed(self, self._clock)

    async def prints(self, *, start_ms: int, end_ms: int) -> Prints:
        """Liquidation prints with start_ms <= time_ms < end_ms, of those printed by now."""
        return self.printed(start_ms=start_ms, end_ms=end_ms)

    def printed(self, *, start_ms: int, end_ms: int) -> Prints:
        """The same, at once."""
        if self._prints is None:
            return merge_prints([])
        begin, end = np.searchsorted(self._prints.time_ms, [start_ms, min(end_ms, self._clock.now_ms() + 1)])
        rows = slice(int(begin), max(int(begin), int(end)))
        return Prints(
            time_ms=self._prints.time_ms[rows],
            symbol=self._prints.symbol[rows],
            is_long=self._prints.is_long[rows],
            price=self._prints.price[rows],
            coins=self._prints.coins[rows],
            at_bankruptcy=None if self._prints.at_bankruptcy is None else self._prints.at_bankruptcy[rows],
        )

    async def aclose(self) -> None:
        """Nothing is open."""

    def listened_between(self, start_ms: int, end_ms: int) -> tuple[Stretch, ...]:
        """In which parts of this time liquidations were recorded; simulated ones always are."""
        if self.name == SIMULATED and self._prints is not None:
            return ((start_ms, end_ms),) if end_ms > start_ms else ()
        inside = [(max(start, start_ms), min(end, end_ms)) for start, end in self._cover]
        return tuple((start, end) for start, end in inside if end > start)

    def _market(self, symbol: str) -> RecordedMarket:
        if symbol not in self._markets:
            raise UnknownSymbolError(f"{self.name} does not list {symbol}")
        return self._markets[symbol]

    def _instrument(self, market: RecordedMarket) -> Instrument:
        quote = next((quote for quote in QUOTES if market.symbol.endswith(quote)), "")
        return Instrument(
            exchange=self.name,
            symbol=market.symbol,
            native=market.symbol,
            base=market.symbol.removesuffix(quote),
            quote=quote,
            tick_size=tick_size(market.bars.close),
            onboard_ms=int(market.bars.open_ms[0]),
            max_leverage=max((tier.max_leverage for tier in market.tiers), default=None),
        )


class PlaybackFeed:
    """A `LiquidationFeed` of what is played, never silent by mistake while there is anything recorded."""

    def __init__(self, exchange: PlaybackExchange, clock: Clock) -> None:
        self.name = exchange.name
        self._exchange = exchange
        self._clock = clock
        self._from_ms = clock.now_ms()
        self._last_print_ms: int | None = None
        self._prints = 0

    async def run(self) -> None:
        """Nothing to listen to: what was printed is there at once."""
        await asyncio.Event().wait()

    def take(self) -> Heard:
        """The prints from the last take up to the clock's now, which is included."""
        start_ms, end_ms = self._from_ms, self._clock.now_ms() + 1
        rows = rows_of_prints(self._exchange.printed(start_ms=start_ms, end_ms=end_ms))
        self._from_ms, self._prints = max(start_ms, end_ms), self._prints + len(rows)
        if rows:
            self._last_print_ms = rows[-1].time_ms
        covered = self._exchange.listened_between(start_ms, end_ms)
        return Heard(rows, covered)

    def status(self) -> FeedStatus:
        """What was taken so far."""
        alive = bool(self._exchange.listened_between(self._clock.now_ms(), self._clock.now_ms() + 1))
        return FeedStatus(alive, self._last_print_ms, self._prints, 0, 1)
