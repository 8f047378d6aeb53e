"""The dense zones of a liquidation map: one body around each peak that stands out, from cliff to cliff.

A body ends where the density falls most steeply, for there it stays: cliffs stand where an earlier sweep ended, while
the place where a slope crosses some height moves with the peak. Chosen by measurement (README.md, "Clusters").
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from bot.liquidation.strength import pooled_strength
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side

MIN_SMOOTHING = 0.002
MAX_SMOOTHING = 0.02  # keeps a wild day from blurring the whole window into one hill
SMOOTHING_PER_DAY_VOLATILITY = 0.2
KERNEL_REACH = 3.5  # in standard deviations
VALLEY_DEPTH = 0.15  # how far below its lower peak a valley lies, at least
BODY_HEIGHT = 0.7  # of the peak: no part of a body is lower
MIN_MASS_SHARE = 0.03  # of the side's mass in the window

Rating = Callable[[Side, float, float], int]
"""`(side, distance, share) -> 0..100`: distance from price to peak in log price, share of the side's open interest."""


def find_clusters(
    liquidation_map: LiquidationMap, *, day_volatility: float, strength: Rating = pooled_strength
) -> tuple[Cluster, ...]:
    """Dense zones of both sides, in ascending order of price.

    The map's bins must be equal steps in log price. Long bodies end strictly below the price, short bodies begin
    strictly above it; edges are bin edges, bodies never overlap. `day_volatility` is a fraction (0.03 for 3 % a day);
    NaN counts as calm. `strength` rates each body, by default against the pooled table. `expected_usd` stays None.
    """
    n = len(liquidation_map.low)
    if n == 0:
        return ()
    kernel = _gaussian(edge_blur(day_volatility) * n / math.log(liquidation_map.high[-1] / liquidation_map.low[0]))
    # Both sides are read from the price outwards, so that one is the mirror image of the other.
    before_long = n - int(liquidation_map.high.searchsorted(liquidation_map.price, side="left"))
    before_short = int(liquidation_map.low.searchsorted(liquidation_map.price, side="right"))
    mirrored = _find_bodies(liquidation_map.long_usd[::-1], kernel, before_long)
    longs = [(n - end, n - start, n - 1 - densest) for start, end, densest in reversed(mirrored)]
    shorts = _find_bodies(liquidation_map.short_usd, kernel, before_short)
    return (
        *(_cluster(liquidation_map, Side.LONG, body, strength) for body in longs),
        *(_cluster(liquidation_map, Side.SHORT, body, strength) for body in shorts),
    )


def edge_blur(day_volatility: float) -> float:
    """Standard deviation of the smoothing, in log price: what lies nearer to an edge than this is as good as on it."""
    return min(max(MIN_SMOOTHING, SMOOTHING_PER_DAY_VOLATILITY * day_volatility), MAX_SMOOTHING)


def _gaussian(sd_bins: float) -> Floats:
    reach = math.ceil(KERNEL_REACH * sd_bins)
    weights: Floats = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sd_bins) ** 2)
    weights /= weights.sum()
    return weights


def _find_bodies(usd: Floats, kernel: Floats, first: int) -> list[tuple[int, int, int]]:
    """Bodies as (start, end, densest) bin indices, end exclusive, among the bins from `first` on.

    `usd` (n,) is ordered from the price outwards. Bins before `first` touch or cross the price: their mass takes part
    in the smoothing only. The densest bin is that of `usd` itself, for where density climbs to a cliff the smoothed
    top lies behind it; of equals it is the one nearest to price.
    """
    smooth = _smoothed(usd, kernel, first)
    height: list[float] = smooth.tolist()
    if not height or not max(height) > 0.0:
        return []
    peaks, valleys = _separate(smooth, height)
    ahead = usd[first:]
    standing: list[float] = ahead.tolist()
    mass: list[float] = [0.0, *ahead.cumsum().tolist()]
    blur = round((len(kernel) // 2) / KERNEL_REACH)
    bodies = []
    for peak, left, right in zip(peaks, [0, *valleys], [*valleys, len(height) - 1], strict=True):
        start, end = _steepest(height, peak, left), _steepest(height, peak, right) + 1
        dense = BODY_HEIGHT * (mass[end] - mass[start]) / (end - start)
        start -= _steps_to_cliff(standing[max(left, start - blur, 1) - 1 : start + 1][::-1], dense)
        end += _steps_to_cliff(standing[end - 1 : min(right, end + blur) + 1], dense)
        if mass[end] - mass[start] > max(MIN_MASS_SHARE * mass[-1], 0.0):
            densest = standing.index(max(standing[start:end]), start)
            bodies.append((first + start, first + end, first + densest))
    return bodies


def _steepest(height: Sequence[float], peak: int, last: int) -> int:
    """The bin before the steepest fall on the way from `peak` to `last`, while the ground is high enough for a body."""
    level = BODY_HEIGHT * height[peak]
    way = height[peak : last + 1] if last > peak else height[last : peak + 1][::-1]
    edge, steepest = 0, -math.inf
    for steps, (here, beyond) in enumerate(pairwise(way)):
        if here < level:
            break
        if here - beyond > steepest:
            edge, steepest = steps, here - beyond
    return peak + edge if last > peak else peak - edge


def _steps_to_cliff(outwards: Sequence[float], dense: float) -> int:
    """How many more bins belong to a body whose last one comes first: those up to a cliff, 0 where there is none.

    Smoothing blurs a cliff, so that a body may end before it by up to the standard deviation.
    """
    for step, (inside, beyond) in enumerate(pairwise(outwards)):
        if beyond < BODY_HEIGHT * inside:
            return step
        if beyond < dense:
            break
    return 0


def _smoothed(usd: Floats, kernel: Floats, first: int) -> Floats:
    """`usd` (n,) smoothed, from the bin `first` on. What stands beyond the last bin is unknown, and left out.

    Counted as zero, it would pull down the last hill, whose edges would then move with the window.
    """
    reach = len(kernel) // 2
    begin = max(0, first - reach)  # no bin before it weighs on those asked for
    # The kernel is its own mirror image, so that to correlate is to convolve.
    smooth: Floats = np.correlate(usd[begin:], kernel, "full")[first - begin + reach : len(usd) - begin + reach]
    known = kernel.cumsum()[reach:-1][::-1]  # the weight that falls on known bins, for the last `reach` bins
    count = min(reach, len(smooth))
    smooth[len(smooth) - count :] /= known[reach - count :]
    return smooth


def _separate(smooth: Floats, height: Sequence[float]) -> tuple[list[int], list[int]]:
    """Indices of the peaks that stand apart, and of the valleys between them (one fewer). `height` is `smooth` (n,)."""
    rising = np.zeros(len(smooth) + 1, dtype=np.bool_)
    rising[0] = True
    np.greater(smooth[1:], smooth[:-1], out=rising[1:-1])
    turns: list[int] = (rising[:-1] != rising[1:]).nonzero()[0].tolist()  # top, bottom, top, ..., top
    peaks, valleys = turns[::2], turns[1::2]
    heights, depths = [height[at] for at in peaks], [height[at] for at in valleys]
    shallow = [_shallowness(depth, *heights[i : i + 2]) for i, depth in enumerate(depths)]
    while shallow and (worst_of_all := max(shallow)) > 1.0 - VALLEY_DEPTH:
        worst = shallow.index(worst_of_all)
        loser = worst if heights[worst] < heights[worst + 1] else worst + 1
        del peaks[loser], heights[loser], valleys[worst], depths[worst], shallow[worst]
        # The valley on the loser's other side has a new neighbour now.
        other = loser - 1 if loser == worst else worst
        if 0 <= other < len(depths):
            shallow[other] = _shallowness(depths[other], *heights[other : other + 2])
    return peaks, valleys


def _shallowness(depth: float, left: float, right: float) -> float:
    """A valley's height as a share of the lower of its two peaks."""
    lower = min(left, right)
    return depth / lower if lower > 0.0 else 1.0


def _cluster(liquidation_map: LiquidationMap, side: Side, body: tuple[int, int, int], strength: Rating) -> Cluster:
    start, end, densest = body
    usd, total = (
        (liquidation_map.long_usd, liquidation_map.long_total_usd)
        if side is Side.LONG
        else (liquidation_map.short_usd, liquidation_map.short_total_usd)
    )
    mass = float(usd[start:end].sum())
    share = min(mass / total, 1.0) if total > 0.0 else 0.0
    peak = math.sqrt(liquidation_map.low[densest] * liquidation_map.high[densest])
    return Cluster(
        side=side,
        low=float(liquidation_map.low[start]),
        high=float(liquidation_map.high[end - 1]),
        peak=peak,
        usd=mass,
        share=share,
        strength=strength(side, abs(math.log(peak / liquidation_map.price)), share),
    )
