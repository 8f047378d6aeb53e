"""The rules of a market before one of its tracks, as recomputes ask them: few clusters have anything to say to them."""

import math
from collections.abc import Sequence

from bot.alerts import growth, new_cluster
from bot.alerts.history import least_before
from bot.alerts.judge import Measure
from bot.alerts.machine import NEVER_MS
from bot.alerts.matching import SLACK, Watch
from bot.alerts.size_steps import SizeClass
from bot.alerts.types import Kind, Track
from bot.liquidation.types import Cluster


class MapPost:
    """A watch for each thing that recomputes measure of a track, and what of it may matter to the rules: to bodies of
    one class, until states change.
    """

    __slots__ = ("_like", "_open", "_watches", "measures")

    def __init__(self, measures: Sequence[Measure], watches: Sequence[Watch]) -> None:
        self.measures = measures
        self._watches = watches
        self._open: Sequence[_Window] = ()
        self.stir()

    def stir(self) -> None:
        """States on the track have changed."""
        self._like: SizeClass | None = None

    def look(self, track: Track, slot_ms: int) -> Sequence[tuple[Watch, float]]:
        """What is measured of the track as of this recompute, wherever a rule may have something to say of it."""
        if not self._watches:
            return ()
        like = self._watches[0].column.class_of(track.cluster)  # which is the same to all that recomputes measure
        if like != self._like:
            self._stand_before(track.cluster, like)
        usd, found = track.cluster.usd, []
        for window in self._open:
            if slot_ms >= window.calm_ms:
                window.calm_usd, window.calm_ms = window.calm(track, slot_ms)
            if usd < window.calm_usd and slot_ms < window.calm_ms:
                continue
            watch, metric = window.watch, window.metric(track, slot_ms)
            if metric is not None and (watch.waits or watch.wakes(metric, slot_ms, unseen_ms=0)):
                found.append((watch, metric))
                window.calm_ms = 0  # a closer look may move the bounds
        return found

    def _stand_before(self, cluster: Cluster, like: SizeClass) -> None:
        """The body is this now, of another class than the last."""
        self._like = like
        for watch in self._watches:
            watch.meet(cluster)
        both = zip(self.measures, self._watches, strict=True)
        self._open = [_Window(measure, watch) for measure, watch in both if not watch.idle]


class _Window:
    """One thing measured of bodies of one class: those of less than `calm_usd` wake no rule before `calm_ms`."""

    __slots__ = ("_measure", "calm_ms", "calm_usd", "watch")

    def __init__(self, measure: Measure, watch: Watch) -> None:
        self.watch = watch
        self._measure = measure
        self.calm_usd, self.calm_ms = 0.0, 0

    def metric(self, track: Track, slot_ms: int) -> float | None:
        if self._measure.kind is Kind.NEW_CLUSTER:
            return new_cluster.metric(track, slot_ms=slot_ms)
        return growth.metric(track, slot_ms=slot_ms, window_ms=self._measure.window_ms)

    def calm(self, track: Track, slot_ms: int) -> tuple[float, int]:
        """`calm_usd` and `calm_ms` from this recompute on, by the track as of then. Each body is asked, being not less
        than 0 USD, where some rule waits, where it may be news, and where rules that fired would see it shrink.
        """
        watch, window_ms = self.watch, self._measure.window_ms or new_cluster.NEW_MS
        if watch.waits:
            return 0.0, NEVER_MS
        nearest = max(watch.armed, watch.again)
        if track.appeared and slot_ms < track.born_ms + window_ms and nearest > -math.inf:
            return 0.0, track.born_ms + window_ms
        if self._measure.kind is Kind.NEW_CLUSTER:
            return math.inf, watch.due_ms
        least_usd, until_ms = least_before(track, slot_ms=slot_ms, window_ms=window_ms)
        if watch.fired < math.inf and least_usd < math.inf:
            return 0.0, until_ms
        return least_usd * (1.0 - nearest / 100.0) * (1.0 - SLACK), min(until_ms, watch.due_ms)
