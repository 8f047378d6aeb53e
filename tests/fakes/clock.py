"""Clocks of tests: one that only moves when something waits, and one that hurries."""

import asyncio
import time


class VirtualClock:
    """Only moves when something waits: hours of waiting take no time.

    `sleep` moves the time and gives other tasks a turn; `slept` remembers each wait in seconds."""

    def __init__(self, now_ms: int) -> None:
        self._start_ms = now_ms
        self._elapsed_s = 0.0
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return self._start_ms + round(self._elapsed_s * 1000)

    def monotonic(self) -> float:
        return self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._elapsed_s += seconds


class HurriedClock:
    """All time runs `speed` times as fast as the machine's, waiting too: an hour of a market takes seconds."""

    def __init__(self, now_ms: int, speed: float) -> None:
        self._start_ms = now_ms
        self._speed = speed
        self._began_s = time.monotonic()

    def now_ms(self) -> int:
        return self._start_ms + round(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return (time.monotonic() - self._began_s) * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self._speed)
