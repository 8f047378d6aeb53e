"""`liqwatch run` without a token: the same bot, its chat shown in this terminal.

On the live market where an exchange answers within 15 seconds; else on a simulated one, under a banner that says so.
Nothing typed here is kept: the configured database is opened, as proof that it can be, and left alone.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TypeVar, cast

from bot.app import App, Limits, World
from bot.clock import Clock, FastClock, SystemClock
from bot.demo import Show, simulated_show
from bot.jobs import schedule
from bot.market.exchange import Exchange, ExchangeError
from bot.market.feed import LiquidationFeed
from bot.market.simulator import EXCHANGE as SIMULATED
from bot.settings import Settings
from bot.storage.database import Database
from bot.telegram.replies import Replies
from bot.telegram.terminal import TerminalPhone
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Inbound
from bot.venues import open_exchanges, open_feeds

PATIENCE_S = 15.0
RETRY_S = 2.0
SPEED = 300.0
"""Of the simulated market: a 5-minute bar each second."""

SEED = 3
SHOWN_DAYS = 3
LIVE_LINES = ("/start", "/watch BTC 1%", "/watch ZRX-USDT-SWAP 2%")
"""The first watch on a live market."""

HEAD_START_S = 3.0
"""What the exchanges get before a simulated market is begun, just in case."""

T = TypeVar("T")

log = logging.getLogger(__name__)


async def run_in_terminal(settings: Settings, *, stop: asyncio.Event) -> None:
    """Run until `stop`. Raises StorageError where the configured database cannot be used."""
    async with await Database.open(settings.database_url), AsyncExitStack() as closing:
        clock = SystemClock()
        exchanges = open_exchanges(settings, clock=clock)
        for exchange in exchanges.values():
            closing.push_async_callback(exchange.aclose)
        show = await _show_unless_answered(exchanges, stop)
        if stop.is_set():
            return
        if show is None:
            feeds = open_feeds(settings, exchanges, clock=clock)
            await _Terminal(settings, exchanges, feeds, clock).run(stop, LIVE_LINES)
        else:
            played = FastClock(show.start_ms, SPEED)
            market = show.playback(played)
            terminal = _Terminal(settings, {SIMULATED: market}, {SIMULATED: market.feed()}, played)
            await terminal.run(stop, show.typed, show)


async def _show_unless_answered(exchanges: Mapping[str, Exchange], stop: asyncio.Event) -> Show | None:
    """None as soon as an exchange answers; after 15 seconds without an answer, a simulated market.

    The simulated market is made while the exchanges are still being asked, so that nobody waits for it twice.
    """
    answer = asyncio.create_task(_answer(exchanges))
    stopped = asyncio.create_task(stop.wait())
    show: asyncio.Task[Show] | None = None
    try:
        await asyncio.wait({answer, stopped}, timeout=HEAD_START_S, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() and not stop.is_set():
            left_s = PATIENCE_S - HEAD_START_S
            log.warning("no answer yet from %s: in %.0f s a simulated market is shown", ", ".join(exchanges), left_s)
            show = asyncio.create_task(_apart(lambda: simulated_show(SEED, days=SHOWN_DAYS, watches_each=1)))
            await asyncio.wait({answer, stopped}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        return await show if show is not None and not answer.done() and not stop.is_set() else None
    finally:
        for task in (answer, stopped, show):
            if task is not None:
                task.cancel()


async def _answer(exchanges: Mapping[str, Exchange]) -> None:
    """Return when an exchange tells its contracts."""
    while True:
        for exchange in exchanges.values():
            try:
                await exchange.instruments()
            except ExchangeError as error:
                log.info("no answer yet: %s", error)
            else:
                return
        await asyncio.sleep(RETRY_S)


async def _apart(work: Callable[[], T]) -> T:
    """Do `work` in a thread that the end of the program does not wait for, as it would for one of asyncio's own."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="apart", daemon=True).start()
    return await done


class _Terminal:
    """One bot, one phone, one chat."""

    def __init__(
        self,
        settings: Settings,
        exchanges: Mapping[str, Exchange],
        feeds: Mapping[str, LiquidationFeed],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._exchanges = exchanges
        self._feeds = feeds
        self._clock = clock

    async def run(self, stop: asyncio.Event, lines: Sequence[str], show: Show | None = None) -> None:
        """Set a first watch, which shows what an alert looks like, then answer what is typed, until `stop`."""
        settings, simulated = self._settings, show is not None
        texts = Catalogue.english()
        phone = TerminalPhone(folder=settings.charts_dir, clock=self._clock, texts=texts)
        phone.greet(simulated=simulated)
        limits = Limits(
            settings.rules_per_chat,
            settings.history_days,
            settings.tick_seconds,
            alerts_per_hour=settings.alerts_per_hour,
        )
        names = frozenset({SIMULATED}) if simulated else frozenset[str]()
        async with await Database.open("sqlite://") as db:
            app = await App.build(World(self._exchanges, db, phone, self._clock, names, self._feeds), limits)
            replies = Replies(phone, db.chats, self._clock)

            async def handle(inbound: Inbound) -> None:
                await replies.carry_out(inbound, await app.conversation.answer(inbound))

            await app.refresh_instruments()
            sending = asyncio.create_task(app.worker.run())
            for line in lines:
                await handle(phone.type(line))
            tick_s, speed = (0.5, SPEED) if simulated else (settings.tick_seconds, 1.0)
            scheduler = schedule(app.jobs, tick_s=tick_s, speed=speed)
            scheduler.start()
            tasks = [asyncio.create_task(phone.run(handle))]
            tasks += [asyncio.create_task(feed.run()) for feed in self._feeds.values()]
            try:
                await stop.wait()
            finally:
                scheduler.shutdown(wait=False)
                for task in tasks:
                    task.cancel()
                await app.worker.stop()
                await sending
                await app.markets.aclose()
