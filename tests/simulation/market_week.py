"""The market part through days of trouble, in virtual time: four fakes and three streams behind wires that fail.

Each wire is calm for a while, then spoiled for a while, by the dice; the last hour is calm. Meanwhile all that
comes is recorded, and the bot's own store asks for what it lacks, as the bot does.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.alerts.types import Market
from bot.history_store import HistoryStore, NoMapError
from bot.market.exchange import LiveExchange
from bot.market.feed import LiquidationFeed
from bot.market.types import BAR_MS
from bot.recorder import VenueRecorder, Wanted
from bot.settings import EXCHANGES, Settings
from bot.storage.database import Database
from bot.venues import open_exchanges, open_feeds
from tests.fakes.binance import FAULTS, FakeBinance
from tests.fakes.bybit import FakeBybit
from tests.fakes.census import census
from tests.fakes.fault_proxy import Fault, FaultProxy
from tests.fakes.hyperliquid import FakeHyperliquid
from tests.fakes.live_stream import BinanceLiveStream, BybitLiveStream, LiveStream, OkxLiveStream
from tests.fakes.okx import FakeOkx
from tests.fakes.virtual_time import LoopClock
from tests.integration.venue_rigs import AT_MS, NOW_MS, RECORDINGS

SYMBOLS = ("BTCUSDT", "ARBUSDT")
TICK_S = 120.0
CALM_AT_END_S = 3600.0
SETTLED_S = 180.0
"""So long after a trouble of its wire a stream is surely heard again."""

LONGEST_TROUBLE_S = 2400.0

Fake = FakeBinance | FakeBybit | FakeOkx | FakeHyperliquid


@dataclass(frozen=True, slots=True)
class Told:
    """A liquidation that a stream told; `coins` is its number. `surely` where nothing was wrong with its wire."""

    time_ms: int
    coins: float
    surely: bool


@dataclass
class Week:
    """What went on, and what is left at the end. `sizes` are censuses, one every hour."""

    clock: LoopClock
    out: Path
    dice: random.Random
    fakes: dict[str, Fake] = field(default_factory=dict)
    streams: dict[str, LiveStream] = field(default_factory=dict)
    wires: dict[str, FaultProxy] = field(default_factory=dict)
    exchanges: dict[str, LiveExchange] = field(default_factory=dict)
    feeds: dict[str, LiquidationFeed] = field(default_factory=dict)
    recorders: list[VenueRecorder] = field(default_factory=list)
    told: dict[str, list[Told]] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)
    sizes: list[Counter[str]] = field(default_factory=list)
    most_tasks: int = 0
    spoiled_s: dict[str, float] = field(default_factory=dict)
    begin_ms: int = 0

    async def trouble(self, name: str, end_s: float) -> None:
        """One wire's fate."""
        wire, fake = self.wires[name], self.fakes.get(name)
        while True:
            await self.clock.sleep(self.dice.uniform(1200, 7200))
            if self.clock.monotonic() > end_s - CALM_AT_END_S - LONGEST_TROUBLE_S:
                return
            long_s = min(self.dice.expovariate(1 / 600), LONGEST_TROUBLE_S)
            self.spoiled_s[name] = self.clock.monotonic() + long_s
            if fake is not None and self.dice.random() < 0.5:
                kinds = FAULTS if isinstance(fake, FakeBinance) else fake.FAULTS
                kind = self.dice.choice([one for one in kinds if one != "stuck_open_interest"])
                fake.fail(kind)
            else:
                kind = self.dice.choice([*Fault, "cut"])
                if isinstance(kind, Fault):
                    wire.spoil(kind)
                wire.cut()
            self.troubles[f"{name}: {kind}"] += 1
            await self.clock.sleep(long_s)
            wire.heal()
            if fake is not None:
                fake.heal()
            wire.cut()

    async def tell_liquidations(self) -> None:
        """Now and then each stream tells one; its coins are its number."""
        number = 0
        while True:
            await self.clock.sleep(self.dice.uniform(20, 300))
            number += 1
            coins = number / 100
            for name, stream in self.streams.items():
                wire = f"{name} stream"
                calm = self.clock.monotonic() > self.spoiled_s.get(wire, -SETTLED_S) + SETTLED_S
                surely = calm and self.feeds[name].status().alive
                time_ms = await stream.liquidate("BTCUSDT", price="88000.5", coins=coins)
                self.told[name].append(Told(time_ms, coins, surely))

    async def keep_store(self, store: HistoryStore) -> None:
        """Ask for what is missing after each bar, as the bot does of what it watches."""
        while True:
            await self.clock.sleep((BAR_MS - (self.clock.now_ms() - 75_000) % BAR_MS) / 1000)
            end_ms = self.clock.now_ms() // BAR_MS * BAR_MS
            for name in EXCHANGES:
                try:
                    await store.up_to_date(Market(name, "BTCUSDT"), self.begin_ms, end_ms)
                except NoMapError:
                    self.troubles[f"{name}: no map"] += 1

    async def count(self, store: HistoryStore) -> None:
        """A census every hour, and the most tasks there ever were."""
        while True:
            for _ in range(12):
                await self.clock.sleep(300)
                self.most_tasks = max(self.most_tasks, len(asyncio.all_tasks()))
            self.sizes.append(census([self.exchanges, self.feeds, self.recorders, store]))


async def live_through(out: Path, *, hours: float, seed: int, look: Callable[[Week, Database], Any]) -> Any:
    """Live so long; gives what `look` says at the end, while the database is open."""
    clock = LoopClock(NOW_MS)
    async with _built(clock, out, seed) as week, await Database.open("sqlite://", inline=True) as db:
        store = HistoryStore(week.exchanges, db)
        week.begin_ms = clock.now_ms() // BAR_MS * BAR_MS - 12 * BAR_MS
        wanted = Wanted(SYMBOLS, history_ms=3_600_000, tick_s=TICK_S)
        week.recorders = [
            VenueRecorder(exchange, week.feeds.get(name), out, wanted=wanted, clock=clock)
            for name, exchange in week.exchanges.items()
        ]
        end_s = clock.monotonic() + hours * 3600
        works = [
            *(recorder.run() for recorder in week.recorders),
            *(week.trouble(name, end_s) for name in week.wires),
            week.tell_liquidations(),
            week.keep_store(store),
            week.count(store),
        ]
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, timeout=hours * 3600, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for recorder in week.recorders:
            await recorder.finish()
        return await look(week, db)


@asynccontextmanager
async def _built(clock: LoopClock, out: Path, seed: int) -> AsyncIterator[Week]:
    week = Week(clock, out, random.Random(seed))
    kinds: dict[str, Callable[..., Fake]] = {
        "binance": FakeBinance,
        "bybit": FakeBybit,
        "okx": FakeOkx,
        "hyperliquid": FakeHyperliquid,
    }
    speakers: dict[str, Callable[..., LiveStream]] = {
        "binance": BinanceLiveStream,
        "bybit": BybitLiveStream,
        "okx": OkxLiveStream,
    }
    async with AsyncExitStack() as closing:
        for name, kind in kinds.items():
            fake = kind(RECORDINGS, SYMBOLS, at_ms=AT_MS, wall=lambda: clock.now_ms() / 1000)
            week.fakes[name] = await closing.enter_async_context(fake)
            week.wires[name] = await closing.enter_async_context(FaultProxy(fake.url, drip_s=0.5, seed=seed))
        for name, speaker in speakers.items():
            stream = await closing.enter_async_context(speaker(week.fakes[name], beat_s=4.0))
            week.streams[name], week.told[name] = stream, []
            week.wires[f"{name} stream"] = await closing.enter_async_context(
                FaultProxy(stream.url, drip_s=0.5, seed=seed)
            )
        urls = {f"{name}_api_url": week.wires[name].url for name in kinds}
        urls |= {f"{name}_stream_url": week.wires[f"{name} stream"].url for name in speakers}
        urls["binance_web_url"] = urls["binance_api_url"]
        settings = Settings(_env_file=None, exchanges=EXCHANGES, database_url="sqlite://").model_copy(update=urls)
        week.exchanges |= open_exchanges(settings, clock=clock)
        for exchange in week.exchanges.values():
            closing.push_async_callback(exchange.aclose)
        week.feeds |= open_feeds(settings, week.exchanges, clock=clock)
        yield week
