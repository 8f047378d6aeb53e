"""`liqwatch worker`: what it needs, and when it offers which jobs."""

import asyncio
from collections.abc import Sequence

from bot.alerts.types import Kind, Market, Rule
from bot.clock import StepClock
from bot.combined_markets import CombinedMarkets
from bot.jobs import BARS_DELAY_S, RECOMPUTE_DELAY_S
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.storage.database import Database
from bot.storage.errors import CannotOpenError
from bot.storage.slots import Slot
from bot.work import BARS, RECOMPUTE, HereWork
from bot.worker import jobs_of, plan
from tests.fakes.virtual_time import LoopClock, in_virtual_time
from tests.unit.app.conftest import Console
from tests.unit.app.scenes import START_MS, playing

SIM = Market("simulated", "SIMUSDT")


def test_a_worker_on_sqlite_is_refused_in_one_sentence(liqwatch: Console) -> None:
    assert liqwatch("worker").refused(1).startswith("a worker shares its database with the bot: set DATABASE_URL to a")


@in_virtual_time
async def test_the_jobs_of_every_bar_are_offered_once_each_at_their_times() -> None:
    clock = LoopClock(offset_ms=START_MS + 20_000)
    offered: list[tuple[str, int]] = []
    fails = [True]

    async def jobs(job: str) -> Sequence[Slot]:
        if len(offered) == 3 and fails.pop():
            offered.append(("failed", clock.now_ms()))
            raise CannotOpenError("The database does not answer.")
        offered.append((job, clock.now_ms()))
        return [Slot(job, clock.now_ms(), SIM)]

    planning = asyncio.create_task(plan(jobs, HereWork(clock), clock))
    await asyncio.sleep(2.5 * BAR_MS / 1000)
    planning.cancel()
    at = [(job, (time_ms - START_MS) // 1000) for job, time_ms in offered]
    assert at == [
        (RECOMPUTE, RECOMPUTE_DELAY_S),
        (BARS, 300 + BARS_DELAY_S),
        (RECOMPUTE, 300 + RECOMPUTE_DELAY_S),
        ("failed", 600 + BARS_DELAY_S),
        (RECOMPUTE, 600 + RECOMPUTE_DELAY_S),
    ]


async def test_a_job_is_for_every_market_of_a_chat_that_can_be_written_to(market: SimulatedMarket) -> None:
    exchange = playing(market, StepClock(START_MS + 7_000))
    async with await Database.open("sqlite://", inline=True) as db:
        markets = CombinedMarkets(exchanges={"simulated": exchange}, db=db, history_days=1)
        await markets.refresh_instruments()
        assert await jobs_of(BARS, db, markets) == []
        for chat, watched in ((1, SIM), (2, SIM), (3, Market("elsewhere", "XYZUSDT"))):
            await db.rules.add(Rule(0, chat, watched, Kind.PROXIMITY, threshold_pct=1.0))
        assert await db.rules.markets() == [Market("elsewhere", "XYZUSDT"), SIM]
        assert await jobs_of(BARS, db, markets) == [Slot(BARS, START_MS, SIM)]
