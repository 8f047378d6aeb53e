"""Confluence: clusters that stand where price has other reasons to stop: volume nodes, swings, order-book walls.

It is the near edge that counts, where price meets the cluster: bodies are nearly three percent wide in the median, and
something would stand in most of them. "At" is within half of the usual range of an hour, and never less than a cell of
the map; README.md tells what that is worth.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from bot.liquidation.clusters import edge_blur
from bot.liquidation.depth import Depth
from bot.liquidation.grid import CELL
from bot.liquidation.landmarks import Landmarks
from bot.liquidation.swings import shelves_of
from bot.liquidation.types import Cluster, Feature, Mark, Side
from bot.liquidation.values import replace
from bot.liquidation.volume_profile import VolumeProfile
from bot.liquidation.walls import walls_of

NEAR_RANGES = 0.5
"""Of an hour's average true range: what price covers in a few minutes is one place."""
LEAST_TOUCHES = 2
"""A level that price turned at once is an extreme; at twice it is support or resistance."""
OTHER_UNITS = 0.2
"""A book whose prices are farther than this in log price from the history's is in other units."""


class Surroundings:
    """What stands around the clusters of one market at one moment, worked out when it is first asked for.

    The moment is after the first `bars` bars of the landmarks' history (None: after all of them); `day_volatility` is
    as `find_clusters` takes it, `books` are the order books of its exchanges, where they were read.
    """

    def __init__(
        self,
        landmarks: Callable[[], Landmarks],
        *,
        day_volatility: float,
        bars: int | None = None,
        books: Sequence[Depth] = (),
    ) -> None:
        self._landmarks = landmarks
        self._bars = bars
        self._day_volatility = day_volatility
        self._books = books
        self._found: dict[float, tuple[Mark, ...]] = {}

    def marks(self, cluster: Cluster) -> tuple[Mark, ...]:
        """What stands at a cluster's near edge: of each kind the nearest."""
        edge = cluster.high if cluster.side is Side.LONG else cluster.low
        if edge not in self._found:
            self._found[edge] = self._at(edge)
        return self._found[edge]

    def marked(self, clusters: Iterable[Cluster]) -> tuple[Cluster, ...]:
        """The clusters with what stands at their near edges."""
        return tuple(replace(each, confluence=self.marks(each)) for each in clusters)

    @cached_property
    def _around(self) -> tuple[float, VolumeProfile | None, tuple[Mark, ...]]:
        """How near is "at", in log price, where volume was traded, and everything else there is, wherever it stands."""
        landmarks = self._landmarks()
        bars = len(landmarks) if self._bars is None else self._bars
        usual = landmarks.usual_range(bars)
        near = max(CELL, NEAR_RANGES * usual) if math.isfinite(usual) else CELL
        found = []
        for shelf in shelves_of(landmarks.swings(bars), width=near, least_touches=LEAST_TOUCHES):
            if shelf.lows:
                found.append(Mark(Feature.SWING_LOW, shelf.price, shelf.lows))
            if shelf.highs:
                found.append(Mark(Feature.SWING_HIGH, shelf.price, shelf.highs))
        close = landmarks.close(bars)
        found += [Mark(Feature.WALL, price) for book in self._books for price in _walls(book, close)]
        return near, landmarks.profile(bars, blur=edge_blur(self._day_volatility)), tuple(found)

    def _at(self, edge: float) -> tuple[Mark, ...]:
        near, profile, marks = self._around
        nodes = () if profile is None else profile.nodes_near(edge, near)
        nearest: dict[Feature, tuple[float, Mark]] = {}
        for mark in (*marks, *(Mark(Feature.VOLUME_NODE, price) for price in nodes)):
            away = abs(math.log(mark.price / edge))
            if away <= near and (mark.feature not in nearest or away < nearest[mark.feature][0]):
                nearest[mark.feature] = away, mark
        return tuple(nearest[feature][1] for feature in Feature if feature in nearest)


def _walls(book: Depth, close: float) -> list[float]:
    """The prices of a book's walls in units of the history: an exchange may count a coin by the thousand."""
    units = 1.0 if book.is_thin or abs(math.log(close / book.middle)) < OTHER_UNITS else close / book.middle
    return [units * price for price in walls_of(book)]
