"""A database as in service: a file, and PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.database import Database


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    async with await Database.open(url) as database:
        yield database
