"""Maps that others draw: taken as they come, and made here wherever nobody brings them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.clock import StepClock
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.markets import Markets
from bot.reachability import Reachability
from bot.storage.database import Database
from bot.storage.drawings import Drawing
from bot.storage.slots import Slot
from bot.work import BACK_FILL, BARS, RECOMPUTE, HereWork
from bot.workers import LATE_S, Workers
from bot.workshop import OLD_MS, Workshop
from tests.fakes.clock import VirtualClock
from tests.unit.app.scenes import START_MS, CountedExchange, playing

SIM = Market("simulated", "SIMUSDT")
SLOT = Slot(RECOMPUTE, START_MS, SIM)


class Asked(HereWork):
    """A queue that nobody works on: it notes what was offered."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.offers: list[Slot] = []

    async def offer(self, slots: object) -> int:
        assert isinstance(slots, list)
        self.offers += slots
        return len(slots)


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with await Database.open("sqlite://", inline=True) as opened:
        yield opened


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START_MS)


@pytest.fixture
def work(clock: VirtualClock) -> Asked:
    return Asked(clock)


@pytest.fixture
async def workers(db: Database, work: Asked, clock: VirtualClock) -> AsyncIterator[Workers]:
    made = Workers(db, work, clock)
    yield made
    await made.aclose()


def markets_of(market: SimulatedMarket, db: Database, at_ms: int = START_MS) -> tuple[Markets, CountedExchange]:
    exchange = playing(market, StepClock(at_ms))
    return Markets(exchanges={"simulated": exchange}, db=db, history_days=1), exchange


def shop_of(markets: Markets, exchange: CountedExchange, db: Database, work: HereWork) -> Workshop:
    async def learned(slot_ms: int) -> None:
        assert slot_ms == START_MS

    reach = Reachability({"simulated": exchange}, db)
    return Workshop(db=db, markets=markets, work=work, reach=reach, node="worker", learned=learned)


async def test_without_a_worker_nothing_is_asked_of_anybody(workers: Workers, work: Asked) -> None:
    assert await workers.drawn(SIM, START_MS) is None
    assert not await workers.take([SLOT])
    assert work.offers == []


class StillClock(VirtualClock):
    """Waits while others work, and no time passes: what they take of the machine's is not to be late."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.001)


async def test_what_a_worker_draws_is_taken_as_it_comes(db: Database, work: Asked, market: SimulatedMarket) -> None:
    await db.nodes.beat("worker", "worker")
    async with aclosing(Workers(db, work, StillClock(START_MS))) as workers:
        asked = asyncio.create_task(workers.drawn(SIM, START_MS))
        again = asyncio.create_task(workers.drawn(SIM, START_MS))
        for _ in range(20):
            await asyncio.sleep(0)
        assert work.offers == [SLOT]
        markets, exchange = markets_of(market, db)
        await shop_of(markets, exchange, db, work).recompute(SLOT)
        found = await asked
        assert isinstance(found, Drawing)
        assert found.map.time_ms == START_MS
        assert await again is found


async def test_what_no_worker_can_draw_is_made_here_at_once(
    db: Database, workers: Workers, clock: VirtualClock
) -> None:
    await db.nodes.beat("worker", "worker")
    await db.drawings.save(SIM, START_MS, None, made_by="worker")
    assert await workers.drawn(SIM, START_MS) is None
    assert clock.monotonic() < 1


async def test_where_all_workers_die_the_map_is_made_here(db: Database, workers: Workers, clock: VirtualClock) -> None:
    await db.nodes.beat("worker", "worker")
    asked = asyncio.create_task(workers.drawn(SIM, START_MS))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not asked.done()
    await db.nodes.leave("worker")
    assert await asked is None
    assert clock.monotonic() < 10


async def test_a_worker_that_is_too_late_is_not_waited_for(db: Database, workers: Workers, clock: VirtualClock) -> None:
    await db.nodes.beat("worker", "worker")
    assert await workers.drawn(SIM, START_MS) is None
    assert LATE_S <= clock.monotonic() < LATE_S + 2


async def test_a_map_drawn_elsewhere_reads_as_one_made_here(
    db: Database, workers: Workers, work: Asked, market: SimulatedMarket
) -> None:
    here, _ = markets_of(market, db)
    await here.refresh_instruments()
    made = await here.advance(SIM)
    async with await Database.open("sqlite://", inline=True) as other:
        await other.nodes.beat("worker", "worker")
        drawer, drawers_exchange = markets_of(market, other)
        await shop_of(drawer, drawers_exchange, other, work).recompute(SLOT)
        exchange = playing(market, StepClock(START_MS))
        elsewhere = Workers(other, work, VirtualClock(START_MS))
        judge = Markets(exchanges={"simulated": exchange}, db=other, history_days=1, elsewhere=elsewhere.drawn)
        await judge.refresh_instruments()
        exchange.asked.clear()
        taken = await judge.advance(SIM)
        await elsewhere.aclose()
    assert exchange.bars_asked() == exchange.open_interest_asked() == []
    assert taken.reading.clusters == made.reading.clusters
    assert taken.reading.volatility == made.reading.volatility
    assert (taken.reading.version, taken.whole, taken.price) == (made.reading.version, made.whole, made.price)
    assert np.array_equal(taken.reading.map.long_usd, made.reading.map.long_usd)
    assert np.array_equal(taken.history.close, made.history.close)


async def test_a_worker_draws_each_slot_once_and_leaves_what_is_old(
    db: Database, work: Asked, market: SimulatedMarket
) -> None:
    markets, exchange = markets_of(market, db)
    shop = shop_of(markets, exchange, db, work)
    await shop.recompute(SLOT)
    exchange.asked.clear()
    await shop.recompute(SLOT)
    await shop.recompute(SLOT._replace(slot_ms=START_MS - BAR_MS))
    await shop.recompute(SLOT._replace(slot_ms=START_MS - OLD_MS))
    await shop.bars(Slot(BARS, START_MS - OLD_MS, SIM))
    assert exchange.asked == []
    await shop.bars(Slot(BARS, START_MS, SIM))
    await shop.back_fill(Slot(BACK_FILL, START_MS, SIM))
    assert exchange.bars_asked() == [], "it was all in store"


async def test_a_worker_whose_exchange_is_down_says_so_and_the_job_is_tried_again(
    db: Database, work: Asked, market: SimulatedMarket, caplog: pytest.LogCaptureFixture
) -> None:
    markets, exchange = markets_of(market, db)
    exchange.goes_down()
    assert exchange.failure is not None
    shop = shop_of(markets, exchange, db, work)
    for job in (shop.bars(Slot(BARS, START_MS, SIM)), shop.back_fill(Slot(BACK_FILL, START_MS, SIM))):
        with pytest.raises(type(exchange.failure)):
            await job
    assert [record.getMessage() for record in caplog.records if record.name == "bot.reachability"] == [
        "simulated is not heard: The exchange is down."
    ]
    await shop.recompute(SLOT)
    assert await db.drawings.of_slot(START_MS, [SIM]) == {SIM: None}


async def test_a_worker_asks_for_the_history_that_is_still_missing(
    db: Database, work: Asked, market: SimulatedMarket
) -> None:
    exchange = playing(market, StepClock(START_MS))
    markets = Markets(exchanges={"simulated": exchange}, db=db, history_days=1, first_ms=6 * 3_600_000)
    shop = shop_of(markets, exchange, db, work)
    await shop.recompute(SLOT)
    [back_fill] = work.offers
    assert back_fill == Slot(BACK_FILL, START_MS, SIM)
    await shop.back_fill(back_fill)
    drawing = await markets.draw(SIM, START_MS)
    assert (drawing.whole, drawing.bars) == (True, 288)
