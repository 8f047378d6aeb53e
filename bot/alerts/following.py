"""The alerts that are followed, told of each price: the cost is what is decided, however many wait.

Levels not touched yet lie in heaps, the nearest first; how far price went is kept by stretch of time and read only when
an outcome ends.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush

from bot.alerts.machine import NEVER_MS
from bot.alerts.outcomes import Outcome, ended, reached
from bot.alerts.types import CloseReason, Market
from bot.liquidation.types import Floats, Ints, Side
from bot.liquidation.values import replace

LEAST_TRIMMED = 512


class Following:
    """Every open outcome by its market. Nothing is final before `apply`: a failed commit finds the same again."""

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        """`outcomes` are those stored: what price did since is not known before `catch_up`."""
        self._lanes: dict[Market, _Lane] = {}
        for outcome in outcomes:
            self._lane(outcome.market).put(outcome)

    def markets(self) -> frozenset[Market]:
        """The markets in which something is followed."""
        return frozenset(market for market, lane in self._lanes.items() if lane.open)

    def follows(self, market: Market) -> bool:
        lane = self._lanes.get(market)
        return lane is not None and bool(lane.open)

    def see(self, market: Market, price: float, time_ms: int) -> None:
        """One price of a market, newer than the last."""
        lane = self._lanes.get(market)
        if lane is not None and lane.open:
            lane.see(price, time_ms)

    def see_path(self, market: Market, prices: Sequence[float], times_ms: Sequence[int]) -> None:
        """Some prices of a market, the oldest first: looked at one by one only where they come to something."""
        lane = self._lanes.get(market)
        if lane is not None and lane.open and prices:
            lane.see_path(prices, times_ms)

    def catch_up(self, market: Market, open_ms: Ints, low: Floats, high: Floats, *, bar_ms: int) -> None:
        """Closed bars (n,) for what no price showed; they count for those that were followed before a bar began."""
        lane = self._lanes.get(market)
        if lane is not None:
            lane.catch_up(open_ms, low, high, bar_ms)

    def awaited(self, market: Market) -> tuple[float, float, int]:
        """The prices below and above, and the time, at which something comes of a market's alerts at the earliest.

        Until then only the end of a track is worth asking for what is `due`. The time is `NEVER_MS` where nothing is
        followed, and 0 where something has come of an alert already.
        """
        lane = self._lanes.get(market)
        if lane is None:
            return -math.inf, math.inf, NEVER_MS
        below, above, until_ms = lane.awaited()
        return below, above, 0 if lane.news else until_ms

    def due(self, market: Market, closed: Mapping[str, CloseReason], *, time_ms: int) -> tuple[Outcome, ...]:
        """The outcomes that have changed for good by `time_ms`, oldest first; `closed` are the tracks that ended now.

        Those with an `ended_ms` of now want a receipt. To be stored, and then applied.
        """
        lane = self._lanes.get(market)
        return () if lane is None else lane.due(closed, time_ms)

    def apply(self, outcomes: Iterable[Outcome]) -> None:
        """Take over outcomes that have been stored, new ones among them."""
        for outcome in outcomes:
            self._lane(outcome.market).put(outcome)

    def forget(self, chat: int) -> None:
        """Follow nothing of a chat any more."""
        for lane in self._lanes.values():
            lane.forget(chat)

    def _lane(self, market: Market) -> "_Lane":
        return self._lanes.setdefault(market, _Lane())


class _Lane:
    """One market: `open` holds outcomes as last stored, the rest is what price has done to them since."""

    def __init__(self) -> None:
        self.open: dict[str, Outcome] = {}
        self._begun: dict[str, int] = {}
        self._touched: dict[str, int] = {}
        self._final: dict[str, Outcome] = {}
        self.news: set[str] = set()
        self._above: list[tuple[float, str]] = []
        self._below: list[tuple[float, str]] = []
        self._until: list[tuple[int, str]] = []
        self._of_track: dict[str, set[str]] = {}
        self._lows: list[float] = []
        self._highs: list[float] = []
        self._first = 0
        self._fresh = True

    def put(self, outcome: Outcome) -> None:
        key = outcome.alert
        self.news.discard(key)
        if not outcome.open:
            self._forget(key)
            return
        if key not in self.open:
            self._begun[key] = self._first + len(self._lows)
            self._fresh = True
            heappush(self._until, (outcome.until_ms, key))
            self._of_track.setdefault(outcome.track_id, set()).add(key)
            if not outcome.passed:
                self._await(outcome, outcome.far if outcome.touched_ms else outcome.near)
        self.open[key] = outcome

    def forget(self, chat: int) -> None:
        for key in [key for key, outcome in self.open.items() if outcome.chat == chat]:
            self.news.discard(key)
            self._forget(key)

    def see(self, price: float, time_ms: int) -> None:
        if self._until and self._until[0][0] < time_ms:
            self._finish(before_ms=time_ms)
        self._stretch(price, price)
        if self._above and self._above[0][0] <= price:
            self._come(self._above, price, time_ms)
        if self._below and self._below[0][0] <= -price:
            self._come(self._below, -price, time_ms)

    def see_path(self, prices: Sequence[float], times_ms: Sequence[int]) -> None:
        low, high = min(prices), max(prices)
        below, above, until_ms = self.awaited()
        if below < low and high < above and times_ms[-1] <= until_ms:
            self._stretch(low, high)
        else:
            for price, time_ms in zip(prices, times_ms, strict=True):
                self.see(price, time_ms)

    def _stretch(self, low: float, high: float) -> None:
        if self._fresh:
            self._lows.append(low)
            self._highs.append(high)
            self._fresh = False
        else:
            self._lows[-1] = min(self._lows[-1], low)
            self._highs[-1] = max(self._highs[-1], high)

    def _come(self, heap: list[tuple[float, str]], level: float, time_ms: int) -> None:
        """Price has come to the nearest of a side's levels."""
        while heap and heap[0][0] <= level:
            key = heappop(heap)[1]
            if key in self.open and key not in self._final:
                self.news.add(key)
                if not self.open[key].touched_ms and key not in self._touched:
                    self._touched[key] = time_ms
                    self._await(self.open[key], self.open[key].far)

    def _await(self, outcome: Outcome, level: float) -> None:
        """Look up once price comes to this level."""
        if outcome.side is Side.SHORT:
            heappush(self._above, (level, outcome.alert))
        else:
            heappush(self._below, (-level, outcome.alert))

    def catch_up(self, open_ms: Ints, low: Floats, high: Floats, bar_ms: int) -> None:
        for key, outcome in list(self.open.items()):
            seen = (open_ms >= outcome.time_ms) & (open_ms + bar_ms <= outcome.until_ms)
            extremes = (high if outcome.side is Side.SHORT else low)[seen].tolist()
            for end_ms, extreme in zip((open_ms[seen] + bar_ms).tolist(), extremes, strict=True):
                outcome = reached(outcome, extreme, end_ms)
            if outcome is not self.open[key]:
                self.open[key] = outcome
                self.news.add(key)
                self._await(outcome, outcome.far)

    def awaited(self) -> tuple[float, float, int]:
        below = -self._below[0][0] if self._below else -math.inf
        above = self._above[0][0] if self._above else math.inf
        return below, above, self._until[0][0] if self._until else NEVER_MS

    def due(self, closed: Mapping[str, CloseReason], time_ms: int) -> tuple[Outcome, ...]:
        self._finish(before_ms=time_ms + 1)
        self._fresh = True
        how = {key: reason for track_id, reason in closed.items() for key in self._of_track.get(track_id, ())}
        if not self.news and not how:
            return ()
        now = {key: ended(self._now(key), how.get(key), time_ms) for key in self.news | how.keys()}
        changed = [after for key, after in now.items() if key in self.news or after.ending != self.open[key].ending]
        return tuple(sorted(changed, key=lambda outcome: (outcome.time_ms, outcome.alert)))

    def _finish(self, *, before_ms: int) -> None:
        """Those whose time is up hear of no later price."""
        while self._until and self._until[0][0] < before_ms:
            key = heappop(self._until)[1]
            if key in self.open and key not in self._final:
                self._final[key] = self._now(key)
                self.news.add(key)

    def _now(self, key: str) -> Outcome:
        """An outcome with all that price has done since."""
        outcome = self._final.get(key) or self.open[key]
        if key in self._final:
            return outcome
        begun = max(0, self._begun[key] - self._first)
        short = outcome.side is Side.SHORT
        extreme = max(self._highs[begun:], default=-math.inf) if short else min(self._lows[begun:], default=math.inf)
        reach = max(outcome.reach, extreme) if short else min(outcome.reach, extreme)
        touched_ms = outcome.touched_ms or self._touched.get(key, 0)
        if reach == outcome.reach and touched_ms == outcome.touched_ms:
            return outcome
        return replace(outcome, reach=reach, touched_ms=touched_ms, settled_ms=outcome.settled_ms or touched_ms)

    def _forget(self, key: str) -> None:
        outcome = self.open.pop(key, None)
        for memory in (self._begun, self._touched, self._final):
            memory.pop(key, None)
        if outcome is None:
            return
        keys = self._of_track[outcome.track_id]
        keys.discard(key)
        if not keys:
            del self._of_track[outcome.track_id]
        if not self.open:
            self._until, self._above, self._below = [], [], []
        self._trim()

    def _trim(self) -> None:
        """Forget the stretches before everything that is still followed, now and then."""
        if len(self._lows) < LEAST_TRIMMED:
            return
        idle = min(self._begun.values(), default=self._first + len(self._lows)) - self._first
        if idle > 0 and 2 * idle > len(self._lows):
            del self._lows[:idle], self._highs[:idle]
            self._first += idle
