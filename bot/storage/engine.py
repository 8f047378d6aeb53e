"""How a connection is opened and how its transactions begin; every SQLite pragma stands here.

What PostgreSQL wants instead stands in `postgresql`.
"""

from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from bot.storage import postgresql
from bot.storage.errors import CannotOpenError

BUSY_TIMEOUT_MS = 5_000
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "journal_size_limit=67108864",
)


def parse_url(text: str) -> URL:
    """The database's URL, for SQLite or PostgreSQL; raises CannotOpenError with a sentence for anything else."""
    try:
        url = make_url(text)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise CannotOpenError(
            "DATABASE_URL takes something like sqlite:///liqwatch.db or postgresql+psycopg://user@host/name."
        ) from error
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise CannotOpenError(f"DATABASE_URL takes sqlite or postgresql, not {url.get_backend_name()}.")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if "@" in (url.host or ""):
        raise CannotOpenError("DATABASE_URL has an @ in its password or user: write it as %40.")
    try:
        url.get_dialect().import_dbapi()
    except ModuleNotFoundError as error:
        raise CannotOpenError(_missing(url, error.name)) from error
    return url


def _missing(url: URL, package: str | None) -> str:
    if url.drivername == "postgresql+psycopg":
        return f"PostgreSQL needs the Python package {package}: make run EXTRA=scale installs it."
    return f"DATABASE_URL asks for the driver {package}: write postgresql+psycopg:// instead."


def named(url: URL) -> str:
    """A database's name for people: without the password, and without options, among which one may stand."""
    return url.set(query={}).render_as_string(hide_password=True)


def is_memory(url: URL) -> bool:
    """Whether this is SQLite without a file, which lives and dies with its one connection."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def make_engine(url: URL, *, writes: bool) -> Engine:
    """An engine whose transactions are BEGIN IMMEDIATE where it `writes`, else read-only snapshots.

    It keeps one connection, used by one thread.
    """
    if url.get_backend_name() != "sqlite":
        return postgresql.make_engine(url, writes=writes)
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False}, "poolclass": StaticPool}
    engine = create_engine(url, hide_parameters=True, **options)
    _hook(engine, begin="BEGIN IMMEDIATE" if writes else "BEGIN", query_only=not writes)
    return engine


def make_migration_engine(url: URL) -> Engine:
    """Like a writing engine, without foreign keys: rebuilding a table drops it, and must not cascade."""
    if url.get_backend_name() != "sqlite":
        return postgresql.make_migration_engine(url)
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    _hook(engine, begin="BEGIN IMMEDIATE", query_only=False, foreign_keys=False)
    return engine


def _hook(engine: Engine, *, begin: str, query_only: bool, foreign_keys: bool = True) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        # None: the driver begins nothing by itself, so that `begin` below is the only way in.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if not foreign_keys:
            connection.execute("PRAGMA foreign_keys=OFF")
        if query_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
