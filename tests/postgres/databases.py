"""Databases on a server of the tests' own: bare ones, and one with the schema that is used again and again."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString, Self

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from bot.storage.engine import make_migration_engine
from bot.storage.migrate import migrate
from bot.storage.tables import metadata
from tests.postgres.server import USER, NoServerError

_ROOT = Path(__file__).parents[2]


class PostgresServer:
    """A running server; `bare` and `ready` lend databases by their URL."""

    def __init__(self, keeper: "subprocess.Popen[str]", folder: Path) -> None:
        self._keeper = keeper
        self.folder = folder
        self._numbers = itertools.count(1)
        self._idle: list[str] = []

    @classmethod
    def start(cls) -> Self:
        """Raises NoServerError, which says why there is none."""
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.postgres.server"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = keeper.stdout.readline().strip() if keeper.stdout else ""
        if not said.startswith("/"):
            rest = keeper.communicate()[0]
            raise NoServerError(f"{said} {rest}".strip() or "the server's keeper ended without a word")
        return cls(keeper, Path(said))

    def stop(self) -> None:
        self._keeper.communicate()

    def halt(self) -> None:
        """Stop the server as `pg_ctl stop` does; what is in it stays."""
        self._order("stop")

    def resume(self) -> None:
        self._order("start")

    def _order(self, what: str) -> None:
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._keeper.stdin.write(f"{what}\n")
        self._keeper.stdin.flush()
        assert self._keeper.stdout.readline() == "done\n"

    def url(self, name: str, user: str = USER) -> str:
        return f"postgresql+psycopg://{user}@/{name}?host={self.folder}"

    @contextmanager
    def bare(self, options: LiteralString = "") -> Iterator[str]:
        """A new database without tables; `options` are those of CREATE DATABASE."""
        name = f"bare_{next(self._numbers)}"
        self.run(sql.SQL("CREATE DATABASE {} " + options).format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            self._drop(name)

    @contextmanager
    def ready(self) -> Iterator[str]:
        """A database of the newest schema without rows: a test that changes more than rows takes a bare one."""
        name = self._idle.pop() if self._idle else self._make()
        try:
            yield self.url(name)
        finally:
            try:
                self.run(_EMPTY, name)
                self._idle.append(name)
            except psycopg.Error:
                self._drop(name)

    def run(self, statement: sql.SQL | sql.Composed, database: str = "postgres") -> list[tuple[object, ...]]:
        """One statement of the superuser's, by itself; its rows."""
        with psycopg.connect(host=str(self.folder), user=USER, dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def run_text(self, statement: LiteralString, url: str) -> None:
        """One statement in the database of a URL."""
        self.run(sql.SQL(statement), make_url(url).database or "")

    def _make(self) -> str:
        name = f"ready_{next(self._numbers)}"
        self.run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        engine = make_migration_engine(make_url(self.url(name)))
        with engine.begin() as connection:
            migrate(connection, name)
        engine.dispose()
        return name

    def _drop(self, name: str) -> None:
        self.run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


# No key is checked meanwhile, so the order does not matter; a lock that a test forgot is not waited for.
_EMPTY = sql.SQL(
    "SET lock_timeout = '2s'; SET session_replication_role = replica; {};"
    " SELECT setval(quote_ident(sequencename), 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"
).format(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in metadata.tables))
