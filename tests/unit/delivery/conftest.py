"""What a worker delivers from: an outbox in memory, and one on PostgreSQL."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.postgres.databases import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def outbox_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without rows for work in the caller's thread: each test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        yield "sqlite://"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.ready() as url:
        yield url
