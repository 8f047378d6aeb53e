"""A backup is made beside a running bot, checked, and can be put back; nothing is ever overwritten."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.storage.backup import back_up
from bot.storage.database import Database
from bot.storage.errors import CorruptDatabaseError
from bot.storage.lock import FileLock
from bot.storage.outbox import OutboxRow
from bot.storage.updates import Update
from tests.unit.app.conftest import Console
from tests.unit.storage.values import NOW, rule


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two rules; a message sent, one being sent, one waiting; a command that waits."""

    async def fill() -> None:
        async with await Database.open(f"sqlite:///{tmp_path}/liqwatch.db") as db:
            for chat in (1, 2):
                await db.rules.add(rule(chat))
            await db.outbox.add([OutboxRow(f"key-{chat}", chat, {}, NOW) for chat in (1, 2, 3)])
            sent, sending, waiting = await db.outbox.claim(NOW, "me", 60_000, 3)
            for row in (sent, sending):
                begun = await db.outbox.begin(row, now_ms=NOW, lease_ms=60_000)
                assert begun is not None
                if row is sent:
                    await db.outbox.sent(begun, message_id=5, now_ms=NOW)
            await db.outbox.put_back(waiting, due_ms=NOW)
            await db.updates.store([Update(7, 1, "{}")], now_ms=NOW)

    asyncio.run(fill())
    return tmp_path / "liqwatch.db"


@pytest.fixture
def running_bot(database: Path) -> Iterator[None]:
    lock = FileLock(database)
    yield
    lock.release()


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    found = connection.execute(statement).fetchall()
    connection.close()
    return found


@pytest.mark.usefixtures("running_bot")
def test_a_backup_is_made_beside_a_running_bot_and_only_its_owner_may_read_it(
    database: Path, liqwatch: Console
) -> None:
    [line] = liqwatch("backup", "copy.db").lines()
    assert line.startswith("backed up to copy.db: 2 rules, 3 messages, ")
    copy = database.with_name("copy.db")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(path.name for path in database.parent.iterdir() if "copy" in path.name) == ["copy.db"]
    assert rows(copy, "SELECT count(*) FROM outbox") == [(3,)]


def test_a_backup_never_overwrites(database: Path, liqwatch: Console) -> None:
    database.with_name("copy.db").write_text("precious")
    assert "exists already" in liqwatch("backup", "copy.db").refused(1)
    assert database.with_name("copy.db").read_text() == "precious"


@pytest.mark.usefixtures("running_bot")
def test_a_restore_refuses_while_a_bot_runs(database: Path, liqwatch: Console) -> None:
    liqwatch("backup", "copy.db").lines()
    assert "in use by another Liqwatch" in liqwatch("restore", "copy.db").refused(1)


def test_a_restore_brings_back_what_was_and_marks_what_may_have_been_sent_since(
    database: Path, liqwatch: Console
) -> None:
    liqwatch("backup", "copy.db").lines()
    asyncio.run(change(database))
    lines = liqwatch("restore", "copy.db").lines()
    assert lines[0].startswith("restored sqlite:///liqwatch.db from copy.db: 2 rules, 3 messages")
    assert lines[1:3] == [
        "2 undelivered messages go out as silent repeats: they may have been sent since",
        "1 commands that waited are not done again",
    ]
    states = rows(database, "SELECT state, unsure, lease_owner FROM outbox ORDER BY id")
    assert states == [("sent", 0, None), ("ambiguous", 1, None), ("ambiguous", 1, None)]
    assert rows(database, "SELECT count(*) FROM updates WHERE handled_ms IS NULL") == [(0,)]
    kept = Path(lines[3].removeprefix("the database that was there is kept as "))
    assert rows(database.parent / kept, "SELECT count(*) FROM rules WHERE deleted_ms IS NULL") == [(3,)]
    asyncio.run(open_again(database))


async def change(path: Path) -> None:
    async with await Database.open(f"sqlite:///{path}") as db:
        await db.rules.add(rule(9))


async def open_again(path: Path) -> None:
    async with await Database.open(f"sqlite:///{path}") as db:
        assert [found.chat for found in await db.rules.all()] == [1, 2]


def test_a_restore_into_an_empty_folder_needs_no_old_database(database: Path, liqwatch: Console) -> None:
    liqwatch("backup", "copy.db").lines()
    for path in database.parent.glob("liqwatch.db*"):
        path.unlink()
    assert len(liqwatch("restore", "copy.db").lines()) == 3
    assert rows(database, "SELECT count(*) FROM rules") == [(2,)]


@pytest.mark.parametrize("what", ["text", "cut", "flipped", "foreign", "newer"])
def test_what_is_no_sound_backup_is_refused_and_changes_nothing(database: Path, liqwatch: Console, what: str) -> None:
    liqwatch("backup", "copy.db").lines()
    copy, before = database.with_name("copy.db"), database.read_bytes()
    spoil(copy, what)
    said = liqwatch("restore", "copy.db").refused(1)
    assert "copy.db" in said
    assert database.read_bytes() == before
    assert not list(database.parent.glob("*restor*"))


def spoil(copy: Path, what: str) -> None:
    data = copy.read_bytes()
    match what:
        case "text":
            copy.write_text("no database")
        case "cut":
            copy.write_bytes(data[: len(data) // 2])
        case "flipped":
            copy.write_bytes(data[:8192] + b"\xff" * 4096 + data[12288:])
        case "foreign":
            copy.unlink()
            rows(copy, "CREATE TABLE other (x)")
        case _:
            connection = sqlite3.connect(copy)
            with connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.close()


def test_a_backup_of_a_busy_database_is_one_moment_of_it(database: Path, tmp_path: Path) -> None:
    """Each commit adds a rule and a message together: a copy with more of one than of the other is torn."""
    stop, begun = threading.Event(), threading.Event()

    def write() -> None:
        connection = sqlite3.connect(database, timeout=30, isolation_level=None)
        number = 0
        while not stop.is_set():
            number += 1
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO kv VALUES (?, ?)", (f"k{number}", "v" * 2000))
            connection.execute(
                "INSERT INTO slots VALUES ('busy', '', '', ?, ?)",
                (number, number),
            )
            connection.execute("COMMIT")
            begun.set()
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(10)
    try:
        for number in range(5):
            copied = back_up(f"sqlite:///{database}", tmp_path / f"copy-{number}.db")
            assert copied.rows["kv"] == copied.rows["slots"] > 0
    finally:
        stop.set()
        writer.join()


def test_a_damaged_database_is_not_backed_up_as_if_it_were_sound(database: Path, tmp_path: Path) -> None:
    data = database.read_bytes()
    database.write_bytes(data[:8192] + b"\xff" * 4096 + data[12288:])
    with pytest.raises(CorruptDatabaseError):
        back_up(f"sqlite:///{database}", tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy*"))
