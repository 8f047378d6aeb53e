"""A map in single figures: which side stands nearer and heavier, how concentrated positions are, and how far price
usually ranges.
"""

import numpy as np

from bot.liquidation.types import Floats, History, LiquidationMap

BALANCE_SHARE = 0.05
"""Within so much of price sides are weighed against each other: what lies farther decides no day."""

ATR_HOURS = 14
HOUR_MS = 3_600_000


def standing_near(liquidations: LiquidationMap) -> tuple[float, float]:
    """Notional of (shorts above, longs below) within 5 % of price, in quote currency."""
    price, middle = liquidations.price, (liquidations.low + liquidations.high) / 2
    above = (middle > price) & (middle <= price * (1 + BALANCE_SHARE))
    below = (middle < price) & (middle >= price * (1 - BALANCE_SHARE))
    return float(liquidations.short_usd[above].sum()), float(liquidations.long_usd[below].sum())


def shares_near(liquidations: LiquidationMap) -> tuple[float, float]:
    """The same as shares of all shorts and of all longs, 0 to 1."""
    short_usd, long_usd = standing_near(liquidations)
    return short_usd / max(liquidations.short_total_usd, 1.0), long_usd / max(liquidations.long_total_usd, 1.0)


def entropy(liquidations: LiquidationMap) -> float:
    """How evenly positions are spread over the map's bins, in nats: 0 where all stand in one, NaN for an empty map."""
    standing = liquidations.long_usd + liquidations.short_usd
    total = float(standing.sum())
    if not total > 0.0:
        return float("nan")
    share = standing[standing > 0.0] / total
    return float(-(share @ np.log(share)))


def average_true_range_pct(history: History) -> float:
    """The mean true range of the last 14 whole hours in percent of the last close; NaN where bars are missing.

    Hours are counted back from the last bar's end. Wilder's true range: the range of an hour, with the close before it.
    """
    per_hour = HOUR_MS // history.bar_ms
    bars = ATR_HOURS * per_hour
    if per_hour < 1 or len(history) <= bars or history.end_ms - int(history.open_ms[-bars]) != ATR_HOURS * HOUR_MS:
        return float("nan")
    high = _hours(history.high, bars).max(axis=1)
    low = _hours(history.low, bars).min(axis=1)
    before = history.close[-bars - 1 :: per_hour][:ATR_HOURS]
    ranges = np.maximum(high, before) - np.minimum(low, before)
    return 100.0 * float(ranges.mean()) / float(history.close[-1])


def _hours(values: Floats, bars: int) -> Floats:
    return values[-bars:].reshape(ATR_HOURS, -1)
