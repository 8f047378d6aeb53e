"""Work that hangs is left to go on: the others are not held up, and it is not begun twice."""

import asyncio
from functools import partial

import pytest

from bot.side_by_side import OneEach
from tests.fakes.virtual_time import in_virtual_time


@in_virtual_time
async def test_what_hangs_goes_on_by_itself_and_is_not_begun_again() -> None:
    begun: list[str] = []
    done: list[tuple[str, float]] = []

    async def work(name: str, long_s: float) -> None:
        begun.append(name)
        await asyncio.sleep(long_s)
        done.append((name, asyncio.get_running_loop().time()))

    ticks = OneEach(1.0)
    for _ in range(3):
        await ticks.run({"slow": partial(work, "slow", 5.0), "fast": partial(work, "fast", 0.5)})
        await asyncio.sleep(2.0 - asyncio.get_running_loop().time() % 2.0)
    assert begun == ["slow", "fast", "fast", "fast"]
    assert done == [("fast", 0.5), ("fast", 2.5), ("fast", 4.5), ("slow", 5.0)]
    await ticks.run({"slow": partial(work, "slow", 0.1)})
    assert begun[-1] == "slow"


@in_virtual_time
async def test_an_error_is_raised_at_the_tick_after_it() -> None:
    async def fail() -> None:
        await asyncio.sleep(3.0)
        raise ValueError("broken")

    ticks = OneEach(1.0)
    await ticks.run({"one": fail})
    await asyncio.sleep(3.0)
    with pytest.raises(ValueError, match="broken"):
        await ticks.run({})


@in_virtual_time
async def test_who_is_cut_off_leaves_nothing_running() -> None:
    ticks = OneEach(10.0)
    running = asyncio.create_task(ticks.run({"one": partial(asyncio.sleep, 100.0)}))
    await asyncio.sleep(1.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1
