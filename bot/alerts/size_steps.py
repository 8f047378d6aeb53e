"""Which of some rules' floors and ranges a cluster lies between: all rules take or leave those of one class alike."""

import math
from bisect import bisect_right
from collections.abc import Iterable

from bot.alerts.filters import floors
from bot.alerts.types import Rule
from bot.liquidation.types import Cluster, Side

SizeClass = tuple[Side, int, int, int]
"""Clusters of one class are on the side of, big enough for, and in the price range of the same rules."""


class SizeSteps:
    """The values at which any of some rules begins or ceases to take a cluster."""

    __slots__ = ("_last", "_like", "_peaks", "_sizes", "_strengths")

    def __init__(self, rules: Iterable[Rule]) -> None:
        strengths, sizes, peaks = set[float](), set[float](), set[float]()
        for rule in rules:
            min_strength, min_usd = floors(rule)
            strengths.add(min_strength)
            sizes.add(min_usd)
            if rule.where.price_low:
                peaks.add(rule.where.price_low)
            if rule.where.price_high:
                peaks.add(math.nextafter(rule.where.price_high, math.inf))
        self._strengths, self._sizes, self._peaks = sorted(strengths), sorted(sizes), sorted(peaks)
        self._last: Cluster | None = None
        self._like: SizeClass = (Side.LONG, 0, 0, 0)

    def class_of(self, cluster: Cluster) -> SizeClass:
        """A cluster's class. The last one's is known: all that is measured of a body is asked for in a row."""
        if cluster is not self._last:
            self._last = cluster
            self._like = (
                cluster.side,
                bisect_right(self._strengths, cluster.strength),
                bisect_right(self._sizes, cluster.usd),
                bisect_right(self._peaks, cluster.peak),
            )
        return self._like
