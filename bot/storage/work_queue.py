"""Jobs that many processes share, in the PostgreSQL that they share anyway: `bot.work.Work` on PgQueuer.

That a job was offered is a row of `slots`, written in one transaction with the job itself: of many that offer the same
one wins, and none is offered twice or lost between the two. A job is picked by one process, which says every few
seconds that it lives; once it falls silent the next process takes the job over.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final

import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.ports.driver import NotifyCallback
from sqlalchemy import make_url

from bot.alerts.types import Market
from bot.storage.errors import CannotOpenError
from bot.storage.slots import Slot

SILENT_S: Final = 5.0
"""A job whose process was not heard for so long is taken over; each says every half of it that it lives."""

LOOK_S: Final = 2.0
"""How often a process looks for jobs that nobody told it of: those of the dead."""

DRAIN_S: Final = 10.0
AGAIN_S: Final = 2.0
TRIES: Final = 3
RETRY_S: Final = 1.0
SWEEP_S: Final = 600.0
KEPT: Final = "1 hour"
"""How long PgQueuer's own log of each job is kept."""

log = logging.getLogger(__name__)


def _no_outage(record: logging.LogRecord) -> bool:
    """What PgQueuer says, but for the many ways in which it meets a lost database: the queue tells of that once."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, psycopg.Error) or record.getMessage().startswith("Shutdown flush failed"))


logging.getLogger("pgqueuer").addFilter(_no_outage)

_CONNECT: Final[Mapping[str, Any]] = {
    "application_name": "liqwatch jobs",
    "connect_timeout": 5,
    # A server that went away without a word is noticed within a minute.
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_SETTINGS = DBSettings(durability=Durability.balanced)
_OFFER = """
    INSERT INTO slots (job, exchange, symbol, slot_ms, done_ms)
    SELECT 'offer ' || job, exchange, symbol, slot_ms, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) AS offered (job, exchange, symbol, slot_ms)
    ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING RETURNING substr(job, 7), exchange, symbol, slot_ms
"""  # in one order, so that two who offer the same wait for each other in turn


class WorkQueue:
    """Implements `bot.work.Work`. `urgency` tells which kinds go first; `silent_s` when a doer is taken for dead."""

    def __init__(self, url: str, *, urgency: Mapping[str, int], silent_s: float = SILENT_S) -> None:
        self._address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._urgency = urgency
        self._silent_s = silent_s
        self._offering: psycopg.AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()
        self._installed = False
        self._away = False

    async def offer(self, slots: Sequence[Slot]) -> int:
        if not slots:
            return 0
        async with self._turn:
            try:
                return await self._offer(slots)
            except (psycopg.Error, OSError) as error:
                await self._hang_up()
                raise CannotOpenError(f"The queue of jobs did not answer: {_brief(error)}") from error

    async def run(self, do: Mapping[str, Callable[[Slot], Awaitable[None]]], *, at_once: int = 8) -> None:
        while True:
            try:
                await self._run(do, at_once)
            except (psycopg.Error, OSError, FailingListenerError) as error:
                level = logging.DEBUG if self._away else logging.WARNING  # once, however long it lasts
                log.log(level, "no jobs are taken for now, the database is asked again: %s", _brief(error))
                self._away = True
            await asyncio.sleep(AGAIN_S)

    async def aclose(self) -> None:
        """Let go of the connection that offers were made on."""
        async with self._turn:
            await self._hang_up()

    async def _offer(self, slots: Sequence[Slot]) -> int:
        connection = self._offering
        if connection is None:
            connection = self._offering = await self._connect()
        queries = _queries(PsycopgDriver(connection))
        await self._install(queries)
        columns = zip(*((slot.job, *slot.market, slot.slot_ms) for slot in slots), strict=True)
        async with connection.transaction():
            cursor = await connection.execute(_OFFER, [list(column) for column in columns])
            new = [
                Slot(job, slot_ms, Market(exchange, symbol))
                for job, exchange, symbol, slot_ms in await cursor.fetchall()
            ]
            if new:
                await queries.enqueue(
                    [slot.job for slot in new],
                    [json.dumps([*slot.market, slot.slot_ms]).encode() for slot in new],
                    [self._urgency.get(slot.job, 0) for slot in new],
                )
        return len(new)

    async def _run(self, do: Mapping[str, Callable[[Slot], Awaitable[None]]], at_once: int) -> None:
        async with AsyncExitStack() as closing:
            asking, hearing = await self._connect(), await self._connect()
            closing.push_async_callback(asking.close)
            closing.push_async_callback(hearing.close)
            lines = _TwoLines(asking, hearing)
            queries = _queries(lines)
            await self._install(queries)
            # Before anything is told: the manager's first look at the listener would go unheard, and fail it.
            await lines.add_listener(_SETTINGS.channel, lambda told: None)
            manager = QueueManager(queries, channel=_SETTINGS.channel)
            for job, function in do.items():
                manager.entrypoint(job)(_taking(function))
            if self._away:
                self._away = False
                log.warning("jobs are taken again")
            sweeping = asyncio.create_task(self._sweep())
            running = asyncio.create_task(
                manager.run(
                    dequeue_timeout=timedelta(seconds=LOOK_S),
                    batch_size=max(1, at_once // 2),
                    max_concurrent_tasks=max(2, at_once),
                    shutdown_on_listener_failure=True,
                    heartbeat_timeout=timedelta(seconds=self._silent_s),
                    log_aggregation_interval=timedelta(0),
                )
            )
            try:
                await asyncio.shield(running)
            finally:
                sweeping.cancel()
                manager.shutdown.set()
                await asyncio.wait({running}, timeout=DRAIN_S)
                running.cancel()
                await asyncio.gather(sweeping, running, return_exceptions=True)

    async def _sweep(self) -> None:
        """Delete old lines of the queue's own log: it keeps several for each job."""
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(
                        f"DELETE FROM {_SETTINGS.queue_table_log} WHERE created < now() - interval '{KEPT}'"  # noqa: S608
                    )
            except (psycopg.Error, OSError) as error:
                log.info("the log of jobs is not swept for now: %s", _brief(error))
            await asyncio.sleep(SWEEP_S)

    async def _install(self, queries: Queries) -> None:
        """Make or bring up to date the queue's own tables, one process at a time."""
        if self._installed:
            return
        async with queries.schema_lock():
            if await queries.schema_is_installed():
                await queries.apply_upgrade()
            else:
                await queries.install()
        self._installed = True

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(self._address, autocommit=True, **_CONNECT)

    async def _hang_up(self) -> None:
        if self._offering is not None:
            await self._offering.close()
            self._offering = None


class _TwoLines(PsycopgDriver):
    """A driver that listens on a line of its own: on one alone each query waits until a second of listening is over."""

    def __init__(self, asking: psycopg.AsyncConnection[Any], hearing: psycopg.AsyncConnection[Any]) -> None:
        super().__init__(asking)
        self._ear = PsycopgDriver(hearing)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._ear.add_listener(channel, callback)

    async def remove_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._ear.remove_listener(channel, callback)

    async def __aexit__(self, *raised: object) -> None:
        await super().__aexit__(*raised)
        if self.shutdown.is_set():
            self._ear.shutdown.set()
            await self._ear.tm.gather_tasks()


def _queries(driver: PsycopgDriver) -> Queries:
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(_SETTINGS),
        qbq=QueryQueueBuilder(_SETTINGS),
        qbs=QuerySchedulerBuilder(_SETTINGS),
    )


def _taking(function: Callable[[Slot], Awaitable[None]]) -> Callable[[Job], Awaitable[None]]:
    """What the manager calls: a job that fails comes again after a while, and is given up with one line in the log."""

    async def take(job: Job) -> None:
        exchange, symbol, slot_ms = json.loads(job.payload or b"null")
        try:
            await function(Slot(job.entrypoint, slot_ms, Market(exchange, symbol)))
        except Exception as error:
            if job.attempts + 1 < TRIES:
                pause = timedelta(seconds=RETRY_S * 2**job.attempts)
                raise RetryRequested(delay=pause, reason=_brief(error)) from error
            log.warning("%s of %s %s is given up: %s", job.entrypoint, exchange, symbol, _brief(error))
            log.debug("how it failed", exc_info=error)

    return take


def _brief(error: BaseException) -> str:
    """The first line of what a driver says: it may quote an address, never a password."""
    return (str(error) or type(error).__name__).splitlines()[0]
