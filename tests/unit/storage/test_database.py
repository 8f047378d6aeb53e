"""Opening, refusing, failing and coming back."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.alerts.types import Changes
from bot.storage.database import Database
from bot.storage.engine import make_engine
from bot.storage.errors import (
    CannotOpenError,
    ClosedError,
    CorruptDatabaseError,
    DatabaseBusyError,
    DatabaseInUseError,
    DiskFullError,
    ReadOnlyError,
    StorageError,
)
from tests.fakes.faulty_disk import FULL, IMPATIENT, READ_ONLY, FaultyDisk
from tests.postgres.kinds import sqlite_only
from tests.unit.storage.values import NOW, row


@sqlite_only
async def test_a_second_opening_of_the_same_file_is_refused(db: Database, url: str) -> None:
    with pytest.raises(DatabaseInUseError, match=r"in use by another Liqwatch \(process \d+\)"):
        await Database.open(url)


async def test_a_closed_database_can_be_opened_again_and_remembers(url: str) -> None:
    async with await Database.open(url) as db:
        await db.kv.set("place", {"offset": 7})
    async with await Database.open(url) as db:
        assert await db.kv.get("place") == {"offset": 7}


async def test_a_database_in_memory_needs_no_file() -> None:
    async with await Database.open("sqlite://") as db:
        await db.kv.set("a", 1)
        assert await db.kv.get("a") == 1


async def test_inline_work_is_done_before_the_loop_runs_on() -> None:
    db = await Database.open("sqlite://", inline=True)
    order: list[str] = []
    asyncio.get_running_loop().call_soon(order.append, "loop")
    await db.kv.set("a", 1)
    order.append("stored")
    await asyncio.sleep(0)
    await db.close()
    assert order == ["stored", "loop"]


@sqlite_only
async def test_the_pragmas_of_safety_are_set(db: Database, url: str) -> None:
    engine = make_engine(make_url(url), writes=True)
    with engine.begin() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


async def test_a_missing_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotOpenError, match="does its folder exist"):
        await Database.open(f"sqlite:///{tmp_path}/nowhere/liqwatch.db")


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, " * 500)
    for _ in range(2):
        with pytest.raises(CorruptDatabaseError, match="not a database"):
            await Database.open(f"sqlite:///{path}")
    assert path.read_text() == "Dear reader, " * 500


@pytest.mark.parametrize("url", ["", "liqwatch.db", "mysql://host/name", "oracle://x", "sqlite+nothing:///x"])
async def test_a_wrong_url_is_explained(url: str) -> None:
    with pytest.raises(CannotOpenError, match=r"DATABASE_URL takes"):
        await Database.open(url)


async def test_another_driver_than_ours_is_told_what_to_write() -> None:
    with pytest.raises(CannotOpenError, match=r"the driver pg8000: write postgresql\+psycopg:// instead"):
        await Database.open("postgresql+pg8000://host/name")


def test_without_the_driver_it_is_said_how_to_install_it() -> None:
    """In a process of its own, which is told that there is none."""
    program = (
        "import sys; sys.modules['psycopg'] = None; from bot.storage.engine import parse_url;"
        " from bot.storage.errors import CannotOpenError\n"
        "try: parse_url('postgresql://user:secret@host/name')\n"
        "except CannotOpenError as refused: print(refused)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "PostgreSQL needs the Python package psycopg: make run EXTRA=scale installs it.\n"


async def test_nothing_works_after_close(db: Database) -> None:
    await db.close()
    with pytest.raises(ClosedError):
        await db.kv.get("a")


async def test_work_asked_for_before_close_is_finished(url: str) -> None:
    db = await Database.open(url)
    writes = [asyncio.ensure_future(db.kv.set(f"k{i}", i)) for i in range(20)]
    await asyncio.sleep(0)
    await db.close()
    await asyncio.gather(*writes)
    async with await Database.open(url) as again:
        assert [await again.kv.get(f"k{i}") for i in range(20)] == list(range(20))


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[FaultyDisk]:
    disk = await FaultyDisk.open(tmp_path)
    yield disk
    await disk.db.close()


async def test_a_full_disk_is_said_and_writing_goes_on_when_there_is_space(disk: FaultyDisk) -> None:
    disk.suffer(FULL)
    for _ in range(2):
        with pytest.raises(DiskFullError, match="the disk is full"):
            await disk.db.kv.set("long", "x" * 1_000_000)
    assert await disk.db.kv.get("long") is None
    disk.heal()
    await disk.db.kv.set("long", "x" * 1_000_000)
    assert len(await disk.db.kv.get("long")) == 1_000_000


async def test_a_read_only_database_is_said_and_writing_goes_on_when_it_may(disk: FaultyDisk) -> None:
    disk.suffer(READ_ONLY)
    with pytest.raises(ReadOnlyError, match="read-only"):
        await disk.db.kv.set("a", 1)
    disk.heal()
    await disk.db.kv.set("a", 1)
    assert await disk.db.kv.get("a") == 1


async def test_a_foreign_lock_is_said_and_writing_goes_on_when_it_is_gone(disk: FaultyDisk, tmp_path: Path) -> None:
    disk.suffer(IMPATIENT)
    other = sqlite3.connect(tmp_path / "liqwatch.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusyError, match="keeps it locked"):
        await disk.db.kv.set("a", 1)
    other.execute("ROLLBACK")
    other.close()
    await disk.db.kv.set("a", 1)
    assert await disk.db.kv.get("a") == 1


async def test_a_commit_that_fails_stores_nothing_of_it(disk: FaultyDisk) -> None:
    disk.suffer(FULL)
    rows = [row("small"), row("x" * 1_000_000)]
    with pytest.raises(StorageError):
        await disk.db.commit_changes(Changes(), rows, now_ms=NOW)
    disk.heal()
    assert await disk.db.outbox.counts() == {}
    assert await disk.db.commit_changes(Changes(), rows, now_ms=NOW) == 2
