"""The way up to a new version and the way back, as README.md describes them, on a database with data."""

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.storage.database import Database
from bot.storage.engine import make_migration_engine
from bot.storage.lock import FileLock
from bot.storage.migrate import known_revisions, newest_revision
from tests.unit.app.conftest import Console
from tests.unit.storage.full_tables import fill, upgrade
from tests.unit.storage.values import rule

BEFORE_LAST = sorted(known_revisions())[-2]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The database of the version before this one, with rows in every table."""
    path = tmp_path / "liqwatch.db"
    engine = make_migration_engine(make_url(f"sqlite:///{path}"))
    with engine.begin() as connection:
        upgrade(connection, BEFORE_LAST)
        fill(connection)
    engine.dispose()
    return path


def ask(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as file, file:
        return file.execute(statement).fetchall()


REVISION = "SELECT version_num FROM alembic_version"
RULES = "SELECT id, chat, created_ms FROM rules ORDER BY id"


def test_backup_upgrade_rollback(old: Path, liqwatch: Console) -> None:
    rules = ask(old, RULES)
    liqwatch("backup", "before.db").lines()
    assert ask(old, REVISION) == [(BEFORE_LAST,)], "a backup upgrades nothing"
    [line] = liqwatch("migrate").lines()
    assert line.endswith("has this version's schema")
    assert (ask(old, REVISION), ask(old, RULES)) == ([(newest_revision(),)], rules)
    ask(old, "DELETE FROM rules WHERE id = 3")
    lines = liqwatch("restore", "before.db").lines()
    assert lines[0].startswith("restored sqlite:///liqwatch.db from before.db: 3 rules")
    assert (ask(old, REVISION), ask(old, RULES)) == ([(BEFORE_LAST,)], rules), "as the old version knew it"
    kept = old.parent / lines[-1].removeprefix("the database that was there is kept as ")
    assert ask(kept, REVISION) == [(newest_revision(),)]


@pytest.mark.parametrize("words", [("migrate",), ("outbox",), ("restore", "newer.db"), ("run",)])
def test_what_a_newer_version_wrote_is_refused_in_one_sentence_and_left_alone(
    old: Path, liqwatch: Console, words: tuple[str, ...]
) -> None:
    ask(old, "UPDATE alembic_version SET version_num = '9999'")
    old.with_name("newer.db").write_bytes(old.read_bytes())
    before = old.read_bytes()
    said = liqwatch(*words).refused(1)
    assert "newer Liqwatch" in said
    assert "9999" in said
    assert old.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can work for somebody else")
def test_what_root_does_for_the_service_leaves_the_service_its_files(old: Path, liqwatch: Console) -> None:
    service = 61_234
    liqwatch("backup", "before.db").lines()
    for path in (old.parent, old):
        os.chown(path, service, service)
    liqwatch("restore", "before.db").lines()
    assert {path.name: path.stat().st_uid for path in old.parent.glob("liqwatch.db*")} == {
        path.name: service for path in old.parent.glob("liqwatch.db*")
    }
    lock = old.with_name("liqwatch.db-lock")
    lock.unlink()
    FileLock(old).release()
    assert (lock.stat().st_uid, lock.stat().st_gid) == (service, service)

    async def work_on() -> None:
        async with await Database.open(f"sqlite:///{old}") as db:
            await db.rules.add(rule(4))

    asyncio.run(work_on())
    assert {path.stat().st_uid for path in old.parent.glob("liqwatch.db*")} == {service}
