"""The worker on a disk that refuses: nothing is lost, nothing goes out unnoted, and it says so loudly."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from bot.storage.outbox import Fate
from tests.fakes.faulty_disk import READ_ONLY, FaultyDisk
from tests.fakes.virtual_time import VirtualLoop
from tests.unit.delivery.desk import running


def test_nothing_is_sent_while_sending_cannot_be_noted_and_all_is_sent_afterwards(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        disk = await FaultyDisk.open(tmp_path, inline=True)
        async with running(disk.db) as desk:
            await desk.queue("a")
            disk.suffer(READ_ONLY)
            await asyncio.sleep(300.0)
            assert desk.messenger.calls == []
            disk.heal()
            await desk.settled()
            assert await desk.fate("a") == Fate("sent", 1, 1, 1, 0, None)

    run(scenario, caplog)
    told = caplog.messages.count("The database gives no messages out, nothing is sent meanwhile")
    assert 5 <= told <= 6, "at once, and once a minute of the five"
    assert caplog.messages.count("The database gives messages out again") == 1


def test_a_delivery_that_cannot_be_noted_is_noted_later_and_not_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        disk = await FaultyDisk.open(tmp_path, inline=True)
        async with running(disk.db) as desk:
            desk.messenger.delay(1.0)
            await desk.queue("a")
            await asyncio.sleep(0.5)
            disk.suffer(READ_ONLY)
            await asyncio.sleep(3_600.0)
            assert desk.messenger.texts() == ["<b>a</b>"]
            disk.heal()
            await desk.settled()
            await asyncio.sleep(100.0)
            assert desk.messenger.texts() == ["<b>a</b>"]
            assert (await desk.fate("a")).state == "sent"

    run(scenario, caplog)
    assert any("did not note a delivery" in said for said in caplog.messages)


def test_stopping_does_not_wait_for_a_disk_that_refuses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        disk = await FaultyDisk.open(tmp_path, inline=True)
        async with running(disk.db) as desk:
            desk.messenger.delay(1.0)
            await desk.queue("a", "b")
            await asyncio.sleep(0.5)
            disk.suffer(READ_ONLY)
            await asyncio.sleep(60.0)
            began_s = desk.clock.monotonic()
            await desk.worker.stop()
            assert desk.clock.monotonic() - began_s <= 10.0

    run(scenario, caplog)


def run(scenario: Callable[[], Coroutine[Any, Any, None]], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scenario())
