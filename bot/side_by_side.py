"""Work over many items at once, but not over all of them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

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
