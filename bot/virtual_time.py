"""An event loop whose time jumps to the next timer instead of waiting: hours take no time, in exact order."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: what the loop would have slept is added to its time."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("every task waits for something that nothing will bring")
            self.now_s += timeout
        return ready


class _Inline(ThreadPoolExecutor):
    """Work for a thread, done at once: time would jump while another thread is busy."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **options: Any) -> "Future[Result]":
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **options))
        except Exception as error:
            future.set_exception(error)
        return future


class VirtualLoop(asyncio.SelectorEventLoop):
    """Nothing but timers: sockets would never be waited for, and databases are opened `inline`."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.set_default_executor(_Inline(max_workers=1))

    def time(self) -> float:
        return self._jumping.now_s


class LoopClock:
    """The running loop's time, as a Clock; `offset_ms` is the wall time at its start."""

    def __init__(self, offset_ms: int = 1_765_000_000_000) -> None:
        self.offset_ms = offset_ms

    def now_ms(self) -> int:
        return self.offset_ms + round(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
