"""A map in single figures: which side stands nearer and heavier, how concentrated positions are, and how far price
usually ranges.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bot.liquidation.maps import Maps, leading
from bot.liquidation.types import Floats, History, Ints, LiquidationMap

BALANCE_SHARE = 0.05
"""Within so much of price sides are weighed against each other: what lies farther decides no day."""

ATR_HOURS = 14
HOUR_MS = 3_600_000


def standing_near(liquidations: LiquidationMap) -> tuple[float, float]:
    """Notional of (shorts above, longs below) within 5 % of price, in quote currency."""
    price, middle = liquidations.price, (liquidations.low + liquidations.high) / 2
    farthest_low, farthest_high = price * (1 - BALANCE_SHARE), price * (1 + BALANCE_SHARE)
    first, below = middle.searchsorted((farthest_low, price)).tolist()
    above, end = middle.searchsorted((price, farthest_high), side="right").tolist()
    return float(liquidations.short_usd[above:end].sum()), float(liquidations.long_usd[first:below].sum())


def standings_near(maps: Maps) -> list[tuple[float, float]]:
    """`standing_near` of each map."""
    price, middle = maps.price[:, None], (maps.edges[:, :-1] + maps.edges[:, 1:]) / 2
    first, below = (leading(middle < edge) for edge in (price * (1 - BALANCE_SHARE), price))
    above, end = (leading(middle <= edge) for edge in (price, price * (1 + BALANCE_SHARE)))
    return list(zip(_sums(maps.short_usd, above, end), _sums(maps.long_usd, first, below), strict=True))


def _sums(usd: Floats, begin: Ints, end: Ints) -> list[float]:
    """The sums of the bins from `begin` up to, not including, `end` (n,), of each of the rows (n, m)."""
    sums = np.zeros(len(usd))
    for first, last in set(zip(begin.tolist(), end.tolist(), strict=True)):
        alike = ((begin == first) & (end == last)).nonzero()[0]
        sums[alike] = usd[alike, first:last].sum(axis=1)
    found: list[float] = sums.tolist()
    return found


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


def entropies(maps: Maps) -> list[float]:
    """`entropy` of each map."""
    standing = maps.long_usd + maps.short_usd
    held, total = standing > 0.0, standing.sum(axis=1)
    share = standing[held] / np.repeat(total, held.sum(axis=1))
    logs, ends = np.log(share), [0, *held.sum(axis=1).cumsum().tolist()]
    return [-float(share[begin:end].dot(logs[begin:end])) if end > begin else math.nan for begin, end in pairwise(ends)]


def average_true_range_pct(history: History) -> float:
    """The mean true range of the last 14 whole hours in percent of the last close; NaN where bars are missing.

    Hours are counted back from the last bar's end. Wilder's true range: the range of an hour, with the close before it.
    """
    per_hour = HOUR_MS // history.bar_ms
    bars = ATR_HOURS * per_hour
    if per_hour < 1 or len(history) <= bars:
        return math.nan
    last = history.rows(len(history) - bars, len(history))
    if last.end_ms - int(last.open_ms[0]) != ATR_HOURS * HOUR_MS:
        return math.nan
    before = history.close[-bars - 1 : -1 : per_hour]
    highest, lowest = last.high.reshape(ATR_HOURS, -1).max(axis=1), last.low.reshape(ATR_HOURS, -1).min(axis=1)
    ranges = np.maximum(highest, before) - np.minimum(lowest, before)
    return float(100.0 * ranges.mean() / last.close[-1])


def average_true_ranges_pct(history: History) -> Floats:
    """`average_true_range_pct` after each bar of a history, (n,)."""
    found = np.full(len(history), np.nan)
    per_hour = HOUR_MS // history.bar_ms
    bars = ATR_HOURS * per_hour
    if per_hour < 1 or len(history) <= bars:
        return found
    # The hours that end with each bar from the first one on that has an hour and a close before it.
    before = history.close[:-per_hour]
    highest = sliding_window_view(history.high, per_hour).max(axis=1)[1:]
    lowest = sliding_window_view(history.low, per_hour).min(axis=1)[1:]
    ranges = np.maximum(highest, before) - np.minimum(lowest, before)
    mean = sliding_window_view(ranges, bars - per_hour + 1)[:, ::per_hour].mean(axis=1)
    whole = (
        history.open_ms[bars:] + history.bar_ms - history.open_ms[1 : len(history) - bars + 1] == ATR_HOURS * HOUR_MS
    )
    found[bars:] = np.where(whole, 100.0 * mean / history.close[bars:], np.nan)
    return found
