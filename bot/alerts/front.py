"""One market before its ticks: the band of prices within which none of its rules has anything to say."""

import math
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


QUIET = Band(0.0, math.inf, NEVER_MS, False, 0)
"""Nobody watches."""


class Front:
    """The posts of one market, by the ids of their tracks in order. Those of tracks that the newest map misses wait."""

    def __init__(self, book: MarketBook) -> None:
        self.book = book
        self.posts: dict[str, Post] = {}
        self._away: dict[str, Post] = {}
        self.valid_ms = 0

    def form(self, *, valid_ms: int, seen_ms: int, now_ms: int) -> Band:
        """Take over the market's newest map and rules; past `valid_ms` that map is too old to judge by.

        Every post so far has seen the ticks within the band, until `seen_ms`.
        """
        book, posts, away = self.book, self.posts, self._away
        self.valid_ms, self.posts, self._away = valid_ms, {}, {}
        if book.reading is None:
            return QUIET
        measures = book.measures(AT_TICKS)
        for post in posts.values():
            post.seen_ms = max(post.seen_ms, seen_ms)
        scales = [book.scale(measure) for measure in measures]
        for track_id, track in sorted(book.tracks.items()) if measures else ():
            known = posts.get(track_id) or away.get(track_id)
            if track.missed:
                if known is not None:
                    self._away[track_id] = known
                continue
            if known is None or known.measures is not measures:
                known = self._post(track, known, measures)
            known.stand_before(track.cluster, scales, now_ms)
            self.posts[track_id] = known
        return self._band()

    def _post(self, track: Track, post: Post | None, measures: Sequence[Measure]) -> Post:
        """A post for a track that has none, or whose rules have changed."""
        watches = tuple(self.book.watch(measure, track.id, seen_ms=track.seen_ms) for measure in measures)
        seen_ms = max(watch.seen_ms for watch in watches) if post is None else post.seen_ms
        return Post(measures, watches, seen_ms=seen_ms)

    def redraw(self, *, seen_ms: int, now_ms: int) -> Band:
        """States have changed."""
        for post in self.posts.values():
            post.seen_ms = max(post.seen_ms, seen_ms)
            post.redraw(now_ms)
        return self._band()

    def _band(self) -> Band:
        """The prices that lie between the bounds of every post, and concern no liquidation price that a rule holds."""
        levels = self.book.levels()
        low, high, due_ms, waits, seen_ms = max(0.0, levels.below), levels.above, levels.due_ms, False, NEVER_MS
        if self.posts:
            due_ms = min(due_ms, self.valid_ms + 1)
        for post in self.posts.values():
            if post.low > low:
                low = post.low
            if post.high < high:
                high = post.high
            if post.due_ms < due_ms:
                due_ms = post.due_ms
            if post.seen_ms < seen_ms:
                seen_ms = post.seen_ms
            waits = waits or post.waits
        return Band(low, high, due_ms, waits, seen_ms)
