"""A place of its own beside a database, to measure in: gone afterwards, and nothing of the database is touched."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from bot.storage.access import Access
from bot.storage.engine import is_memory, make_migration_engine, named, parse_url

SCHEMA = "liqwatch_bench"


@contextmanager
def scratch(url: str) -> Iterator[str]:
    """The URL of an empty database on the same disk, or of an empty schema on the same server. Raises StorageError."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        folder = None if is_memory(parsed) else Path(parsed.database or "").absolute().parent
        with tempfile.TemporaryDirectory(dir=folder if folder and folder.is_dir() else None) as own:
            yield f"sqlite:///{own}/scratch.db"
        return
    _run(parsed, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE", f"CREATE SCHEMA {SCHEMA}")
    try:
        yield parsed.update_query_dict({"options": f"-csearch_path={SCHEMA}"}).render_as_string(hide_password=False)
    finally:
        _run(parsed, f"DROP SCHEMA {SCHEMA} CASCADE")


def _run(url: URL, *statements: str) -> None:
    engine = make_migration_engine(url)
    access = Access(engine, engine, where=named(url), inline=True)
    try:
        access.run(engine, lambda connection: [connection.exec_driver_sql(each) for each in statements])
    finally:
        engine.dispose()
