"""What runs when: the periodic work, on APScheduler.

Each job may be late or skipped: it finds for itself what is due, and one that finds its slot done does nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

Job = Callable[[], Awaitable[None]]

BARS_DELAY_S = 8
"""After a 5-minute boundary: the closed bar is there within seconds."""

RECOMPUTE_DELAY_S = 75
"""After a 5-minute boundary: Binance's row of open interest is not there 24 s after its period's end."""

HEAR_S = 30.0
"""How often the liquidations that were heard are stored: a kill loses no more."""

MEASURE_MINUTE = 4
"""Of each hour: the maps of the hour before are all in, and nobody else works then."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The work itself, as coroutines without arguments."""

    read_prices: Job
    fetch_bars: Job
    recompute: Job
    refresh_instruments: Job
    clean_up: Job
    hear: Job
    measure: Job


def schedule(jobs: Jobs, *, tick_s: float, speed: float = 1.0) -> AsyncIOScheduler:
    """A scheduler, not yet started. `speed` above 1 is a market played faster than the clock."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 240}
    )
    scheduler.add_job(
        _until_cut_off(jobs.read_prices), IntervalTrigger(seconds=tick_s), id="prices", misfire_grace_time=None
    )
    if speed > 1.0:
        scheduler.add_job(
            _until_cut_off(jobs.recompute), IntervalTrigger(seconds=max(0.5, 300 / speed)), id="recompute"
        )
        scheduler.add_job(_until_cut_off(jobs.measure), IntervalTrigger(seconds=max(1.0, 3600 / speed)), id="measure")
    else:
        scheduler.add_job(_until_cut_off(jobs.fetch_bars), _after_each_boundary(BARS_DELAY_S), id="bars")
        scheduler.add_job(_until_cut_off(jobs.recompute), _after_each_boundary(RECOMPUTE_DELAY_S), id="recompute")
        scheduler.add_job(_until_cut_off(jobs.hear), IntervalTrigger(seconds=HEAR_S), id="hear")
        scheduler.add_job(
            _until_cut_off(jobs.measure), CronTrigger(minute=MEASURE_MINUTE, timezone="UTC"), id="measure"
        )
    scheduler.add_job(_until_cut_off(jobs.refresh_instruments), IntervalTrigger(hours=1), id="instruments")
    scheduler.add_job(_until_cut_off(jobs.clean_up), IntervalTrigger(hours=6), id="clean-up")
    return scheduler


def _until_cut_off(job: Job) -> Job:
    """The job, ending quietly where the scheduler is shut down under it: APScheduler would log that as its failure."""

    @wraps(job)
    async def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await job()

    return run


def _after_each_boundary(delay_s: int) -> CronTrigger:
    minutes, seconds = divmod(delay_s, 60)
    return CronTrigger(minute=f"{minutes}-59/5", second=seconds, timezone="UTC")
