"""A clock that only moves when something waits: hours of waiting take no time."""

import asyncio


class VirtualClock:
    """`sleep` moves the time and gives other tasks a turn; `slept` remembers each wait in seconds."""

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
