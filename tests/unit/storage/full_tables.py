"""A database of any schema there ever was, full of rows, and what it holds."""

from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, Float, Integer, LargeBinary, MetaData, Table, make_url, select

from bot.storage.engine import make_migration_engine
from bot.storage.migrate import MIGRATIONS


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
    "role": "worker",
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


def fill(connection: Connection) -> list[Table]:
    """Three rows in every table there is, every column of which says something."""
    tables = reflected(connection)
    for table in tables:
        rows = [{column.name: value_of(table.name, column, n) for column in table.columns} for n in (1, 2, 3)]
        connection.execute(table.insert(), rows)
    return tables


def content(connection: Connection, tables: list[Table]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of these tables in the columns that they had, whatever others they have by now."""
    return {
        table.name: sorted(tuple(row) for row in connection.execute(select(*table.columns)))  # keys come first
        for table in tables
    }


def stored(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, read beside whoever works on the database."""
    engine = make_migration_engine(make_url(url))
    with engine.begin() as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in reflected(connection)
        }
    engine.dispose()
    return rows
