"""Every schema there ever was migrates to the newest with its rows as they were."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url

from bot.storage.engine import make_migration_engine
from bot.storage.migrate import MIGRATIONS, known_revisions, migrate, newest_revision

REVISIONS = sorted(known_revisions())


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def tables(connection: sqlite3.Connection) -> list[str]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
    return [name for (name,) in names if not name.startswith(("sqlite_", "alembic"))]


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


def value_of(table: str, name: str, kind: str, number: int) -> Any:
    if table == "outbox" and name in {"done_ms", "lease_owner", "lease_until_ms"}:
        return None  # a message that waits is neither done nor held
    if name in WORDS:
        return WORDS[name]
    values = {"INTEGER": number, "REAL": number + 0.5, "BLOB": bytes([0, 255, number]), "TEXT": f"{name} {number} ☃"}
    return values[kind]


def fill(connection: sqlite3.Connection) -> None:
    """Three rows in every table, every column of which says something."""
    connection.execute("PRAGMA foreign_keys = ON")
    for table in tables(connection):
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        for number in (1, 2, 3):
            values = [value_of(table, name, kind, number) for _, name, kind, *_ in columns]
            marks = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608
    connection.commit()


def content(connection: sqlite3.Connection, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608
        for table, names in columns.items()
    }


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_every_schema_come_through_whole(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "old.db"
    engine = make_migration_engine(make_url(f"sqlite:///{path}"))
    with engine.begin() as connection:
        upgrade(connection, revision)
    old = sqlite3.connect(path)
    fill(old)
    columns = {table: [row[1] for row in old.execute(f"PRAGMA table_info({table})")] for table in tables(old)}
    before = content(old, columns)
    old.close()
    with engine.begin() as connection:
        migrate(connection, "here")
    engine.dispose()
    new = sqlite3.connect(path)
    assert new.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest_revision(),)]
    assert content(new, columns) == before
    assert new.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert new.execute("PRAGMA foreign_key_check").fetchall() == []
    new.close()
    assert all(len(rows) == 3 for rows in before.values())
