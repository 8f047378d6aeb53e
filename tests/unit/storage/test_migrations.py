"""The schema that migrations make is the one the code speaks."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, make_url, text

from bot.alerts.types import CloseReason, Kind, Market, Rule
from bot.liquidation.types import Side
from bot.market.feed import Print, rows_of_prints
from bot.storage.database import Database
from bot.storage.engine import make_migration_engine
from bot.storage.errors import CorruptDatabaseError, NewerDatabaseError
from bot.storage.migrate import MIGRATIONS, migrate, newest_revision
from bot.storage.postgresql import is_postgresql, order_text_by_bytes
from bot.storage.tables import metadata
from tests.postgres.kinds import bare_sqlite_only


@pytest.fixture
def url(bare_database_url: str) -> str:
    return bare_database_url


@pytest.fixture
def engine(url: str) -> Engine:
    return make_migration_engine(make_url(url))


def schema(connection: Connection) -> set[str]:
    """Everything the database knows of its tables, in its own words; columns in their order."""
    if is_postgresql(connection):
        return {" ".join(map(str, row)) for row in connection.execute(text(_CATALOGUE))}
    rows = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
    )
    return {" ".join(sql.split()) for sql in rows.scalars()}


_CATALOGUE = """
SELECT c.relname, a.attname, rank() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod),
       a.attnotnull, coalesce(pg_get_expr(d.adbin, d.adrelid), '-'), a.attcollation::regcollation
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE 'alembic%'
UNION ALL
SELECT conrelid::regclass::text, conname, 0, pg_get_constraintdef(oid), true, '', '-'
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'alembic%'
UNION ALL
SELECT tablename, indexname, 0, indexdef, true, '', '-'
FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic%'
"""


def test_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection, "here")
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        migrated = schema(connection)
        for name in inspect(connection).get_table_names():
            if name in metadata.tables:
                cascade = " CASCADE" if is_postgresql(connection) else ""
                connection.exec_driver_sql(f"DROP TABLE {name}{cascade}")
        metadata.create_all(connection)
        if is_postgresql(connection):
            order_text_by_bytes(connection)
        assert schema(connection) == migrated
    engine.dispose()


@bare_sqlite_only
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


async def test_rules_and_tracks_of_the_version_before_are_read_as_they_were(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql("INSERT INTO chats (id, kind, created_ms) VALUES (7, 'private', 1)")
        connection.exec_driver_sql(
            "INSERT INTO rules (id, chat, exchange, symbol, kind, threshold_pct, window_ms, side, min_usd, created_ms)"
            " VALUES (3, 7, 'binance', 'BTCUSDT', 'growth', 30.0, 14400000, 'long', 1e7, 5)"
        )
        swept = text(
            "INSERT INTO tracks VALUES ('binance', 'BTCUSDT', 'L1', 'long', 90.0, 92.0, 91.0, 5e7, 0.1, 80, NULL, NULL,"
            " 10, 20, 6, :samples, '1', 0, 'faded')"
        )
        connection.execute(swept, {"samples": b""})
    async with await Database.open(url) as database:
        assert await database.rules.of_chat(7) == [
            Rule(3, 7, Market("binance", "BTCUSDT"), Kind.GROWTH, 30.0, 14_400_000, Side.LONG, 1e7, created_ms=5)
        ]
        track = await database.alerts.track(Market("binance", "BTCUSDT"), "L1")
    assert track is not None
    assert (track.closed, track.closed_ms, track.best_strength) == (CloseReason.FADED, 20, 80)


async def test_liquidations_of_the_version_before_have_the_prices_of_their_fills(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        connection.exec_driver_sql("INSERT INTO prints VALUES ('binance', 'BTCUSDT', 5, 1, 90.5, 2.0)")
    async with await Database.open(url) as database:
        prints = await database.prints.load(Market("binance", "BTCUSDT"), start_ms=0, end_ms=10)
    assert rows_of_prints(prints) == (Print(5, "BTCUSDT", is_long=True, price=90.5, coins=2.0),)


async def test_the_zone_of_quiet_hours_becomes_the_chat_s_own(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        for chat, quiet in ((1, '{"start": 60, "end": 120, "zone": "Asia/Tokyo"}'), (2, None), (3, "torn")):
            statement = text("INSERT INTO chats (id, kind, created_ms, quiet) VALUES (:chat, 'private', 1, :quiet)")
            connection.execute(statement, {"chat": chat, "quiet": quiet})
        migrate(connection, "here")
        kept = connection.exec_driver_sql("SELECT chat, zone, sound FROM preferences").all()
    assert [tuple(row) for row in kept] == [(1, "Asia/Tokyo", "warnings")]


@bare_sqlite_only
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
