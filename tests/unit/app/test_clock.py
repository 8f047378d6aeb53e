"""Clocks for playing a market: one that is stepped, one that runs fast."""

import asyncio
import time

from bot.clock import REMIND_EVERY_S, FastClock, Reminder, StepClock

START_MS = 1_766_188_800_000


def test_a_stepped_clock_stands_still_until_it_is_moved_and_never_goes_back() -> None:
    clock = StepClock(START_MS)
    assert (clock.now_ms(), clock.now_ms()) == (START_MS, START_MS)
    clock.step_to(START_MS + 75_000)
    clock.step_to(START_MS)
    assert clock.now_ms() == START_MS + 75_000
    assert clock.monotonic() == 75.0


async def test_sleeping_on_a_stepped_clock_takes_no_time_on_the_wall_and_lets_others_work() -> None:
    clock = StepClock(START_MS)
    done: list[str] = []

    async def other() -> None:
        done.append("other")

    task = asyncio.create_task(other())
    await clock.sleep(3600)
    assert done == ["other"]
    assert clock.now_ms() == START_MS
    assert clock.monotonic() == 3600
    await task


async def test_a_fast_clock_runs_as_many_times_faster_as_asked() -> None:
    before_s = time.monotonic()
    clock = FastClock(START_MS, 1000.0)
    after_s = time.monotonic()
    await clock.until(START_MS + 60_000)
    least_s = time.monotonic() - after_s
    passed_ms = clock.now_ms() - START_MS
    most_s = time.monotonic() - before_s
    assert passed_ms >= 60_000
    assert 1000 * least_s - 0.001 <= passed_ms / 1000 <= 1000 * most_s


async def test_a_fast_clock_does_not_wait_for_what_is_past() -> None:
    clock = FastClock(START_MS, 1.0)
    async with asyncio.timeout(1):
        await clock.until(START_MS - 3_600_000)


async def test_a_time_out_is_as_long_on_a_fast_clock_as_on_any() -> None:
    clock = FastClock(START_MS, 100_000.0)
    began = clock.monotonic()
    await clock.sleep(0.02)
    assert clock.monotonic() - began >= 0.019


def test_a_trouble_is_told_at_once_and_each_minute_and_anew_once_it_was_over() -> None:
    clock = StepClock(START_MS)
    reminder = Reminder(clock)
    assert not reminder.over(), "there was none"
    told = []
    for second in range(0, 130, 2):
        clock.step_to(START_MS + second * 1000)
        if reminder.due():
            told.append(second)
    assert told == [0, REMIND_EVERY_S, 2 * REMIND_EVERY_S]
    assert reminder.over()
    assert not reminder.over()
    assert reminder.due()
