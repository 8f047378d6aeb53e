"""What stands still is noticed, with the place where it stands."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.watchdog import Watchdog, waits_at


@asynccontextmanager
async def watching(dog: Watchdog) -> AsyncIterator[None]:
    with dog.listening():
        beating = asyncio.create_task(dog.beat())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


async def until_said(caplog: pytest.LogCaptureFixture, words: str) -> logging.LogRecord:
    async with asyncio.timeout(5):
        while True:
            for record in caplog.records:
                if words in record.getMessage():
                    return record
            await asyncio.sleep(0.005)


def said(dog: Watchdog) -> list[str]:
    return [str(finding) for finding in dog.findings()]


def hold_the_loop(seconds: float) -> None:
    time.sleep(seconds)


async def test_a_loop_that_stands_still_is_told_of_while_it_does_and_when_it_moves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dog = Watchdog(loop_stall_s=0.1, beat_s=0.01)
    async with watching(dog):
        await asyncio.sleep(0.05)
        assert said(dog) == []
        hold_the_loop(0.4)
        told = await until_said(caplog, "has stood still")
        assert told.levelno == logging.CRITICAL
        assert "hold_the_loop(0.4)" in told.getMessage()
        assert said(dog) == [] or "stood still" in said(dog)[0]
        await until_said(caplog, "moves again")
        assert dog.take_lag_s() >= 0.3
        assert dog.take_lag_s() < 0.3
    assert dog.stalls == 1
    assert sum("has stood still" in record.getMessage() for record in caplog.records) == 1


async def test_a_stalled_loop_is_a_trouble_to_whoever_asks_from_another_thread() -> None:
    dog = Watchdog(loop_stall_s=0.05, beat_s=0.01)
    seen: list[list[str]] = []

    def ask() -> None:
        time.sleep(0.2)
        seen.append(said(dog))

    async with watching(dog):
        asked = asyncio.get_running_loop().run_in_executor(None, ask)
        hold_the_loop(0.3)
        await asked
    assert len(seen[0]) == 1
    assert "the event loop has stood still" in seen[0][0]


async def test_a_job_that_does_not_end_is_told_of_once_with_where_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    took: list[tuple[str, float]] = []
    dog = Watchdog(
        job_limit_s=lambda name: 0.05, beat_s=0.01, timed=lambda name, seconds, well: took.append((name, seconds))
    )
    answer = asyncio.Event()

    async def ask_the_exchange() -> None:
        await answer.wait()

    async def read_prices() -> None:
        await ask_the_exchange()

    async with watching(dog):
        job = asyncio.ensure_future(dog.watched("prices", read_prices)())
        told = await until_said(caplog, "has not ended")
        assert "ask_the_exchange" in told.getMessage()
        assert "the job prices has not ended" in said(dog)[0]
        await asyncio.sleep(0.05)
        answer.set()
        await job
        assert said(dog) == []
    assert sum("has not ended" in record.getMessage() for record in caplog.records) == 1
    assert any("has ended after all" in record.getMessage() for record in caplog.records)
    assert took[0][0] == "prices"
    assert took[0][1] >= 0.05


async def test_a_job_that_fails_is_no_longer_running() -> None:
    dog = Watchdog(job_limit_s=lambda name: 0.0)

    async def fails() -> None:
        raise RuntimeError("a model without a state")

    with pytest.raises(RuntimeError):
        await dog.watched("recompute", fails)()
    assert said(dog) == []


async def test_the_place_of_a_task_is_its_innermost_await() -> None:
    async def inner() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        await inner()

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    lines = waits_at(task)
    task.cancel()
    assert ["outer" in lines[0], "inner" in lines[1]] == [True, True]
    assert waits_at(None) == ["  an unknown place"]


async def test_a_job_that_should_run_and_does_not_is_a_trouble_whatever_the_reason() -> None:
    dog = Watchdog(must_run_s={"prices": 0.5})
    fails = True

    async def read_prices() -> None:
        if fails:
            raise RuntimeError("a model without a state")

    prices = dog.watched("prices", read_prices)
    dog.watched("digest", read_prices)
    assert said(dog) == [], "a scheduler that was just made has run nothing yet"
    await asyncio.sleep(0.55)
    with pytest.raises(RuntimeError):
        await prices()
    assert len(said(dog)) == 1
    assert said(dog)[0].startswith("the job prices has not ended well for")
    fails = False
    await prices()
    assert said(dog) == []
