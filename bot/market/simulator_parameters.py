"""What a simulated market is like: its price, its traders, and ten variants by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Final

from bot.liquidation.margin import RiskTier
from bot.liquidation.values import replace

LeverageMix = tuple[tuple[float, float], ...]

DAY_MS: Final = 86_400_000
BARS_PER_DAY: Final = 288
BARS_PER_HOUR: Final = 12
DEMO_LOTS_PER_BAR: Final = 16

MIXED: Final[LeverageMix] = (
    *((2, 0.12), (3, 0.19), (5, 0.23), (8, 0.10)),
    *((10, 0.17), (20, 0.11), (50, 0.06), (100, 0.02)),
)
LOW: Final[LeverageMix] = ((1.5, 0.12), (2, 0.22), (3, 0.26), (5, 0.23), (10, 0.14), (20, 0.03))
HIGH: Final[LeverageMix] = ((8, 0.10), (10, 0.20), (20, 0.28), (25, 0.16), (50, 0.18), (75, 0.03), (100, 0.05))


def risk_tiers(*rows: tuple[float, float, float]) -> tuple[RiskTier, ...]:
    """Tiers of (notional cap, maintenance margin rate, maximum leverage), with the amounts by which they meet."""
    floors = (0.0, *(cap for cap, _, _ in rows[:-1]))
    rates = [rate for _, rate, _ in rows]
    steps = (floor * (high - low) for floor, (low, high) in zip(floors[1:], pairwise(rates), strict=True))
    amounts = accumulate(steps, initial=0.0)
    return tuple(
        RiskTier(floor, cap, rate, amount, leverage)
        for floor, (cap, rate, leverage), amount in zip(floors, rows, amounts, strict=True)
    )


DEEP: Final = risk_tiers(
    (250e3, 0.004, 125), (1e6, 0.005, 100), (5e6, 0.01, 50), (20e6, 0.025, 20), (60e6, 0.05, 10), (300e6, 0.125, 4)
)
SHALLOW: Final = risk_tiers((10e3, 0.01, 50), (50e3, 0.02, 25), (250e3, 0.05, 10), (2e6, 0.125, 4), (20e6, 0.5, 1))


@dataclass(frozen=True, slots=True)
class Regime:
    """What changes at half of the recorded time: exits and inflow by a factor, and the leverage of new lots."""

    exits: float
    inflow: float
    leverage: LeverageMix


@dataclass(frozen=True, slots=True)
class SimulationParameters:
    """One simulated market. The same parameters give the same market, to the byte.

    Time: `days` are recorded from `start_ms` (a multiple of five minutes), after `warmup_days` that fill the book;
    a tick every `tick_s` seconds, a divisor of 300. `price_days` of them, the last, are written as prices.

    Price: log volatility of `daily_volatility`, itself moving by `volatility_clustering` (sd of its logarithm), with
    `jumps_per_day`, and `trend` as the logarithm of last price over first. Liquidating one percent of the open
    interest moves price by `impact` percent.

    Traders: lots of `lot_sigma` (sd of log size) by the leverage mix of their side. `holding` gives speeds as (share
    of lots, mean hours). Of what closes, `handover` passes to a new holder; the rest ends with a holder of the other
    side. `herding` makes entries come in bursts after moves. `added_margin` of the lots hold more margin than their
    leverage asks, `stop_share` have a stop order before their liquidation, `cross_share` stand on a wallet, of which
    `top_up_share` pay in more when price nears.

    Tape: `churn` is volume beyond the lots', as open interest per day, `volume_noise` its log sd. Of liquidations
    within `print_throttle_ms` of one market only the largest is printed; 0 prints all.
    """

    symbol: str = "SIMUSDT"
    seed: int = 1
    days: int = 30
    start_ms: int = 1_767_225_600_000
    warmup_days: int = 4
    tick_s: int = 15
    price_days: int = 0
    start_price: float = 1000.0
    price_decimals: int = 2
    daily_volatility: float = 0.035
    volatility_clustering: float = 0.5
    jumps_per_day: float = 1.5
    trend: float = 0.0
    impact: float = 0.15
    open_interest_usd: float = 60e6
    tiers: tuple[RiskTier, ...] = DEEP
    lots_per_bar: int = 40
    lot_sigma: float = 1.0
    holding: tuple[tuple[float, float], ...] = ((1.0, 30.0),)
    handover: float = 0.85
    herding: float = 0.3
    long_leverage: LeverageMix = MIXED
    short_leverage: LeverageMix = MIXED
    added_margin: float = 0.5
    stop_share: float = 0.1
    cross_share: float = 0.1
    top_up_share: float = 0.3
    regime: Regime | None = None
    churn: float = 0.8
    volume_noise: float = 0.5
    print_throttle_ms: int = 0

    def __post_init__(self) -> None:
        if self.days < 1 or self.warmup_days < 0 or 300 % self.tick_s or self.start_ms % 300_000:
            raise ValueError("a simulation lasts whole days from a 5-minute boundary, by ticks that divide 300 s")
        if min(self.start_price, self.daily_volatility, self.open_interest_usd, self.lots_per_bar) <= 0:
            raise ValueError("price, volatility, open interest and lots per bar of a simulation are above zero")

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.days * DAY_MS

    @property
    def mean_holding_bars(self) -> float:
        total = sum(share for share, _ in self.holding)
        return sum(share * hours for share, hours in self.holding) / total * BARS_PER_HOUR


BASE: Final = SimulationParameters()

PRESETS: Final[Mapping[str, SimulationParameters]] = MappingProxyType(
    {
        "base": BASE,
        "herding": replace(BASE, herding=2.5, volatility_clustering=0.9, volume_noise=1.0),
        "trend": replace(BASE, trend=0.25),
        "heavy_tailed": replace(BASE, lot_sigma=2.3),
        "two_speed": replace(BASE, holding=((0.6, 1.4), (0.4, 60.0))),
        "asymmetric": replace(BASE, long_leverage=LOW, short_leverage=HIGH),
        "cross_margin": replace(BASE, cross_share=0.6, top_up_share=0.6, stop_share=0.3),
        "regime_change": replace(BASE, regime=Regime(exits=3.0, inflow=2.0, leverage=HIGH)),
        "high_leverage_fast": replace(BASE, long_leverage=HIGH, short_leverage=HIGH, holding=((1.0, 6.0),)),
        "low_leverage_slow": replace(
            BASE, long_leverage=LOW, short_leverage=LOW, holding=((1.0, 200.0),), added_margin=0.7, lots_per_bar=16
        ),
    }
)
"""The ten variants of a market, each with one thing unlike the base."""


def demo_markets(
    *, seed: int = 1, days: int = 30, start_ms: int = BASE.start_ms, price_days: int = 0
) -> tuple[SimulationParameters, ...]:
    """Three markets with different characters, whose names no one takes for a coin's."""
    changes = {
        "SIMUSDT": BASE,
        "SIMBUSDT": replace(
            PRESETS["herding"],
            start_price=2.5,
            price_decimals=4,
            daily_volatility=0.055,
            open_interest_usd=9e6,
            tiers=SHALLOW,
        ),
        "SIMCUSDT": replace(
            PRESETS["two_speed"],
            start_price=0.04,
            price_decimals=6,
            daily_volatility=0.07,
            open_interest_usd=4e6,
            tiers=SHALLOW,
        ),
    }
    return tuple(
        replace(
            market,
            symbol=symbol,
            seed=3 * seed + place,
            days=days,
            start_ms=start_ms,
            price_days=min(price_days, days),
            lots_per_bar=DEMO_LOTS_PER_BAR,
        )
        for place, (symbol, market) in enumerate(changes.items())
    )
