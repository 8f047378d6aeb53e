"""A standby and a worker are asked how they do like the bot itself, and answer for themselves alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot import bystander
from bot.health import LONGEST_WAIT_S
from bot.health_server import health_server
from bot.service_manager import ServiceManager
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.outbox import OutboxRow
from tests.e2e.processes import free_port, listens
from tests.fakes.clock import VirtualClock
from tests.unit.app.test_health import get
from tests.unit.storage.values import NOW


@asynccontextmanager
async def standby(db: Database, port: int, clock: VirtualClock) -> AsyncIterator[None]:
    settings = Settings(_env_file=None, metrics_port=port)
    telling = asyncio.create_task(bystander.tell(settings, db, clock, ServiceManager(), does="standby"))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def page(port: int) -> str:
    return (await asyncio.to_thread(get, port, "/metrics"))[2]


async def answers(port: int, status: int, troubles: list[str]) -> bool:
    """Whether this is the answer within ten seconds: the first look has to come first."""
    for _ in range(200):
        if listens(port):
            told, _, body = await asyncio.to_thread(get, port, "/healthz")
            if (told, json.loads(body)["troubles"]) == (status, troubles):
                return True
        await asyncio.sleep(0.05)
    return False


async def test_a_message_that_waits_for_the_sender_is_no_fault_of_a_standby() -> None:
    clock = VirtualClock(NOW)
    async with await Database.open("sqlite://", inline=True) as db:
        await db.outbox.add([OutboxRow("key", 1, {}, created_ms=NOW)])
        clock.advance(LONGEST_WAIT_S + 1)
        aside = bystander.Bystander(db, clock)
        assert (await aside.health.look()).findings(), "the sender's health would tell of it"
        assert aside.troubles() == []


async def test_a_standby_is_well_while_its_database_is() -> None:
    port, clock = free_port(), VirtualClock(NOW)
    async with await Database.open("sqlite://", inline=True) as db:
        async with standby(db, port, clock):
            assert await answers(port, 200, [])
            assert "liqwatch_healthy 1.0" in await page(port)
        assert not listens(port), "as a sender it serves the bot's own"
        await db.close()
        async with standby(db, port, clock):
            assert await answers(port, 503, ["the database does not answer"])
            assert "liqwatch_healthy 0.0" in await page(port)


async def test_a_standby_on_the_senders_machine_goes_on_without_the_port(caplog: pytest.LogCaptureFixture) -> None:
    async with await Database.open("sqlite://", inline=True) as db:
        with health_server("127.0.0.1", 0, troubles=list, page=bytes) as port:
            async with standby(db, port, VirtualClock(NOW)):
                while "cannot be served" not in caplog.text:  # noqa: ASYNC110 - only asking tells
                    await asyncio.sleep(0.01)
                assert await answers(port, 200, []), "the sender's own"
    assert f"METRICS_PORT {port} on 127.0.0.1 cannot be served" in caplog.text
