"""A SQLite database moves into an empty PostgreSQL: every row of every table, compared afterwards, or nothing at all.

One transaction makes the tables, fills them and compares both sides; whatever stops it leaves the target as it was. The
SQLite file is only read.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Row, Table, func, select, text

from bot.storage.access import Access
from bot.storage.engine import is_memory, make_engine, make_migration_engine, named, parse_url
from bot.storage.errors import CannotOpenError, CorruptDatabaseError, StorageError, translate
from bot.storage.lock import FileLock
from bot.storage.migrate import is_newest, migrate
from bot.storage.tables import metadata

ROWS_A_CHUNK = 2_000
Progress = Callable[[str, int, int], None]
"""What is being done to which table, how many rows are through, how many there are in all tables."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How many rows of each table were moved, tables that others point to first."""

    rows: Mapping[str, int]


def move(source: str, target: str, *, progress: Progress = lambda what, done, rows: None) -> Moved:
    """Move all rows from one database's URL to another's.

    Raises DatabaseInUseError where a bot works on the source, CannotOpenError where either side is not fit for it,
    CorruptDatabaseError where both sides differ afterwards, or another StorageError.
    """
    from_url, to_url = parse_url(source), parse_url(target)
    _check_kinds(from_url, to_url)
    lock = FileLock(Path(from_url.database or ""))
    try:
        reading = make_engine(from_url, writes=False)
        try:
            there = Access(reading, reading, where=named(from_url), inline=True)
            return there.run(reading, lambda old: _move_into(to_url, old, named(from_url), progress))
        finally:
            reading.dispose()
    finally:
        lock.release()


def _move_into(url: URL, old: Connection, source: str, progress: Progress) -> Moved:
    if not is_newest(old, source):
        raise CannotOpenError(
            f"The database {source} has an older schema: DATABASE_URL={source} liqwatch migrate first."
        )
    target = named(url)
    writing = make_migration_engine(url)
    access = Access(writing, writing, where=target, inline=True)

    def work(new: Connection) -> Moved:
        migrate(new, target)
        _check_empty(new, target)
        counts = {table.name: _count(old, table) for table in metadata.sorted_tables}
        through = _Through(progress, 2 * sum(counts.values()))
        for table in metadata.sorted_tables:
            sent = _copy(old, new, table, source, through)
            if _digest(new, table, through) != sent:
                raise CorruptDatabaseError(f"What arrived in {table.name} is not what was sent: nothing was moved.")
            _number_on(old, new, table)
        new.execute(text("ANALYZE"))
        return Moved(counts)

    try:
        return access.run(writing, work)
    finally:
        writing.dispose()


def _check_kinds(source: URL, target: URL) -> None:
    if source.get_backend_name() != "sqlite" or is_memory(source):
        raise CannotOpenError("Only a SQLite file can be moved, such as --from sqlite:///liqwatch.db.")
    if target.get_backend_name() != "postgresql":
        raise CannotOpenError(
            "A SQLite file is moved to PostgreSQL: set DATABASE_URL to something like"
            " postgresql+psycopg://user:password@host/name first."
        )
    if not Path(source.database or "").is_file():
        raise CannotOpenError(f"There is no database {named(source)} to move.")


def _check_empty(new: Connection, target: str) -> None:
    for table in metadata.sorted_tables:
        # Nobody else writes there until all is moved.
        new.execute(text(f'LOCK TABLE "{table.name}" IN EXCLUSIVE MODE'))
        if new.execute(select(*table.primary_key).limit(1)).first() is not None:
            raise CannotOpenError(
                f"The database {target} is not empty, its table {table.name} has rows:"
                " set DATABASE_URL to a new one (CREATE DATABASE)."
            )


class _Through:
    """Counts rows and tells of each chunk."""

    def __init__(self, progress: Progress, rows: int) -> None:
        self._progress = progress
        self._rows = rows
        self._done = 0

    def told(self, rows: Iterator[Row[Any]], what: str) -> Iterator[Row[Any]]:
        self._progress(what, self._done, self._rows)
        for row in rows:
            yield row
            self._done += 1
            if self._done % ROWS_A_CHUNK == 0:
                self._progress(what, self._done, self._rows)


def _copy(old: Connection, new: Connection, table: Table, source: str, through: _Through) -> str:
    """Send a table's rows by COPY; returns the digest of what was sent."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    digest = hashlib.sha256()
    cursor = new.connection.cursor()
    try:
        with cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
            for row in through.told(_rows(old, table), f"copying {table.name}"):
                copy.write_row(tuple(row))
                digest.update(_spelled(row))
    except new.dialect.loaded_dbapi.Error as error:
        raise _named_failure(error, table, source, named(new.engine.url)) from error
    finally:
        cursor.close()
    return digest.hexdigest()


def _named_failure(error: Exception, table: Table, source: str, target: str) -> StorageError:
    failure = translate(error, target)
    if type(failure) is not StorageError:
        return failure
    reason = str(error).partition("\n")[0]
    return CorruptDatabaseError(
        f"PostgreSQL cannot hold a row of {table.name} in {source}, nothing was moved: {reason}"
    )


def _digest(new: Connection, table: Table, through: _Through) -> str:
    digest = hashlib.sha256()
    for row in through.told(_rows(new, table), f"comparing {table.name}"):
        digest.update(_spelled(row))
    return digest.hexdigest()


def _rows(connection: Connection, table: Table) -> Iterator[Row[Any]]:
    """Every row in the order of its key, which both databases have alike."""
    statement = select(*table.columns).order_by(*table.primary_key)
    yield from connection.execute(statement, execution_options={"yield_per": ROWS_A_CHUNK})


def _spelled(row: Row[Any]) -> bytes:
    return repr(tuple(row)).encode("utf-8", "surrogatepass")


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _number_on(old: Connection, new: Connection, table: Table) -> None:
    """Let new rows get numbers behind every one that was ever given, those of deleted rows too."""
    numbered = table.autoincrement_column
    if numbered is None:
        return
    newest = new.execute(select(func.max(numbered))).scalar() or 0
    given = old.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}).scalar() or 0
    if last := max(newest, given):
        sequence = func.pg_get_serial_sequence(table.name, numbered.name)
        new.execute(select(func.setval(sequence, last)))
