"""One market before its ticks: the band of prices within which none of its tracks has anything to say."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.alerts.judge import Measure
from bot.alerts.kinds import AT_TICKS
from bot.alerts.machine import NEVER_MS
from bot.alerts.market_book import MarketBook
from bot.alerts.post import Post
from bot.alerts.types import Track


class Band(NamedTuple):
    """A tick strictly between `low` and `high` and before `due_ms` changes nothing.

    Where some rule `waits`, nor may more time than usual have gone by since `seen_ms`.
    """

    low: float
    high: float
    due_ms: int
    waits: bool
    seen_ms: int


QUIET = Band(0.0, float("inf"), NEVER_MS, False, 0)
"""Nobody watches."""


class Front:
    """The posts of one market, by the ids of their tracks in order. Those of tracks that the newest map misses wait."""

    def __init__(self, book: MarketBook) -> None:
        self.book = book
        self.posts: dict[str, Post] = {}
        self._away: dict[str, Post] = {}
        self.valid_ms = 0

    def form(self, *, valid_ms: int, now_ms: int) -> None:
        """Take over the market's newest map and rules; past `valid_ms` that map is too old to judge by."""
        book = self.book
        self.valid_ms = valid_ms
        known = {**self._away, **self.posts}
        self._away, self.posts = {}, {}
        if book.reading is None:
            return
        measures = book.measures(AT_TICKS)
        scales = tuple(book.scale(measure) for measure in measures)
        for track_id in sorted(book.tracks) if measures else ():
            track = book.tracks[track_id]
            if not track.missed:
                post = self.posts[track_id] = self._post(track, known.get(track_id), measures)
                post.stand_before(track.cluster, scales, now_ms)
            elif track_id in known:
                self._away[track_id] = known[track_id]

    def _post(self, track: Track, post: Post | None, measures: Sequence[Measure]) -> Post:
        """The post of a track: the one that it has, unless rules have changed since."""
        if post is not None and post.measures is measures:
            return post
        watches = tuple(self.book.watch(measure, track.id, seen_ms=track.seen_ms) for measure in measures)
        seen_ms = max(watch.seen_ms for watch in watches) if post is None else post.seen_ms
        return Post(measures, watches, seen_ms=seen_ms)

    def redraw(self, *, now_ms: int) -> None:
        """States have changed."""
        for post in self.posts.values():
            post.redraw(now_ms)

    def seen_until(self, time_ms: int) -> None:
        """Ticks within the band were seen so far by every post."""
        for post in self.posts.values():
            post.seen_ms = max(post.seen_ms, time_ms)

    def band(self) -> Band:
        """The prices that lie between the bounds of every post."""
        low, high, due_ms, waits, seen_ms = QUIET
        if not self.posts:
            return QUIET
        due_ms, seen_ms = min(due_ms, self.valid_ms + 1), NEVER_MS
        for post in self.posts.values():
            low, high = max(low, post.low), min(high, post.high)
            due_ms, seen_ms = min(due_ms, post.due_ms), min(seen_ms, post.seen_ms)
            waits = waits or post.waits
        return Band(low, high, due_ms, waits, seen_ms)
