"""What the scheduler is given: which jobs, when, and what happens to a run that comes late."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.jobs import Jobs, schedule

NOON = datetime(2025, 12, 20, 12, 0, 0, tzinfo=UTC)


async def nothing() -> None:
    """A job's work, where only its time matters."""


def scheduled(*, tick_s: float = 2.0, speed: float = 1.0) -> AsyncIOScheduler:
    jobs = Jobs(**{each.name: nothing for each in fields(Jobs)})
    return schedule(jobs, tick_s=tick_s, speed=speed)


def fires(scheduler: AsyncIOScheduler, job: str, *, times: int) -> list[datetime]:
    found, now = [], NOON
    for _ in range(times):
        now = scheduler.get_job(job).trigger.get_next_fire_time(None, now)
        found.append(now)
        now += timedelta(seconds=1)
    return found


def test_bars_are_fetched_just_after_each_boundary_and_maps_made_when_open_interest_is_there() -> None:
    scheduler = scheduled()
    bars, maps = fires(scheduler, "bars", times=13), fires(scheduler, "recompute", times=13)
    assert [at - NOON for at in bars] == [timedelta(minutes=5 * n, seconds=8) for n in range(13)]
    assert [at - NOON for at in maps] == [timedelta(minutes=5 * n, seconds=75) for n in range(13)]


def test_every_job_is_scheduled_once_and_at_its_own_pace() -> None:
    scheduler = scheduled(tick_s=3.5)
    assert {"bars", "clean-up", "instruments", "prices", "recompute"} <= {job.id for job in scheduler.get_jobs()}
    assert len(scheduler.get_jobs()) == len(fields(Jobs))
    paces = {name: scheduler.get_job(name).trigger.interval for name in ("prices", "instruments", "clean-up")}
    assert paces == {
        "prices": timedelta(seconds=3.5),
        "instruments": timedelta(hours=1),
        "clean-up": timedelta(hours=6),
    }


def test_a_market_played_faster_is_recomputed_as_much_more_often() -> None:
    scheduler = scheduled(tick_s=0.5, speed=60.0)
    assert scheduler.get_job("recompute").trigger.interval == timedelta(seconds=5)
    assert scheduler.get_job("bars") is None
    assert scheduled(speed=100_000.0).get_job("recompute").trigger.interval == timedelta(seconds=0.5)


@pytest.mark.parametrize("speed", [1.0, 300.0])
async def test_no_job_is_left_with_a_grace_of_one_second_nor_runs_twice_at_once(speed: float) -> None:
    scheduler = scheduled(speed=speed)
    scheduler.start(paused=True)
    try:
        for job in scheduler.get_jobs():
            assert job.misfire_grace_time is None or job.misfire_grace_time >= 60, job.id
            assert (job.coalesce, job.max_instances) == (True, 1), job.id
    finally:
        scheduler.shutdown(wait=False)
