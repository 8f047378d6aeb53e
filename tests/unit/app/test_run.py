"""Waiting for the end: a signal ends the bot in peace, a part that cannot work ends it with a sentence."""

import asyncio

import pytest

from bot.delivery.messenger import DeliveryError, MessengerDownError
from bot.failures import FailedError
from bot.run import cancel, limits_of, until_stopped
from bot.settings import Settings


async def forever() -> None:
    await asyncio.Event().wait()


async def failing(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


async def test_a_stop_ends_the_wait_and_leaves_the_tasks_to_their_owner() -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(forever())
    waiting = asyncio.create_task(until_stopped(stop, [task]))
    await asyncio.sleep(0)
    assert not waiting.done()
    stop.set()
    async with asyncio.timeout(1):
        await waiting
    assert not task.done()
    await cancel([task])
    assert task.cancelled()


@pytest.mark.parametrize("error", [MessengerDownError("the token is wrong"), DeliveryError("refused")])
async def test_telegram_refusing_the_bot_ends_it_with_the_reason(error: DeliveryError) -> None:
    tasks = [asyncio.create_task(forever()), asyncio.create_task(failing(error))]
    with pytest.raises(FailedError, match=f"Telegram does not let the bot work: {error}"):
        await until_stopped(asyncio.Event(), tasks)
    await cancel(tasks)


async def test_a_bug_in_a_part_is_not_dressed_up() -> None:
    tasks = [asyncio.create_task(failing(ZeroDivisionError("a bug")))]
    with pytest.raises(ZeroDivisionError):
        await until_stopped(asyncio.Event(), tasks)


async def test_a_part_that_ends_in_peace_does_not_end_the_bot() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(until_stopped(stop, [asyncio.create_task(asyncio.sleep(0))]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    stop.set()
    await waiting


def test_the_settings_limits_are_the_app_s() -> None:
    limits = limits_of(Settings(_env_file=None, rules_per_chat=3, history_days=7, tick_seconds=5))
    assert (limits.rules_per_chat, limits.history_days, limits.tick_s) == (3, 7, 5.0)
