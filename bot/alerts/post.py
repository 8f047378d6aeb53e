"""The rules of a market before one of its tracks, as ticks ask them: between two prices none has anything to say."""

import math
from collections.abc import Sequence

from bot.alerts.judge import Measure
from bot.alerts.machine import NEVER_MS
from bot.alerts.matching import Watch
from bot.alerts.size_steps import SizeClass
from bot.alerts.types import Kind, Unit
from bot.liquidation.types import Cluster, Side

MARGIN = 1e-9
"""Share of a price by which the band is drawn too narrow: it only proposes, the exact comparison is the machine's."""

FARTHEST_PCT = 5_000.0
"""A bound beyond this is as good as none: no price comes to e**50 times another."""


class Post:
    """A watch for each thing that ticks measure of a track, and its body.

    Price strictly between `low` and `high` changes nothing before `due_ms`, unless some rule `waits` and time went by
    unseen since `seen_ms`. `scales` are what each watch's metric counts a distance in percent by; NaN where that is
    not known now.

    The bounds of the watches are summed up once for bodies of one class, until one of them moves.
    """

    __slots__ = (
        *("cluster", "due_ms", "high", "low", "measures", "scales", "seen_ms", "waits", "watches"),
        *("_asked", "_hit", "_left", "_like", "_scaled", "_version"),
    )

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
        self._asked = [
            (watch, measure.kind is Kind.SWEPT, at if measure.unit is not Unit.PERCENT else None)
            for at, (measure, watch) in enumerate(zip(measures, watches, strict=True))
        ]
        self._like: SizeClass | None = None
        self._version = -1
        self._hit, self._left = -math.inf, FARTHEST_PCT
        self._scaled: list[tuple[int, float, float]] = []

    def stand_before(self, cluster: Cluster, scales: Sequence[float], now_ms: int) -> None:
        """The body is this now."""
        self.cluster = cluster
        self.scales = scales
        like = self.watches[0].column.class_of(cluster)  # which is the same to all that ticks measure
        if like != self._like or self._version != self._moved():
            self._sum_up(like, now_ms)
        self._draw()

    def redraw(self, now_ms: int) -> None:
        """Before the same body, bounds may have moved."""
        if self._like is not None and self._version != self._moved():
            self._sum_up(self._like, now_ms)
            self._draw()

    def _moved(self) -> int:
        """Goes up with each bound that moves."""
        version = 0
        for watch in self.watches:
            version += watch.version
        return version

    def _sum_up(self, like: SizeClass, now_ms: int) -> None:
        """Nothing changes while what is measured stays above `hit` and not above `left`: those of all that is counted
        in percent as one, beside those of each that is not.
        """
        hit, left, due_ms, waits = -math.inf, FARTHEST_PCT, NEVER_MS, False
        self._scaled = []
        for watch, sweeps, at in self._asked:
            if not sweeps:  # sweeps are judged by the body at its best, and by the far edge that bounds all
                watch.follow(self.cluster, like, now_ms)
            nearest = watch.again if sweeps or watch.again > watch.armed else watch.armed
            if at is None:
                hit, left = max(hit, nearest), min(left, watch.fired)
            elif nearest > -math.inf or watch.fired < math.inf:
                self._scaled.append((at, nearest, watch.fired))
            if watch.due_ms < due_ms:
                due_ms = watch.due_ms
            waits = waits or bool(watch.due)
        self._hit, self._left, self.due_ms, self.waits = hit, left, due_ms, waits
        self._like, self._version = like, self._moved()

    def _draw(self) -> None:
        """Work the band out from the body and the bounds, none of which is below 0 where there is one."""
        hit, left = self._hit, self._left
        for at, each_hit, each_left in self._scaled:
            scale = self.scales[at]  # where that is NaN neither comparison holds
            if each_hit * scale > hit:
                hit = each_hit * scale
            if each_left * scale < left:
                left = each_left * scale
        if hit > FARTHEST_PCT:
            hit = FARTHEST_PCT
        cluster = self.cluster
        if cluster.side is Side.LONG:
            self.low = max(cluster.low, cluster.high * math.exp(hit / 100.0)) * (1.0 + MARGIN)
            self.high = cluster.high * math.exp(left / 100.0) * (1.0 - MARGIN)
        else:
            self.low = cluster.low * math.exp(-left / 100.0) * (1.0 + MARGIN)
            self.high = min(cluster.high, cluster.low * math.exp(-hit / 100.0)) * (1.0 - MARGIN)
