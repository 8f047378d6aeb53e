"""Confluence: clusters that stand where price has other reasons to stop: volume nodes, swings, order-book walls.

It is the near edge that counts, where price meets the cluster: bodies are nearly three percent wide in the median, and
something would stand in most of them. "At" is within half of the usual range of an hour, and never less than a cell of
the map; README.md tells what that is worth.
"""

import math
from collections.abc import Callable, Iterable
from functools import cached_property

from bot.liquidation.grid import CELL
from bot.liquidation.swings import shelves_of, swings_of
from bot.liquidation.totals import average_true_range_pct
from bot.liquidation.types import Cluster, Feature, History, Mark, Side
from bot.liquidation.volume_profile import VolumeProfile, profile_of

NEAR_RANGES = 0.5
"""Of an hour's average true range: what price covers in a few minutes is one place."""
LEAST_TOUCHES = 2
"""A level that price turned at once is an extreme; at twice it is support or resistance."""


class Surroundings:
    """What stands around the clusters of one market at one moment, worked out when it is first asked for.

    `history` gives the bars up to then; `walls` the prices of order-book walls, where there is a book.
    """

    def __init__(
        self, history: Callable[[], History], *, blur: float, walls: Callable[[], Iterable[float]] = tuple
    ) -> None:
        self._history = history
        self._blur = blur
        self._walls = walls
        self._found: dict[tuple[Side, float], tuple[Mark, ...]] = {}

    def marks(self, cluster: Cluster) -> tuple[Mark, ...]:
        """What stands at a cluster's near edge: nodes, swings, walls; each kind once."""
        edge = cluster.high if cluster.side is Side.LONG else cluster.low
        key = cluster.side, edge
        if key not in self._found:
            self._found[key] = self._at(edge)
        return self._found[key]

    @cached_property
    def profile(self) -> VolumeProfile | None:
        """Volume by price; None where nothing was traded."""
        return profile_of(self._history(), blur=self._blur)

    @cached_property
    def near(self) -> float:
        """How near is "at", in log price."""
        usual = average_true_range_pct(self._history()) / 100.0
        return max(CELL, NEAR_RANGES * usual) if math.isfinite(usual) else CELL

    @cached_property
    def _features(self) -> tuple[Mark, ...]:
        """Everything there is, wherever it stands."""
        nodes = () if self.profile is None else self.profile.nodes
        found = [Mark(Feature.VOLUME_NODE, price) for price in nodes]
        for shelf in shelves_of(swings_of(self._history()), width=self.near):
            if shelf.touches >= LEAST_TOUCHES:
                both = (Feature.SWING_LOW, shelf.lows), (Feature.SWING_HIGH, shelf.highs)
                found += [Mark(feature, shelf.price, count) for feature, count in both if count]
        return (*found, *(Mark(Feature.WALL, price) for price in self._walls()))

    def _at(self, edge: float) -> tuple[Mark, ...]:
        """Of each kind the one that is nearest to an edge, where it is near enough."""
        nearest: dict[Feature, tuple[float, Mark]] = {}
        for mark in self._features:
            away = abs(math.log(mark.price / edge))
            if away <= self.near and (mark.feature not in nearest or away < nearest[mark.feature][0]):
                nearest[mark.feature] = away, mark
        return tuple(nearest[feature][1] for feature in Feature if feature in nearest)
