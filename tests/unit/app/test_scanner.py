"""The scan: glances from memory and from the store without a request, renewed a little at a time, ranked on demand."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.alerts.types import Market
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.combined_markets import CombinedMarkets
from bot.liquidation.glance import Order
from bot.liquidation.values import replace
from bot.market.exchange import ExchangeUnavailableError
from bot.market.playback import RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.order_books import OrderBooks
from bot.scanner import AT_ONCE, BOOKS_S, OLD_MS, PRICES_S, Scanner
from bot.storage.database import Database
from bot.telegram.desk import Look
from bot.telegram.texts import Catalogue
from tests.fakes.virtual_time import LoopClock, in_virtual_time
from tests.unit.app.scenes import START_MS, CountedExchange, Inbox, playing
from tests.unit.app.several import BINANCE, BYBIT, OKX, Trio

NAMES = tuple(f"{letter}USDT" for letter in "ABCDEFGHIJKLMNOP")
LOOK = Look(Catalogue.load().texts("en"), "dark")


class Rig:
    """Sixteen contracts that were kept in store, none of them open."""

    def __init__(self, market: SimulatedMarket, db: Database) -> None:
        self.clock = StepClock(START_MS)
        recorded = RecordedMarket.simulated(market)
        self.exchange = CountedExchange("sim", [replace(recorded, symbol=name) for name in NAMES], self.clock)
        self.markets = CombinedMarkets(exchanges={"sim": self.exchange}, db=db, history_days=1)
        self.candidates = [Market("sim", name) for name in NAMES]
        self.scanner = self.with_clock(self.clock)

    def with_clock(self, clock: StepClock | LoopClock) -> Scanner:
        return Scanner(
            markets=self.markets,
            exchanges={"sim": self.exchange},
            books=OrderBooks({"sim": self.exchange}, clock),
            clock=clock,
            candidates=lambda _: self.candidates,
            simulated=frozenset({"sim"}),
        )

    async def keep(self, *symbols: str) -> None:
        """Have their history in store, and forget what was asked for that."""
        start_ms, end_ms = self.markets.window("sim")
        for symbol in symbols:
            await self.markets.histories.fill(Market("sim", symbol), start_ms, end_ms)
        self.exchange.asked.clear()

    def asked(self) -> list[str]:
        return [what for what, _, _ in self.exchange.asked]


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    async with await Database.open("sqlite://", inline=True) as db:
        rig = Rig(market, db)
        await rig.markets.refresh_instruments()
        yield rig


async def test_what_is_in_store_is_scanned_with_one_request_for_all_prices(rig: Rig) -> None:
    await rig.keep("AUSDT", "BUSDT")
    rig.candidates = rig.candidates[:3]
    view = await rig.scanner.scan(Order.ONESIDED)
    assert [line.base for line in view.lines] == ["A", "B"]
    assert (view.read, view.wanted, view.several) == (2, 3, False)
    assert all(line.simulated for line in view.lines)
    assert set(rig.asked()) <= {"prices", "tiers"}
    assert rig.asked().count("prices") == 1


async def test_a_second_scan_asks_nothing_and_takes_no_glance_anew(rig: Rig) -> None:
    await rig.keep("AUSDT")
    first = await rig.scanner.scan(Order.NEAREST)
    rig.exchange.asked.clear()
    assert await rig.scanner.scan(Order.NEAREST) == first
    assert rig.asked() == []
    rig.clock.step_to(START_MS + int(1000 * PRICES_S))
    await rig.scanner.scan(Order.NEAREST)
    assert rig.asked() == ["prices"]


async def test_an_old_glance_is_taken_anew_from_what_has_come_since(rig: Rig) -> None:
    rig.candidates = rig.candidates[:1]
    await rig.keep("AUSDT")
    before = (await rig.scanner.scan(Order.ONESIDED)).lines[0].time_ms
    rig.clock.step_to(START_MS + OLD_MS)
    await rig.keep("AUSDT")
    after = (await rig.scanner.scan(Order.ONESIDED)).lines[0].time_ms
    assert after == before + OLD_MS


async def test_an_open_market_is_read_from_memory(rig: Rig) -> None:
    rig.candidates = []
    await rig.markets.open(Market("sim", "CUSDT"))
    rig.exchange.asked.clear()
    view = await rig.scanner.scan(Order.ONESIDED)
    assert [line.base for line in view.lines] == ["C"]
    assert set(rig.asked()) == {"prices"}


async def test_while_somebody_waits_only_a_few_glances_are_taken(rig: Rig) -> None:
    await rig.keep(*NAMES)
    view = await rig.scanner.scan(Order.ONESIDED)
    assert (view.read, view.wanted) == (AT_ONCE, len(NAMES))
    assert (await rig.scanner.scan(Order.ONESIDED)).read == len(NAMES)


async def test_prices_that_do_not_come_leave_those_of_the_maps(rig: Rig) -> None:
    await rig.keep("AUSDT")
    rig.candidates = rig.candidates[:1]
    rig.exchange.failure = ExchangeUnavailableError("The exchange is down.")
    view = await rig.scanner.scan(Order.ONESIDED)
    [line] = view.lines
    bars = await rig.markets.histories.stored(line.market, *rig.markets.window("sim"))
    assert line.row.price == bars.close[-1]


async def test_books_are_read_where_they_count_and_not_again_for_a_while(rig: Rig) -> None:
    await rig.keep("AUSDT", "BUSDT")
    rig.candidates = rig.candidates[:2]
    assert all(line.row.load is None for line in (await rig.scanner.scan(Order.ONESIDED)).lines)
    loaded = await rig.scanner.scan(Order.ABSORPTION)
    known = [line.row.load for line in (await rig.scanner.scan(Order.ONESIDED)).lines]
    assert sorted(load for load in known if load is not None) == sorted(line.row.load or 0.0 for line in loaded.lines)
    rig.clock.step_to(START_MS + int(1000 * BOOKS_S) + 1000)
    assert all(line.row.load is None for line in (await rig.scanner.scan(Order.ONESIDED)).lines)


async def test_nothing_known_is_an_empty_scan(rig: Rig) -> None:
    rig.candidates = []
    view = await rig.scanner.scan(Order.NEAREST)
    assert (view.lines, view.read, view.wanted, view.pages) == ((), 0, 0, 1)


@in_virtual_time
async def test_the_background_takes_every_glance_and_asks_for_no_history(market: SimulatedMarket) -> None:
    async with await Database.open("sqlite://", inline=True) as db:
        rig = Rig(market, db)
        await rig.markets.refresh_instruments()
        await rig.keep(*NAMES)
        scanner = rig.with_clock(LoopClock(START_MS))
        working = asyncio.create_task(scanner.run())
        await asyncio.sleep(60.0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert set(rig.asked()) <= {"tiers"}
        assert (await scanner.scan(Order.ONESIDED)).read == len(NAMES)


async def test_a_coin_of_several_exchanges_is_scanned_once(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    exchanges = Trio().exchanges(market, clock)
    async with await Database.open("sqlite://", inline=True) as db:
        markets = CombinedMarkets(exchanges=exchanges, db=db, history_days=1)
        await markets.refresh_instruments()
        wanted = {market.exchange: [market] for market in (BINANCE, BYBIT, OKX)}
        scanner = Scanner(
            markets=markets,
            exchanges=exchanges,
            books=OrderBooks(exchanges, clock),
            clock=clock,
            candidates=lambda name: wanted[name],
        )
        await markets.histories.fill(BYBIT, *markets.window("bybit"))
        await scanner.scan(Order.ONESIDED)  # Binance is looked at in vain
        view = await scanner.scan(Order.ONESIDED)
        assert [line.market for line in view.lines] == [BYBIT]
        assert view.wanted == 1


async def test_the_app_scans_and_draws(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    exchange = playing(market, clock)
    async with await Database.open("sqlite://", inline=True) as db:
        world = World({"simulated": exchange}, db, Inbox(), clock, frozenset({"simulated"}))
        app = await App.build(world, Limits(history_days=1, tick_s=75.0))
        await app.refresh_instruments()
        await app.markets.open(Market("simulated", "SIMUSDT"))
        survey = app.desk.survey()
        for order in Order:
            view = await survey.scan(order)
            drawn = await survey.scan_picture(view, 0, look=LOOK)
            assert drawn is not None
            assert drawn[0].startswith(b"\x89PNG")
