"""What any test may ask for: a PostgreSQL of its own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the newest schema without rows, as a URL: each test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        folder = request.getfixturevalue("tmp_path")
        yield f"sqlite:///{folder}/liqwatch.db"
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
