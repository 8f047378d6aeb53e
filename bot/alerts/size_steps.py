"""Which of some rules' floors and ranges a cluster lies between: all rules take or leave those of one class alike."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from bot.alerts.filters import floors
from bot.alerts.types import Rule
from bot.liquidation.types import Cluster, Side

SizeClass = tuple[Side, int, int, int, int]
"""Clusters of one class are on the side of, big enough for, and in the price range of the same rules."""


class SizeSteps:
    """The values at which any of some rules begins or ceases to take a cluster."""

    __slots__ = ("_highs", "_last", "_like", "_lows", "_sizes", "_strengths")

    def __init__(self, rules: Iterable[Rule]) -> None:
        strengths, sizes, lows, highs = set[float](), set[float](), set[float](), set[float]()
        for rule in rules:
            min_strength, min_usd = floors(rule)
            strengths.add(min_strength)
            sizes.add(min_usd)
            if rule.where.price_low:
                lows.add(rule.where.price_low)
            if rule.where.price_high:
                highs.add(rule.where.price_high)
        self._strengths, self._sizes = sorted(strengths), sorted(sizes)
        self._lows, self._highs = sorted(lows), sorted(highs)
        self._last: Cluster | None = None
        self._like: SizeClass = (Side.LONG, 0, 0, 0, 0)

    def class_of(self, cluster: Cluster) -> SizeClass:
        """A cluster's class. The last one's is known: all that is measured of a body is asked for in a row."""
        if cluster is not self._last:
            self._last, peak = cluster, cluster.peak
            self._like = (
                cluster.side,
                bisect_right(self._strengths, cluster.strength),
                bisect_right(self._sizes, cluster.usd),
                bisect_right(self._lows, peak),
                bisect_left(self._highs, peak),
            )
        return self._like
