"""`liqwatch worker`: reads exchanges from an address of its own and draws maps, for the bot on the same database.

No worker leads. Each tries to offer the jobs of every bar, as the bots do, and the database lets one win.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from bot import bystander
from bot.clock import Clock, Reminder, SystemClock
from bot.combined_markets import CombinedMarkets
from bot.failures import FailedError
from bot.jobs import BARS_DELAY_S, RECOMPUTE_DELAY_S
from bot.logs import watch_loop
from bot.market.types import BAR_MS
from bot.reachability import Reachability, ban_key
from bot.service_manager import ServiceManager
from bot.settings import Settings
from bot.signals import stop_on_signals
from bot.skill_meter import SkillMeter
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.storage.nodes import BEAT_S
from bot.storage.slots import Slot
from bot.tenure import node_name
from bot.venues import open_exchanges, open_feeds
from bot.warming import FIRST_MS
from bot.work import BARS, RECOMPUTE, URGENCY, Work
from bot.workshop import Workshop

if TYPE_CHECKING:
    from bot.storage.work_queue import WorkQueue

AT_ONCE: Final = 8
"""Jobs side by side: they wait for an exchange most of their time."""

LISTS_S: Final = 3600.0
RETRY_S: Final = 5.0

log = logging.getLogger(__name__)


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises StorageError, FailedError."""
    watch_loop(asyncio.get_running_loop())
    await work_on(settings, stop=stop_on_signals())


async def work_on(settings: Settings, *, stop: asyncio.Event) -> None:
    """Work until `stop`; what is under way then ends first."""
    clock, node, place = SystemClock(), node_name(), socket.gethostname()
    manager = ServiceManager.of(os.environ)
    async with await Database.open(settings.database_url) as db, contextlib.AsyncExitStack() as closing:
        if db.exclusive:
            raise FailedError(
                "a worker shares its database with the bot: set DATABASE_URL to a PostgreSQL, such as"
                " postgresql+psycopg://user@host/name"
            )
        queue = _open_queue(settings.database_url)
        closing.push_async_callback(queue.aclose)
        bans = {name: ban for name in settings.exchanges if (ban := await db.kv.get(ban_key(name, place)))}
        exchanges = open_exchanges(settings, clock=clock, banned_until_ms=bans)
        for exchange in exchanges.values():
            closing.push_async_callback(exchange.aclose)
        # Streams are the bot's to hear: here they only tell which exchanges have scores.
        scores = Scores(SkillMeter(db=db, clock=clock, feeds=open_feeds(settings, exchanges, clock=clock)))
        markets = CombinedMarkets(
            exchanges=exchanges,
            db=db,
            history_days=settings.history_days,
            calibration=scores.meter.calibration,
            first_ms=FIRST_MS,
        )
        closing.push_async_callback(markets.aclose)
        shop = Workshop(
            db=db,
            markets=markets,
            work=queue,
            reach=Reachability(exchanges, db, place=place),
            node=node,
            learned=scores.follow,
        )
        tasks = [
            asyncio.create_task(read_lists(markets, clock), name="contracts"),
            asyncio.create_task(plan(lambda job: jobs_of(job, db, markets), queue, clock), name="plan"),
            asyncio.create_task(beat(db, node, clock), name="signs of life"),
            asyncio.create_task(bystander.tell(settings, db, clock, manager, does="worker"), name="health"),
        ]
        working = asyncio.create_task(queue.run(shop.jobs, at_once=AT_ONCE), name="jobs")
        log.info("liqwatch worker runs", extra={"node": node, "exchanges": ",".join(settings.exchanges)})
        manager.ready()
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, stopping, *tasks[:3]}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            manager.stopping()
            everything = [working, stopping, *tasks]
            for task in everything:
                task.cancel()
            ended = await asyncio.gather(*everything, return_exceptions=True)
            with contextlib.suppress(StorageError):
                await db.nodes.leave(node)
        for failure in ended:
            if isinstance(failure, Exception):
                raise failure


class Scores:
    """What the bot's meter has found, read anew with each bar: whichever worker draws, it is the same."""

    def __init__(self, meter: SkillMeter) -> None:
        self.meter = meter
        self._slot_ms = -1
        self._turn = asyncio.Lock()

    async def follow(self, slot_ms: int) -> None:
        async with self._turn:
            if slot_ms > self._slot_ms:
                await self.meter.restore()
                self._slot_ms = slot_ms


async def read_lists(markets: CombinedMarkets, clock: Clock) -> None:
    """Keep the lists of contracts; an exchange that does not answer is asked again soon."""
    while True:
        await markets.refresh_instruments()
        await clock.sleep(RETRY_S if markets.unlisted() else LISTS_S)


async def plan(jobs: Callable[[str], Awaitable[Sequence[Slot]]], work: Work, clock: Clock) -> None:
    """Offer the jobs of each bar at the times at which a bot alone would do them."""
    while True:
        into_s = clock.now_ms() % BAR_MS / 1000
        job, delay_s = next(
            ((job, at_s) for job, at_s in ((BARS, BARS_DELAY_S), (RECOMPUTE, RECOMPUTE_DELAY_S)) if at_s > into_s),
            (BARS, BARS_DELAY_S + BAR_MS // 1000),
        )
        await clock.sleep(delay_s - into_s)
        try:
            await work.offer(await jobs(job))
        except StorageError as failure:
            log.warning("the jobs of a bar could not be offered, another process may: %s", failure)


async def jobs_of(job: str, db: Database, markets: CombinedMarkets) -> Sequence[Slot]:
    """This job on every market that a rule watches, or that such a one is made of, each on one exchange."""
    watched = await db.rules.markets()
    parts = dict.fromkeys(part for market in watched for part in markets.parts(market))
    return [Slot(job, markets.window(part.exchange)[1], part) for part in parts]


async def beat(db: Database, node: str, clock: Clock) -> None:
    """Say again and again that this worker lives."""
    unheard = Reminder(clock)
    while True:
        try:
            await db.nodes.beat(node, "worker")
            unheard.over()
        except StorageError as failure:
            if unheard.due():
                log.warning("could not say that this worker lives: %s", failure)
        await clock.sleep(BEAT_S)


def _open_queue(url: str) -> "WorkQueue":
    try:
        from bot.storage.work_queue import WorkQueue
    except ModuleNotFoundError as error:
        raise FailedError(f"a worker needs the Python package {error.name}: install the extra scale") from None
    return WorkQueue(url, urgency=URGENCY)
