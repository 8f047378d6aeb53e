"""Each venue's stream against a server that speaks like the venue: what is asked for, what is heard, every fault."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bot.clock import SystemClock
from bot.market.binance_parse import EXCHANGE as BINANCE
from bot.market.binance_stream import BinanceScript, binance_stream
from bot.market.bybit_stream import BybitScript, bybit_stream
from bot.market.feed import MarketStream, Print
from bot.market.okx_parse import Swap
from bot.market.okx_stream import OkxScript, okx_stream
from bot.market.stream import Manner, Stream
from bot.market.stream_book import StreamBook
from bot.market.tiers import Tiers
from bot.market.types import Instrument
from tests.fakes import bybit, live_stream, okx
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.live_stream import BinanceLiveStream, BybitLiveStream, LiveStream, OkxLiveStream
from tests.fakes.recorded_market import RecordedMarket, read_market
from tests.integration.listening import HastyClock, eventually
from tests.integration.venue_rigs import AT_MS, RECORDINGS
from tests.shared import needs_shared

pytestmark = needs_shared

SYMBOLS = ("BTCUSDT", "ETHUSDT", "ZRXUSDT")
VENUES = ("binance", "bybit", "okx")


class Venue:
    """Three recorded contracts, now."""

    def __init__(self) -> None:
        folder = RECORDINGS / "binance"
        shift_ms = (self.now_ms() - AT_MS) // 300_000 * 300_000
        self.markets: dict[str, RecordedMarket] = {
            name: read_market(folder / name, symbol=name, shift_ms=shift_ms) for name in SYMBOLS
        }

    @staticmethod
    def now_ms() -> int:
        return SystemClock().now_ms()


@pytest.fixture(scope="module")
def venue() -> Venue:
    return Venue()


def instrument(exchange: str, symbol: str, native: str) -> Instrument:
    return Instrument(exchange, symbol, native, symbol.removesuffix("USDT"), "USDT", tick_size=0.1)


@dataclass
class Rig:
    """A server, the wire to it, the stream that listens there, and what the stream's client knows."""

    server: LiveStream
    wire: FaultProxy
    stream: Stream
    listed: dict[str, str]
    tiers: dict[str, Tiers] = field(default_factory=dict)
    heard: list[Print] = field(default_factory=list)

    def prints(self) -> list[Print]:
        self.heard += self.stream.take().prints
        return self.heard

    async def hears(self, count: int = 1) -> list[Print]:
        await eventually(lambda: len(self.prints()) >= count)
        return self.heard

    async def is_heard(self) -> None:
        await eventually(lambda: self.stream.status().alive)


@asynccontextmanager
async def rig_of(
    name: str, venue: Venue, *, silence_s: float = 3.0, most_life_s: float = 3600.0, listed: bool = True
) -> AsyncIterator[Rig]:
    clock, tiers = HastyClock(), dict[str, Tiers]()
    names = dict.fromkeys(SYMBOLS if listed else (), "")
    manner = Manner(silence_s, most_life_s, jitter=lambda: 0.5)
    servers: dict[str, Callable[[Venue], LiveStream]] = {
        "binance": BinanceLiveStream,
        "bybit": BybitLiveStream,
        "okx": OkxLiveStream,
    }

    def of_bybit() -> dict[str, Instrument]:
        natives = {symbol: bybit.native_of(symbol) for symbol in names}
        return {native: instrument("bybit", symbol, native) for symbol, native in natives.items()}

    def of_okx() -> dict[str, Swap]:
        natives = {symbol: okx.native_of(symbol) for symbol in names}
        return {
            native: Swap(instrument("okx", symbol, native), okx.face_of(symbol), native)
            for symbol, native in natives.items()
        }

    async with servers[name](venue) as server, FaultProxy(server.url, drip_s=0.05) as wire:
        streams: dict[str, Callable[[], Stream]] = {
            "binance": lambda: binance_stream(clock=clock, url=wire.url, manner=manner, keep_tiers=tiers.__setitem__),
            "bybit": lambda: bybit_stream(clock=clock, url=wire.url, manner=manner, listed=of_bybit),
            "okx": lambda: okx_stream(clock=clock, url=wire.url, manner=manner, listed=of_okx),
        }
        stream = streams[name]()
        task = asyncio.create_task(stream.run())
        try:
            yield Rig(server, wire, stream, names, tiers)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(params=VENUES)
async def rig(request: pytest.FixtureRequest, venue: Venue) -> AsyncIterator[Rig]:
    async with rig_of(request.param, venue, silence_s=0.6) as made:
        await made.is_heard()
        yield made


async def test_a_liquidation_comes_in_coins_with_its_side_and_the_kind_of_its_price(rig: Rig) -> None:
    rig.prints()
    rig.heard.clear()
    time_ms = await rig.server.liquidate("ETHUSDT", price="2450.5", coins=3.0, is_long=True)
    later_ms = await rig.server.liquidate("ZRXUSDT", price="0.25", coins=40.0, is_long=False)
    first, second = sorted((await rig.hears(2))[-2:], key=lambda row: row.symbol)
    assert (first.symbol, first.time_ms, first.is_long, first.price) == ("ETHUSDT", time_ms, True, 2450.5)
    assert (second.symbol, second.time_ms, second.is_long, second.price) == ("ZRXUSDT", later_ms, False, 0.25)
    assert [first.coins, second.coins] == pytest.approx([3.0, 40.0])
    assert first.at_bankruptcy == second.at_bankruptcy == (rig.stream.name != BINANCE)


async def test_prices_come_and_are_those_of_now(rig: Rig, venue: Venue) -> None:
    assert isinstance(rig.stream, MarketStream)
    began_ms = venue.now_ms()
    await eventually(lambda: not rig.stream.prices.lacking(["BTCUSDT"], since_ms=began_ms))
    tick = rig.stream.prices.news()
    at = tick.symbols.index("BTCUSDT")
    assert tick.price[at] == pytest.approx(venue.markets["BTCUSDT"].price(int(tick.time_ms[at])), rel=1e-6)
    assert tick.exchange == rig.stream.name
    status = rig.stream.status()
    assert status.lag_ms is not None
    assert -1000 < status.lag_ms < 3000


@pytest.mark.parametrize("fault", live_stream.FAULTS)
async def test_after_every_fault_the_line_is_heard_again_and_nothing_is_told_twice(rig: Rig, fault: str) -> None:
    first_ms = await rig.server.liquidate("BTCUSDT")
    await eventually(lambda: any(row.time_ms == first_ms for row in rig.prints()))
    connections = rig.stream.status().connections
    rig.server.fail(fault)
    if fault == "flood":
        await eventually(lambda: rig.stream.status().prints > 2 * live_stream.FLOOD_FRAMES)
    else:
        await eventually(lambda: not rig.stream.status().alive)
    rig.server.heal()
    await rig.is_heard()
    if fault != "flood":
        assert rig.stream.status().connections > connections
        assert rig.stream.status().gaps == 1
    last_ms = await rig.server.liquidate("BTCUSDT", coins=7.0)
    await eventually(lambda: any(row.time_ms == last_ms for row in rig.prints()))
    assert len(set(rig.heard)) == len(rig.heard)
    if fault == "garbage":
        assert sum(rig.stream.status().dropped_rows.values()) >= len(live_stream.GARBAGE) - 1


async def test_a_line_of_a_wrong_route_is_silent_and_therefore_dead(venue: Venue) -> None:
    clock = HastyClock()
    async with BinanceLiveStream(venue) as server:
        book = StreamBook("binance", "Binance", clock)
        stream = Stream(
            "binance",
            "Binance",
            server.url + "/stream?streams=!markPrice@arr@1s/!forceOrder@arr",
            clock=clock,
            book=book,
            script=lambda followed: BinanceScript(book),
            manner=Manner(0.2, jitter=lambda: 0.5),
        )
        task = asyncio.create_task(stream.run())
        await eventually(lambda: server.connections >= 3)
        assert not stream.status().alive
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("name", VENUES)
async def test_a_line_is_replaced_without_a_gap_and_what_both_hear_counts_once(name: str, venue: Venue) -> None:
    async with rig_of(name, venue, most_life_s=0.25) as rig:
        await rig.is_heard()
        told = set()
        while rig.server.connections < 5:
            told.add(await rig.server.liquidate("BTCUSDT", coins=9.0))
            await asyncio.sleep(0.02)
        await eventually(lambda: told <= {row.time_ms for row in rig.prints()})
        mine = [row for row in rig.heard if row.coins == pytest.approx(9.0)]
        assert len(mine) == len(told)
        assert rig.stream.status().gaps == 0


async def test_a_line_that_okx_will_close_is_left_before_without_a_gap(venue: Venue) -> None:
    async with rig_of("okx", venue) as rig:
        await rig.is_heard()
        assert isinstance(rig.server, OkxLiveStream)
        await rig.server.announce_upgrade()
        await eventually(lambda: rig.server.connections == 2 and len(rig.server.lines) == 1)
        status = rig.stream.status()
        assert (status.alive, status.gaps, status.connections) == (True, 0, 2)


async def test_bracket_changes_and_delistings_of_binance_reach_who_wants_them(venue: Venue) -> None:
    async with rig_of("binance", venue) as rig:
        await rig.is_heard()
        assert isinstance(rig.server, BinanceLiveStream)
        bracket = {"bs": 1, "bnf": 0, "bnc": 5000, "mmr": 0.02, "cf": 0, "mi": 1, "ma": 25}
        await rig.server.contract("ZRXUSDT", state="SETTLING", delist_ms=1_900_000_000_000, brackets=[bracket])
        await eventually(rig.stream.contract_news)
        news = rig.stream.contract_news()["ZRXUSDT"]
        assert (news.trades, news.delist_ms) == (False, 1_900_000_000_000)
        assert [tier.max_leverage for tier in rig.tiers["ZRXUSDT"]] == [25.0]


@pytest.mark.parametrize("name", ["bybit", "okx"])
async def test_nothing_is_asked_before_the_contracts_are_known(name: str, venue: Venue) -> None:
    async with rig_of(name, venue, listed=False) as rig:
        await asyncio.sleep(0.05)
        assert rig.server.connections == 0
        rig.listed.update(dict.fromkeys(SYMBOLS, ""))
        await rig.is_heard()


async def test_one_contract_that_bybit_does_not_grant_keeps_no_other_from_being_heard(venue: Venue) -> None:
    async with rig_of("bybit", venue, listed=False) as rig:
        rig.listed.update(dict.fromkeys((*SYMBOLS, "GONEUSDT"), ""))
        await rig.is_heard()
        await rig.server.liquidate("ZRXUSDT")
        await rig.hears()
        assert rig.stream.status().dropped_rows == {"subscriptions: refused": 1}


class SteppedClock(SystemClock):
    """Its monotonic time is moved by hand."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def monotonic(self) -> float:
        return self.at_s


def messages(script: BybitScript | OkxScript) -> list[object]:
    return ["ping" if text == "ping" else json.loads(text) for text in script.due()]


def test_bybit_is_asked_for_what_is_newly_followed_left_alone_by_what_is_not_and_pinged() -> None:
    clock, followed = SteppedClock(), set[str]()
    book = StreamBook("bybit", "Bybit", clock)
    contracts = {symbol: instrument("bybit", symbol, symbol) for symbol in SYMBOLS}
    script = BybitScript(book, clock, lambda: contracts, lambda: followed)
    [first] = messages(script)
    liquidations = [f"allLiquidation.{symbol}" for symbol in SYMBOLS]
    assert first == {"req_id": "1", "op": "subscribe", "args": ["tickers.BTCUSDT", *liquidations]}
    assert messages(script) == []
    followed.add("ZRXUSDT")
    clock.at_s = 6.0
    assert messages(script) == [{"req_id": "2", "op": "subscribe", "args": ["tickers.ZRXUSDT"]}]
    followed.clear()
    clock.at_s = 21.0
    assert messages(script) == [{"op": "unsubscribe", "args": ["tickers.ZRXUSDT"]}, {"op": "ping"}]


def test_okx_is_asked_for_what_is_newly_followed_left_alone_by_what_is_not_and_pinged() -> None:
    clock, followed = SteppedClock(), set[str]()
    swaps = {
        okx.native_of(symbol): Swap(instrument("okx", symbol, okx.native_of(symbol)), 1.0, symbol) for symbol in SYMBOLS
    }
    script = OkxScript(StreamBook("okx", "OKX", clock), clock, lambda: swaps, lambda: followed)
    beat, zrx = ({"channel": "mark-price", "instId": f"{base}-USDT-SWAP"} for base in ("BTC", "ZRX"))
    liquidations = {"channel": "liquidation-orders", "instType": "SWAP"}
    assert messages(script) == [{"op": "subscribe", "args": [liquidations, beat]}]
    followed.add("ZRXUSDT")
    clock.at_s = 11.0
    assert messages(script) == [{"op": "subscribe", "args": [zrx]}]
    followed.clear()
    clock.at_s = 22.0
    assert messages(script) == [{"op": "unsubscribe", "args": [zrx]}, "ping"]
