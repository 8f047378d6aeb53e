"""Bring a database to the newest schema, or refuse it with a sentence."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import bot
from bot.storage.errors import CannotOpenError, CorruptDatabaseError, NewerDatabaseError
from bot.storage.postgresql import check_server, is_postgresql, order_text_by_bytes, wait_for_other_migrations

# Beside `bot` both in a checkout and where the package is installed.
MIGRATIONS = Path(bot.__file__).resolve().parents[1] / "migrations"


@cache
def newest_revision() -> str:
    """The revision this version of Liqwatch writes."""
    revision = _scripts().get_current_head()
    if revision is None:
        raise CorruptDatabaseError(f"Liqwatch is not completely installed: {MIGRATIONS} holds no migrations.")
    return revision


@cache
def known_revisions() -> frozenset[str]:
    """Every revision this version can read or migrate."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def migrate(connection: Connection, where: str) -> None:
    """Run what is missing, inside the connection's open transaction: all of it or nothing.

    Raises NewerDatabaseError where the database knows a revision this version does not, CannotOpenError where the
    server cannot hold it.
    """
    if is_postgresql(connection):
        check_server(connection, where)
        wait_for_other_migrations(connection)
    if is_newest(connection, where):
        return
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if is_postgresql(connection):
        order_text_by_bytes(connection)
    _check_foreign_keys(connection, where)


def check_newest(connection: Connection, where: str) -> None:
    """Raise CannotOpenError or NewerDatabaseError where the schema is not this version's own."""
    if not is_newest(connection, where):
        raise CannotOpenError(f"The database {where} has an older schema: run liqwatch migrate once.")


def is_newest(connection: Connection, where: str) -> bool:
    """Whether the schema is this version's own. Raises NewerDatabaseError."""
    return tuple(_present(connection, where)) == (newest_revision(),)


def _present(connection: Connection, where: str) -> Sequence[str]:
    """The revisions a database has. Raises NewerDatabaseError."""
    known = known_revisions()
    present = MigrationContext.configure(connection).get_current_heads()
    unknown = sorted(set(present) - known)
    if unknown:
        raise NewerDatabaseError(
            f"A newer Liqwatch wrote the database {where} (its schema {unknown[0]} is not known here):"
            " install that version, or set DATABASE_URL to another database."
        )
    return present


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _check_foreign_keys(connection: Connection, where: str) -> None:
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise CorruptDatabaseError(f"The database {where} holds rows that point at nothing; it was left as it was.")
