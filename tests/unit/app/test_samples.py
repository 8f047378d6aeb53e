"""An exchange that only tells what open interest is now: sampled at each close, so that a model becomes measured."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.clock import StepClock
from bot.market.exchange import ExchangeUnavailableError
from bot.market.history import align
from bot.market.playback import RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS, OpenInterest
from bot.markets import LiveMarket, Markets
from bot.storage.database import Database
from tests.unit.app.scenes import START_MS, CountedExchange

SIM = Market("simulated", "SIMUSDT")
SOON_MS = 75_000  # when a recompute comes after a bar's close


class NowOnlyExchange(CountedExchange):
    """The small market on an exchange without a history of open interest; `samples` counts who asked for now."""

    gives_open_interest_history = False

    def __init__(self, market: SimulatedMarket, clock: StepClock) -> None:
        super().__init__("simulated", [RecordedMarket.simulated(market)], clock)
        self._now_ms = clock.now_ms
        self._told = market.open_interest
        self.samples = 0
        self.silent = False

    async def open_interest(self, symbol: str) -> OpenInterest:
        self.samples += 1
        if self.silent:
            raise ExchangeUnavailableError("The exchange gives no open interest now.")
        coins = np.interp([self._now_ms()], self._told.time_ms, self._told.coins)
        return OpenInterest(np.array([self._now_ms()], dtype=np.int64), coins)


class Rig:
    """A day of the small market behind it, on a database in memory."""

    def __init__(self, market: SimulatedMarket, db: Database) -> None:
        self.market = market
        self.db = db
        self.clock = StepClock(START_MS + SOON_MS)
        self.exchange = NowOnlyExchange(market, self.clock)
        self.markets = Markets(exchanges={"simulated": self.exchange}, db=db, history_days=1)

    async def advance_to(self, time_ms: int) -> LiveMarket:
        self.clock.step_to(time_ms)
        return await self.markets.advance(SIM)


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    async with await Database.open("sqlite://", inline=True) as db:
        made = Rig(market, db)
        await made.markets.refresh_instruments()
        yield made


async def test_each_recompute_adds_a_sample_and_the_map_becomes_measured(rig: Rig) -> None:
    first = await rig.markets.open(SIM)
    assert np.isfinite(first.history.open_interest).sum() == 1
    for step in range(1, 40):
        live = await rig.advance_to(START_MS + step * BAR_MS + SOON_MS)
    assert np.isfinite(live.history.open_interest[-40:]).all()
    assert np.isnan(live.history.open_interest[:-40]).all()
    truth = align(rig.market.bars, rig.market.open_interest)
    rows = np.isin(truth.open_ms, live.history.open_ms[-40:])
    assert live.history.open_interest[-40:] == pytest.approx(truth.open_interest[rows], rel=0.02)
    assert rig.exchange.samples == 40
    assert rig.exchange.open_interest_asked() == []


async def test_a_slot_is_sampled_once_however_often_it_is_looked_at(rig: Rig) -> None:
    first = await rig.markets.open(SIM)
    again = await rig.advance_to(START_MS + BAR_MS - 1)
    assert rig.exchange.samples == 1
    assert again.history.open_interest[-1] == first.history.open_interest[-1]


async def test_a_market_that_is_opened_late_in_a_bar_is_measured_too(rig: Rig) -> None:
    rig.clock.step_to(START_MS + BAR_MS - 1000)
    assert (await rig.markets.open(SIM)).reading.map.open_interest == "measured"


async def test_a_bar_that_nobody_looked_at_has_no_sample(rig: Rig) -> None:
    await rig.markets.open(SIM)
    live = await rig.advance_to(START_MS + 2 * BAR_MS + 1000)
    assert np.isfinite(live.history.open_interest[-3:]).tolist() == [True, False, True]


async def test_samples_outlive_a_restart(rig: Rig) -> None:
    await rig.markets.open(SIM)
    rig.markets = Markets(exchanges={"simulated": rig.exchange}, db=rig.db, history_days=1)
    await rig.markets.refresh_instruments()
    live = await rig.advance_to(START_MS + BAR_MS + SOON_MS)
    assert np.isfinite(live.history.open_interest[-2:]).all()


async def test_a_sample_that_fails_leaves_a_gap_and_the_map(rig: Rig) -> None:
    rig.exchange.silent = True
    live = await rig.markets.open(SIM)
    assert len(live.history) == 288
    assert np.isnan(live.history.open_interest).all()
    rig.exchange.silent = False
    assert np.isfinite((await rig.advance_to(START_MS + BAR_MS + SOON_MS)).history.open_interest[-1])
