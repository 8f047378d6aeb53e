"""How dense the map is around each price, held against the prices of about its distance: the percentile of a crowd.

Density falls with distance by itself, since high leverage is liquidated near its entry: plain density would only say
that near is crowded. So a level is held against those of about the same distance (two thirds of it to one and a half
times, at least half a percent to either side) *on both sides of the price*: each contract has a long and a short, so
both sides hold as much, and what one of them lacks was swept. Crowding is the percentile among them of the density,
smoothed as the clusters are; 50 is usual for the distance. The map is tested up to 2 % of distance on real markets and
up to 10 % on simulated ones; beyond that crowding is a rougher guess. Many maps are asked at once.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bot.liquidation.clusters import Spans, edge_blur
from bot.liquidation.maps import Maps
from bot.liquidation.types import Floats, Ints, Side

BAND_RATIO = 1.5
LEAST_BAND = 0.005
CROWDED = 75.0
"""A level at or above this percentile is crowded, be it in a cluster or not."""
REACH = 3.5  # of the smoothing, in standard deviations
AT_ONCE = 512
"""So many levels are held against the cells of their maps in one pass."""

SIDES = tuple(Side)
"""The sides by their rows: longs 0, shorts 1."""


class Cells(NamedTuple):
    """One side's whole cells from the price outwards, all (c,): log distance of the middle, USD, smoothed USD."""

    away: Floats
    usd: Floats
    density: Floats


class Crowding:
    """Both sides of n maps of at least one bin each, equal steps in log price. `price`, `step` and `blur` are (n,)."""

    def __init__(self, maps: Maps, *, day_volatility: Floats) -> None:
        self.price = maps.price
        self.blur = np.array([edge_blur(one) for one in day_volatility.tolist()])
        self.step = np.array([math.log(one) for one in (maps.edges[:, 1] / maps.edges[:, 0]).tolist()])
        # By map, side and cell (n, 2, c); a side with fewer cells than another is filled up with such as hold nothing.
        bins, self._count = _outwards(maps)
        known = np.arange(bins.shape[2]) < self._count[:, :, None]
        moment = np.arange(len(maps))[:, None, None]
        middle = np.sqrt(maps.edges[moment, bins] * maps.edges[moment, bins + 1])
        self._away = np.where(known, np.abs(np.log(middle / self.price[:, None, None])), np.nan)
        standing = np.stack((maps.long_usd, maps.short_usd), axis=1)
        self._usd = np.where(known, np.take_along_axis(standing, bins, axis=2), 0.0)
        self._density = _smoothed(self._usd, self._count, self._kernels())

    def cells(self, moment: int, side: Side) -> Cells:
        """One side of one map."""
        at = (moment, SIDES.index(side), slice(self._count[moment, SIDES.index(side)]))
        return Cells(self._away[at], self._usd[at], self._density[at])

    def percentiles(self, moment: Ints, side: Ints, cell: Ints) -> Floats:
        """The density of cells as percentiles, 0 to 100, of all in their maps about as far away; equals count half.

        All are (k,); `side` is a row of `SIDES`, `cell` is counted from the price outwards.
        """
        found = np.empty(len(cell))
        for part in _parts(len(cell)):
            found[part] = self._percentiles(moment[part], side[part], cell[part])
        return found

    def at(self, levels: Floats, spans: Spans) -> Floats:
        """The percentiles at prices (k,) in each map, (n, k), NaN beyond it; inside a cluster at least that of a crowd.

        `spans` are those of the clusters.
        """
        found = np.full((len(self.price), len(levels)), np.nan)
        away = np.abs(np.log(levels / self.price[:, None]))
        side = (levels >= self.price[:, None]).astype(np.int64)
        moment, column = np.indices(found.shape).reshape(2, -1)
        for part in _parts(found.size):
            at, of = moment[part], column[part]
            cell = self._cells_at(at, side[at, of], away[at, of])
            known = cell < self._count[at, side[at, of]]
            at, of, cell = at[known], of[known], cell[known]
            found[at, of] = self._percentiles(at, side[at, of], cell)
        span, of = ((spans.low[:, None] <= levels) & (levels <= spans.high[:, None])).nonzero()
        inside = spans.moment[span], of
        found[inside] = np.fmax(found[inside], CROWDED)
        return found

    def _cells_at(self, moment: Ints, side: Ints, away: Floats) -> Ints:
        """The cells at log distances, counted from the price outwards; one past the last beyond the map. All (k,)."""
        outer = self._away[moment, side] + 0.5 * self.step[moment, None]
        found: Ints = (outer < away[:, None]).sum(axis=1)
        return found

    def _percentiles(self, moment: Ints, side: Ints, cell: Ints) -> Floats:
        away, mine = self._away[moment, side, cell][:, None], self._density[moment, side, cell][:, None]
        # A hair wider, and what is equal but for rounding counts as equal: no machine's arithmetic decides.
        near = np.minimum(away / BAND_RATIO, away - LEAST_BAND) - 1e-9
        far = np.maximum(away * BAND_RATIO, away + LEAST_BAND) + 1e-9
        all_away, density = (of.reshape(len(of), -1)[moment] for of in (self._away, self._density))
        peers = (all_away >= near) & (all_away <= far)
        less = (peers & (density < mine * (1 - 1e-9))).sum(axis=1)
        no_more = (peers & (density <= mine * (1 + 1e-9))).sum(axis=1)
        count = peers.sum(axis=1)
        found: Floats = 50.0 * (less / count + no_more / count)
        return found

    def _kernels(self) -> Floats:
        """A Gaussian for each map, nought beyond its reach, (n, 2 reach + 1)."""
        reach = np.ceil(REACH * self.blur / self.step)
        steps = np.arange(-reach.max(), reach.max() + 1)
        weights: Floats = np.exp(-0.5 * (steps * self.step[:, None] / self.blur[:, None]) ** 2)
        return np.where(np.abs(steps) <= reach[:, None], weights, 0.0)


def _outwards(maps: Maps) -> tuple[Ints, Ints]:
    """The bins of whole cells by map and side from the price outwards, (n, 2, c), and how many there are, (n, 2)."""
    below = (maps.edges[:, 1:] <= maps.price[:, None]).sum(axis=1)
    first = (maps.edges[:, :-1] < maps.price[:, None]).sum(axis=1)
    bins = maps.long_usd.shape[1]
    count = np.stack((below, bins - first), axis=1)
    cell = np.arange(max(1, count.max()))
    found = np.stack((below[:, None] - 1 - cell, first[:, None] + cell), axis=1)
    return found.clip(0, bins - 1), count


def _smoothed(usd: Floats, count: Ints, kernels: Floats) -> Floats:
    """What stands in cells (n, 2, c), of which `count` (n, 2) are known, smoothed by the maps' kernels.

    What lies across the price or beyond the map is left out; counted as empty, it would make the ends look quiet.
    """
    reach, cells = kernels.shape[1] // 2, np.arange(usd.shape[2])
    padded = np.pad(usd, ((0, 0), (0, 0), (reach, reach)))
    windows = sliding_window_view(padded, kernels.shape[1], axis=2)
    weight = np.pad(kernels.cumsum(axis=1), ((0, 0), (1, 0)))
    before = np.minimum(cells, reach)
    after = np.minimum(np.maximum(count[:, :, None] - 1 - cells, 0), reach)
    moment = np.arange(len(usd))[:, None, None]
    known: Floats = weight[moment, reach + 1 + after] - weight[moment, reach - before]
    smooth: Floats = np.vecdot(windows, kernels[:, None, None, :])
    return smooth / known


def _parts(count: int) -> Iterator[slice]:
    for begin in range(0, count, AT_ONCE):
        yield slice(begin, begin + AT_ONCE)
