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

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
