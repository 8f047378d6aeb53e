"""What a start from an empty database takes, and what the bot asks of Binance once it runs: measured in virtual time.

The venue is rehearsed inside the process, with the true weights and 100 ms for each answer; what the machine computes
is added in real seconds.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bot.alerts.types import Kind, Market, Rule
from bot.app import App, Limits, World
from bot.delivery.messenger import Message
from bot.jobs import BARS_DELAY_S, RECOMPUTE_DELAY_S
from bot.market.binance import BinanceExchange
from bot.market.rehearsal import RehearsedBinance
from bot.market.types import BAR_MS
from bot.storage.database import Database
from bot.virtual_time import LoopClock, VirtualLoop

NOW_MS = 1_767_312_140_000
"""Two minutes and twenty seconds into a bar, where nothing is due."""

TICK_S = 2.0
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class StartLoad:
    """How much is started: Binance's contracts, those of them that are watched, and for how long the bot then runs."""

    symbols: int = 500
    watched: int = 25
    cold_minutes: int = 3
    steady_minutes: int = 6


FULL_START = StartLoad()


def measure_start(load: StartLoad = FULL_START) -> dict[str, float]:
    """The figures of a start from nothing and of the hours after it. Raises RuntimeError where the venue refused."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        cold_s, cold = runner.run(_cold(load))
        steady = runner.run(_steady(load))
    return {
        "cold_start_watched_s": cold_s,
        "cold_start_weight_per_minute_max": float(max(cold)),
        "steady_weight_per_minute": sum(steady) / len(steady),
        "steady_weight_per_minute_max": float(max(steady)),
    }


class Silence:
    """A messenger for a chat that nobody reads."""

    async def send(self, chat_id: int, message: Message) -> int:
        return 1

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Nothing to change."""

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        """Nobody tapped."""


async def _cold(load: StartLoad) -> tuple[float, Sequence[int]]:
    """Seconds until every watched market has its map, and the weight of each minute from the start on."""
    clock = LoopClock(NOW_MS)
    venue = RehearsedBinance(clock, symbols=load.symbols)
    async with await Database.open("sqlite://", inline=True) as db:
        app = await _app(db, clock, venue, Limits(tick_s=TICK_S, warm_symbols=load.symbols), load.watched)
        began_s, real_s = clock.monotonic(), time.perf_counter()
        running = asyncio.create_task(_run(app, clock))
        while any(app.markets.get(market) is None for market in app.watch.markets()):
            await clock.sleep(0.05)
        taken_s = clock.monotonic() - began_s + time.perf_counter() - real_s
        await clock.sleep(load.cold_minutes * 60)
        await _end(running)
    return taken_s, _minutes(venue, NOW_MS // MINUTE_MS, clock)


async def _steady(load: StartLoad) -> Sequence[int]:
    """The weight of each minute once all history is there; of a single day, for the rest makes no difference then."""
    clock = LoopClock(NOW_MS)
    venue = RehearsedBinance(clock, symbols=load.symbols)
    limits = Limits(history_days=1, tick_s=TICK_S, warm_symbols=load.symbols)
    async with await Database.open("sqlite://", inline=True) as db:
        app = await _app(db, clock, venue, limits, load.watched)
        running = asyncio.create_task(_run(app, clock))
        while (warmth := app.warmer.warmth("binance")).whole < warmth.wanted or not warmth.wanted:
            await clock.sleep(60)
        begun = clock.now_ms() // MINUTE_MS + 1
        await clock.sleep(load.steady_minutes * 60)
        await _end(running)
    return _minutes(venue, begun, clock)


async def _app(db: Database, clock: LoopClock, venue: RehearsedBinance, limits: Limits, watched: int) -> App:
    for number, symbol in enumerate(venue.symbols[:watched]):
        rule = Rule(0, number, Market("binance", symbol), Kind.PROXIMITY, threshold_pct=1.0, created_ms=NOW_MS)
        await db.rules.add(rule, limit=1)
    exchange = BinanceExchange(
        clock=clock, api_url="http://rehearsed", web_url="http://rehearsed", transport=venue, least_symbols=1
    )
    return await App.build(World({"binance": exchange}, db, Silence(), clock), limits)


async def _run(app: App, clock: LoopClock) -> None:
    """What `run` does: the contracts, the watched markets, then the schedule, with history filled in behind it."""
    await app.refresh_instruments()
    async with asyncio.TaskGroup() as group:
        group.create_task(_every_tick(app, clock))
        await app.recompute()
        group.create_task(app.warmer.run())
        group.create_task(_every_bar(app, clock))


async def _every_tick(app: App, clock: LoopClock) -> None:
    while True:
        await app.read_prices()
        await clock.sleep(TICK_S)


async def _every_bar(app: App, clock: LoopClock) -> None:
    while True:
        await clock.sleep((BAR_MS - clock.now_ms() % BAR_MS) / 1000 + BARS_DELAY_S)
        await app.fetch_bars()
        await clock.sleep(max(0.0, RECOMPUTE_DELAY_S - clock.now_ms() % BAR_MS / 1000))
        await app.recompute()


async def _end(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def _minutes(venue: RehearsedBinance, first: int, clock: LoopClock) -> Sequence[int]:
    if venue.refused:
        raise RuntimeError(f"the rehearsed venue refused {venue.refused} requests")
    return [venue.weights[minute] for minute in range(first, clock.now_ms() // MINUTE_MS)]
