"""The rules of a market before one of its tracks, as recomputes ask them: few clusters have anything to say to them."""

import math
from collections.abc import Iterator, Sequence
from operator import itemgetter

from bot.alerts import growth, new_cluster
from bot.alerts.history import Sizes
from bot.alerts.judge import Measure
from bot.alerts.machine import NEVER_MS
from bot.alerts.matching import SLACK, Watch
from bot.alerts.size_steps import SizeClass
from bot.alerts.types import Kind, Track
from bot.liquidation.types import Cluster

_size_usd = itemgetter(1)


class MapPost:
    """A watch for each thing that recomputes measure of a track, and what of it may matter to the rules.

    No rule has anything to say before `due_ms` of a track that has grown by less than `-armed` percent and did not
    appear within `news_ms`, unless some watch is `busy`. That holds for bodies of one class, until states change.
    """

    __slots__ = (
        *("_armed", "_busy", "_due_ms", "_least_usd", "_like", "_news_ms", "_open", "_sizes", "_watches"),
        "measures",
    )

    def __init__(self, measures: Sequence[Measure], watches: Sequence[Watch]) -> None:
        self.measures = measures
        self._watches = watches
        self._open: tuple[tuple[Measure, Watch], ...] = ()
        self._sizes: Sizes = ()
        self._least_usd = 0.0
        self.stir()

    def stir(self) -> None:
        """States on the track have changed."""
        self._like: SizeClass | None = None

    def look(self, track: Track, slot_ms: int) -> Iterator[tuple[Watch, float]]:
        """What is measured of the track as of this recompute, wherever a rule may have something to say of it."""
        if not self._watches:
            return
        self._stand_before(track.cluster)
        is_new = track.appeared and track.born_ms > slot_ms - self._news_ms
        lowest = -self._most_pct(track) - SLACK if self._armed > -math.inf else math.inf
        if not (is_new or self._busy or self._armed >= lowest or slot_ms >= self._due_ms):
            return
        for measure, watch in self._open:
            if measure.kind is Kind.NEW_CLUSTER:
                metric = new_cluster.metric(track, slot_ms=slot_ms)
            elif is_new or watch.busy or watch.armed >= lowest or slot_ms >= watch.due_ms:
                metric = growth.metric(track, slot_ms=slot_ms, window_ms=measure.window_ms)
            else:
                continue
            if metric is not None:
                yield watch, metric

    def _most_pct(self, track: Track) -> float:
        """What no growth of the track exceeds, over any window; infinite where a size before is not above 0."""
        sizes, known = track.sizes, self._sizes
        self._sizes = sizes
        if known and len(sizes) == len(known) + 1 and sizes[-2] is known[-1]:  # the same with one more
            self._least_usd = min(self._least_usd, sizes[-1][1])
        else:
            self._least_usd = min(map(_size_usd, sizes), default=0.0)
        return 100.0 * (track.cluster.usd / self._least_usd - 1.0) if self._least_usd > 0.0 else math.inf

    def _stand_before(self, cluster: Cluster) -> None:
        """The body is this now."""
        like = self._watches[0].column.class_of(cluster)  # which is the same to all that recomputes measure
        if like != self._like:
            self._like = like
            self._draw(cluster)

    def _draw(self, cluster: Cluster) -> None:
        """Work out what may matter from the bounds of the watches before such a body."""
        for watch in self._watches:
            watch.meet(cluster)
        self._open = tuple(
            (measure, watch) for measure, watch in zip(self.measures, self._watches, strict=True) if not watch.idle
        )
        grows = [watch for measure, watch in self._open if measure.kind is Kind.GROWTH]
        self._busy = any(watch.busy for watch in grows)
        self._armed = max((watch.armed for watch in grows), default=-math.inf)
        self._due_ms = min((watch.due_ms for watch in grows), default=NEVER_MS)
        self._news_ms = max((measure.window_ms or new_cluster.NEW_MS for measure, _ in self._open), default=0)
