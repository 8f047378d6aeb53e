"""Confluence: clusters that stand where price has other reasons to stop: volume nodes, swings, order-book walls.

It is the near edge that counts, where price meets the cluster: bodies are nearly three percent wide in the median, and
something would stand in most of them. "At" is within half of the usual range of an hour, and never less than a cell of
the map; README.md tells what that is worth.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from bot.liquidation.clusters import edge_blur
from bot.liquidation.depth import Depth
from bot.liquidation.grid import CELL
from bot.liquidation.swings import shelves_of, swings_of
from bot.liquidation.totals import average_true_range_pct
from bot.liquidation.types import Cluster, Feature, History, Mark, Side
from bot.liquidation.volume_profile import VolumeProfile, profile_of
from bot.liquidation.walls import walls_of

NEAR_RANGES = 0.5
"""Of an hour's average true range: what price covers in a few minutes is one place."""
LEAST_TOUCHES = 2
"""A level that price turned at once is an extreme; at twice it is support or resistance."""
OTHER_UNITS = 0.2
"""A book whose prices are farther than this in log price from the history's is in other units."""
WINDOW_MS = 30 * 86_400_000


class Surroundings:
    """What stands around the clusters of one market at one moment, worked out when it is first asked for.

    `history` gives the bars up to then, of which the last 30 days count, `day_volatility` as `find_clusters` takes it;
    `books` are the order books of its exchanges, where they were read.
    """

    def __init__(self, history: Callable[[], History], *, day_volatility: float, books: Sequence[Depth] = ()) -> None:
        self._whole = history
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
    def profile(self) -> VolumeProfile | None:
        """Volume by price; None where nothing was traded."""
        return profile_of(self._history, blur=edge_blur(self._day_volatility))

    @cached_property
    def near(self) -> float:
        """How near is "at", in log price."""
        usual = average_true_range_pct(self._history) / 100.0
        return max(CELL, NEAR_RANGES * usual) if math.isfinite(usual) else CELL

    @cached_property
    def _history(self) -> History:
        history = self._whole()
        return history.within(history.end_ms - WINDOW_MS, None)

    @cached_property
    def _features(self) -> tuple[Mark, ...]:
        """Everything there is, wherever it stands."""
        nodes = () if self.profile is None else self.profile.nodes
        found = [Mark(Feature.VOLUME_NODE, price) for price in nodes]
        for shelf in shelves_of(swings_of(self._history), width=self.near):
            if shelf.touches >= LEAST_TOUCHES:
                both = (Feature.SWING_LOW, shelf.lows), (Feature.SWING_HIGH, shelf.highs)
                found += [Mark(feature, shelf.price, times) for feature, times in both if times]
        return (*found, *(Mark(Feature.WALL, price) for book in self._books for price in self._walls(book)))

    def _walls(self, book: Depth) -> list[float]:
        """The prices of a book's walls in units of the history: an exchange may count a coin by the thousand."""
        close = float(self._history.close[-1])
        units = 1.0 if book.is_thin or abs(math.log(close / book.middle)) < OTHER_UNITS else close / book.middle
        return [units * price for price in walls_of(book)]

    def _at(self, edge: float) -> tuple[Mark, ...]:
        nearest: dict[Feature, tuple[float, Mark]] = {}
        for mark in self._features:
            away = abs(math.log(mark.price / edge))
            if away <= self.near and (mark.feature not in nearest or away < nearest[mark.feature][0]):
                nearest[mark.feature] = away, mark
        return tuple(nearest[feature][1] for feature in Feature if feature in nearest)
