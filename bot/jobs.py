"""What runs when: the periodic work, on APScheduler.

Each job may be late or skipped: it finds for itself what is due, and one that finds its slot done does nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.broadcasting import ROUND_S

Job = Callable[[], Awaitable[None]]

BARS_DELAY_S = 8
"""After a 5-minute boundary: the closed bar is there within seconds."""

RECOMPUTE_DELAY_S = 75
"""After a 5-minute boundary: Binance's row of open interest is not there 24 s after its period's end."""

HEAR_S = 30.0
"""How often the liquidations that were heard are stored: a kill loses no more."""

ACCOUNTS_S = 20.0
"""How often some of the known accounts are asked what they hold, each in its turn."""

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
    ask_accounts: Job
    broadcast: Job


def schedule(
    jobs: Jobs, *, tick_s: float, speed: float = 1.0, watched: Callable[[str, Job], Job] = lambda name, job: job
) -> AsyncIOScheduler:
    """A scheduler, not yet started. `speed` above 1 is a market played faster than the clock.

    `watched(name, job)` wraps each job, for whoever wants to know how it does.
    """
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 240}
    )

    def add(name: str, job: Job, trigger: CronTrigger | IntervalTrigger, **options: Any) -> None:
        scheduler.add_job(_until_cut_off(watched(name, job)), trigger, id=name, **options)

    add("prices", jobs.read_prices, IntervalTrigger(seconds=tick_s), misfire_grace_time=None)
    if speed > 1.0:
        add("recompute", jobs.recompute, IntervalTrigger(seconds=max(0.5, 300 / speed)))
        add("measure", jobs.measure, IntervalTrigger(seconds=max(1.0, 3600 / speed)))
    else:
        add("bars", jobs.fetch_bars, _after_each_boundary(BARS_DELAY_S))
        add("recompute", jobs.recompute, _after_each_boundary(RECOMPUTE_DELAY_S))
        add("hear", jobs.hear, IntervalTrigger(seconds=HEAR_S))
        add("measure", jobs.measure, CronTrigger(minute=MEASURE_MINUTE, timezone="UTC"))
        add("accounts", jobs.ask_accounts, IntervalTrigger(seconds=ACCOUNTS_S))
    add("broadcast", jobs.broadcast, IntervalTrigger(seconds=ROUND_S))
    add("instruments", jobs.refresh_instruments, IntervalTrigger(hours=1))
    add("clean-up", jobs.clean_up, IntervalTrigger(hours=6))
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
