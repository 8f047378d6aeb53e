"""What is asked of Binance at a start, after an outage and in between, by the fake venue's own log of requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import httpx

from bot.alerts.types import Market
from bot.market.binance import BinanceExchange
from bot.market.priority import Priority, asking_as
from bot.market.types import BAR_MS
from bot.markets import Markets
from bot.storage.database import Database
from bot.warming import FIRST_MS, Warmer
from tests.fakes.binance import FakeBinance
from tests.fakes.clock import VirtualClock
from tests.integration.venue_rigs import AT_MS, NOW_MS, RECORDINGS
from tests.shared import needs_shared

pytestmark = needs_shared

DAY_MS = 86_400_000
BTC = Market("binance", "BTCUSDT")
KLINES, SAMPLES, SAMPLE_NOW = "/fapi/v1/klines", "/futures/data/openInterestHist", "/fapi/v1/openInterest"


class Bot:
    """Markets on a client of the fake venue; another one on the same database is a restart."""

    def __init__(self, fake: FakeBinance, clock: VirtualClock, db: Database, *, days: int, watched: int = 1) -> None:
        self.fake = fake
        self.clock = clock
        self.client = BinanceExchange(
            clock=clock, api_url=fake.url, web_url=fake.url, transport=httpx.AsyncHTTPTransport()
        )
        self.exchanges = {"binance": self.client}
        self.markets = Markets(exchanges=self.exchanges, db=db, history_days=days, first_ms=FIRST_MS)
        self.watched = [Market("binance", name) for name in list(fake.markets)[:watched]]
        self.warmer = Warmer(
            exchanges=self.exchanges, markets=self.markets, clock=clock, watched=lambda: self.watched, most=120
        )

    async def __aenter__(self) -> Self:
        await self.markets.refresh_instruments()
        self.warmer.rank("binance", await self.client.volumes())
        self.fake.meter.log.clear()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.client.aclose()

    def spans(self, path: str) -> list[tuple[int, int]]:
        """Start and end of each question, in bars since NOW's; the clock's second shifts nothing."""
        asked = [query for asked_path, query in self.fake.meter.log if asked_path == path]
        self.fake.meter.log.clear()
        here = NOW_MS // BAR_MS
        return [(int(q["startTime"]) // BAR_MS - here, int(q["endTime"]) // BAR_MS - here) for q in asked]


@asynccontextmanager
async def venue(*names: str) -> AsyncIterator[tuple[FakeBinance, VirtualClock, Database]]:
    clock = VirtualClock(NOW_MS)
    async with (
        FakeBinance(RECORDINGS, names or ["BTCUSDT"], at_ms=AT_MS, wall=lambda: clock.now_ms() / 1000) as fake,
        await Database.open("sqlite://", inline=True) as db,
    ):
        yield fake, clock, db


async def test_a_restart_after_an_outage_asks_for_exactly_what_was_missed() -> None:
    async with venue() as (fake, clock, db):
        async with Bot(fake, clock, db, days=2) as first:
            assert len((await first.markets.open(BTC)).history) >= 2 * 288
        clock.advance(3 * 3600)
        async with Bot(fake, clock, db, days=2) as again:
            live = await again.markets.open(BTC)
            assert live.history.end_ms == NOW_MS // BAR_MS * BAR_MS + 36 * BAR_MS
            # The row of the bar's end is not there yet: the figure of now stands for it.
            assert [path for path, _ in fake.meter.log] == [KLINES, SAMPLES, SAMPLE_NOW]
            assert again.spans(KLINES) == [(0, 35)]
            await again.markets.advance(BTC)
            assert fake.meter.log == [], "nothing is missing"


async def test_while_it_runs_a_bar_costs_two_light_requests_and_none_for_the_map() -> None:
    async with venue() as (fake, clock, db), Bot(fake, clock, db, days=2) as bot:
        await bot.markets.open(BTC)
        fake.meter.log.clear()
        clock.advance((BAR_MS - NOW_MS % BAR_MS) / 1000 + 8)
        await bot.markets.fetch_newest(BTC)
        assert [path for path, _ in fake.meter.log] == [KLINES, SAMPLE_NOW]
        assert int(fake.meter.log[0][1]["limit"]) < 100
        clock.advance(67)
        live = await bot.markets.advance(BTC)
        assert len(fake.meter.log) == 2
        assert live.open_interest_ms == live.history.end_ms == NOW_MS // BAR_MS * BAR_MS + BAR_MS


async def test_of_five_hundred_contracts_the_watched_and_the_most_traded_are_read_within_half_of_both_limits() -> None:
    names = [f"COIN{number}USDT=DOGEUSDT" for number in range(500)]
    async with venue(*names) as (fake, clock, db), Bot(fake, clock, db, days=1, watched=25) as bot:
        with asking_as(Priority.WATCHED):
            await asyncio.gather(*(bot.markets.advance(market) for market in bot.watched))
        assert clock.now_ms() - NOW_MS <= 15_000
        with asking_as(Priority.BACKGROUND):
            for what in ("bars", "open_interest"):
                while await bot.warmer.fill("binance", what=what) == 0.0:
                    pass
        assert 120 <= bot.warmer.warmth("binance").whole <= 145
        assert 300 < fake.meter.peak_weight < 1200
        assert 120 <= fake.meter.peak_data_requests <= 500
        assert fake.meter.refused == 0
        before_s = clock.monotonic()
        clock.advance((BAR_MS - clock.now_ms() % BAR_MS) / 1000 + 8)
        with asking_as(Priority.WATCHED):
            await asyncio.gather(*(bot.markets.fetch_newest(market) for market in bot.watched))
        assert clock.monotonic() - before_s < BAR_MS / 1000 + 10, "the background held nobody up"
