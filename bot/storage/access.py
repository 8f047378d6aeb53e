"""The way from the event loop to the database and back: one writer thread, one reader thread."""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from bot.storage.errors import ClosedError, StorageError, translate
from bot.storage.silence import LONGEST_SILENCE_S, Silence

log = logging.getLogger(__name__)

T = TypeVar("T")


class Access:
    """Runs work on a connection, each piece in a transaction of its own, in the order it was asked for.

    `trouble` is why the newest write did not go through, None once one does again; the log is told when it begins and
    when it ends. `failures` counts what failed by the kind of error. Work whose connection turns out to be lost is done
    again on a new one, once. A `fence` comes first in each write transaction, and raises where this process may write
    no more. With `inline` the work runs in the caller's thread, which stops the loop for that time: for simulations
    that must repeat exactly.
    """

    def __init__(
        self,
        writer: Engine,
        reader: Engine,
        *,
        where: str,
        inline: bool = False,
        longest_silence_s: float = LONGEST_SILENCE_S,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._where = where
        self._threads: tuple[ThreadPoolExecutor, ThreadPoolExecutor] | None = None
        self._closed = False
        self._silence = Silence(longest_silence_s)
        self.trouble: StorageError | None = None
        self.fence: Callable[[Connection], None] | None = None
        self.failures: Counter[str] = Counter()
        if not inline:
            write_thread = ThreadPoolExecutor(1, thread_name_prefix="storage-write")
            # In-memory databases have one connection, which only one thread may use.
            read_thread = write_thread if reader is writer else ThreadPoolExecutor(1, thread_name_prefix="storage-read")
            self._threads = write_thread, read_thread

    async def write(self, work: Callable[[Connection], T], *, fenced: bool = True) -> T:
        """Run `work` in one write transaction: committed when it returns, undone when it raises.

        What is not `fenced` may be written by any process. Raises LostLeaseError.
        """
        fence = self.fence if fenced else None
        return await self._submit(self._writer, work if fence is None else _behind(fence, work))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one unchanging snapshot."""
        return await self._submit(self._reader, work)

    async def close(self) -> None:
        """Finish what has been asked for, then let go of the connections."""
        self._closed = True
        if self._threads:
            for thread in self._threads:
                await asyncio.to_thread(thread.shutdown, wait=True)
        for engine in (self._reader, self._writer):
            engine.dispose()

    async def _submit(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise ClosedError(f"The database {self._where} is closed.")
        if not self._threads:
            return self.run(engine, work)
        thread = self._threads[0] if engine is self._writer else self._threads[1]
        done = asyncio.get_running_loop().run_in_executor(thread, self.run, engine, work)
        return await (done if engine.dialect.name == "sqlite" else self._silence.broken(engine, done))

    def run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, here and now; a driver's error becomes a StorageError."""
        try:
            result = self._run(engine, work)
        except DBAPIError as error:
            failure = self._failed(engine, error.orig)
            failure.add_note(f"{error.statement}")
            # Not `from error`: what the driver says may quote a row.
            raise failure.with_traceback(error.__traceback__) from None
        except sqlite3.Error as error:
            raise self._failed(engine, error) from error
        if engine is self._writer and self.trouble is not None:
            self.trouble = None
            log.warning("the database %s answers again", self._where)
        return result

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        finished = False

        def watched(connection: Connection) -> T:
            nonlocal finished
            with self._silence.watching(connection):
                result = work(connection)
            finished = True
            return result

        try:
            with engine.begin() as connection:
                return watched(connection)
        except DBAPIError as error:
            # As after a restart of the server. Where the commit itself was cut off, it may have been made.
            if not error.connection_invalidated or finished:
                raise
        with engine.begin() as connection:
            return watched(connection)

    def _failed(self, engine: Engine, driver: BaseException | None) -> StorageError:
        if self._reader is not self._writer:
            # The next piece of work opens a new connection: what spoiled this one may have passed.
            engine.dispose()
        failure = translate(driver, self._where)
        self.failures[type(failure).__name__] += 1
        # A statement that is refused says nothing about the disk.
        if engine is self._writer and type(failure) is not StorageError:
            failure.told = self.trouble is not None
            if not failure.told:
                log.error("nothing can be stored now: %s", failure)
            self.trouble = failure
        return failure


def _behind(fence: Callable[[Connection], None], work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    def fenced(connection: Connection) -> T:
        fence(connection)
        return work(connection)

    return fenced
