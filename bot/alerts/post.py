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

FARTHEST = 50.0
"""In log price: a bound beyond this is as good as none, for no price comes to e**50 times another."""


_Bounds = tuple[float, float, int, bool]
"""(hit, left, due_ms, waits): nothing changes while what is measured stays above `hit` and not above `left`, before
`due_ms`; whether some rule waits for time to go by. Where there is a bound it is a distance, not below 0.
"""
_NOTHING: _Bounds = (-math.inf, math.inf, NEVER_MS, False)


class Post:
    """A watch for each thing that ticks measure of a track, and its body.

    Price strictly between `low` and `high` changes nothing before `due_ms`, unless some rule `waits` and time went by
    unseen since `seen_ms`. `scales` are what each watch's metric counts a distance in percent by; NaN where that is
    not known now.

    The bounds of the watches are summed up once for bodies of one class, until one of them moves.
    """

    __slots__ = (
        *("cluster", "due_ms", "high", "low", "measures", "scales", "seen_ms", "waits", "watches"),
        *("_asked", "_like", "_plain", "_scaled", "_version"),
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
        self._plain = _NOTHING
        self._scaled: list[tuple[int, _Bounds]] = []

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
        """The bounds of all that is counted in percent as one, beside those of each that is not."""
        hit, left, due_ms, waits = _NOTHING
        self._scaled = []
        for watch, sweeps, at in self._asked:
            if sweeps:  # which are judged by the body at its best, and by the far edge that bounds all
                nearest = watch.again
            else:
                watch.follow(self.cluster, like, now_ms)
                nearest = max(watch.again, watch.armed)
            if at is not None:
                self._scaled.append((at, (nearest, watch.fired, watch.due_ms, bool(watch.due))))
                continue
            hit, left, due_ms = max(hit, nearest), min(left, watch.fired), min(due_ms, watch.due_ms)
            waits = waits or bool(watch.due)
        self._plain = hit, left, due_ms, waits
        self._scaled = [row for row in self._scaled if row[1] != _NOTHING]
        self._like, self._version = like, self._moved()

    def _draw(self) -> None:
        """Work the band out from the body and the bounds."""
        hit, left, due_ms, waits = self._plain
        for at, (near, far, wait_ms, also_waits) in self._scaled:
            if (scale := self.scales[at]) > 0.0:
                hit, left, due_ms = max(hit, near * scale), min(left, far * scale), min(due_ms, wait_ms)
                waits = waits or also_waits
        self.due_ms, self.waits = due_ms, waits
        near, far = min(hit / 100.0, FARTHEST), min(left / 100.0, FARTHEST)
        cluster = self.cluster
        if cluster.side is Side.LONG:
            self.low = max(cluster.low, cluster.high * math.exp(near)) * (1.0 + MARGIN)
            self.high = cluster.high * math.exp(far) * (1.0 - MARGIN)
        else:
            self.low = cluster.low * math.exp(-far) * (1.0 + MARGIN)
            self.high = min(cluster.high, cluster.low * math.exp(-near)) * (1.0 - MARGIN)
