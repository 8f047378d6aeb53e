"""Every schema there ever was migrates to the newest with its rows as they were."""

from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, Float, Integer, LargeBinary, MetaData, Table, make_url, select

from bot.storage.engine import make_migration_engine
from bot.storage.migrate import MIGRATIONS, known_revisions, migrate, newest_revision
from bot.storage.postgresql import is_postgresql

REVISIONS = sorted(known_revisions())


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


WORDS = {
    "kind": "private",
    "side": "long",
    "state": "ready",
    "active": 1,
    "appeared": 0,
    "plain": 0,
    "is_long": 1,
    "at_bankruptcy": 1,
    "exchange": "binance",
    "sound": "all",
    "units": "usd",
    "speaks": 1,
    "allowed": 1,
    "stage": "draft",
}
"""Columns whose values a check restricts."""


def value_of(table: str, column: Column[Any], number: int) -> Any:
    if table == "outbox" and column.name in {"done_ms", "lease_owner", "lease_until_ms"}:
        return None  # a message that waits is neither done nor held
    if column.name in WORDS:
        return WORDS[column.name]
    if isinstance(column.type, Integer):
        return number
    if isinstance(column.type, Float):
        return number + 0.5
    return bytes([0, 255, number]) if isinstance(column.type, LargeBinary) else f"{column.name} {number} ☃"


def reflected(connection: Connection) -> list[Table]:
    """The tables as they are, those pointed at first."""
    known = MetaData()
    known.reflect(connection)
    return [table for table in known.sorted_tables if not table.name.startswith("alembic")]


def content(connection: Connection, tables: list[Table]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of these tables in the columns that they had, whatever others they have by now."""
    return {
        table.name: sorted(tuple(row) for row in connection.execute(select(*table.columns)))  # keys come first
        for table in tables
    }


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_every_schema_come_through_whole(bare_database_url: str, revision: str) -> None:
    engine = make_migration_engine(make_url(bare_database_url))
    with engine.begin() as connection:
        upgrade(connection, revision)
        old = reflected(connection)
        for table in old:
            rows = [{column.name: value_of(table.name, column, n) for column in table.columns} for n in (1, 2, 3)]
            connection.execute(table.insert(), rows)
        before = content(connection, old)
    with engine.begin() as connection:
        migrate(connection, "here")
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == [
            newest_revision()
        ]
        assert content(connection, old) == before
        if not is_postgresql(connection):
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    engine.dispose()
    assert all(len(rows) == 3 for rows in before.values())
