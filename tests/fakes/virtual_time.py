"""Tests that run in virtual time: hours of pauses take no time, in exact order."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bot.virtual_time import LoopClock, VirtualLoop

__all__ = ["LoopClock", "VirtualLoop", "in_virtual_time"]


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make a test of a coroutine without fixtures, run to its end in virtual time."""

    def run() -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run
