"""The rules of a market before one of its tracks, as ticks ask them: between two prices none has anything to say."""

import math
from collections.abc import Mapping

from bot.alerts.judge import Measure
from bot.alerts.matching import NEVER_MS, Watch
from bot.alerts.types import Kind
from bot.liquidation.types import Cluster, Side

MARGIN = 1e-9
"""Share of a price by which the band is drawn too narrow: it only proposes, the exact comparison is the machine's."""

FARTHEST_PCT = 5_000.0
"""A bound beyond this is none: no price comes to e**50 times another."""


class Post:
    """One track's body with a watch for each thing that ticks measure of it.

    Price strictly between `low` and `high` changes nothing before `due_ms`, unless some rule `waits` and time went by
    unseen since `seen_ms`. `scales` are what each watch's metric counts a distance in percent by; NaN where that is
    not known now.
    """

    __slots__ = ("cluster", "due_ms", "high", "low", "scales", "seen_ms", "waits", "watches")

    def __init__(self, cluster: Cluster, *, seen_ms: int) -> None:
        self.seen_ms = seen_ms
        self.watches: Mapping[Measure, Watch] = {}
        self.scales: Mapping[Measure, float] = {}
        self.cluster = cluster

    def draw(self, now_ms: int) -> None:
        """Work the band out from the body and the bounds of the watches before it."""
        long = self.cluster.side is Side.LONG
        near, far = (self.cluster.high, self.cluster.low) if long else (self.cluster.low, self.cluster.high)
        hit, left, due_ms, waits = -math.inf, math.inf, NEVER_MS, False
        for measure, watch in self.watches.items():
            scale = self.scales[measure]
            if not scale > 0.0:
                continue
            if measure.kind is not Kind.SWEPT:  # judged by the body at its best, and by the far edge that bounds all
                watch.follow(self.cluster, now_ms)
                hit = max(hit, watch.armed * scale, watch.again * scale)
                left = min(left, watch.fired * scale)
            due_ms = min(due_ms, watch.due_ms)
            waits = waits or bool(watch.due)
        self.due_ms, self.waits = due_ms, waits
        if long:
            self.low = max(far, _away(near, hit)) * (1.0 + MARGIN)
            self.high = _away(near, left) * (1.0 - MARGIN)
        else:
            self.low = _away(near, -left) * (1.0 + MARGIN)
            self.high = min(far, _away(near, -hit)) * (1.0 - MARGIN)


def _away(price: float, percent: float) -> float:
    """The price so many percent off, as log distances count."""
    if percent > FARTHEST_PCT:
        return math.inf
    return price * math.exp(percent / 100.0) if percent > -FARTHEST_PCT else 0.0
