"""History kept in store: in which order it is asked for, how rarely again, and what happens when an exchange fails."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.alerts.types import Market
from bot.clock import StepClock
from bot.history_store import What
from bot.liquidation.values import replace
from bot.market.exchange import ExchangeError, ExchangeUnavailableError, RateLimitedError, UnknownSymbolError
from bot.market.playback import RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS, Bars, OpenInterest
from bot.markets import Markets
from bot.storage.database import Database
from bot.warming import SAMPLE_DELAY_MS, Warmer, Warmth
from tests.fakes.virtual_time import LoopClock, VirtualLoop
from tests.unit.app.scenes import START_MS, CountedExchange

DAY_MS = 86_400_000
NAMES = ("AUSDT", "BUSDT", "CUSDT", "DUSDT")
VOLUMES = {"DUSDT": 4.0, "CUSDT": 3.0, "BUSDT": 2.0, "AUSDT": 1.0, "GONEUSDT": 9.0}


class Named(CountedExchange):
    """Notes the symbol of each question about history; symbols in `failing` raise."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.names: list[str] = []
        self.failing: dict[str, ExchangeError] = {}

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        self._name(symbol)
        return await super().bars(symbol, start_ms=start_ms, end_ms=end_ms)

    async def open_interest(self, symbol: str) -> OpenInterest:
        self._name(symbol)
        return await super().open_interest(symbol)

    def _name(self, symbol: str) -> None:
        self.names.append(symbol[0])
        if symbol in self.failing:
            raise self.failing[symbol]


class Rig:
    """Four contracts with a day and more behind them, of which A is watched and two more are to be kept."""

    def __init__(self, market: SimulatedMarket, db: Database) -> None:
        self.clock = StepClock(START_MS)
        recorded = RecordedMarket.simulated(market)
        self.exchange = Named("simulated", [replace(recorded, symbol=name) for name in NAMES], self.clock)
        self.markets = Markets(exchanges={"simulated": self.exchange}, db=db, history_days=1)
        self.watched = [Market("simulated", "AUSDT")]
        self.warmer = Warmer(
            exchanges={"simulated": self.exchange},
            markets=self.markets,
            clock=self.clock,
            watched=lambda: self.watched,
            most=2,
        )
        self.warmer.rank("simulated", VOLUMES)

    async def fill(self, what: What = "bars") -> str:
        self.exchange.names.clear()
        self.exchange.asked.clear()
        await self.warmer.fill("simulated", what=what)
        return "".join(self.exchange.names)

    def later(self, ms: int) -> None:
        self.clock.step_to(self.clock.now_ms() + ms)


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    async with await Database.open("sqlite://", inline=True) as db:
        rig = Rig(market, db)
        await rig.markets.refresh_instruments()
        yield rig


async def test_the_watched_come_first_then_the_most_traded_of_those_that_are_listed(rig: Rig) -> None:
    assert await rig.fill() == "ADC"
    assert await rig.fill("open_interest") == ""
    assert len(rig.exchange.open_interest_asked()) == 3
    assert rig.warmer.warmth("simulated") == Warmth(wanted=3, whole=3)


async def test_what_is_kept_makes_a_map_out_of_the_store(rig: Rig) -> None:
    await rig.fill()
    await rig.fill("open_interest")
    rig.exchange.asked.clear()
    live = await rig.markets.open(Market("simulated", "DUSDT"))
    assert len(live.history) == 288
    assert rig.exchange.bars_asked() == []
    assert rig.exchange.open_interest_asked() == [], "only the newest figure, as that of now"


async def test_within_an_hour_each_tail_is_looked_through_once(rig: Rig) -> None:
    await rig.fill()
    asked = []
    for _ in range(12):
        rig.later(BAR_MS)
        asked.append(await rig.fill())
    assert all(len(names) <= 1 for names in asked)
    assert sorted("".join(asked)) == ["A", "C", "D"]


async def test_a_market_that_is_watched_from_now_on_is_filled_next(rig: Rig) -> None:
    began = rig.exchange.bars

    async def bars(symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        rig.watched = [Market("simulated", "AUSDT"), Market("simulated", "BUSDT")]
        await rig.clock.sleep(5.0)
        return await began(symbol, start_ms=start_ms, end_ms=end_ms)

    rig.exchange.bars = bars  # type: ignore[method-assign]
    assert await rig.warmer.fill("simulated", what="bars") == 0.0
    rig.exchange.bars = began  # type: ignore[method-assign]
    assert await rig.fill() == "BDC"


async def test_the_newest_figures_are_stored_for_all_of_them(rig: Rig) -> None:
    await rig.fill()
    await rig.fill("open_interest")
    rig.later(BAR_MS + SAMPLE_DELAY_MS - 3_000)
    rig.exchange.names.clear()
    assert await rig.warmer.sample("simulated") == 3.0
    assert rig.exchange.names == []
    rig.later(3_000)
    wait_s = await rig.warmer.sample("simulated")
    assert rig.exchange.names == ["A", "D", "C"]
    assert wait_s == pytest.approx(300.0)
    end_ms = START_MS + BAR_MS
    for market in rig.warmer.wanted("simulated"):
        assert list(await rig.markets.histories.missing("open_interest", market, START_MS, end_ms)) == []


async def test_a_market_that_fails_is_left_alone_and_holds_up_no_other(rig: Rig) -> None:
    rig.exchange.failing["AUSDT"] = UnknownSymbolError("No such contract.")
    assert await rig.fill() == "ADC"
    assert await rig.fill() == ""
    rig.exchange.failing.clear()
    rig.later(600_000)
    assert "A" in await rig.fill()


def test_while_an_exchange_asks_for_silence_nothing_is_asked_and_then_it_goes_on(market: SimulatedMarket) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(through_a_silence(market))


async def through_a_silence(market: SimulatedMarket) -> None:
    clock = LoopClock(START_MS)
    recorded = RecordedMarket.simulated(market)
    exchange = Named("simulated", [replace(recorded, symbol=name) for name in NAMES], clock)
    until_ms = START_MS + 90_000
    exchange.failing = dict.fromkeys(NAMES, RateLimitedError("Silence.", until_ms=until_ms))
    async with await Database.open("sqlite://", inline=True) as db:
        markets = Markets(exchanges={"simulated": exchange}, db=db, history_days=1)
        await markets.refresh_instruments()
        warmer = Warmer(exchanges={"simulated": exchange}, markets=markets, clock=clock, watched=lambda: [], most=9)
        warmer.rank("simulated", VOLUMES)
        working = asyncio.create_task(warmer.run())
        await clock.sleep(89.0)
        asked = len(exchange.names)
        exchange.failing = {}
        await clock.sleep(10.0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert asked <= 3
    assert warmer.warmth("simulated").whole == 4


async def test_an_exchange_that_is_down_is_not_tried_with_every_market(rig: Rig) -> None:
    rig.warmer.rank("simulated", VOLUMES)
    rig.exchange.goes_down()
    with pytest.raises(ExchangeUnavailableError):
        await rig.fill()
    assert len(rig.exchange.bars_asked()) == 3
    rig.exchange.comes_back()
    rig.later(600_000)
    assert await rig.fill() == "ADC"
