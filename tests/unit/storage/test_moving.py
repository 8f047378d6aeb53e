"""A SQLite database moves into PostgreSQL whole, or not at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from bot.storage.database import Database
from bot.storage.engine import make_migration_engine
from bot.storage.errors import CannotOpenError, CorruptDatabaseError, DatabaseInUseError
from bot.storage.lock import FileLock
from bot.storage.migrate import known_revisions, migrate
from bot.storage.moving import ROWS_A_CHUNK, move
from tests.postgres.databases import PostgresServer
from tests.unit.storage.full_tables import fill, stored, upgrade
from tests.unit.storage.values import row, rule


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A SQLite database with rows in every table, whose newest rule was given the number 9 and deleted."""
    url = f"sqlite:///{tmp_path}/liqwatch.db"
    engine = make_migration_engine(make_url(url))
    with engine.begin() as connection:
        migrate(connection, "here")
        fill(connection)
        connection.exec_driver_sql("DELETE FROM rule_states WHERE rule_id = 3")
        connection.exec_driver_sql("DELETE FROM rules WHERE id = 3")
        connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = 9 WHERE name = 'rules'")
        connection.exec_driver_sql("UPDATE tracks SET usd = 1e300, low = -0.0, high = 0.1 WHERE id = 'id 1 ☃'")
    engine.dispose()
    return url


@pytest.fixture
def target(postgres: PostgresServer) -> Iterator[str]:
    with postgres.bare() as url:
        yield url


async def test_every_row_arrives_and_numbers_go_on_behind_the_last_one_ever_given(source: str, target: str) -> None:
    told: list[tuple[str, int, int]] = []
    moved = move(source, target, progress=lambda *step: told.append(step))
    assert {name: sorted(rows, key=repr) for name, rows in stored(target).items()} == {
        name: sorted(rows, key=repr) for name, rows in stored(source).items()
    }
    assert moved.rows == {name: len(rows) for name, rows in stored(source).items()}
    assert {what for what, _, _ in told} >= {"copying chats", "comparing chats", "comparing outbox"}
    assert {rows for _, _, rows in told} == {2 * sum(moved.rows.values())}
    async with await Database.open(target) as db:
        assert (await db.rules.add(rule(chat=1)))[0].id == 10
        await db.outbox.add([row("new", chat=77)])
        assert [entry.id for entry in await db.outbox_desk.newest(limit=1)] == [4]
        assert (await db.broadcasts.draft("hello", now_ms=1)).id == 4


def test_what_was_made_empty_by_a_first_start_is_empty_enough(source: str, postgres: PostgresServer) -> None:
    with postgres.ready() as target:
        assert move(source, target).rows["outbox"] == 3


def test_more_than_one_chunk_is_moved_and_told_of(source: str, target: str) -> None:
    engine = make_migration_engine(make_url(source))
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO kv (key, value) VALUES (:key, 'x')"),
            [{"key": f"{number:05}"} for number in range(2 * ROWS_A_CHUNK)],
        )
    engine.dispose()
    told: list[int] = []
    move(source, target, progress=lambda what, done, rows: told.append(done))
    assert told == sorted(told)
    assert {done % ROWS_A_CHUNK for done in told[1:]} >= {0}


def test_a_target_with_rows_is_refused(source: str, postgres: PostgresServer) -> None:
    with postgres.ready() as target:
        postgres.run_text("INSERT INTO kv VALUES ('a', '1')", target)
        with pytest.raises(
            CannotOpenError, match=r"is not empty, its table kv has rows: set DATABASE_URL to a new one"
        ):
            move(source, target)
        assert stored(target)["chats"] == []


def test_a_source_that_a_bot_works_on_is_refused(source: str, target: str) -> None:
    lock = FileLock(Path(make_url(source).database or ""))
    with pytest.raises(DatabaseInUseError, match="stop that one first"):
        move(source, target)
    lock.release()
    assert stored(target) == {}


def test_a_source_of_another_version_is_refused(tmp_path: Path, target: str) -> None:
    old = f"sqlite:///{tmp_path}/old.db"
    engine = make_migration_engine(make_url(old))
    with engine.begin() as connection:
        upgrade(connection, sorted(known_revisions())[-2])
    engine.dispose()
    with pytest.raises(CannotOpenError, match=r"has an older schema: DATABASE_URL=sqlite:///.*old.db liqwatch migrate"):
        move(old, target)
    assert stored(target) == {}


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("sqlite://", "postgresql://host/name", "Only a SQLite file can be moved"),
        ("postgresql://host/name", "postgresql://host/name", "Only a SQLite file can be moved"),
        ("sqlite:///a.db", "sqlite:///b.db", "set DATABASE_URL to something like postgresql"),
        ("sqlite:///nowhere/a.db", "postgresql://host/name", "There is no database sqlite:///nowhere/a.db to move"),
    ],
)
def test_what_cannot_be_moved_is_said_in_one_sentence(source: str, target: str, said: str) -> None:
    with pytest.raises(CannotOpenError, match=said):
        move(source, target)


def test_a_text_that_postgresql_cannot_hold_stops_the_move_and_is_told_by_its_table(source: str, target: str) -> None:
    engine = make_migration_engine(make_url(source))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO kv VALUES ('a', :value)"), {"value": "x\0secret"})
    engine.dispose()
    with pytest.raises(CorruptDatabaseError, match=r"cannot hold a row of kv in sqlite.*nothing was moved") as refused:
        move(source, target)
    assert "secret" not in str(refused.value)
    assert stored(target) == {}


def test_a_row_that_arrives_changed_stops_the_move(source: str, postgres: PostgresServer) -> None:
    with postgres.ready() as target:
        postgres.run_text(
            "CREATE FUNCTION round_up() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.usd := NEW.usd + 1; RETURN NEW; END'",
            target,
        )
        postgres.run_text("CREATE TRIGGER t BEFORE INSERT ON tracks FOR EACH ROW EXECUTE FUNCTION round_up()", target)
        with pytest.raises(CorruptDatabaseError, match="What arrived in tracks is not what was sent"):
            move(source, target)
        assert not any(stored(target).values())
        postgres.run_text("DROP FUNCTION round_up CASCADE", target)


_MOVER = """
import sys
from bot.storage.moving import move

def wait(what, done, rows):
    if what == "comparing outbox":
        print("here", flush=True)
        sys.stdin.read()

move(sys.argv[1], sys.argv[2], progress=wait)
"""


def test_a_move_that_is_killed_leaves_the_target_empty_and_can_be_done_again(source: str, target: str) -> None:
    mover = subprocess.Popen(
        [sys.executable, "-c", _MOVER, source, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert mover.stdout is not None
    assert mover.stdout.readline() == "here\n"
    os.kill(mover.pid, signal.SIGKILL)
    mover.communicate()
    assert stored(target) == {}
    assert move(source, target).rows["outbox"] == 3
