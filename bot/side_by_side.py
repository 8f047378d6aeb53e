"""Work over many items at once, but not over all of them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

AT_ONCE = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_order(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], *, at_once: int = AT_ONCE
) -> AsyncGenerator[Result, None]:
    """The results in the items' order, made up to `at_once` side by side and ahead of whoever takes them.

    What `work` raises comes where its result would have come; the rest is then cancelled.
    """
    free = asyncio.Semaphore(at_once)

    async def turn(item: Item) -> Result:
        async with free:
            return await work(item)

    tasks = [asyncio.create_task(turn(item)) for item in items]
    try:
        for task in tasks:
            yield await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, at_once: int = AT_ONCE) -> None:
    """Do the work for all items, up to `at_once` side by side."""
    async for _ in in_order(items, work, at_once=at_once):
        pass


class OneEach:
    """Work by name, one at a time for each name: what takes longer than `patience_s` goes on by itself."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def run(self, works: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]) -> None:
        """Begin what is not under way, and wait for it as long as patience lasts. Raises what work raised."""
        self._let_go()
        begun = {name: asyncio.create_task(work()) for name, work in works.items() if name not in self._under_way}
        self._under_way |= begun
        try:
            if begun:
                await asyncio.wait(begun.values(), timeout=self._patience_s)
        except asyncio.CancelledError:
            for task in self._under_way.values():
                task.cancel()
            raise
        self._let_go()

    def _let_go(self) -> None:
        for name in [name for name, task in self._under_way.items() if task.done()]:
            self._under_way.pop(name).result()
