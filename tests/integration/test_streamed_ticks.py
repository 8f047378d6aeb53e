"""The app on fakes of three venues, REST and streams: prices cost no requests while the streams live, and all feeds
reach the skill meter.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.alerts.types import Market
from bot.app import App, Limits, World
from bot.doctor import examine
from bot.market.feed import LiquidationFeed, MarketStream
from bot.storage.database import Database
from bot.venues import open_exchanges, open_feeds
from tests.fakes.four_venues import STREAMS
from tests.fakes.live_stream import BinanceLiveStream, LiveStream
from tests.integration.listening import HastyClock, eventually
from tests.integration.test_four_venues import Fakes, four_fakes, settings_of
from tests.shared import needs_shared
from tests.unit.app.scenes import Inbox, near

pytestmark = needs_shared

PRICES = {
    "binance": "/fapi/v1/premiumIndex",
    "bybit": "/v5/market/tickers",
    "okx": "/api/v5/public/mark-price",
}


class LeapingClock(HastyClock):
    """Real time, and leaps of it."""

    def __init__(self) -> None:
        self.leapt_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.leapt_ms


@dataclass
class Rig:
    app: App
    db: Database
    clock: LeapingClock
    fakes: Fakes
    streams: dict[str, LiveStream]
    feeds: dict[str, LiquidationFeed]

    def asked(self) -> dict[str, int]:
        return {name: self.fakes[name].meter.requests[path] for name, path in PRICES.items()}


@asynccontextmanager
async def rigged() -> AsyncIterator[Rig]:
    async with four_fakes() as fakes, AsyncExitStack() as closing, await Database.open("sqlite://", inline=True) as db:
        streams = {name: await closing.enter_async_context(kind(fakes[name])) for name, kind in STREAMS.items()}
        urls = {f"{name}_stream_url": stream.url for name, stream in streams.items()}
        settings = settings_of(fakes).model_copy(update=urls | {"exchanges": tuple(STREAMS)})
        clock = LeapingClock()
        exchanges = open_exchanges(settings, clock=clock)
        for exchange in exchanges.values():
            closing.push_async_callback(exchange.aclose)
        feeds = open_feeds(settings, exchanges, clock=clock)
        app = await App.build(World(exchanges, db, Inbox(), clock, feeds=feeds), Limits(history_days=1))
        await app.refresh_instruments()
        tasks = [asyncio.create_task(feed.run()) for feed in feeds.values()]
        try:
            yield Rig(app, db, clock, fakes, streams, feeds)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with rigged() as made:
        await eventually(lambda: all(feed.status().alive for feed in made.feeds.values()))
        yield made


async def test_no_prices_are_asked_for_while_streams_live_and_all_of_them_when_one_falls_silent(rig: Rig) -> None:
    for name in PRICES:
        await rig.app.desk.add_rule(near(1.0, market=Market(name, "BTCUSDT")))
    await rig.app.read_prices()
    before = rig.asked()
    ages = []
    for _ in range(20):
        await asyncio.sleep(0.1)
        await rig.app.read_prices()
        ages.append(max(rig.clock.now_ms() - (rig.app.markets.newest_price_ms(name) or 0) for name in PRICES))
    assert rig.asked() == before
    assert max(ages) < 1_500
    rig.streams["binance"].fail("silence")
    await asyncio.sleep(0.1)
    rig.clock.leapt_ms += 6_000
    await asyncio.sleep(0.2)
    for _ in range(3):
        await rig.app.read_prices()
    spent = {name: count - before[name] for name, count in rig.asked().items()}
    assert spent == {"binance": 3, "bybit": 0, "okx": 0}


async def test_news_of_a_contract_on_the_stream_have_the_lists_read_anew_once(rig: Rig) -> None:
    path = "/fapi/v1/exchangeInfo"
    await rig.app.recompute()
    before = rig.fakes["binance"].meter.requests[path]
    stream = rig.streams["binance"]
    assert isinstance(stream, BinanceLiveStream)
    await stream.contract("ZRXUSDT", state="SETTLING", delist_ms=1_900_000_000_000, brackets=[])
    feed = rig.feeds["binance"]
    assert isinstance(feed, MarketStream)
    await eventually(feed.contract_news)
    for _ in range(3):
        await rig.app.recompute()
    assert rig.fakes["binance"].meter.requests[path] == before + 1


async def test_doctor_hears_the_stream_of_every_venue_that_has_one() -> None:
    async with four_fakes() as fakes, AsyncExitStack() as closing:
        streams = {name: await closing.enter_async_context(kind(fakes[name])) for name, kind in STREAMS.items()}
        urls = {f"{name}_stream_url": stream.url for name, stream in streams.items()}
        lines: list[str] = []
        assert await examine(settings_of(fakes).model_copy(update=urls), print_line=lines.append) == 0
    told = [line.split(":")[0] for line in lines if " stream" in line]
    assert told == [f"ok    {name} stream" for name in STREAMS]


async def test_the_liquidations_of_every_venue_reach_the_skill_meter(rig: Rig) -> None:
    told = {name: await stream.liquidate("BTCUSDT", price="80000") for name, stream in rig.streams.items()}
    await eventually(lambda: all(feed.status().prints for feed in rig.feeds.values()))
    await asyncio.sleep(0.1)
    await rig.app.meter.hear()
    for name, time_ms in told.items():
        prints = await rig.db.prints.load(Market(name, "BTCUSDT"), start_ms=time_ms, end_ms=time_ms + 1)
        assert len(prints) == 1, name
        assert prints.at_bankruptcy is not None
        assert prints.at_bankruptcy.tolist() == [name != "binance"]
        status = rig.app.meter.feed_status(name)
        assert status is not None
        assert status.alive
        assert await rig.db.prints.cover(name, start_ms=0, end_ms=2**52)
