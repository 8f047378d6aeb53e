"""What is said when the scheduler ends while a job of it is at work."""

import asyncio
import logging
from dataclasses import fields

import pytest

from bot.jobs import Job, Jobs, schedule


async def nothing() -> None:
    pass


def jobs(**of_interest: Job) -> Jobs:
    """All jobs there are, of which the others do nothing."""
    return Jobs(**{name.name: of_interest.get(name.name, nothing) for name in fields(Jobs)})


async def test_a_job_cut_off_by_the_end_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    begun, cut_off = asyncio.Event(), asyncio.Event()

    async def long_work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut_off.set()

    scheduler = schedule(jobs(read_prices=long_work), tick_s=0.01)
    with caplog.at_level(logging.WARNING):
        scheduler.start()
        async with asyncio.timeout(5):
            await begun.wait()
            scheduler.shutdown(wait=False)
            await cut_off.wait()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert caplog.records == []


async def test_a_job_that_fails_is_told_of_with_its_name(caplog: pytest.LogCaptureFixture) -> None:
    failed = asyncio.Event()

    async def recompute() -> None:
        failed.set()
        raise RuntimeError("a model without a state")

    scheduler = schedule(jobs(recompute=recompute), tick_s=60, speed=600)
    scheduler.start()
    async with asyncio.timeout(5):
        await failed.wait()
        await asyncio.sleep(0.05)
    scheduler.shutdown(wait=False)
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "recompute" in record.getMessage()
    assert record.exc_info is not None
