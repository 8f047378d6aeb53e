"""A map's bins as bars of equal whole-pixel width, and the curves that cumulate them from the price outwards."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side

MAX_BARS = 160
MAX_REACH = 0.3  # how far, in log price, the axis is stretched towards a price outside the map
EMPTY_REACH = 0.12  # of a map without bins, in log price, to each side


@dataclass(frozen=True, slots=True)
class PriceAxis:
    """Price to horizontal pixels, equal distances for equal ratios: x = origin + scale ln(price)."""

    origin: float
    scale: float
    low: float
    high: float

    def x(self, price: float) -> float:
        return self.origin + self.scale * math.log(price)


@dataclass(frozen=True, slots=True)
class Bars:
    """One side's bars from the price outwards, each shape (n,); `inner` and `outer` are edges in pixels.

    `usd` is the notional of each bar, `density` per bin. `cluster` is the index of the cluster that a bar belongs to,
    -1 for none.
    """

    inner: Floats
    outer: Floats
    usd: Floats
    density: Floats
    cluster: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grouping:
    """How bins become bars: `per_bar` bins each, `bin_px` pixels a bin, the first bin's left edge at `left` pixels."""

    per_bar: int
    bin_px: float
    left: float
    centre: int


def lay_axis(liquidation_map: LiquidationMap, price: float, left: int, right: int) -> tuple[PriceAxis, Grouping]:
    """The axis between two pixel columns that shows the whole map and the price, with bars of equal whole width."""
    n = len(liquidation_map.low)
    if n == 0:
        low, high, n = price * math.exp(-EMPTY_REACH), price * math.exp(EMPTY_REACH), 1
    else:
        low, high = float(liquidation_map.low[0]), float(liquidation_map.high[-1])
    bins = math.log(high / low)
    stretched_low = min(low, max(price, low * math.exp(-MAX_REACH)) * math.exp(-0.01 * (price < low)))
    stretched_high = max(high, min(price, high * math.exp(MAX_REACH)) * math.exp(0.01 * (price > high)))
    whole = math.log(stretched_high / stretched_low)
    per_bar = math.ceil(n / MAX_BARS)
    bar_px = max(1, math.floor((right - left) * bins / whole / math.ceil(n / per_bar)))
    scale = bar_px / per_bar * n / bins
    start = left + round(0.5 * ((right - left) - scale * whole))
    axis = PriceAxis(start - scale * math.log(stretched_low), scale, stretched_low, stretched_high)
    centre = 0
    if len(liquidation_map.low):
        centre = min(int(liquidation_map.high.searchsorted(liquidation_map.price, side="right")), n - 1)
    return axis, Grouping(per_bar, bar_px / per_bar, axis.x(low), centre)


def group_bins(
    liquidation_map: LiquidationMap, side: Side, grouping: Grouping, clusters: Sequence[Cluster], price_x: float
) -> Bars:
    """One side's bars; the innermost ends at the map's own price, at pixel `price_x`."""
    n, centre = len(liquidation_map.low), grouping.centre
    usd = liquidation_map.long_usd[centre::-1] if side is Side.LONG else liquidation_map.short_usd[centre:]
    first = np.arange(0, len(usd), grouping.per_bar)
    last = np.minimum(first + grouping.per_bar, len(usd))
    towards, start = (-1, centre + 1) if side is Side.LONG else (1, centre)
    edges = grouping.left + grouping.bin_px * (start + towards * np.append(first, last[-1:]))
    edges = np.floor(edges + 0.5 + 1e-6)  # halves all one way, so that widths stay equal
    inner, outer = edges[:-1], edges[1:]
    clip = np.minimum if side is Side.LONG else np.maximum
    total = np.add.reduceat(usd, first) if len(usd) else usd
    member = np.full(len(first), -1, dtype=np.int64)
    if n:
        middle = centre + towards * ((first + last - 1) // 2)
        price = np.sqrt(liquidation_map.low[middle] * liquidation_map.high[middle])
        for index, cluster in enumerate(clusters):
            if cluster.side is side:
                inside = (price >= cluster.low) & (price <= cluster.high)
                # A cluster thinner than a bar still shows, in the bar nearest to its peak.
                member[inside if inside.any() else np.abs(price - cluster.peak).argmin()] = index
    return Bars(clip(inner, price_x), clip(outer, price_x), total, total / np.maximum(last - first, 1), member)
