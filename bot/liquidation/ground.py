"""The map as a place for a level of one's own to stand in: how crowded it is there, and where it is quieter."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.crowding import CROWDED as CROWDED
from bot.liquidation.crowding import SIDES, Crowding
from bot.liquidation.maps import Maps
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side
from bot.liquidation.values import replace

QUIET = 50.0
"""One at or below it, and clear of every cluster, is quiet."""


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
        crowding = Crowding(Maps.of([drawn]), day_volatility=np.array([day_volatility]))
        self.blur, self._step = float(crowding.blur[0]), float(crowding.step[0])
        self._totals = {Side.LONG: drawn.long_total_usd, Side.SHORT: drawn.short_total_usd}
        self._walks = {side: self._walk(crowding, side) for side in Side}

    @property
    def reach_pct(self) -> float:
        """How far below the price the map reaches, in percent of it."""
        return 100.0 * (1.0 - math.exp(-float(self._walks[Side.LONG].away.max(initial=0.0))))

    def crowding(self, level: float) -> float | None:
        """The percentile, 0 to 100, of the density at `level`; None beyond the map."""
        side, cell = self._cell(level)
        walk = self._walks[side]
        return float(walk.crowding[cell]) if cell < len(walk.away) else None

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

    def _walk(self, of: Crowding, side: Side) -> _Walk:
        away, usd, _ = of.cells(0, side)
        here = np.zeros(len(away), dtype=np.int64)
        crowding = of.percentiles(here, here + SIDES.index(side), np.arange(len(away)))
        price = self.price * np.exp(away if side is Side.SHORT else -away)
        quiet: NDArray[np.bool_] = crowding <= QUIET
        for cluster in self.clusters:
            quiet &= (price < cluster.low * math.exp(-self.blur)) | (price > cluster.high * math.exp(self.blur))
        return _Walk(away, usd, crowding, quiet)

    def _side(self, level: float) -> Side:
        return Side.LONG if level < self.price else Side.SHORT

    def _cell(self, level: float) -> tuple[Side, int]:
        """The side of a level, and its cell counted from the price outwards."""
        side = self._side(level)
        outer = self._walks[side].away + 0.5 * self._step
        return side, int(outer.searchsorted(abs(math.log(level / self.price))))

    def _price(self, side: Side, cell: int) -> float:
        away = float(self._walks[side].away[cell])
        return self.price * math.exp(away if side is Side.SHORT else -away)
