"""Answers to people go through the limiter."""

import asyncio

import pytest

from bot.delivery.limits import RateLimiter
from bot.delivery.messenger import Message, NotSentError
from bot.delivery.paced import PacedMessenger
from tests.fakes.messenger import FakeMessenger
from tests.fakes.virtual_time import LoopClock, in_virtual_time


@in_virtual_time
async def test_answers_wait_for_their_turn_and_callbacks_do_not() -> None:
    clock = LoopClock()
    fake = FakeMessenger(clock)
    paced = PacedMessenger(fake, RateLimiter(clock))
    for _ in range(4):
        await paced.send(7, Message("hello"))
    assert clock.monotonic() == pytest.approx(1.0)
    await paced.answer_callback("id")
    assert clock.monotonic() == pytest.approx(1.0)
    await paced.edit(7, 1, Message("hello again"))
    assert clock.monotonic() == pytest.approx(2.0)


@in_virtual_time
async def test_a_refusal_of_an_answer_slows_alerts_down_too() -> None:
    clock = LoopClock()
    limiter = RateLimiter(clock)
    fake = FakeMessenger(clock).refuse(NotSentError("slow down", retry_after_s=9.0), times=2)
    paced = PacedMessenger(fake, limiter)
    with pytest.raises(NotSentError):
        await paced.send(7, Message("hello"))
    with pytest.raises(NotSentError):
        await asyncio.wait_for(paced.edit(8, 1, Message("hello")), 1.0)
    assert limiter.rate == 12.5
    await limiter.acquire(9)
    assert clock.monotonic() == pytest.approx(9.0)
