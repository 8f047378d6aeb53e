"""How dense the map is around each price, held against the prices of about its distance: the percentile of a crowd.

Density falls with distance by itself, since high leverage is liquidated near its entry: plain density would only say
that near is crowded. So a level is held against those of about the same distance (two thirds of it to one and a half
times, at least half a percent to either side) *on both sides of the price*: each contract has a long and a short, so
both sides hold as much, and what one of them lacks was swept. Crowding is the percentile among them of the density,
smoothed as the clusters are; 50 is usual for the distance. The map is tested up to 2 % of distance on real markets and
up to 10 % on simulated ones; beyond that crowding is a rougher guess.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from bot.liquidation.clusters import edge_blur
from bot.liquidation.types import Cluster, Floats, Ints, LiquidationMap, Side

BAND_RATIO = 1.5
LEAST_BAND = 0.005
CROWDED = 75.0
"""A level at or above this percentile is crowded, be it in a cluster or not."""
REACH = 3.5  # of the smoothing, in standard deviations


class Cells(NamedTuple):
    """One side's whole cells from the price outwards, all (n,): log distance of the middle, USD, smoothed USD."""

    away: Floats
    usd: Floats
    density: Floats


class Crowding:
    """Both sides of one map. The map's bins must be equal steps in log price; only what is asked is worked out."""

    def __init__(self, drawn: LiquidationMap, *, day_volatility: float) -> None:
        self.price = drawn.price
        self.blur = edge_blur(day_volatility)
        self.step = math.log(drawn.high[0] / drawn.low[0])
        kernel = self._kernel()
        self.cells = {side: _outwards(drawn, side, kernel) for side in Side}
        self._away = np.concatenate([cells.away for cells in self.cells.values()])
        self._density = np.concatenate([cells.density for cells in self.cells.values()])

    def cell_at(self, side: Side, away: Floats) -> Ints:
        """The cell at each log distance, (n,), counted from the price outwards; one past the last beyond the map."""
        found: Ints = np.searchsorted(self.cells[side].away + 0.5 * self.step, away)
        return found

    def percentiles(self, side: Side, chosen: Ints) -> Floats:
        """The density of some cells (n,) as percentiles, 0 to 100, of all about as far away; equals count half."""
        away, density = self.cells[side].away[chosen], self.cells[side].density[chosen]
        # A hair wider, and what is equal but for rounding counts as equal: no machine's arithmetic decides.
        near = np.minimum(away / BAND_RATIO, away - LEAST_BAND) - 1e-9
        far = np.maximum(away * BAND_RATIO, away + LEAST_BAND) + 1e-9
        mine = density[:, None]
        peers = (self._away >= near[:, None]) & (self._away <= far[:, None])
        less = (peers & (self._density < mine * (1 - 1e-9))).sum(axis=1)
        no_more = (peers & (self._density <= mine * (1 + 1e-9))).sum(axis=1)
        count = peers.sum(axis=1)
        found: Floats = 50.0 * (less / count + no_more / count)
        return found

    def at(self, levels: Floats, clusters: Iterable[Cluster]) -> Floats:
        """The percentiles at prices (n,), NaN beyond the map; inside a cluster at least that of a crowd."""
        found = np.full(len(levels), np.nan)
        away = np.abs(np.log(levels / self.price))
        for side in Side:
            mine = np.flatnonzero((levels < self.price) == (side is Side.LONG))
            cell = self.cell_at(side, away[mine])
            known = cell < len(self.cells[side].away)
            if known.any():
                found[mine[known]] = self.percentiles(side, cell[known])
        for cluster in clusters:
            inside = (cluster.low <= levels) & (levels <= cluster.high)
            found[inside] = np.fmax(found[inside], CROWDED)
        return found

    def _kernel(self) -> Floats:
        reach = math.ceil(REACH * self.blur / self.step)
        weights: Floats = np.exp(-0.5 * (np.arange(-reach, reach + 1) * self.step / self.blur) ** 2)
        weights /= weights.sum()
        return weights


def _outwards(drawn: LiquidationMap, side: Side, kernel: Floats) -> Cells:
    long = side is Side.LONG
    usd = drawn.long_usd if long else drawn.short_usd
    ahead = np.flatnonzero(drawn.high <= drawn.price if long else drawn.low >= drawn.price)[:: -1 if long else 1]
    away = np.abs(np.log(np.sqrt(drawn.low[ahead] * drawn.high[ahead]) / drawn.price))
    own, reach = usd[ahead], len(kernel) // 2
    # What lies across the price or beyond the map is left out; counted as empty, it would make the ends look quiet.
    smooth, known = (np.convolve(one, kernel)[reach : reach + len(own)] for one in (own, np.ones(len(own))))
    return Cells(away, own, smooth / known)
