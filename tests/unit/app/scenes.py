"""What the app's tests are made of: an exchange that counts, fails and is late, a disk that fills, a drawn market."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bot.alerts.types import Changes, Kind, Market, Rule
from bot.clock import Clock, StepClock
from bot.delivery.messenger import Message
from bot.liquidation import MODEL_VERSION, Cluster, History, LiquidationMap, Side
from bot.liquidation.margin import RiskTier
from bot.liquidation.touch import Volatility
from bot.market.exchange import ExchangeError, ExchangeUnavailableError
from bot.market.playback import PlaybackExchange, RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS, Bars, Instrument, OpenInterest, Tick
from bot.markets import LiveMarket
from bot.reading import Reading
from bot.storage.database import Database
from bot.storage.errors import DiskFullError

START_MS = 1_767_312_000_000
"""2026-01-02 00:00 UTC: the middle of the small simulated market."""

XYZ = Market("binance", "XYZUSDT")
Asked = tuple[str, int, int]


class CountedExchange(PlaybackExchange):
    """A recorded market as an exchange that notes what it is asked.

    While `failure` is set every question raises it; open interest with `withheld_from_ms` < time is not there yet.
    """

    def __init__(self, name: str, markets: Sequence[RecordedMarket], clock: Clock) -> None:
        super().__init__(name, markets, clock)
        self.asked: list[Asked] = []
        self.failure: ExchangeError | None = None
        self.withheld_from_ms: int | None = None

    def bars_asked(self) -> list[tuple[int, int]]:
        return [(start_ms, end_ms) for what, start_ms, end_ms in self.asked if what == "bars"]

    def open_interest_asked(self) -> list[tuple[int, int]]:
        return [(start_ms, end_ms) for what, start_ms, end_ms in self.asked if what == "open interest"]

    def goes_down(self) -> None:
        self.failure = ExchangeUnavailableError("The exchange is down.")

    def comes_back(self) -> None:
        self.failure = None

    async def instruments(self) -> Sequence[Instrument]:
        self._note("instruments", 0, 0)
        return await super().instruments()

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        self._note("bars", start_ms, end_ms)
        return await super().bars(symbol, start_ms=start_ms, end_ms=end_ms)

    async def open_interest_history(self, symbol: str, *, start_ms: int, end_ms: int) -> OpenInterest:
        self._note("open interest", start_ms, end_ms)
        known_ms = end_ms if self.withheld_from_ms is None else min(end_ms, self.withheld_from_ms)
        return await super().open_interest_history(symbol, start_ms=start_ms, end_ms=known_ms)

    async def open_interest(self, symbol: str) -> OpenInterest:
        now_ms = self.server_now_ms()
        self._note("open interest now", now_ms, now_ms)
        known_ms = now_ms if self.withheld_from_ms is None else min(now_ms, self.withheld_from_ms)
        known = await super().open_interest_history(symbol, start_ms=-1, end_ms=known_ms)
        if not len(known):
            raise ExchangeUnavailableError(f"{self.name} has no open interest of {symbol}.")
        return OpenInterest(known.time_ms[-1:], known.coins[-1:])

    async def mark_prices(self) -> Tick:
        self._note("prices", 0, 0)
        return await super().mark_prices()

    async def volumes(self) -> Mapping[str, float]:
        self._note("volumes", 0, 0)
        return await super().volumes()

    async def risk_tiers(self) -> Mapping[str, Sequence[RiskTier]]:
        self._note("tiers", 0, 0)
        return await super().risk_tiers()

    def _note(self, what: str, start_ms: int, end_ms: int) -> None:
        self.asked.append((what, start_ms, end_ms))
        if self.failure is not None:
            raise self.failure


def playing(market: SimulatedMarket, clock: StepClock) -> CountedExchange:
    """The small market as the exchange `simulated`."""
    return CountedExchange("simulated", [RecordedMarket.simulated(market)], clock)


class FillingDisk(Database):
    """A database in memory on a disk that is full while `full` is set."""

    full = False

    async def commit_changes(self, changes: Changes, *args: Any, **options: Any) -> int:
        if self.full:
            raise DiskFullError("The database did not answer: the disk is full.")
        return await super().commit_changes(changes, *args, **options)


class Inbox:
    """A messenger that delivers everything at once."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, chat_id: int, message: Message) -> int:
        self.messages.append(message)
        return len(self.messages)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        self.messages.append(message)

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        """Nobody looks."""


def zone(side: Side, low: float, high: float, *, usd: float = 50e6, strength: int = 90) -> Cluster:
    return Cluster(side, low, high, (low + high) / 2, usd, 0.3, strength)


def drawn(clusters: Sequence[Cluster], *, price: float, time_ms: int) -> LiquidationMap:
    """A map whose bins hold what these clusters have."""
    edges = np.geomspace(price * 0.8, price * 1.2, 121)
    low, high = edges[:-1], edges[1:]
    middle = (low + high) / 2
    usd = np.zeros(120)
    for cluster in clusters:
        inside = (middle >= cluster.low) & (middle <= cluster.high)
        usd[inside] += cluster.usd / max(1, inside.sum())
    return LiquidationMap(
        time_ms=time_ms,
        price=price,
        low=low,
        high=high,
        long_usd=np.where(middle < price, usd, 0.0),
        short_usd=np.where(middle > price, usd, 0.0),
        long_total_usd=400e6,
        short_total_usd=400e6,
        open_interest="measured",
    )


def flat_history(*, price: float, end_ms: int, bars: int = 40) -> History:
    """Bars that end at `end_ms` and hardly move."""
    level = np.full(bars, price)
    return History(
        bar_ms=BAR_MS,
        open_ms=end_ms - BAR_MS * np.arange(bars, 0, -1, dtype=np.int64),
        open=level,
        high=level * 1.0001,
        low=level * 0.9999,
        close=level,
        volume=np.ones(bars),
        quote_volume=level,
        open_interest=np.full(bars, 1e6),
    )


def live(clusters: Sequence[Cluster], *, price: float, slot_ms: int, market: Market = XYZ) -> LiveMarket:
    """A market just read, with exactly these clusters."""
    history = flat_history(price=price, end_ms=slot_ms)
    volatility = Volatility.from_closes(history.open_ms + BAR_MS, history.close)
    reading = Reading(drawn(clusters, price=price, time_ms=slot_ms), tuple(clusters), volatility, MODEL_VERSION)
    base = market.symbol.removesuffix("USDT")
    instrument = Instrument(market.exchange, market.symbol, market.symbol, base, "USDT", 0.01)
    return LiveMarket(market, instrument, history, reading, price, slot_ms, slot_ms)


def tick(price: float, time_ms: int, *, market: Market = XYZ) -> Tick:
    """One price."""
    return Tick(market.exchange, (market.symbol,), np.array([time_ms], dtype=np.int64), np.array([price]))


def near(percent: float, *, chat: int = 1, market: Market = XYZ, **changes: Any) -> Rule:
    """A proximity rule not yet stored."""
    values: dict[str, Any] = {"created_ms": START_MS, **changes}
    return Rule(0, chat, market, Kind.PROXIMITY, threshold_pct=percent, **values)
