"""`liqwatch demo` and `liqwatch simulate`: the whole pipeline on a market that is played, in this terminal."""

import asyncio
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bot.alert_line import AlertJson
from bot.alerts.types import Event, Market
from bot.app import App, Limits, World
from bot.clock import FastClock, StepClock
from bot.failures import UsageError
from bot.liquidation.values import replace
from bot.market.playback import PlaybackExchange, load_markets
from bot.market.recording import Recording
from bot.market.simulator import EXCHANGE, SimulatedMarket, simulate, write_recording
from bot.market.simulator_parameters import demo_markets
from bot.market.types import BAR_MS
from bot.progress import busy
from bot.recorded import open_recorded
from bot.storage.database import Database
from bot.telegram.alerts_text import alert_message
from bot.telegram.limits import bare
from bot.telegram.replies import Replies
from bot.telegram.terminal import TerminalPhone
from bot.telegram.texts import Catalogue

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
HISTORY_DAYS = 20
"""What a simulated market has behind it when it begins to be played."""

TICK_MS = BAR_MS // 4


@dataclass(frozen=True, slots=True)
class Show:
    """A market to play: from `start_ms` to `end_ms`, with what a person types at the beginning."""

    recording: Recording | None
    markets: tuple[SimulatedMarket, ...]
    exchange: str
    start_ms: int
    end_ms: int
    typed: tuple[str, ...]

    def playback(self, clock: StepClock | FastClock) -> PlaybackExchange:
        """The market as an exchange that knows what was known at the clock's now."""
        if self.recording is not None:
            recorded = open_recorded(self.recording)
            markets = [
                replace(market, tiers=tuple(recorded.tiers_of(Market(self.exchange, market.symbol)) or ()))
                for market in load_markets(self.recording, self.exchange)
            ]
            return PlaybackExchange(self.exchange, markets, clock, prints=self.recording.prints(self.exchange))
        return PlaybackExchange.of_simulation(self.markets, clock)


async def run_demo(*, recording: Path | None, speed: float | None, seed: int, json: bool, charts: Path) -> None:
    """Play a market from its start to its end. Raises RecordingError, UsageError."""
    with busy("Simulating" if recording is None else "Reading"):
        show = simulated_show(seed) if recording is None else recorded_show(Recording(recording))
    await present(show, speed=speed, json=json, charts=charts)


async def present(show: Show, *, speed: float | None, json: bool, charts: Path) -> None:
    """Show a market from its start to its end: a conversation first, then what comes of it."""
    clock = StepClock(show.start_ms) if speed is None else FastClock(show.start_ms, speed)
    texts = Catalogue.english()
    console = Console(file=io.StringIO()) if json else Console(highlight=False)
    phone = TerminalPhone(folder=charts, clock=clock, texts=texts, console=console)
    simulated = frozenset({EXCHANGE})
    async with await Database.open("sqlite://", inline=True) as db:
        exchange = show.playback(clock)
        feeds = {show.exchange: exchange.feed()}
        world = World({show.exchange: exchange}, db, phone, clock, simulated, feeds, played=True)
        app = await App.build(world, Limits(history_days=30, tick_s=TICK_MS / 1000))
        if json:
            app.listen(lambda events: _print_lines(app, events))
        else:
            phone.greet(simulated=show.exchange in simulated)
        await app.refresh_instruments()
        sending = asyncio.create_task(app.worker.run())
        replies = Replies(phone, db.chats, clock)
        for line in show.typed:
            inbound = phone.type(line)
            await replies.carry_out(inbound, await app.conversation.answer(inbound))
        await play(app, clock, show)
        for line in ("/rules", "/status"):
            inbound = phone.type(line)
            await replies.carry_out(inbound, await app.conversation.answer(inbound))
        await app.worker.stop()
        await sending


async def play(app: App, clock: StepClock | FastClock, show: Show) -> None:
    """Tick by tick and bar by bar, each message delivered before the market moves on."""
    for time_ms in range(show.start_ms + TICK_MS, show.end_ms + 1, TICK_MS):
        if isinstance(clock, StepClock):
            clock.step_to(time_ms)
        else:
            await clock.until(time_ms)
        if time_ms % BAR_MS == 0:
            await app.recompute()
        if time_ms % HOUR_MS == 0:
            await app.measure()
        await app.read_prices()
        if isinstance(clock, StepClock):
            await app.delivered()


def simulated_show(seed: int, *, days: int = 1, watches_each: int = 2) -> Show:
    """Three simulated markets, their last days to be played."""
    markets = tuple(simulate(one) for one in demo_markets(seed=seed, days=HISTORY_DAYS + days))
    end_ms = int(markets[0].bars.open_ms[-1]) + BAR_MS
    names = [market.symbol.removesuffix("USDT") for market in markets]
    return Show(None, markets, EXCHANGE, end_ms - days * DAY_MS, end_ms, watches(names, watches_each))


def recorded_show(recording: Recording) -> Show:
    """The last days of a recording's first exchange; up to three of its symbols are watched."""
    exchange = recording.exchanges[0]
    spans = {symbol: recording.bars(exchange, symbol).open_ms for symbol in recording.symbols(exchange)}
    end_ms = max(int(times[-1]) for times in spans.values()) + BAR_MS
    start_ms = end_ms - 3 * DAY_MS
    whole = [
        symbol for symbol, times in spans.items() if times[-1] + BAR_MS == end_ms and times[0] <= start_ms - DAY_MS
    ]
    if not whole:
        raise UsageError(f"{recording.path} has no symbol with four days of bars up to the recording's end")
    return Show(recording, (), exchange, start_ms, end_ms, watches(whole[:3]))


def watches(symbols: Sequence[str], each: int = 2) -> tuple[str, ...]:
    """What a person types: for each symbol a rule of each kind, or only of the first."""
    lines = [(f"/watch {symbol} 1%", f"/watch {symbol} grow 5% 4h")[:each] for symbol in symbols]
    return ("/start", *(line for pair in lines for line in pair))


def write_simulation(*, seed: int, days: int, out: Path) -> Iterator[str]:
    """Write three simulated markets with their truth; the lines tell what was written."""
    try:
        (out / EXCHANGE).mkdir(parents=True, exist_ok=True)
        markets = [simulate(one) for one in demo_markets(seed=seed, days=days, price_days=min(days, 1))]
        write_recording(markets, out)
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written: {error.strerror}") from None
    for market in markets:
        yield f"{out / EXCHANGE / market.symbol}: {len(market.bars)} bars, {len(market.prints)} liquidations"


def _print_lines(app: App, events: Sequence[Event]) -> None:
    texts = app.catalogue.texts("en")
    for event in events:
        contract = app.composer.contract(event)
        text = bare(alert_message(event, contract, texts=texts, sent_ms=event.time_ms).text)
        sys.stdout.write(AlertJson(event).line(event, text) + "\n")
        sys.stdout.flush()
