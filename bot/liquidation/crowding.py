"""How dense the map is around each price, held against the prices of about its distance: the percentile of a crowd.

Density falls with distance by itself, since high leverage is liquidated near its entry: plain density would only say
that near is crowded. So a level is held against those of about the same distance (two thirds of it to one and a half
times, at least half a percent to either side) *on both sides of the price*: each contract has a long and a short, so
both sides hold as much, and what one of them lacks was swept. Crowding is the percentile among them of the density,
smoothed as the clusters are; 50 is usual for the distance. The map is tested up to 2 % of distance on real markets and
up to 10 % on simulated ones; beyond that crowding is a rougher guess. Many maps are asked at once.
"""

import math
from typing import NamedTuple

import numpy as np

from bot.liquidation.clusters import Spans, edge_blur
from bot.liquidation.maps import Maps, leading
from bot.liquidation.types import Floats, Ints, Side
from bot.liquidation.windows import windows

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
        below = leading(maps.edges[:, 1:] <= maps.price[:, None])
        above = maps.edges.shape[1] - 1 - leading(maps.edges[:, :-1] < maps.price[:, None])
        # By map, side and cell (n, 2, c); a side that has fewer cells than another ends with such as are not known.
        self._count = np.stack((below, above), axis=1)
        shape = (len(maps), 2, max(1, int(self._count.max())))
        self._away, self._usd, self._density = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape)
        self._read(maps)

    def cells(self, moment: int, side: Side) -> Cells:
        """One side of one map."""
        at = (moment, SIDES.index(side), slice(self._count[moment, SIDES.index(side)]))
        return Cells(self._away[at], self._usd[at], self._density[at])

    def percentiles(self, moment: Ints, side: Ints, cell: Ints) -> Floats:
        """The density of cells as percentiles, 0 to 100, of all in their maps about as far away; equals count half.

        All are (k,); `side` is a row of `SIDES`, `cell` is counted from the price outwards.
        """
        found = np.empty(len(cell))
        for begin in range(0, len(cell), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            found[part] = self._percentiles(moment[part], side[part], cell[part])
        return found

    def at(self, levels: Floats, spans: Spans) -> Floats:
        """The percentiles at prices (k,) in each map, (n, k), NaN beyond it; inside a cluster at least that of a crowd.

        `spans` are those of the clusters.
        """
        found, places = np.full((len(self.price), len(levels)), np.nan), self._places(levels)
        known = places >= 0
        asked, which = np.unique(places[known], return_inverse=True)  # of levels in one cell, one is asked
        found[known] = self.percentiles(*np.unravel_index(asked, self._away.shape))[which]
        span, column = ((spans.low[:, None] <= levels) & (levels <= spans.high[:, None])).nonzero()
        inside = spans.moment[span], column
        found[inside] = np.fmax(found[inside], CROWDED)
        return found

    def _read(self, maps: Maps) -> None:
        """Take the cells from the maps, of all together in which the price stands at the same bin."""
        away = np.abs(np.log(np.sqrt(maps.edges[:, :-1] * maps.edges[:, 1:]) / maps.price[:, None]))
        kernels = self._kernels()
        for counts in sorted({(below, above) for below, above in self._count.tolist()}):
            alike = (self._count == counts).all(axis=1)
            for side, (usd, count) in enumerate(zip((maps.long_usd, maps.short_usd), counts, strict=True)):
                if not count:
                    continue
                own = _outwards(usd[alike], SIDES[side], count)
                self._away[alike, side, :count] = _outwards(away[alike], SIDES[side], count)
                self._usd[alike, side, :count] = own
                self._density[alike, side, :count] = _smoothed(own, kernels[alike])

    def _kernels(self) -> Floats:
        """A Gaussian for each map, nought beyond its reach, (n, 2 reach + 1)."""
        reach = np.ceil(REACH * self.blur / self.step)
        steps = np.arange(-reach.max(), reach.max() + 1)
        weights: Floats = np.exp(-0.5 * (steps * self.step[:, None] / self.blur[:, None]) ** 2)
        return np.where(np.abs(steps) <= reach[:, None], weights, 0.0)

    def _places(self, levels: Floats) -> Ints:
        """Which of all cells, counted through, prices (k,) lie in, (n, k); -1 beyond the map."""
        away, moment = np.abs(np.log(levels / self.price[:, None])), np.arange(len(self.price))[:, None]
        side = (levels >= self.price[:, None]).astype(np.int64)
        count, half = self._count[moment, side], 0.5 * self.step[:, None]
        first = np.where(count > 0, self._away[moment, side, 0], away)
        guess = np.ceil((away - first + half) / self.step[:, None]) - 1.0
        cell = guess.clip(0.0, np.maximum(count - 1, 0)).astype(np.int64)
        # The cells' own edges decide, not the rounding of the guess.
        cell -= (cell > 0) & (self._away[moment, side, cell - 1] + half >= away)
        cell += self._away[moment, side, cell] + half < away
        return np.where(cell < count, (moment * len(SIDES) + side) * self._away.shape[2] + cell, -1)

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


def _outwards(of: Floats, side: Side, count: int) -> Floats:
    """The `count` whole cells of a side from the price outwards, (n, count), of bins in ascending order (n, m)."""
    return of[:, :count][:, ::-1] if side is Side.LONG else of[:, of.shape[1] - count :]


def _smoothed(usd: Floats, kernels: Floats) -> Floats:
    """What stands in cells (n, c), smoothed.

    What lies across the price or beyond the map is left out; counted as empty, it would make the ends look quiet.
    """
    (rows, count), width = usd.shape, kernels.shape[1]
    cells, reach = np.arange(count), width // 2
    padded, weight = np.zeros((rows, count + 2 * reach)), np.zeros((rows, width + 1))
    padded[:, reach : reach + count] = usd
    smooth: Floats = np.vecdot(windows(padded, width), kernels[:, None, :])
    kernels.cumsum(axis=1, out=weight[:, 1:])
    before, after = np.minimum(cells, reach), np.minimum(cells[::-1], reach)
    known: Floats = weight[:, reach + 1 + after] - weight[:, reach - before]
    return smooth / known
