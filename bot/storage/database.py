"""The one door to the memory: opens, migrates and locks the database, and commits what the judgement decided."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Connection

from bot.alerts.outcomes import Outcome
from bot.alerts.types import Changes, LogEntry, Rule
from bot.storage import retention
from bot.storage.access import Access
from bot.storage.alerts_state import AlertsState, HistoryRow, write_history, write_pulses, write_states, write_tracks
from bot.storage.briefs import Briefs
from bot.storage.broadcasts import Broadcasts
from bot.storage.chats import Chats
from bot.storage.decisions import Decisions, write_log
from bot.storage.drawings import Drawings
from bot.storage.engine import is_memory, make_engine, make_migration_engine, named, parse_url
from bot.storage.enqueue import OutboxRow, enqueue
from bot.storage.errors import CannotOpenError, StorageError
from bot.storage.guests import Guests
from bot.storage.kv import KeyValues
from bot.storage.leases import SENDER, Leases, fence_of
from bot.storage.links import Links
from bot.storage.lock import FileLock
from bot.storage.maps import Maps
from bot.storage.migrate import check_newest, migrate
from bot.storage.nodes import Nodes
from bot.storage.outbox import Outbox
from bot.storage.outbox_desk import OutboxDesk
from bot.storage.outcomes import Outcomes, write_outcomes
from bot.storage.postgresql import Server, is_postgresql, read_server
from bot.storage.prints import PrintLog
from bot.storage.rules import Rules, rewrite_rules, update_rules
from bot.storage.series import Series
from bot.storage.slots import Slot, Slots, mark_slot
from bot.storage.told import Told
from bot.storage.updates import Updates
from bot.storage.whole_chat import WholeChat


class Database:
    """Everything Liqwatch remembers. Made by `open`; every method may raise a StorageError."""

    def __init__(
        self, access: Access, lock: FileLock | None = None, *, exclusive: bool = True, pulse: Access | None = None
    ) -> None:
        """`pulse` is a way of its own for what must not wait behind the rest: the lease, and the signs of life."""
        self._access = access
        self._pulse = pulse or access
        self._lock = lock
        self._exclusive = exclusive
        self.chats = Chats(access)
        self.rules = Rules(access)
        self.alerts = AlertsState(access)
        self.series = Series(access)
        self.maps = Maps(access)
        self.prints = PrintLog(access)
        self.briefs = Briefs(access)
        self.slots = Slots(access)
        self.outbox = Outbox(access)
        self.outbox_desk = OutboxDesk(access)
        self.told = Told(access)
        self.decisions = Decisions(access)
        self.updates = Updates(access)
        self.outcomes = Outcomes(access)
        self.whole_chat = WholeChat(access)
        self.kv = KeyValues(access)
        self.links = Links(access)
        self.guests = Guests(access)
        self.broadcasts = Broadcasts(access)
        self.drawings = Drawings(access)
        self.leases = Leases(self._pulse)
        self.nodes = Nodes(self._pulse)

    @classmethod
    async def open(cls, url: str = "sqlite://", *, inline: bool = False) -> Self:
        """Open the database of a URL, made or migrated to the newest schema; `sqlite://` lives in memory.

        A file is locked for this process alone. `inline` runs every query in the caller's thread. Raises
        DatabaseInUseError, NewerDatabaseError, CannotOpenError or another StorageError, each one sentence.
        """
        parsed = parse_url(url)
        return cls._open(parsed, inline=inline) if inline else await asyncio.to_thread(cls._open, parsed, inline=False)

    @classmethod
    def _open(cls, url: URL, *, inline: bool) -> Self:
        where = named(url)
        writer = make_engine(url, writes=True)
        if is_memory(url):
            access = Access(writer, writer, where=where, inline=inline)
            access.run(writer, lambda connection: migrate(connection, where))
            return cls(access)
        lock = FileLock(Path(url.database or "")) if url.get_backend_name() == "sqlite" else None
        try:
            _migrate(url, where)
        except BaseException:
            if lock:
                lock.release()
            raise
        access = Access(writer, make_engine(url, writes=False), where=where, inline=inline)
        if lock is not None:
            return cls(access, lock)
        own = make_engine(url, writes=True)
        return cls(access, exclusive=False, pulse=Access(own, own, where=where, inline=inline))

    @classmethod
    async def beside(cls, url: str) -> Self:
        """Open a database that a bot may be working on: it is neither locked nor migrated.

        For short work of an operator. Raises CannotOpenError where there is none, or it has another schema.
        """
        return await asyncio.to_thread(cls._beside, parse_url(url))

    @classmethod
    def _beside(cls, url: URL) -> Self:
        where = named(url)
        if url.get_backend_name() == "sqlite" and (is_memory(url) or not Path(url.database or "").is_file()):
            raise CannotOpenError(f"There is no database {where}: a bot's first start makes what DATABASE_URL names.")
        access = Access(make_engine(url, writes=True), reader := make_engine(url, writes=False), where=where)
        try:
            access.run(reader, lambda connection: check_newest(connection, where))
        except StorageError:
            reader.dispose()
            raise
        return cls(access, exclusive=False)

    @property
    def exclusive(self) -> bool:
        """Whether no other process can send from this database: true of SQLite, and of whoever holds the lease."""
        return self._exclusive or self._access.fence is not None

    def fence(self, epoch: int) -> None:
        """From now on write only while this epoch of the sender's lease is the newest.

        Every write may then raise LostLeaseError, but for what is a fact whoever tells it.
        """
        self._access.fence = fence_of(SENDER, epoch)

    @property
    def trouble(self) -> StorageError | None:
        """Why nothing can be written now; None while it can, as far as is known."""
        return self._access.trouble

    @property
    def failures(self) -> Mapping[str, int]:
        """How often the database failed since it was opened, by the name of the StorageError."""
        return self._access.failures

    async def server(self) -> Server | None:
        """The PostgreSQL that this database is on; None for SQLite."""
        return await self._access.read(lambda there: read_server(there) if is_postgresql(there) else None)

    async def close(self) -> None:
        """Finish what has been asked for, close the connections, free the file for another process."""
        if self._pulse is not self._access:
            await self._pulse.close()
        await self._access.close()
        if self._lock:
            self._lock.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def commit_changes(
        self,
        changes: Changes,
        rows: Sequence[OutboxRow] = (),
        *,
        slots: Sequence[Slot] = (),
        history: Sequence[HistoryRow] = (),
        log: Sequence[LogEntry] = (),
        outcomes: Sequence[Outcome] = (),
        edited: Sequence[Rule] = (),
        now_ms: int = 0,
    ) -> int:
        """Store one evaluation whole: states, tracks, rules, its events' messages, the slots it finished, its reasons,
        what is followed from now on and what came of it. `edited` rules are written whole, by a person's wish.

        Returns how many messages were new: the rest were there from a run that a crash cut short.
        """

        def work(connection: Connection) -> int:
            write_tracks(connection, changes.tracks)
            update_rules(connection, changes.rules)
            rewrite_rules(connection, edited)
            write_states(connection, changes.states)
            write_pulses(connection, changes.pulses)
            write_history(connection, history)
            for slot in slots:
                mark_slot(connection, slot, now_ms=now_ms)
            write_log(connection, log)
            write_outcomes(connection, outcomes)
            return enqueue(connection, rows)

        return await self._access.write(work)

    async def clean(self, *, now_ms: int, history_days: int = 30, why_days: int = 14) -> Mapping[str, int]:
        """Delete what is past its time (`retention.KEEP_DAYS`); returns how many rows of each table went."""
        return await retention.clean(self._access, now_ms=now_ms, history_days=history_days, why_days=why_days)


def _migrate(url: URL, where: str) -> None:
    engine = make_migration_engine(url)
    access = Access(engine, engine, where=where, inline=True)
    try:
        access.run(engine, lambda connection: migrate(connection, where))
    finally:
        engine.dispose()
