"""`liqwatch migrate` on PostgreSQL, and what is said there of copies."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.storage.database import Database
from bot.storage.leases import SENDER
from bot.storage.updates import Update
from tests.postgres.databases import PostgresServer
from tests.unit.app.conftest import Console
from tests.unit.storage.full_tables import stored
from tests.unit.storage.values import NOW, row, rule


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
        " && liqwatch outbox doubt"
    )


async def leave_waiting(url: str) -> int | None:
    """A message and a command that wait, a message that is claimed; and the sender's lease, held for a moment."""
    async with await Database.open(url) as db:
        await db.outbox.add([row("waits", 1), row("claimed", 2), row("sent", 3)])
        await db.updates.store([Update(7, 1, "{}")], now_ms=NOW)
        for claimed in await db.outbox.claim(NOW, "me", 60_000, 3):
            if claimed.dedupe_key == "sent":
                begun = await db.outbox.begin(claimed, now_ms=NOW, lease_ms=60_000)
                assert begun is not None
                await db.outbox.sent(begun, message_id=5, now_ms=NOW)
            elif claimed.dedupe_key == "waits":
                await db.outbox.put_back(claimed, due_ms=NOW)
        return await db.leases.take(SENDER, "a:1", valid_ms=600_000)


async def let_go(url: str, epoch: int | None) -> None:
    async with await Database.open(url) as db:
        await db.leases.release(SENDER, epoch or 0)


def test_after_a_copy_was_put_back_what_waited_in_it_is_a_repeat(url: str, liqwatch: Console) -> None:
    epoch = asyncio.run(leave_waiting(url))
    assert (
        liqwatch("outbox", "doubt").refused(1).startswith("a bot works on this database (a:1): stop it first, or wait ")
    )
    asyncio.run(let_go(url, epoch))
    [line] = liqwatch("outbox", "doubt").lines()
    assert line == "2 undelivered messages go out as silent repeats, 1 commands are not done again"
    held = stored(url)
    rows = {kept["dedupe_key"]: (kept["state"], kept["unsure"], kept["lease_owner"]) for kept in held["outbox"]}
    assert rows == {"waits": ("ambiguous", 1, None), "claimed": ("ambiguous", 1, None), "sent": ("sent", 0, None)}
    assert [(kept["payload"], kept["handled_ms"] is None) for kept in held["updates"]] == [(None, False)]
