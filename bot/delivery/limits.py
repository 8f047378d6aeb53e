"""How fast messages may go: per token, per private chat, per group, with a share kept for replies to people.

Each limit is a virtual schedule (the generic cell rate algorithm): one number says when it will be even again, and a
message may go when that is no further ahead than the burst allows. Where nobody waited, what the last second left of
a second's worth goes at once, and the schedule counts it like any other. After a refusal (429) the token's rate is
halved; each minute without one gives a message a second back.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from bot.clock import Clock

TOKEN_RATE = 25.0
# In one second a full burst and a second's rate may go: 30, what Telegram allows.
BURST = 5
# Of the burst, what only replies to people may use.
RESERVED = 2
PRIVATE_INTERVAL_S = 1.0
GROUP_INTERVAL_S = 3.0
# So many replies may follow each other in one chat before they too wait their turn.
REPLIES_AT_ONCE = 3

_RECOVERY_S = 60.0
# Refusals this close together are one incident.
_INCIDENT_S = 5.0
_LANES_KEPT = 10_000
# A wait this short is none: an event loop wakes from less than its clock can tell without any time having passed.
_INSTANT_S = 1e-6


@dataclass(slots=True)
class _Lane:
    """One chat: when its schedule is even again, and until when the server wants silence there (monotonic seconds)."""

    interval_s: float
    even_at_s: float = 0.0
    silent_until_s: float = 0.0


class RateLimiter:
    """Whoever sends awaits `acquire` first, and reports a 429 with `refused`."""

    def __init__(self, clock: Clock, *, rate: float = TOKEN_RATE) -> None:
        self._clock = clock
        self._full_rate = rate
        self._rate = rate
        self._changed_s = clock.monotonic()
        self._even_at_s = 0.0
        self._silent_until_s = 0.0
        # What went in the last second, and how many since a second before nobody waited last.
        self._lately_s: deque[float] = deque()
        self._in_row = 0
        self._lanes: dict[int, _Lane] = {}
        self._refusals: deque[tuple[float, int]] = deque(maxlen=32)
        # First come, first served among alerts; replies pass by.
        self._queue = asyncio.Lock()

    @property
    def rate(self) -> float:
        """Messages a second the token may send now."""
        return self._rate

    async def acquire(self, chat: int, *, interactive: bool = False) -> None:
        """Wait until a message may go to this chat, then count it. `interactive` marks an answer to a person."""
        lane = self._lane(chat)
        slack_s = (REPLIES_AT_ONCE - 1) * lane.interval_s if interactive else 0.0
        while (wait_s := self._lane_wait(lane, slack_s)) > _INSTANT_S:
            await self._clock.sleep(wait_s)
        if interactive:
            await self._take(BURST - 1, at_once=int(self._rate) + BURST)
        else:
            async with self._queue:
                await self._take(BURST - 1 - RESERVED, at_once=int(self._rate))
        lane = self._lane(chat)
        lane.even_at_s = max(lane.even_at_s, self._clock.monotonic()) + lane.interval_s

    def refused(self, chat: int, retry_after_s: float) -> None:
        """The server said "too many": silence for this chat, and for the token where several chats hear it."""
        now_s = self._clock.monotonic()
        lane = self._lane(chat)
        lane.silent_until_s = max(lane.silent_until_s, now_s + retry_after_s)
        recent = [chat for refused_s, chat in self._refusals if now_s - refused_s < _INCIDENT_S]
        if any(other != chat for other in recent):
            self._silent_until_s = max(self._silent_until_s, now_s + retry_after_s)
        self._recover(now_s)
        if not recent:
            self._rate = max(1.0, self._rate / 2)
        self._changed_s = now_s
        self._refusals.append((now_s, chat))

    async def _take(self, ahead: int, *, at_once: int) -> None:
        """Wait for the token's own schedule and take the next place in it.

        It may run `ahead` messages early. From when it is even until `at_once` have gone, those of the second before
        included, there is no waiting.
        """
        while True:
            now_s = self._clock.monotonic()
            self._recover(now_s)
            interval_s = 1.0 / self._rate
            while self._lately_s and self._lately_s[0] <= now_s - 1.0:
                self._lately_s.popleft()
            if now_s >= self._even_at_s - _INSTANT_S:
                self._in_row = len(self._lately_s)
            even_s = self._even_at_s - ahead * interval_s if self._in_row >= at_once else now_s
            wait_s = max(self._silent_until_s, even_s) - now_s
            if wait_s <= _INSTANT_S:
                self._even_at_s = max(self._even_at_s, now_s) + interval_s
                self._lately_s.append(now_s)
                self._in_row += 1
                return
            await self._clock.sleep(wait_s)

    def _recover(self, now_s: float) -> None:
        clean_minutes = int((now_s - self._changed_s) / _RECOVERY_S)
        if clean_minutes:
            self._rate = min(self._full_rate, self._rate + clean_minutes)
            self._changed_s += clean_minutes * _RECOVERY_S

    def _lane_wait(self, lane: _Lane, slack_s: float) -> float:
        return max(lane.silent_until_s, lane.even_at_s - slack_s) - self._clock.monotonic()

    def _lane(self, chat: int) -> _Lane:
        lane = self._lanes.get(chat)
        if lane is None:
            if len(self._lanes) >= _LANES_KEPT:
                now_s = self._clock.monotonic()
                self._lanes = {
                    other: kept
                    for other, kept in self._lanes.items()
                    if max(kept.even_at_s, kept.silent_until_s) > now_s
                }
            lane = self._lanes[chat] = _Lane(PRIVATE_INTERVAL_S if chat > 0 else GROUP_INTERVAL_S)
        return lane
