"""Tests that run in virtual time: hours of pauses take no time, in exact order."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

from bot.virtual_time import LoopClock, VirtualLoop

Asked = ParamSpec("Asked")

__all__ = ["LoopClock", "VirtualLoop", "in_virtual_time"]


def in_virtual_time(test: Callable[Asked, Coroutine[Any, Any, None]]) -> Callable[Asked, None]:
    """Make a test of a coroutine, run to its end in virtual time; its fixtures may not be coroutines."""

    @functools.wraps(test)
    def run(*args: Asked.args, **kwargs: Asked.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    # What pytest looks at to tell a coroutine, and to find the fixtures asked for.
    vars(run)["__signature__"] = inspect.signature(test)
    del vars(run)["__wrapped__"]
    return run
