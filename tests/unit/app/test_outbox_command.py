"""`liqwatch outbox`: what waits, what ended badly, and a second chance, also while a bot holds the database."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.storage.database import Database
from bot.storage.lock import FileLock
from bot.storage.outbox import Claimed, OutboxRow
from tests.unit.app.conftest import Console

NOW = 1_765_000_000_000
LEASE = 60_000


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Path]:
    """#1 dead, #2 waiting, #3 being sent, in a database that a bot holds."""

    async def fill() -> None:
        async with await Database.open(f"sqlite:///{tmp_path}/liqwatch.db") as db:
            await db.outbox.add([OutboxRow(f"key-{chat}", chat, {"text": f"to {chat}"}, NOW) for chat in (7, 8, 9)])
            dead, waiting, flying = await db.outbox.claim(NOW, "me", LEASE, 10)
            await db.outbox.begin(dead, now_ms=NOW, lease_ms=LEASE)
            await db.chats.deactivate(7, "Forbidden: bot was blocked by the user", now_ms=NOW)
            await db.outbox.put_back(waiting, due_ms=NOW)
            await db.outbox.begin(flying, now_ms=NOW, lease_ms=LEASE)

    asyncio.run(fill())
    bot = FileLock(tmp_path / "liqwatch.db")
    yield tmp_path / "liqwatch.db"
    bot.release()


@asynccontextmanager
async def looked_at(path: Path) -> AsyncIterator[Database]:
    async with await Database.beside(f"sqlite:///{path}") as db:
        yield db


def claimed(path: Path) -> list[Claimed]:
    async def claim() -> list[Claimed]:
        async with looked_at(path) as db:
            return list(await db.outbox.claim(2 * NOW, "other", LEASE, 10))

    return asyncio.run(claim())


def test_what_is_not_delivered_is_listed_with_its_reason_beside_a_running_bot(outbox: Path, liqwatch: Console) -> None:
    lines = liqwatch("outbox").lines()
    assert [line.strip() for line in lines[:3]] == [
        "1 wait (ready)",
        "1 are being sent (sending)",
        "1 ended undelivered (dead)",
    ]
    assert [line.split("  ")[:3] for line in lines[3:]] == [
        ["#3", "sending", "chat 9"],
        ["#2", "ready", "chat 8"],
        ["#1", "dead", "chat 7"],
    ]
    assert lines[-1].endswith("Forbidden: bot was blocked by the user")
    [found] = liqwatch("outbox", "list", "--state", "dead", "--json").lines()
    assert json.loads(found)["payload"] == {"text": "to 7"}
    assert "content" in liqwatch("outbox", "show", 2).out


def test_a_dead_message_is_queued_again_and_no_other(outbox: Path, liqwatch: Console) -> None:
    assert liqwatch("outbox", "requeue", 1, 2).lines() == [
        "message 1 is due again",
        "message 2 is ready: only dead ones are queued again",
    ]
    assert [row.id for row in claimed(outbox)] == [2, 1]


def test_only_what_waits_is_dropped_and_all_that_is_dead_comes_back_at_once(outbox: Path, liqwatch: Console) -> None:
    assert liqwatch("outbox", "drop", 2, 3).lines() == [
        "message 2 is dropped",
        "message 3 is sending: it does not wait",
    ]
    assert "dropped by an operator" in liqwatch("outbox", "show", 2).out
    assert liqwatch("outbox", "requeue", "--all").lines() == ["message 1 is due again", "message 2 is due again"]
    assert liqwatch("outbox", "requeue", "--all").lines() == ["no message is dead"]


def test_a_message_that_may_have_arrived_is_a_repeat_when_it_is_queued_again(outbox: Path, liqwatch: Console) -> None:
    async def doubt_then_bury() -> None:
        async with looked_at(outbox) as db:
            [row] = await db.outbox.claim(NOW, "me", LEASE, 1)
            begun = await db.outbox.begin(row, now_ms=NOW, lease_ms=LEASE)
            assert begun is not None
            await db.outbox.doubt(begun, due_ms=NOW, error="no reply")
            [row] = await db.outbox.claim(NOW, "me", LEASE, 1)
            await db.outbox.bury(row, error="no reply again", now_ms=NOW)

    asyncio.run(doubt_then_bury())
    liqwatch("outbox", "requeue", 2).lines()
    [row] = claimed(outbox)
    assert (row.id, row.repeat) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("list", "--state", "lost"), 2, "--state takes one of ready, sending, ambiguous, sent, dead, not 'lost'"),
        (("requeue",), 2, "requeue takes the ids of dead messages, or --all"),
        (("requeue", "1", "--all"), 2, "requeue takes the ids of dead messages, or --all"),
        (("show", "99"), 1, "the outbox holds no message 99"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    outbox: Path, liqwatch: Console, words: tuple[str, ...], code: int, said: str
) -> None:
    assert liqwatch("outbox", *words).refused(code) == said


def test_where_there_is_no_database_it_says_so(liqwatch: Console) -> None:
    assert liqwatch("outbox").refused(1).startswith("There is no database sqlite:///liqwatch.db")


def test_a_database_of_an_older_schema_is_left_to_migrate(outbox: Path, liqwatch: Console) -> None:
    async def age() -> None:
        async with looked_at(outbox) as db:
            await db._access.write(lambda connection: connection.exec_driver_sql("DELETE FROM alembic_version"))

    asyncio.run(age())
    assert "older schema" in liqwatch("outbox").refused(1)
