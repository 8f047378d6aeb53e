"""Many nodes behave as one: the same alerts, whether one process does everything or workers share it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bot.alerts.types import Event, Kind, Market, Rule
from bot.app import App, Limits, World
from bot.clock import StepClock, SystemClock
from bot.market.playback import PlaybackExchange, RecordedMarket
from bot.market.simulator import SimulatedMarket, simulate
from bot.market.simulator_parameters import SimulationParameters
from bot.market.types import BAR_MS
from bot.markets import Markets
from bot.reachability import Reachability
from bot.storage.database import Database
from bot.storage.slots import Slot
from bot.storage.work_queue import WorkQueue
from bot.work import RECOMPUTE, URGENCY
from bot.workers import Workers
from bot.workshop import Workshop
from tests.postgres.databases import PostgresServer
from tests.unit.app.scenes import START_MS, Inbox

BARS = 10
SYMBOLS = ("AAAUSDT", "BBBUSDT")
HISTORY_DAYS = 1

pytestmark = pytest.mark.xdist_group("work")


@pytest.fixture(scope="module")
def recorded() -> list[RecordedMarket]:
    """Two contracts of a market that moves."""
    markets: list[SimulatedMarket] = [
        simulate(SimulationParameters(symbol=name, days=2, warmup_days=1, lots_per_bar=6, tick_s=60, seed=seed))
        for seed, name in enumerate(SYMBOLS, 5)
    ]
    return [RecordedMarket.simulated(market) for market in markets]


@dataclass
class Seen:
    """What a day brought: its alerts, and who drew how many maps."""

    alerts: list[tuple[object, ...]] = field(default_factory=list)
    drawn_by: list[str] = field(default_factory=list)

    def hear(self, events: Sequence[Event]) -> None:
        self.alerts += [(one.time_ms, one.dedupe_key, one.price, one.value_pct, one.reason) for one in events]


def rules() -> list[Rule]:
    return [
        Rule(0, chat, Market("simulated", symbol), Kind.PROXIMITY, threshold_pct=within_pct, created_ms=START_MS)
        for chat, within_pct in enumerate((0.1, 0.3, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0), 1)
        for symbol in SYMBOLS
    ]


@asynccontextmanager
async def workers_of(
    url: str, recorded: Sequence[RecordedMarket], clock: StepClock, count: int
) -> AsyncIterator[list[WorkQueue]]:
    """So many workers, each with a way to the database and to the exchange of its own."""
    async with AsyncExitStack() as closing:
        queues, tasks = list[WorkQueue](), list[asyncio.Task[None]]()
        for number in range(count):
            db = await closing.enter_async_context(await Database.open(url))
            queue = WorkQueue(url, urgency=URGENCY)
            closing.push_async_callback(queue.aclose)
            exchanges = {"simulated": PlaybackExchange("simulated", recorded, clock)}
            markets = Markets(exchanges=exchanges, db=db, history_days=HISTORY_DAYS)
            await markets.refresh_instruments()
            shop = Workshop(
                db=db,
                markets=markets,
                work=queue,
                reach=Reachability(exchanges, db),
                node=f"worker {number}",
                learned=_nothing,
            )
            queues.append(queue)
            tasks.append(asyncio.create_task(queue.run(shop.jobs, at_once=2)))
            tasks.append(asyncio.create_task(_live(db, f"worker {number}")))
        try:
            yield queues
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _live(db: Database, node: str) -> None:
    while True:
        await db.nodes.beat(node, "worker")
        await asyncio.sleep(1.0)


async def _nothing(slot_ms: int) -> None:
    """No stream is heard here, so nothing is scored."""


async def a_day(url: str, recorded: Sequence[RecordedMarket], *, count: int) -> Seen:
    """The alerts of some bars, judged by one process with so many workers."""
    clock, seen = StepClock(START_MS), Seen()
    async with await Database.open(url) as db, workers_of(url, recorded, clock, count) as queues:
        queue = WorkQueue(url, urgency=URGENCY) if count else None
        workers = None if queue is None else Workers(db, queue, SystemClock())
        while workers is not None and await workers.count() < count:  # noqa: ASYNC110 - the rows say
            await asyncio.sleep(0.5)
        exchange = PlaybackExchange("simulated", recorded, clock)
        world = World(
            {"simulated": exchange}, db, Inbox(), clock, frozenset({"simulated"}), played=True, workers=workers
        )
        app = await App.build(world, Limits(history_days=HISTORY_DAYS, tick_s=75.0))
        app.listen(seen.hear)
        await app.refresh_instruments()
        for rule in rules():
            await app.watch.add(rule, limit=25)
        for bar in range(BARS):
            clock.step_to(START_MS + bar * BAR_MS)
            slots = [Slot(RECOMPUTE, clock.now_ms(), Market("simulated", symbol)) for symbol in SYMBOLS]
            await asyncio.gather(*(one.offer(slots) for one in queues), app.recompute())
            for _ in range(4):
                await app.read_prices()
                clock.step_to(clock.now_ms() + 75_000)
        for bar in range(BARS):
            signed = await db.drawings.signed(START_MS + bar * BAR_MS)
            assert len(signed) == (len(SYMBOLS) if count else 0)
            seen.drawn_by += signed.values()
        if workers is not None and queue is not None:
            await workers.aclose()
            await queue.aclose()
        await app.markets.aclose()
    return seen


async def test_one_and_three_workers_bring_the_alerts_that_one_process_alone_brings(
    postgres: PostgresServer, recorded: list[RecordedMarket]
) -> None:
    alone = await a_day("sqlite://", recorded, count=0)
    with postgres.bare() as url:
        one = await a_day(url, recorded, count=1)
    with postgres.bare() as url:
        three = await a_day(url, recorded, count=3)
    assert len(alone.alerts) > 5, "a day without alerts proves nothing"
    assert one.alerts == alone.alerts
    assert three.alerts == alone.alerts
    assert set(one.drawn_by) == {"worker 0"}
    assert len(set(three.drawn_by)) > 1
