"""The dense zones of a liquidation map: the bodies of both sides as clusters, rated. Many maps are searched at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bot.liquidation.bodies import Bodies, find_bodies
from bot.liquidation.maps import Maps, leading
from bot.liquidation.strength import pooled_strength
from bot.liquidation.types import Cluster, Floats, Ints, LiquidationMap, Side

MIN_SMOOTHING = 0.002
MAX_SMOOTHING = 0.02  # keeps a wild day from blurring the whole window into one hill
SMOOTHING_PER_DAY_VOLATILITY = 0.2

Rating = Callable[[Side, float, float], int]
"""`(side, distance, share) -> 0..100`: distance from price to peak in log price, share of the side's open interest."""


class Spans(NamedTuple):
    """From where to where clusters of n maps reach, in price, all (k,): `moment` is the map's number."""

    moment: Ints
    low: Floats
    high: Floats

    @classmethod
    def of(cls, clusters: Sequence[Cluster]) -> "Spans":
        """The clusters of a single map."""
        low, high = (np.array([getattr(each, name) for each in clusters], dtype=np.float64) for name in ("low", "high"))
        return cls(np.zeros(len(clusters), dtype=np.int64), low, high)


@dataclass(frozen=True, slots=True)
class Zones:
    """The bodies of `count` maps, not rated yet, in order of map, side and price: what a cluster takes, (k,) each, with
    its map's number and its distance from price.
    """

    count: int
    moment: Ints
    is_short: np.ndarray
    low: Floats
    high: Floats
    peak: Floats
    usd: Floats
    share: Floats
    distance: Floats

    def strengths(self, rating: Rating = pooled_strength) -> list[int]:
        """Each body rated by itself, (k,)."""
        return list(map(rating, self._sides(), self.distance.tolist(), self.share.tolist()))

    def rated(self, strengths: Sequence[int]) -> list[tuple[Cluster, ...]]:
        """The clusters of each map, in ascending order of price; `strengths` (k,)."""
        columns = (getattr(self, name).tolist() for name in ("low", "high", "peak", "usd", "share"))
        clusters = tuple(map(Cluster, self._sides(), *columns, strengths))
        ends = np.searchsorted(self.moment, np.arange(self.count + 1)).tolist()
        return [clusters[begin:end] for begin, end in pairwise(ends)]

    def _sides(self) -> list[Side]:
        return [Side.SHORT if one else Side.LONG for one in self.is_short.tolist()]

    def spans(self) -> Spans:
        """From where to where all of them reach."""
        return Spans(self.moment, self.low, self.high)


def find_clusters(
    liquidation_map: LiquidationMap, *, day_volatility: float, strength: Rating = pooled_strength
) -> tuple[Cluster, ...]:
    """Dense zones of both sides, in ascending order of price.

    The map's bins must be equal steps in log price. Long bodies end strictly below the price, short bodies begin
    strictly above it; edges are bin edges, bodies never overlap. `day_volatility` is a fraction (0.03 for 3 % a day);
    NaN counts as calm. `strength` rates each body, by default against the pooled table. `expected_usd` stays None.
    """
    if not len(liquidation_map.low):
        return ()
    zones = find_zones(Maps.of([liquidation_map]), day_volatility=np.array([day_volatility]))
    (clusters,) = zones.rated(zones.strengths(strength))
    return clusters


def find_zones(maps: Maps, *, day_volatility: Floats) -> Zones:
    """The dense zones of every map (at least one bin each), as `find_clusters` finds them; `day_volatility` (n,)."""
    count, bins = maps.long_usd.shape
    height = np.log(maps.edges[:, -1] / maps.edges[:, 0])
    blur_bins = np.array([edge_blur(one) for one in day_volatility.tolist()]) * bins / height
    # Both sides are read from the price outwards, so that one is the mirror image of the other.
    before_long = bins - leading(maps.edges[:, 1:] < maps.price[:, None])
    before_short = leading(maps.edges[:, :-1] <= maps.price[:, None])
    found = find_bodies(
        np.concatenate((maps.long_usd[:, ::-1], maps.short_usd)),
        np.concatenate((before_long, before_short)),
        np.concatenate((blur_bins, blur_bins)),
    )
    short = found.row >= count
    at = np.where(short, found.row - count, found.row)
    low = np.where(short, found.start, bins - found.end)
    high = np.where(short, found.end, bins - found.start)
    densest = np.where(short, found.densest, bins - 1 - found.densest)
    order = np.lexsort((low, short, at))
    return _zones(maps, Bodies(at, low, high, densest, found.mass), short, order)


def edge_blur(day_volatility: float) -> float:
    """Standard deviation of the smoothing, in log price: what lies nearer to an edge than this is as good as on it."""
    return min(max(MIN_SMOOTHING, SMOOTHING_PER_DAY_VOLATILITY * day_volatility), MAX_SMOOTHING)


def _zones(maps: Maps, bodies: Bodies, short: np.ndarray, order: Ints) -> Zones:
    """Bodies in ascending bins of the maps `bodies.row`, put in order and priced."""
    at, short = bodies.row[order], short[order]
    edges, densest, usd = maps.edges, bodies.densest[order], bodies.mass[order]
    total = np.where(short, maps.short_total_usd[at], maps.long_total_usd[at])
    share = np.minimum(np.divide(usd, total, out=np.zeros(len(at)), where=total > 0.0), 1.0)
    peak = np.sqrt(edges[at, densest] * edges[at, densest + 1])
    return Zones(
        count=len(maps),
        moment=at,
        is_short=short,
        low=edges[at, bodies.start[order]],
        high=edges[at, bodies.end[order]],
        peak=peak,
        usd=usd,
        share=share,
        distance=np.abs(np.log(peak / maps.price[at])),
    )
