"""The statements both databases spell alike but SQLAlchemy keeps per dialect."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from bot.storage.postgresql import is_postgresql

Row = dict[str, Any]


def insert_or(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that may say what becomes of a conflict."""
    return postgresql.insert(table) if is_postgresql(connection) else sqlite.insert(table)


def alone_with(connection: Connection, what: Iterable[str]) -> None:
    """Until the transaction ends nobody else passes here with any of these words: for what is read and then rewritten.

    SQLite has one writer at a time anyway.
    """
    if is_postgresql(connection):
        # In one order for everybody, so that no two wait for each other.
        connection.execute(_ALONE, {"words": sorted(what)})


_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(word, 0)) FROM unnest(:words ::text[]) AS word")


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or overwrite the columns they name where the primary key is there already."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = insert_or(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def insert_all_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose primary key is not there yet."""
    if rows:
        connection.execute(insert_or(connection, table).on_conflict_do_nothing(), list(rows))


def insert_new(connection: Connection, table: Table, row: Row, *, unique: Sequence[str]) -> bool:
    """Insert one row unless its unique columns are taken; tells whether it went in."""
    statement = insert_or(connection, table).on_conflict_do_nothing(index_elements=list(unique))
    # Not the row count: not every driver gives one for an INSERT.
    return connection.execute(statement.returning(table.c[unique[0]]), row).first() is not None
