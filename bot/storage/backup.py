"""Copies of a SQLite database: made while a bot works on it, checked, and put back.

A copy is one moment of the database. What waited to be sent then may have been sent since, so that after a restore
it goes out as a repeat; commands that waited then are not done again.
"""

import os
import shlex
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from bot.storage.engine import is_memory, parse_url
from bot.storage.errors import CannotOpenError, CorruptDatabaseError, StorageError, translate
from bot.storage.lock import FileLock
from bot.storage.migrate import known_revisions
from bot.storage.ownership import give_to_owner_of_folder
from bot.storage.postgresql import client_url

PAGES_A_STEP = 1_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds: rows of each table, the schema's revision, bytes of the file."""

    rows: Mapping[str, int]
    revision: str
    size: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back: `unsure` messages are repeats, `commands` are not done again, `kept` is the old database."""

    copied: Copied
    unsure: int
    commands: int
    kept: Path | None


def back_up(url: str, target: Path, *, progress: Progress = lambda done, pages: None) -> Copied:
    """Copy the database to a new file, which appears only when it is whole and checked. Raises StorageError."""
    source = database_file(parse_url(url), "pg_dump --format=custom --file={file} --dbname={url}", target)
    if target.exists():
        raise CannotOpenError(f"{target} exists already: a backup never overwrites a file.")
    if not source.is_file():
        raise CannotOpenError(f"There is no database {source} to back up.")
    part = target.with_name(target.name + ".part")
    with _failing_as_storage(f"backup {target}"), _removed_on_failure(part):
        # A group or a stranger has no business with what people watch.
        part.touch(mode=0o600)
        with closing(_open(source)) as live, closing(sqlite3.connect(part)) as copy:
            # One read transaction: the counts and every page are of the same moment, however busy the bot is.
            live.execute("BEGIN")
            expected = _rows(live)
            live.backup(copy, pages=PAGES_A_STEP, progress=lambda _, left, pages: progress(pages - left, pages))
            live.rollback()
            copy.execute("PRAGMA journal_mode=DELETE")
        copied = check(part)
        if copied.rows != expected:
            raise CorruptDatabaseError(f"The backup does not hold what the database does: {source} may be damaged.")
        _to_disk(part)
        part.rename(target)
        _to_disk(target.parent)
    return copied


def check(file: Path) -> Copied:
    """What a copy holds. Raises CorruptDatabaseError where it is no sound database of Liqwatch."""
    if not file.is_file():
        raise CannotOpenError(f"There is no file {file}.")
    with _failing_as_storage(f"{file}"), closing(_open(file)) as copy:
        [verdict] = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise CorruptDatabaseError(f"{file} is damaged: {verdict}.")
        if copy.execute("PRAGMA foreign_key_check").fetchone():
            raise CorruptDatabaseError(f"{file} holds rows that point at nothing.")
        rows = _rows(copy)
        if "alembic_version" not in rows or "outbox" not in rows:
            raise CorruptDatabaseError(f"{file} is a database, but none of Liqwatch.")
        found = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    revision = found[0] if found else ""
    if revision not in known_revisions():
        raise CorruptDatabaseError(f"{file} was written by a newer Liqwatch (its schema {revision} is not known here).")
    return Copied(rows, revision, file.stat().st_size)


def restore(url: str, file: Path, *, now_ms: int) -> Restored:
    """Put a checked copy in the database's place; the old one stays beside it. Raises StorageError.

    Refuses while a bot runs (DatabaseInUseError).
    """
    target = database_file(
        parse_url(url),
        "pg_restore --clean --if-exists --single-transaction --dbname={url} {file} && liqwatch outbox doubt",
        file,
    )
    copied = check(file)
    lock = FileLock(target)
    try:
        part = target.with_name(target.name + ".restoring")
        with _failing_as_storage(f"{target}"), _removed_on_failure(part):
            part.unlink(missing_ok=True)
            part.touch(mode=0o600)
            give_to_owner_of_folder(part)
            with closing(_open(file)) as source, closing(sqlite3.connect(part)) as copy:
                source.backup(copy)
                unsure, commands = _doubt(copy, now_ms)
            check(part)
            _to_disk(part)
            kept = _put_aside(target, now_ms)
            part.replace(target)
            _to_disk(target.parent)
    finally:
        lock.release()
    return Restored(copied, unsure, commands, kept)


def database_file(url: URL, command: str, copy: Path) -> Path:
    """The file of a SQLite database. Raises CannotOpenError where it has none: the `command` does it for PostgreSQL."""
    if is_memory(url):
        raise CannotOpenError("A database in memory cannot be copied: set DATABASE_URL to a file.")
    if url.get_backend_name() != "sqlite":
        words = command.format(url=f"'{client_url(url)}'", file=shlex.quote(str(copy)))
        raise CannotOpenError(f"PostgreSQL has its own tool for this, which asks for the password: {words}")
    return Path(url.database or "")


def _doubt(copy: sqlite3.Connection, now_ms: int) -> tuple[int, int]:
    """What waited when the copy was made may have gone out since."""
    with copy:
        unsure = copy.execute(
            "UPDATE outbox SET state = 'ambiguous', unsure = unsure + 1, lease_owner = NULL, lease_until_ms = NULL,"
            " last_error = 'restored from a backup: it may have been sent since' WHERE done_ms IS NULL"
        ).rowcount
        done = "UPDATE updates SET handled_ms = ?, payload = NULL WHERE handled_ms IS NULL"
        commands = copy.execute(done, (now_ms,)).rowcount
    return unsure, commands


def _put_aside(target: Path, now_ms: int) -> Path | None:
    """Rename the old database, with what its log holds folded in; None where there is none."""
    if not target.exists():
        return None
    with closing(sqlite3.connect(target)) as old:
        try:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            old.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.DatabaseError:
            # Damaged, which may be why it is replaced: kept as it is, its log beside it.
            pass
    kept = target.with_name(f"{target.name}.before-restore-{now_ms}")
    for tail in ("-wal", "-shm", ""):
        if (part := target.with_name(target.name + tail)).exists():
            part.replace(kept.with_name(kept.name + tail))
    return kept


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA busy_timeout=5000")
    return connection


def _rows(connection: sqlite3.Connection) -> dict[str, int]:
    names = [
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    names = [name for name in names if not name.startswith("sqlite_")]
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608


def _to_disk(path: Path) -> None:
    """Have the system write a file, or a folder's names, before we go on."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _failing_as_storage(where: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, where) from error
    except OSError as error:
        raise StorageError(f"{where} could not be written or read: {error.strerror}.") from error
