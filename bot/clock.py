"""The time as the program sees it: a seam, so that a test or a replay can bring its own."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time in milliseconds UTC, monotonic seconds, and a way to wait."""

    def now_ms(self) -> int: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class FastClock:
    """Wall time that starts at a chosen moment and runs `speed` times as fast as the machine's.

    `sleep` and `monotonic` stay real: a time-out does not shrink because a market is played faster.
    """

    def __init__(self, start_ms: int, speed: float) -> None:
        self._start_ms = start_ms
        self._speed = speed
        self._began = time.monotonic()

    def now_ms(self) -> int:
        return self._start_ms + int((time.monotonic() - self._began) * 1000 * self._speed)

    async def until(self, time_ms: int) -> None:
        """Wait until it is `time_ms` or later."""
        await asyncio.sleep(max(0, time_ms - self.now_ms()) / 1000 / self._speed)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class StepClock:
    """Wall time that stands still until it is moved: for playing a market as fast as the machine can.

    Sleeping takes no time on the wall; only `monotonic` goes on, so that whoever paces itself is not held up.
    """

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._monotonic_s = 0.0

    def step_to(self, time_ms: int) -> None:
        """Move on; never back."""
        self._monotonic_s += max(0, time_ms - self._now_ms) / 1000
        self._now_ms = max(self._now_ms, time_ms)

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._monotonic_s

    async def sleep(self, seconds: float) -> None:
        self._monotonic_s += max(0.0, seconds)
        await asyncio.sleep(0)


REMIND_EVERY_S = 60.0


class Reminder:
    """When to tell of a trouble that goes on: at once, and each minute that it lasts, however often it is met.

    The disk that is full may be the one with the log.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_s: float | None = None

    def due(self) -> bool:
        """The trouble is met: whether to tell of it now."""
        now_s = self._clock.monotonic()
        if self._told_s is not None and now_s - self._told_s < REMIND_EVERY_S:
            return False
        self._told_s = now_s
        return True

    def over(self) -> bool:
        """All is well: whether there was a trouble until now."""
        was, self._told_s = self._told_s, None
        return was is not None
