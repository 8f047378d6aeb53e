"""Cascades: forced orders eat the order book, price moves, and what it reaches is forced to close as well.

The chain is a race along the price. Let price be taken to a start by others. From there on, until it has gone a way x,
the positions that stand on x come to market as forced orders, and the book's orders on x are what they are filled from.
The chain ends where the orders on the way first hold as much as the positions on it: a fixed point that is found by
two running sums, without steps of time. The book is taken to follow the price until then: around the start it is as
thick, by distance, as around the price now. Orders that are withdrawn, refilled or hidden are not in it, nor people who
close before they are liquidated; so the forced part of what stands is given as a band.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bot.liquidation.depth import Depth
from bot.liquidation.types import Cluster, LiquidationMap, Side

LEAST_SHARE, LIKELY_SHARE, MOST_SHARE = 0.05, 0.2, 0.6
"""The part of what the map shows standing that comes to market (README.md): 5 % and less of it was seen in one venue's
feed on the one real day that was measured; 60 % is what explains nine in ten ends of the simulator's base market, and
the band three in four ends of ten unlike ones. The middle lies between the two on a scale of ratios."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A chain of one start. `end` is where the book holds it, None where it runs beyond the map; `usd` is what it
    forces, `clusters` are those that it goes through wholly."""

    start: float
    end: float | None
    usd: float
    clusters: tuple[Cluster, ...]

    @property
    def way_pct(self) -> float | None:
        """How far it goes, in percent of its start."""
        return None if self.end is None else 100.0 * abs(self.end / self.start - 1.0)


@dataclass(frozen=True, slots=True)
class ClusterChain:
    """What becomes of the market once price reaches a cluster: with as little forced as was ever seen, with a middle
    share, and with as much as can be expected.

    `absorption` is what would be liquidated in it over `depth_usd`, the orders from the price to its peak.
    """

    cluster: Cluster
    depth_usd: float
    absorption: float
    least: Fall
    likely: Fall
    most: Fall


@dataclass(frozen=True, slots=True)
class CascadeReport:
    """One side's chains, highest absorption first. The book was seen to `seen_pct` from the price; beyond, its density
    is taken to go on. `runaway` is the chain of the nearest cluster that, with `most` forced, is gone through into the
    next one; None where there is none such. `likely_runaway` is the same with the middle share."""

    side: Side
    seen_pct: float
    chains: tuple[ClusterChain, ...]
    runaway: ClusterChain | None
    likely_runaway: ClusterChain | None

    @property
    def foremost(self) -> ClusterChain | None:
        """The chain to tell of first: the one that runs away, else that of the highest absorption."""
        return self.runaway or next(iter(self.chains), None)


class Chain:
    """One side of a map against the orders that take it. The map's bins must be equal steps in log price."""

    def __init__(self, drawn: LiquidationMap, clusters: Sequence[Cluster], side: Side, *books: Depth) -> None:
        """Several books are those of the exchanges that a combined map adds up. Raises ValueError without any order
        away from the price.
        """
        self.price = drawn.price
        self.side = side
        long = side is Side.LONG
        self._sign = -1.0 if long else 1.0
        ahead = np.flatnonzero(drawn.high <= drawn.price if long else drawn.low >= drawn.price)[:: -1 if long else 1]
        outer = drawn.low[ahead] if long else drawn.high[ahead]
        self._edges = np.concatenate(((0.0,), np.abs(np.log(outer / drawn.price))))
        usd = (drawn.long_usd if long else drawn.short_usd)[ahead]
        self._standing = np.concatenate(((0.0,), usd.cumsum()))
        facing = [book.against(side) for book in books]
        self.seen = min((orders.seen for orders in facing), default=0.0)
        self._resting = sum((orders.usd_within(self._edges) for orders in facing), np.zeros(len(self._edges)))
        self.clusters = tuple(
            sorted((each for each in clusters if each.side is side), key=lambda each: self._away(each.peak))
        )

    def depth_to(self, level: float) -> float:
        """USD of orders between the price and a level."""
        return float(np.interp(self._away(level), self._edges, self._resting))

    def standing_to(self, level: float) -> float:
        """USD of positions that would be liquidated between the price and a level."""
        return float(np.interp(self._away(level), self._edges, self._standing))

    def fall(self, start: float, *, share: float = 1.0, kick_usd: float = 0.0) -> Fall:
        """The chain from `start`, `share` of what stands being forced, with `kick_usd` of forced orders besides."""
        away = self._away(start)
        # Positions and orders both grow evenly between these, so what is forced and not held yet is a line there.
        at = np.union1d(self._edges[self._edges > away], away + self._edges[1:])
        at = np.concatenate(((away,), at[(at > away) & (at <= self._edges[-1])]))
        forced = share * (np.interp(at, self._edges, self._standing) - self.standing_to(start)) + kick_usd
        left = forced - np.interp(at - away, self._edges, self._resting)
        held = np.flatnonzero(left[1:] <= 0.0)
        if not len(held):
            return self._told(start, None, share, kick_usd)
        before, after = int(held[0]), int(held[0]) + 1
        falling = float(left[before] - left[after])
        part = float(left[before]) / falling if falling > 0.0 else 0.0
        return self._told(start, float(at[before] + part * (at[after] - at[before])), share, kick_usd)

    def report(
        self, *, least: float = LEAST_SHARE, likely: float = LIKELY_SHARE, most: float = MOST_SHARE
    ) -> CascadeReport:
        """Every cluster's chain, and where one runs away."""
        ordered = [self._chain_of(cluster, least, likely, most) for cluster in self.clusters]
        seen_pct = 100.0 * abs(math.expm1(self._sign * self.seen))
        chains = tuple(sorted(ordered, key=lambda each: -each.absorption))
        runaway = next((one for one, behind in pairwise(ordered) if self._reaches(one.most, behind.cluster)), None)
        likely_one = next((one for one, behind in pairwise(ordered) if self._reaches(one.likely, behind.cluster)), None)
        return CascadeReport(self.side, seen_pct, chains, runaway, likely_one)

    def _chain_of(self, cluster: Cluster, least: float, likely: float, most: float) -> ClusterChain:
        start, depth = self._near(cluster), self.depth_to(cluster.peak)
        return ClusterChain(
            cluster=cluster,
            depth_usd=depth,
            absorption=cluster.usd / depth if depth > 0.0 else math.inf,
            least=self.fall(start, share=least),
            likely=self.fall(start, share=likely),
            most=self.fall(start, share=most),
        )

    def _reaches(self, fall: Fall, cluster: Cluster) -> bool:
        return fall.end is None or self._away(fall.end) >= self._away(self._near(cluster))

    def _told(self, start: float, end: float | None, share: float, kick_usd: float) -> Fall:
        """`end` in log distance from the price."""
        last = float(self._edges[-1]) if end is None else end
        usd = kick_usd + share * (float(np.interp(last, self._edges, self._standing)) - self.standing_to(start))
        through = tuple(
            each
            for each in self.clusters
            if self._away(start) <= self._away(self._near(each)) + 1e-9 and self._away(self._far(each)) <= last
        )
        return Fall(start, None if end is None else self.price * math.exp(self._sign * end), usd, through)

    def _near(self, cluster: Cluster) -> float:
        """The edge that price meets first, or the price inside."""
        edge = cluster.high if self.side is Side.LONG else cluster.low
        return min(edge, self.price) if self.side is Side.LONG else max(edge, self.price)

    def _far(self, cluster: Cluster) -> float:
        return cluster.low if self.side is Side.LONG else cluster.high

    def _away(self, level: float) -> float:
        """The log distance of a level on this side; 0 for what lies on the other."""
        return max(self._sign * math.log(level / self.price), 0.0)
