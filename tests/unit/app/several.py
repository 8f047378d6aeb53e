"""The small simulated market as several exchanges list it: in other units, at another size, with a basis."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.alerts.types import Market
from bot.clock import Clock, StepClock
from bot.combined_markets import CombinedMarkets
from bot.liquidation.combining import COMBINED
from bot.liquidation.values import replace
from bot.market.playback import RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.market.types import Bars, OpenInterest, Prices
from bot.reading import UNPROVEN, Calibration
from bot.storage.database import Database
from tests.unit.app.scenes import START_MS, CountedExchange

BINANCE, BYBIT, OKX = Market("binance", "1000SIMUSDT"), Market("bybit", "1000SIMUSDT"), Market("okx", "SIMUSDT")
ALL = Market(COMBINED, "1000SIMUSDT")
SIZES = {"binance": 0.6, "bybit": 0.3, "okx": 0.1}
BASIS = 1.0007


def listed(
    market: SimulatedMarket, symbol: str, *, units: float, size: float, basis: float = 1.0, interest: bool = True
) -> RecordedMarket:
    """The market in units of so many coins, with a part of its positions, at prices that differ by the basis."""
    bars, held, prices, factor = market.bars, market.open_interest, market.prices, units * basis
    dear: dict[str, object] = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}
    few: dict[str, object] = {name: getattr(bars, name) * size / units for name in ("volume", "taker_buy_volume")}
    own: Bars = replace(bars, quote_volume=bars.quote_volume * size * basis, **dear, **few)  # type: ignore[arg-type]
    return RecordedMarket(
        symbol=symbol,
        bars=own,
        open_interest=OpenInterest(held.time_ms, held.coins * size / units) if interest else None,
        prices=Prices(prices.time_ms, prices.price * factor),
        tiers=market.tiers,
    )


class LateExchange(CountedExchange):
    """Answers with bars only while it is `ready`."""

    def __init__(self, name: str, markets: Sequence[RecordedMarket], clock: Clock) -> None:
        super().__init__(name, markets, clock)
        self.ready = asyncio.Event()
        self.ready.set()

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        await self.ready.wait()
        return await super().bars(symbol, start_ms=start_ms, end_ms=end_ms)


@dataclass(frozen=True, slots=True)
class Trio:
    """Binance and Bybit list the market in thousands, OKX in single coins and a little dearer."""

    sizes: Mapping[str, float] = field(default_factory=lambda: SIZES)
    without_interest: frozenset[str] = frozenset()
    okx_basis: float = BASIS

    def exchanges(self, market: SimulatedMarket, clock: Clock) -> dict[str, LateExchange]:
        made = {}
        for name, size in self.sizes.items():
            units, basis = (1.0, self.okx_basis) if name == "okx" else (1000.0, 1.0)
            symbol = "SIMUSDT" if name == "okx" else "1000SIMUSDT"
            held = name not in self.without_interest
            one = listed(market, symbol, units=units, size=size, basis=basis, interest=held)
            made[name] = LateExchange(name, [one], clock)
        return made


class Several:
    """Three exchanges and the combined markets on them. `exchanges` can be made to fail."""

    def __init__(
        self,
        market: SimulatedMarket,
        db: Database,
        trio: Trio,
        *,
        patience_s: float,
        calibration: Callable[[Market], Calibration],
    ) -> None:
        self.clock = StepClock(START_MS)
        self.exchanges = trio.exchanges(market, self.clock)
        self.markets = CombinedMarkets(
            exchanges=self.exchanges, db=db, history_days=1, calibration=calibration, patience_s=patience_s
        )

    @classmethod
    async def begin(
        cls,
        market: SimulatedMarket,
        db: Database,
        trio: Trio | None = None,
        *,
        patience_s: float = 20.0,
        calibration: Callable[[Market], Calibration] = lambda _: UNPROVEN,
        down: Sequence[str] = (),
    ) -> "Several":
        several = cls(market, db, trio or Trio(), patience_s=patience_s, calibration=calibration)
        for name in down:
            several.exchanges[name].goes_down()
        await several.markets.refresh_instruments()
        return several

    async def step_to(self, time_ms: int) -> None:
        """Time goes on; the prices of every exchange that answers are heard."""
        self.clock.step_to(time_ms)
        for exchange in self.exchanges.values():
            if exchange.failure is None:
                self.markets.take_prices(await exchange.mark_prices())
