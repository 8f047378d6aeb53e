"""How much may be asked of a venue, and when not at all: request budgets, bans and geo blocks.

Liqwatch plans with half of every limit, so that a second program on the same address does not end in a ban.
"""

import asyncio
import math
from bisect import insort
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from bot.clock import Clock
from bot.market.exchange import GeoBlockedError, RateLimitedError
from bot.market.priority import Priority

GEO_RECHECK_MS = 30 * 60_000
_SLOW_S = 600.0
_BACKGROUND_SHARE = 0.7
# How many requests may be under way when one more of this kind begins.
_CONNECTIONS = {Priority.PRICES: math.inf, Priority.WATCHED: 10, Priority.ASKED: 10, Priority.BACKGROUND: 6}


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """What a budget has spent in its window, and how much it allows itself."""

    used: int
    allowed: int
    window_s: float


@dataclass(eq=False, slots=True)
class _Turn:
    """A request that waits; `called` is set when it may have become the first in the queue."""

    priority: Priority
    order: int
    weight: int
    called: asyncio.Event = field(default_factory=asyncio.Event)


class Budget:
    """A sliding window of spent weight: the more urgent is served first, and has room that the less urgent leave free.

    `share` of the venue's `limit` is used. Of it `reserved_for_urgent` is kept for prices, and of the rest the
    background takes a part only, so that a watched market finds room at once. The venue's own count (`learn`) is
    believed when it is higher: other programs on the same address count there too.
    """

    def __init__(
        self, clock: Clock, *, limit: int, window_s: float, share: float = 0.5, reserved_for_urgent: int = 0
    ) -> None:
        self._clock = clock
        self._window_s = window_s
        self._allowed = int(limit * share)
        self._reserved = reserved_for_urgent
        self._spent: deque[tuple[float, int]] = deque()
        self._in_flight = 0
        self._told = 0
        self._told_until = -math.inf
        self._slow_until = -math.inf
        self._connected = 0
        self._queue: list[_Turn] = []
        self._order = count()

    @asynccontextmanager
    async def place(self, weight: int, *, priority: Priority = Priority.ASKED) -> AsyncIterator[None]:
        """Wait until `weight` fits, take it, and hold one of the connections for the body of the `async with`.

        By priority, then first come, first served: nobody overtakes one that waits for more room. PRICES need no free
        connection.
        """
        await self._reserve(weight, priority)
        self._in_flight += weight
        connections = 0 if priority is Priority.PRICES else 1
        self._connected += connections
        self._call_next()
        try:
            yield
        finally:
            self._in_flight -= weight
            self._connected -= connections
            self._call_next()

    async def _reserve(self, weight: int, priority: Priority) -> None:
        turn = _Turn(priority, next(self._order), weight)
        insort(self._queue, turn, key=lambda waiting: (waiting.priority, waiting.order))
        try:
            while not self._fits(turn):
                await self._wait(turn)
            self._spent.append((self._clock.monotonic(), weight))
        finally:
            self._queue.remove(turn)
            # Whoever is first now may be one that was never woken for it.
            self._call_next()

    def _fits(self, turn: _Turn) -> bool:
        if self._queue[0] is not turn or self._connected >= _CONNECTIONS[turn.priority]:
            return False
        return self._used() + turn.weight <= max(turn.weight, self._room(turn.priority))

    async def _wait(self, turn: _Turn) -> None:
        if self._queue[0] is turn and self._connected < _CONNECTIONS[turn.priority]:
            await self._clock.sleep(self._until_more_room())
            return
        turn.called.clear()
        await turn.called.wait()

    def _call_next(self) -> None:
        if self._queue:
            self._queue[0].called.set()

    def learn(self, told: int, *, for_s: float) -> None:
        """The venue's own count, which stands for `for_s` more seconds."""
        now = self._clock.monotonic()
        # Answers overtake each other: within its window the venue's count only grows.
        self._told = max(told, self._told) if now < self._told_until else told
        self._told_until = now + for_s

    def slow_down(self) -> None:
        """The venue complained: half the rate for ten minutes."""
        self._slow_until = self._clock.monotonic() + _SLOW_S

    def status(self) -> BudgetStatus:
        return BudgetStatus(self._used(), self._room(Priority.PRICES), self._window_s)

    def _room(self, priority: Priority) -> int:
        allowed = self._allowed if priority is Priority.PRICES else self._allowed - self._reserved
        if priority is Priority.BACKGROUND:
            allowed = int(allowed * _BACKGROUND_SHARE)
        return allowed // 2 if self._clock.monotonic() < self._slow_until else allowed

    def _used(self) -> int:
        now = self._clock.monotonic()
        while self._spent and self._spent[0][0] <= now - self._window_s:
            self._spent.popleft()
        own = sum(weight for _, weight in self._spent)
        return max(own, self._told + self._in_flight) if now < self._told_until else own

    def _until_more_room(self) -> float:
        now = self._clock.monotonic()
        moments = [self._told_until] if now < self._told_until else []
        if self._spent:
            moments.append(self._spent[0][0] + self._window_s)
        return max(0.05, min(moments, default=now + 1) - now)


class Gate:
    """Whether a venue may be asked at all. Closed after a ban until its time, after a geo block for half an hour.

    `venue` is its name in sentences. `banned_until_ms` survives a restart when it is stored and handed back: asking
    during a ban makes it longer.
    """

    def __init__(self, clock: Clock, venue: str, *, banned_until_ms: int | None = None) -> None:
        self._clock = clock
        self._venue = venue
        self._banned_until_ms = banned_until_ms or 0
        self._blocked_until_ms = 0

    @property
    def banned_until_ms(self) -> int | None:
        """When the venue may be asked again, ms UTC; None where it may be asked now."""
        return self._banned_until_ms if self._banned_until_ms > self._clock.now_ms() else None

    @property
    def blocked_until_ms(self) -> int | None:
        """When a geo block is looked at again, ms UTC; None where there is none or the look is due."""
        return self._blocked_until_ms if self._blocked_until_ms > self._clock.now_ms() else None

    def pass_through(self) -> None:
        """Return, or raise RateLimitedError or GeoBlockedError without a request having been made."""
        if (until_ms := self.banned_until_ms) is not None:
            seconds = math.ceil((until_ms - self._clock.now_ms()) / 1000)
            raise RateLimitedError(f"{self._venue} asked for silence; {seconds} s of it are left.", until_ms=until_ms)
        if self.blocked_until_ms is not None:
            raise self._geo_blocked()

    def ban(self, until_ms: int, *, message: str) -> RateLimitedError:
        """Close until `until_ms` (never shorter than a ban already known); gives the error to raise."""
        self._banned_until_ms = max(self._banned_until_ms, until_ms)
        return RateLimitedError(message, until_ms=self._banned_until_ms)

    def block(self) -> GeoBlockedError:
        """Close for half an hour: the venue does not serve this place; gives the error to raise."""
        self._blocked_until_ms = self._clock.now_ms() + GEO_RECHECK_MS
        return self._geo_blocked()

    def _geo_blocked(self) -> GeoBlockedError:
        return GeoBlockedError(
            f"{self._venue} does not serve this place or address (451 or 403); it is looked at every 30 minutes."
        )
