"""What a venue's lines brought: prints that nobody took yet, prices, when anybody listened, and the books of it all."""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from bot.clock import Clock
from bot.market.bad_rows import BadRows
from bot.market.feed import ContractNews, FeedStatus, Heard, Print, Stretch, joined_stretches
from bot.market.price_book import PriceBook

MOST_WAITING: Final = 20_000
REMEMBERED: Final = 5_000
MOST_NEWS: Final = 2_000

MOST_AHEAD_MS: Final = 3_600_000
"""A print later than this machine's clock by so much is nonsense. An early one is true: venues tell some late."""


class StreamBook:
    """One venue's, whichever of its lines speaks. What waits is bounded; the times of stretches are this clock's."""

    def __init__(self, exchange: str, venue: str, clock: Clock, *, most_waiting: int = MOST_WAITING) -> None:
        self.prices = PriceBook(exchange)
        self.bad = BadRows(venue)
        self.news: dict[str, ContractNews] = {}
        self._clock = clock
        self._waiting: deque[Print] = deque()
        self._most_waiting = most_waiting
        self._seen: dict[Print, None] = {}
        self._lines = 0
        self._stretches: list[Stretch] = []
        self._alive_since_ms: int | None = None
        self._alive_ms = 0
        self._last_print_ms: int | None = None
        self._last_message_ms: int | None = None
        self._lag_ms: int | None = None
        self._prints = self._dropped = self._connections = self._gaps = 0

    # What lines say

    def decoded(self, frame: str | bytes) -> Mapping[str, Any] | None:
        """The object of a frame; None, and counted, where it is none."""
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict):
            return message
        self.bad.drop("frames", "no JSON object")
        return None

    def connected(self) -> None:
        """A line was made."""
        self._connections += 1

    def begin(self) -> None:
        """A line is heard for the first time."""
        self._lines += 1
        self.alive()

    def alive(self) -> None:
        """The heart-beat of a line."""
        self._alive_ms = self._clock.now_ms()
        if self._alive_since_ms is None:
            self._alive_since_ms = self._alive_ms

    def end(self, *, meant: bool) -> None:
        """A line that was heard is no more; without another one, and unless it is `meant`, that is a gap."""
        self._lines -= 1
        if self._lines == 0 and self._alive_since_ms is not None:
            self._stretches.append((self._alive_since_ms, self._alive_ms))
            self._alive_since_ms = None
            self._gaps += not meant

    def sent_at(self, time_ms: int | None) -> None:
        """A message came that the venue sent at `time_ms`."""
        self._last_message_ms = self._clock.now_ms()
        if time_ms is not None:
            self._lag_ms = self._last_message_ms - time_ms

    def keep(self, found: Print) -> None:
        """Queue a print that was not seen before: a line made anew, and one beside another, repeat what was said."""
        if found in self._seen:
            return
        if found.time_ms > self._clock.now_ms() + MOST_AHEAD_MS:
            self.bad.drop("liquidations", "of the future")
            return
        self._seen[found] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._prints += 1
        self._last_print_ms = max(found.time_ms, self._last_print_ms or 0)
        if len(self._waiting) >= self._most_waiting:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(found)

    def tell(self, news: ContractNews) -> None:
        """Note what was said of a contract."""
        self.news.pop(news.symbol, None)
        self.news[news.symbol] = news
        if len(self.news) > MOST_NEWS:
            del self.news[next(iter(self.news))]

    # What is asked

    def take(self) -> Heard:
        """What was heard since the last take."""
        if self._alive_since_ms is not None:
            self._stretches.append((self._alive_since_ms, self._alive_ms))
            self._alive_since_ms = self._alive_ms
        heard = Heard(tuple(self._waiting), joined_stretches(self._stretches))
        self._waiting.clear()
        self._stretches.clear()
        return heard

    def status(self) -> FeedStatus:
        """The books at this moment."""
        return FeedStatus(
            alive=self._alive_since_ms is not None,
            last_print_ms=self._last_print_ms,
            prints=self._prints,
            dropped=self._dropped,
            connections=self._connections,
            gaps=self._gaps,
            last_message_ms=self._last_message_ms,
            lag_ms=self._lag_ms,
            dropped_rows=self.bad.counts,
        )

    def contract_news(self) -> Mapping[str, ContractNews]:
        return dict(self.news)
