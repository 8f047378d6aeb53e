"""The map as a place for a level of one's own to stand in: how crowded it is there, and where it is quieter.

Density falls with distance by itself, since high leverage is liquidated near its entry: plain density would only say
that near is crowded. So a level is held against those of about the same distance (two thirds of it to one and a half
times, at least half a percent to either side) *on both sides of the price*: each contract has a long and a short, so
both sides hold as much, and what one of them lacks was swept. Crowding is the percentile among them of the density,
smoothed as the clusters are; 50 is usual for the distance. The map is tested up to 2 % of distance on real markets and
up to 10 % on simulated ones; beyond that crowding is a rougher guess.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.clusters import edge_blur
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side

BAND_RATIO = 1.5
LEAST_BAND = 0.005
CROWDED = 75.0
"""A level at or above this percentile is crowded, be it in a cluster or not."""
QUIET = 50.0
"""One at or below it, and clear of every cluster, is quiet."""
REACH = 3.5  # of the smoothing, in standard deviations


@dataclass(frozen=True, slots=True)
class _Walk:
    """One side's cells from the price outwards, all (n,): log distance of their middles, USD, and how they compare."""

    away: Floats
    usd: Floats
    crowding: Floats
    quiet: NDArray[np.bool_]


class Ground:
    """Both sides of one map with the clusters in it. The map's bins must be equal steps in log price."""

    def __init__(self, drawn: LiquidationMap, clusters: tuple[Cluster, ...], *, day_volatility: float) -> None:
        self.price = drawn.price
        self._drawn = drawn
        self.clusters = clusters
        self.blur = edge_blur(day_volatility)
        self._step = math.log(drawn.high[0] / drawn.low[0])
        self._totals = {Side.LONG: drawn.long_total_usd, Side.SHORT: drawn.short_total_usd}
        kernel = self._kernel()
        sides = {side: self._outwards(drawn, side, kernel) for side in Side}
        away = np.concatenate([distance for distance, _, _ in sides.values()])
        density = np.concatenate([dense for _, _, dense in sides.values()])
        self._walks = {
            side: self._walk(side, distance, usd, _percentiles(distance, dense, away, density))
            for side, (distance, usd, dense) in sides.items()
        }

    @property
    def reach_pct(self) -> float:
        """How far below the price the map reaches, in percent of it."""
        return 100.0 * (1.0 - math.exp(-float(self._walks[Side.LONG].away.max(initial=0.0))))

    def crowding(self, level: float) -> float | None:
        """The percentile, 0 to 100, of the density at `level`; None beyond the map."""
        side, cell = self._cell(level)
        walk = self._walks[side]
        return float(walk.crowding[cell]) if cell < len(walk.away) else None

    def crowdings(self, levels: Floats) -> Floats:
        """The percentiles at many levels (n,), NaN beyond the map; inside a cluster at least that of a crowd."""
        found = np.full(len(levels), np.nan)
        away = np.abs(np.log(levels / self.price))
        for side, walk in self._walks.items():
            mine = np.flatnonzero((levels < self.price) == (side is Side.LONG))
            cell = np.searchsorted(walk.away + 0.5 * self._step, away[mine])
            known = cell < len(walk.away)
            found[mine[known]] = walk.crowding[cell[known]]
        for cluster in self.clusters:
            inside = (cluster.low <= levels) & (levels <= cluster.high)
            found[inside] = np.fmax(found[inside], CROWDED)
        return found

    def cluster_at(self, level: float) -> Cluster | None:
        """The cluster that `level` lies in; its edges count as inside."""
        return next((cluster for cluster in self.clusters if cluster.low <= level <= cluster.high), None)

    def before(self, level: float) -> tuple[Cluster, ...]:
        """The clusters that end between price and `level`, from the price outwards."""
        low, high = sorted((self.price, level))
        side = self._side(level)
        found = [each for each in self.clusters if each.side is side and low < each.low and each.high < high]
        return tuple(sorted(found, key=lambda each: abs(math.log(each.peak / self.price))))

    def standing_before(self, level: float) -> tuple[float, float]:
        """What would be liquidated on the way from the price to `level`: in USD, and as a share of its side."""
        side, cell = self._cell(level)
        walk = self._walks[side]
        usd = float(walk.usd[:cell].sum())
        if cell < len(walk.usd):
            inner = walk.away[cell] - 0.5 * self._step
            part = (abs(math.log(level / self.price)) - inner) / self._step
            usd += float(walk.usd[cell]) * min(max(part, 0.0), 1.0)
        return usd, min(usd / self._totals[side], 1.0) if self._totals[side] > 0.0 else 0.0

    def around(self, reach: float) -> LiquidationMap:
        """The map in the bins that begin within `reach` in log price of the price."""
        drawn = self._drawn
        kept = np.abs(np.log(drawn.low / drawn.price)) <= reach
        return replace(
            drawn,
            low=drawn.low[kept],
            high=drawn.high[kept],
            long_usd=drawn.long_usd[kept],
            short_usd=drawn.short_usd[kept],
        )

    def is_quiet(self, level: float) -> bool:
        """Whether `level` is clear of every cluster and no more crowded than usual; False beyond the map."""
        side, cell = self._cell(level)
        walk = self._walks[side]
        return cell < len(walk.quiet) and bool(walk.quiet[cell])

    def quiet_beyond(self, level: float) -> float | None:
        """The nearest quiet price farther from the price now than `level`; None where the map has none."""
        side, cell = self._cell(level)
        found = np.flatnonzero(self._walks[side].quiet[cell + 1 :])
        return self._price(side, cell + 1 + int(found[0])) if len(found) else None

    def quiet_before(self, level: float) -> float | None:
        """The nearest quiet price between the price now and `level`; None where there is none."""
        side, cell = self._cell(level)
        found = np.flatnonzero(self._walks[side].quiet[:cell])
        return self._price(side, int(found[-1])) if len(found) else None

    def _outwards(self, drawn: LiquidationMap, side: Side, kernel: Floats) -> tuple[Floats, Floats, Floats]:
        """A side's whole cells from the price outwards: log distance of the middle, USD, smoothed USD; (n,) each."""
        long = side is Side.LONG
        usd = drawn.long_usd if long else drawn.short_usd
        ahead = np.flatnonzero(drawn.high <= drawn.price if long else drawn.low >= drawn.price)[:: -1 if long else 1]
        away = np.abs(np.log(np.sqrt(drawn.low[ahead] * drawn.high[ahead]) / drawn.price))
        own, reach = usd[ahead], len(kernel) // 2
        # What lies across the price or beyond the map is left out; counted as empty, it would make the ends look quiet.
        smooth, known = (np.convolve(one, kernel)[reach : reach + len(own)] for one in (own, np.ones(len(own))))
        return away, own, smooth / known

    def _walk(self, side: Side, away: Floats, usd: Floats, crowding: Floats) -> _Walk:
        price = self.price * np.exp(away if side is Side.SHORT else -away)
        quiet: NDArray[np.bool_] = crowding <= QUIET
        for cluster in self.clusters:
            quiet &= (price < cluster.low * math.exp(-self.blur)) | (price > cluster.high * math.exp(self.blur))
        return _Walk(away, usd, crowding, quiet)

    def _kernel(self) -> Floats:
        reach = math.ceil(REACH * self.blur / self._step)
        weights: Floats = np.exp(-0.5 * (np.arange(-reach, reach + 1) * self._step / self.blur) ** 2)
        weights /= weights.sum()
        return weights

    def _side(self, level: float) -> Side:
        return Side.LONG if level < self.price else Side.SHORT

    def _cell(self, level: float) -> tuple[Side, int]:
        """The side of a level, and its cell counted from the price outwards."""
        side = self._side(level)
        walk = self._walks[side]
        return side, int(np.searchsorted(walk.away + 0.5 * self._step, abs(math.log(level / self.price))))

    def _price(self, side: Side, cell: int) -> float:
        away = float(self._walks[side].away[cell])
        return self.price * math.exp(away if side is Side.SHORT else -away)


def _percentiles(away: Floats, density: Floats, all_away: Floats, all_density: Floats) -> Floats:
    """Each cell's density as a percentile, 0 to 100, of those of all cells at about its distance; equals count half."""
    # A hair wider, and what is equal but for rounding counts as equal: no machine's arithmetic decides a percentile.
    near = np.minimum(away / BAND_RATIO, away - LEAST_BAND) - 1e-9
    far = np.maximum(away * BAND_RATIO, away + LEAST_BAND) + 1e-9
    found = np.empty(len(away))
    for cell, (nearest, farthest, mine) in enumerate(zip(near, far, density, strict=True)):
        peers = all_density[(all_away >= nearest) & (all_away <= farthest)]
        found[cell] = 50.0 * ((peers < mine * (1 - 1e-9)).mean() + (peers <= mine * (1 + 1e-9)).mean())
    return found
