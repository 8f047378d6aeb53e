"""`liqwatch migrate` on PostgreSQL, and what is said there of copies."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.storage.database import Database
from tests.postgres.databases import PostgresServer
from tests.unit.app.conftest import Console
from tests.unit.storage.values import rule


@pytest.fixture
def url(postgres: PostgresServer, liqwatch: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database, which the console's DATABASE_URL names."""
    with postgres.bare() as url:
        monkeypatch.setenv("DATABASE_URL", url)
        yield url


@pytest.fixture
def shown(url: str) -> str:
    return url.partition("?")[0]


async def keep_rules(url: str, *chats: int) -> None:
    async with await Database.open(url) as db:
        for chat in chats:
            await db.rules.add(rule(chat))


def test_a_sqlite_database_is_moved_and_the_bot_goes_on_from_the_new_one(
    tmp_path: Path, url: str, shown: str, liqwatch: Console
) -> None:
    asyncio.run(keep_rules(f"sqlite:///{tmp_path}/liqwatch.db", 1, 2, 2))
    assert liqwatch("migrate", "--from", "sqlite:///liqwatch.db").lines() == [
        f"moved sqlite:///liqwatch.db to {shown}: 2 rules of 2 chats, 0 messages, 4 rows in 2 tables,"
        " counted and compared",
        "the file is left as it was: with DATABASE_URL as it is now the bot goes on from the new database",
    ]
    assert liqwatch("migrate").lines() == [f"the database {shown} has this version's schema"]
    assert "is not empty" in liqwatch("migrate", "--from", "sqlite:///liqwatch.db").refused(1)


@pytest.mark.usefixtures("url")
def test_what_is_not_there_is_said(liqwatch: Console) -> None:
    said = liqwatch("migrate", "--from", "sqlite:///nowhere.db").refused(1)
    assert said == "There is no database sqlite:///nowhere.db to move."


def test_copies_are_made_by_tools_of_its_own(url: str, liqwatch: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://liqwatch:secret@db:5433/watch?sslmode=require")
    tools = "PostgreSQL has its own tool for this, which asks for the password: "
    address = "'postgresql://liqwatch@db:5433/watch'"
    assert liqwatch("backup", "a.dump").refused(1) == f"{tools}pg_dump --format=custom --file=a.dump --dbname={address}"
    assert (
        liqwatch("restore", "a.dump").refused(1)
        == f"{tools}pg_restore --clean --if-exists --single-transaction --dbname={address} a.dump"
    )
