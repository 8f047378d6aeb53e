"""Every schema there ever was migrates to the newest with its rows as they were."""

import pytest
from sqlalchemy import make_url

from bot.storage.engine import make_migration_engine
from bot.storage.migrate import known_revisions, migrate, newest_revision
from bot.storage.postgresql import is_postgresql
from tests.unit.storage.full_tables import content, fill, upgrade

REVISIONS = sorted(known_revisions())


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_every_schema_come_through_whole(bare_database_url: str, revision: str) -> None:
    engine = make_migration_engine(make_url(bare_database_url))
    with engine.begin() as connection:
        upgrade(connection, revision)
        old = fill(connection)
        before = content(connection, old)
    with engine.begin() as connection:
        migrate(connection, "here")
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == [
            newest_revision()
        ]
        assert content(connection, old) == before
        if not is_postgresql(connection):
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    engine.dispose()
    assert all(len(rows) == 3 for rows in before.values())
