"""The schema that migrations make is the one the code speaks."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, make_url, text

from bot.storage.database import Database
from bot.storage.engine import make_migration_engine
from bot.storage.errors import CorruptDatabaseError, NewerDatabaseError
from bot.storage.migrate import migrate, newest_revision
from bot.storage.tables import metadata


@pytest.fixture
def engine(url: str) -> Engine:
    return make_migration_engine(make_url(url))


def schema(connection: Connection) -> set[str]:
    rows = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
    )
    return {" ".join(sql.split()) for sql in rows.scalars()}


def test_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection, "here")
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        migrated = schema(connection)
        for name in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all():
            if name in metadata.tables:
                connection.exec_driver_sql(f"DROP TABLE {name}")
        metadata.create_all(connection)
        assert schema(connection) == migrated


def test_every_table_is_strict(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection, "here")
        strict = {
            row.name: row.strict for row in connection.exec_driver_sql("PRAGMA table_list") if row.type == "table"
        }
    assert {name: strict[name] for name in metadata.tables} == dict.fromkeys(metadata.tables, 1)


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection, "here")
        before = schema(connection)
        migrate(connection, "here")
        assert schema(connection) == before


def test_a_migration_cut_short_leaves_nothing(engine: Engine) -> None:
    def cut_short() -> None:
        with engine.begin() as connection:
            migrate(connection, "here")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        cut_short()
    with engine.begin() as connection:
        assert schema(connection) == set()


def test_rows_that_point_at_nothing_stop_a_migration(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection, "here")
        connection.exec_driver_sql("INSERT INTO rule_states VALUES (99, 't1', 'armed', 0, 0, 0, 0, 0.0, 0)")
        connection.exec_driver_sql("DELETE FROM alembic_version")
        for name in metadata.tables:
            if name != "rule_states":
                connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.exec_driver_sql("ALTER TABLE rule_states RENAME TO orphans")
    with pytest.raises(CorruptDatabaseError, match="point at nothing"), engine.begin() as connection:
        migrate(connection, "here")


async def test_a_database_of_a_newer_version_is_refused_with_one_sentence(url: str, engine: Engine) -> None:
    await (await Database.open(url)).close()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerDatabaseError, match=r"schema 9999 is not known here.*install that version"):
        await Database.open(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": newest_revision()})
    await (await Database.open(url)).close()
