"""Where the bodies of one side's density begin and end: many densities at once, each read from the price outwards.

A body ends where the density falls most steeply, for there it stays: cliffs stand where an earlier sweep ended, while
the place where a slope crosses some height moves with the peak. Chosen by measurement (README.md, "Clusters").
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bot.liquidation.types import Floats, Ints
from bot.liquidation.windows import windows

KERNEL_REACH = 3.5  # in standard deviations
VALLEY_DEPTH = 0.15  # how far below its lower peak a valley lies, at least
BODY_HEIGHT = 0.7  # of the peak: no part of a body is lower
MIN_MASS_SHARE = 0.03  # of the side's mass in the window


@dataclass(frozen=True, slots=True)
class Bodies:
    """Bodies in order of density and bin, (k,) each: bins `start` up to, not including, `end`, the `densest` of them,
    and the `mass` in it. `row` is the density's.
    """

    row: Ints
    start: Ints
    end: Ints
    densest: Ints
    mass: Floats


@dataclass(frozen=True, slots=True)
class _Peaks:
    """Peaks that stand apart, in order of density and bin, (k,) each, with the valley on either side of them (or the
    first and last bin).
    """

    row: Ints
    at: Ints
    left: Ints
    right: Ints


def find_bodies(usd: Floats, first: Ints, blur_bins: Floats) -> Bodies:
    """The bodies of the densities `usd` (rows, n), each ordered from the price outwards.

    Bins before `first` (rows,) touch or cross the price: their mass takes part in the smoothing only, whose standard
    deviation in bins is `blur_bins` (rows,). The densest bin is that of `usd` itself, for where density climbs to a
    cliff the smoothed top lies behind it; of equals it is the one nearest to price.
    """
    reach = np.ceil(KERNEL_REACH * blur_bins).astype(np.int64)
    blur = np.rint(reach / KERNEL_REACH).astype(np.int64)
    smooth, reads = np.zeros_like(usd), first < usd.shape[1]
    for group in _alike(first, np.where(reads, reach, -1)):
        begin, kernels = int(first[group[0]]), _kernels(blur_bins[group], int(reach[group[0]]))
        smooth[group, begin:] = smoothed(usd[group], kernels, begin)
    found = []
    for group in _alike(first, np.where(reads, 0, -1)):
        begin = int(first[group[0]])
        one = _find_alike(usd[group, begin:], smooth[group, begin:], blur[group])
        found.append(Bodies(group[one.row], begin + one.start, begin + one.end, begin + one.densest, one.mass))
    if len(found) == 1:
        return found[0]
    nothing = np.zeros(0, dtype=np.int64)
    whole = [Bodies(nothing, nothing, nothing, nothing, np.zeros(0)), *found]
    columns = [np.concatenate([getattr(one, name) for one in whole]) for name in Bodies.__dataclass_fields__]
    order = np.argsort(columns[0], kind="stable")
    return Bodies(*(column[order] for column in columns))


def _alike(first: Ints, reach: Ints) -> Iterator[Ints]:
    """The rows that one pass can take, with the same `first` and `reach` (rows,), those of no reach left out."""
    for one in sorted(set(zip(first.tolist(), reach.tolist(), strict=True))):
        if one[1] >= 0:
            yield ((first == one[0]) & (reach == one[1])).nonzero()[0]


def _kernels(blur_bins: Floats, reach: int) -> Floats:
    """A Gaussian for each row, (rows, 2 reach + 1)."""
    weights: Floats = np.exp(-0.5 * (np.arange(-reach, reach + 1) / blur_bins[:, None]) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _find_alike(ahead: Floats, smooth: Floats, blur: Ints) -> Bodies:
    """The bodies of densities that lie `ahead` with all of their bins, and `smooth`, (rows, n); `blur` (rows,) is in
    whole bins.
    """
    peaks = _peaks(smooth)
    row, last = peaks.row, ahead.shape[1] - 1
    height = smooth[row]
    start = last - _steepest(height[:, ::-1], last - peaks.at, last - peaks.left)
    end = _steepest(height, peaks.at, peaks.right) + 1
    mass = np.zeros((len(ahead), ahead.shape[1] + 1))
    ahead.cumsum(axis=1, out=mass[:, 1:])
    dense = BODY_HEIGHT * (mass[row, end] - mass[row, start]) / (end - start)
    most = np.minimum(np.minimum(start - peaks.left, blur[row]), start - 1)
    start, end = (
        start - _steps_to_cliff(ahead, row, start, -1, most=most, dense=dense),
        end + _steps_to_cliff(ahead, row, end - 1, 1, most=np.minimum(peaks.right - end, blur[row]), dense=dense),
    )
    held = mass[row, end] - mass[row, start]
    kept = np.flatnonzero(held > np.maximum(MIN_MASS_SHARE * mass[row, -1], 0.0))
    row, start, end = row[kept], start[kept], end[kept]
    at = np.arange(ahead.shape[1])
    inside = (at >= start[:, None]) & (at < end[:, None])
    densest = np.where(inside, ahead[row], -1.0).argmax(axis=1)
    return Bodies(row, start, end, densest, held[kept])


def smoothed(usd: Floats, kernels: Floats, first: int) -> Floats:
    """`usd` (rows, n) smoothed, from the bin `first` on. What stands beyond the last bin is unknown, and left out.

    Counted as zero, it would pull down the last hill, whose edges would then move with the window.
    """
    rows, n = usd.shape
    reach = kernels.shape[1] // 2
    padded = np.zeros((rows, n - first + 2 * reach))
    begin = max(0, first - reach)  # no bin before it weighs on those asked for
    padded[:, begin - first + reach : n - first + reach] = usd[:, begin:]
    # The kernel is its own mirror image, so that to correlate is to convolve.
    smooth: Floats = np.vecdot(windows(padded, kernels.shape[1]), kernels[:, None, :])
    known = kernels.cumsum(axis=1)[:, reach:-1][:, ::-1]  # the weight that falls on known bins, for the last `reach`
    count = min(reach, n - first)
    smooth[:, n - first - count :] /= known[:, reach - count :]
    return smooth


def _peaks(smooth: Floats) -> _Peaks:
    """The peaks of each density (rows, n) that stand apart from their neighbours."""
    rows, n = smooth.shape
    rising = np.zeros((rows, n + 1), dtype=np.bool_)
    rising[:, 0] = smooth.max(axis=1, initial=0.0) > 0.0
    np.greater(smooth[:, 1:], smooth[:, :-1], out=rising[:, 1:-1])
    row, turn = (rising[:, :-1] != rising[:, 1:]).nonzero()  # top, bottom, top, ..., top of each density in turn
    row, turn = _apart(row, turn, smooth[row, turn], rising[row, turn])
    top = rising[row, turn]
    at = top.nonzero()[0]
    # Before the first top of a density comes the last one of another, and no valley.
    left, right = np.append(0, np.where(top, 0, turn)), np.append(np.where(top, n - 1, turn), n - 1)
    return _Peaks(row[at], turn[at], left[at], right[at + 1])


def _apart(row: Ints, turn: Ints, height: Floats, top: np.ndarray) -> tuple[Ints, Ints]:
    """Of the tops and bottoms of densities, in turn (k,), the peaks that stand apart and the valleys between them.

    Of each density the shallowest valley goes, and the lower of its two peaks with it, until none is too shallow.
    """
    while True:
        bottom = (~top).nonzero()[0]
        lower = np.minimum(height[bottom - 1], height[bottom + 1])
        shallow = np.divide(height[bottom], lower, out=np.ones(len(bottom)), where=lower > 0.0)
        worst = (shallow > 1.0 - VALLEY_DEPTH).nonzero()[0]
        if not len(worst):
            return row, turn
        of = row[bottom[worst]]
        worst = bottom[worst[np.lexsort((-shallow[worst], of))][_begins(of)]]
        kept = np.ones(len(row), dtype=np.bool_)
        kept[worst] = False
        kept[np.where(height[worst - 1] < height[worst + 1], worst - 1, worst + 1)] = False
        row, turn, height, top = row[kept], turn[kept], height[kept], top[kept]


def _begins(row: Ints) -> Ints:
    """Where each density begins in ascending rows (k,)."""
    first = np.ones(len(row), dtype=np.bool_)
    np.not_equal(row[1:], row[:-1], out=first[1:])
    return first.nonzero()[0]


def _steepest(height: Floats, peak: Ints, last: Ints) -> Ints:
    """The bin before the steepest fall on the way up from `peak` to `last` (k,), the first of equals.

    The way ends where the ground, `height` (k, n), is too low for a body.
    """
    if height.shape[1] == 1:
        return peak
    at, each = np.arange(height.shape[1]), np.arange(len(peak))
    passed = at >= peak[:, None]
    ends = passed & (height < BODY_HEIGHT * height[each, peak, None])
    ends[each, last] = True
    end = ends.argmax(axis=1)
    fall = np.full((len(peak), len(at) - 1), -math.inf)
    np.subtract(height[:, :-1], height[:, 1:], out=fall, where=passed[:, :-1] & (at[:-1] < end[:, None]))
    return np.where(end > peak, fall.argmax(axis=1), peak)


def _steps_to_cliff(usd: Floats, row: Ints, edge: Ints, way: int, *, most: Ints, dense: Floats) -> Ints:
    """How many more bins belong to a body whose last one on this `way` (1 or -1) is `edge`: those up to a cliff that
    lies at most so many steps further, 0 where there is none; (k,).

    Smoothing blurs a cliff, so that a body may end before it by up to the standard deviation.
    """
    steps = np.arange(int(most.max(initial=-1)) + 1)
    if not len(steps):
        return np.zeros_like(edge)
    allowed = steps <= most[:, None]
    at = np.where(allowed, edge[:, None] + way * steps, edge[:, None])
    beyond = usd[row[:, None], np.where(allowed, at + way, at)]
    cliff = allowed & (beyond < BODY_HEIGHT * usd[row[:, None], at])
    # The ground up to it must be dense enough.
    thin = allowed & (beyond < dense[:, None])
    first, ends = cliff.argmax(axis=1), np.where(thin.any(axis=1), thin.argmax(axis=1), len(steps))
    return np.where(cliff.any(axis=1) & (first <= ends), first, 0)
