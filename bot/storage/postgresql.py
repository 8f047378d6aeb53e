"""What PostgreSQL needs and SQLite does not: time limits, a look at the server, text ordered as bytes are."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text

from bot.storage.errors import CannotOpenError
from bot.storage.tables import metadata

LEAST_VERSION = 14
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
MIGRATION_WAIT_MS = 120_000
"""How long one that starts waits for another that migrates."""

_CONNECT = {
    "application_name": "liqwatch",
    "connect_timeout": 5,
    # A server that went away without a word is noticed within a minute.
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_MIGRATING = 7_355_608
"""The key of the advisory lock that whoever migrates holds; any number does that nobody else uses."""


def is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def make_engine(url: URL, *, writes: bool) -> Engine:
    """An engine of one connection, whose transactions are read-only snapshots unless it `writes`."""
    engine = create_engine(
        url, connect_args=_connect_args(url), pool_size=1, max_overflow=1, pool_timeout=10, hide_parameters=True
    )
    _hook(engine, statement_timeout_ms=STATEMENT_TIMEOUT_MS, lock_timeout_ms=LOCK_TIMEOUT_MS, snapshot=not writes)
    return engine


def make_migration_engine(url: URL) -> Engine:
    """One whose statements may take as long as they need."""
    engine = create_engine(url, connect_args=_connect_args(url), poolclass=NullPool, hide_parameters=True)
    _hook(engine, statement_timeout_ms=0, lock_timeout_ms=MIGRATION_WAIT_MS, snapshot=False)
    return engine


def check_server(connection: Connection, where: str) -> None:
    """Raise CannotOpenError where the server is too old, or the database cannot hold every language's text."""
    version = server_version(connection)
    if version[0] < LEAST_VERSION:
        raise CannotOpenError(
            f"The database {where} is on PostgreSQL {'.'.join(map(str, version))}:"
            f" Liqwatch needs {LEAST_VERSION} or newer."
        )
    encoding = _encoding(connection)
    if encoding != "UTF8":
        raise CannotOpenError(
            f"The database {where} holds text as {encoding}: make one with"
            " CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8'."
        )


def client_url(url: URL) -> str:
    """The address as PostgreSQL's own programs take it, without the password."""
    place = {name: value for name, value in url.query.items() if name in ("host", "port")}
    return URL.create("postgresql", url.username, None, url.host, url.port, url.database, place).render_as_string()


@dataclass(frozen=True, slots=True)
class Server:
    """What an operator wants to know of it: such as "15.18", "UTF8", and the bytes that the database takes."""

    version: str
    encoding: str
    size: int


def read_server(connection: Connection) -> Server:
    size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    return Server(".".join(map(str, server_version(connection))), _encoding(connection), size)


def _encoding(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SHOW server_encoding").scalar_one())


def server_version(connection: Connection) -> tuple[int, ...]:
    """The server's version, such as (15, 18)."""
    return tuple(int(part) for part in connection.dialect.server_version_info or (0,))


def wait_for_other_migrations(connection: Connection) -> None:
    """Two processes may start at once: the second goes on when the first has committed."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})


def order_text_by_bytes(connection: Connection) -> None:
    """Give every text column the collation that SQLite has.

    Else the database's locale decides how keys compare, and no index serves a search for what they begin with.
    """
    found = connection.execute(_OTHERWISE_ORDERED, {"tables": list(metadata.tables)}).all()
    changes: dict[str, list[str]] = {}
    for table, column in found:
        changes.setdefault(table, []).append(f'ALTER COLUMN "{column}" TYPE text COLLATE "C"')
    for table, altered in changes.items():
        connection.exec_driver_sql(f'ALTER TABLE "{table}" {", ".join(altered)}')


_OTHERWISE_ORDERED = text(
    "SELECT c.relname, a.attname FROM pg_attribute a"
    " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation o ON o.oid = a.attcollation"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname = ANY(:tables)"
    " AND a.atttypid = 'text'::regtype AND o.collname <> 'C' AND NOT a.attisdropped ORDER BY 1, a.attnum"
)


def _connect_args(url: URL) -> dict[str, Any]:
    """What the URL itself says of these goes before."""
    return {name: value for name, value in _CONNECT.items() if name not in url.query}


def _hook(engine: Engine, *, statement_timeout_ms: int, lock_timeout_ms: int, snapshot: bool) -> None:
    limits = {
        "statement_timeout": statement_timeout_ms,
        "lock_timeout": lock_timeout_ms,
        # Twice that long nothing is asked within a transaction only where its process stands still.
        "idle_in_transaction_session_timeout": 2 * statement_timeout_ms,
    }
    listed = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in limits.items())

    @event.listens_for(engine, "connect")
    def limit_session(connection: Any, _record: object) -> None:
        # Statements rather than libpq's `options`, which connection poolers refuse.
        connection.execute(f"SELECT {listed}")
        connection.commit()
        if snapshot:
            connection.isolation_level = 3  # REPEATABLE READ
            connection.read_only = True
