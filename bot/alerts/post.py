"""The rules of a market before one of its tracks, as ticks ask them: between two prices none has anything to say."""

import math
from collections.abc import Sequence

from bot.alerts.judge import Measure
from bot.alerts.matching import NEVER_MS, Watch
from bot.alerts.types import Kind
from bot.liquidation.types import Cluster, Side

MARGIN = 1e-9
"""Share of a price by which the band is drawn too narrow: it only proposes, the exact comparison is the machine's."""

FARTHEST_PCT = 5_000.0
"""A bound beyond this is none: no price comes to e**50 times another."""


class Post:
    """A watch for each thing that ticks measure of a track, and its body.

    Price strictly between `low` and `high` changes nothing before `due_ms`, unless some rule `waits` and time went by
    unseen since `seen_ms`. `scales` are what each watch's metric counts a distance in percent by; NaN where that is
    not known now.
    """

    __slots__ = ("cluster", "due_ms", "high", "low", "measures", "scales", "seen_ms", "waits", "watches")

    cluster: Cluster
    scales: Sequence[float]
    low: float
    high: float
    due_ms: int
    waits: bool

    def __init__(self, measures: Sequence[Measure], watches: Sequence[Watch], *, seen_ms: int) -> None:
        """To be followed by `stand_before`."""
        self.measures = measures
        self.watches = watches
        self.seen_ms = seen_ms

    def stand_before(self, cluster: Cluster, scales: Sequence[float], now_ms: int) -> None:
        """The body is this now."""
        self.cluster = cluster
        self.scales = scales
        self.draw(now_ms)

    def draw(self, now_ms: int) -> None:
        """Work the band out from the body and the bounds of the watches before it."""
        cluster = self.cluster
        hit, left, due_ms, waits = -math.inf, math.inf, NEVER_MS, False
        like = self.watches[0].column.class_of(cluster)  # which is the same to all columns of a market
        for measure, watch, scale in zip(self.measures, self.watches, self.scales, strict=True):
            if not scale > 0.0:
                continue
            if measure.kind is not Kind.SWEPT:  # judged by the body at its best, and by the far edge that bounds all
                watch.follow(cluster, like, now_ms)
                hit = max(hit, watch.armed * scale)
            if watch.busy:
                hit = max(hit, watch.again * scale)
                left = min(left, watch.fired * scale)
                waits = waits or bool(watch.due)
            due_ms = min(due_ms, watch.due_ms)
        self.due_ms, self.waits = due_ms, waits
        if cluster.side is Side.LONG:
            self.low = max(cluster.low, _away(cluster.high, hit)) * (1.0 + MARGIN)
            self.high = _away(cluster.high, left) * (1.0 - MARGIN)
        else:
            self.low = _away(cluster.low, -left) * (1.0 + MARGIN)
            self.high = min(cluster.high, _away(cluster.low, -hit)) * (1.0 - MARGIN)


def _away(price: float, percent: float) -> float:
    """The price so many percent off, as log distances count."""
    if percent > FARTHEST_PCT:
        return math.inf
    return price * math.exp(percent / 100.0) if percent > -FARTHEST_PCT else 0.0
