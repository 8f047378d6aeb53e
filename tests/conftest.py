"""What any test may ask for: a database of its own, of either kind."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.storage.database import Database

if TYPE_CHECKING:
    from tests.postgres.databases import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> "Iterator[PostgresServer]":
    """One server a process of tests, started when the first test wants it; without one the test is skipped."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra `scale`)")
    from tests.postgres.databases import PostgresServer
    from tests.postgres.server import NoServerError

    try:
        server = PostgresServer.start()
    except NoServerError as problem:
        pytest.skip(str(problem))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database of the newest schema without rows; to be copied."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    asyncio.run(make_empty(f"sqlite:///{path}"))
    return path


async def make_empty(url: str) -> None:
    await (await Database.open(url)).close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the newest schema without rows, as a URL: each test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        path = request.getfixturevalue("tmp_path") / "liqwatch.db"
        path.write_bytes(request.getfixturevalue("empty_file").read_bytes())
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.ready() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database that has no tables yet, as a URL, of both kinds."""
    if request.param == "sqlite":
        folder = request.getfixturevalue("tmp_path")
        yield f"sqlite:///{folder}/bare.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.bare() as url:
        yield url
