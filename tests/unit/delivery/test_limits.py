"""The limiter, in virtual time."""

import asyncio
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.limits import BURST, TOKEN_RATE, RateLimiter
from tests.fakes.virtual_time import LoopClock, in_virtual_time


class Log:
    """When each message went, by kind."""

    def __init__(self, **options: float) -> None:
        self.clock = LoopClock()
        self.limiter = RateLimiter(self.clock, **options)
        self.sent: list[tuple[float, int]] = []

    async def alert(self, chat: int) -> float:
        await self.limiter.acquire(chat)
        return self._note(chat)

    async def reply(self, chat: int) -> float:
        await self.limiter.acquire(chat, interactive=True)
        return self._note(chat)

    def _note(self, chat: int) -> float:
        now_s = self.clock.monotonic()
        self.sent.append((now_s, chat))
        return now_s


def most_in(window_s: float, times: list[float]) -> int:
    return max(sum(start <= time < start + window_s - 1e-9 for time in times) for start in times)


@in_virtual_time
async def test_many_chats_get_25_a_second_and_never_more_than_30_in_one() -> None:
    log = Log()
    await asyncio.gather(*(log.alert(chat) for chat in range(1, 1001)))
    times = [time for time, _ in log.sent]
    assert most_in(1.0, times) <= 30
    assert times[-1] == pytest.approx(1000 / 25, rel=0.01)


@in_virtual_time
async def test_after_silence_a_second_of_alerts_goes_at_once() -> None:
    log = Log()
    for _ in range(3):
        began_s = log.clock.monotonic()
        times = await asyncio.gather(*(log.alert(chat) for chat in range(1, 41)))
        assert [time - began_s for time in times[:25]] == [0.0] * 25
        assert times[25] - began_s == pytest.approx(0.92)
        assert times[-1] - began_s == pytest.approx((40 - 3) / 25)
        await asyncio.sleep(1.1)
    assert most_in(1.0, [time for time, _ in log.sent]) <= 30


@in_virtual_time
async def test_beside_a_few_replies_the_rest_of_a_second_of_alerts_still_goes_at_once() -> None:
    log = Log()
    for i in range(10):
        await log.reply(10_000 + i)
        await asyncio.sleep(0.3)
    began_s = log.clock.monotonic()
    times = await asyncio.gather(*(log.alert(chat) for chat in range(1, 41)))
    assert sum(time == began_s for time in times) == 22
    assert most_in(1.0, [time for time, _ in log.sent]) <= 30


@in_virtual_time
async def test_the_replies_of_the_second_in_which_alerts_burst_go_at_once() -> None:
    log = Log()
    alerts = [asyncio.create_task(log.alert(chat)) for chat in range(1, 101)]
    await asyncio.sleep(0.1)
    assert [await log.reply(10_000 + i) for i in range(5)] == [0.1] * 5
    await asyncio.gather(*alerts)
    assert most_in(1.0, [time for time, _ in log.sent]) <= 30


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 1.5), st.integers(1, 60), st.booleans()), max_size=12))
def test_no_second_holds_more_than_telegram_allows(bursts: list[tuple[float, int, bool]]) -> None:
    times: list[float] = []

    @in_virtual_time
    async def play() -> None:
        log, chats = Log(), count(1)
        waiting: list[asyncio.Task[float]] = []
        for pause_s, messages, replies in bursts:
            await asyncio.sleep(pause_s)
            send = log.reply if replies else log.alert
            waiting += [asyncio.create_task(send(next(chats))) for _ in range(messages)]
        times.extend(await asyncio.gather(*waiting))

    play()
    assert not times or most_in(1.0, times) <= 30


@in_virtual_time
async def test_first_come_first_served_across_chats() -> None:
    log = Log()
    await asyncio.gather(*(log.alert(chat) for chat in range(1, 200)))
    assert [chat for _, chat in log.sent] == list(range(1, 200))


@in_virtual_time
async def test_a_private_chat_gets_one_a_second_and_a_group_twenty_a_minute() -> None:
    log = Log()

    async def series(chat: int, count: int) -> list[float]:
        return [await log.alert(chat) for _ in range(count)]

    private, group = await asyncio.gather(series(7, 10), series(-7, 60))
    assert private == pytest.approx(list(range(10)))
    assert most_in(60.0, group) == 20
    assert group[-1] == pytest.approx(59 * 3.0)


@in_virtual_time
async def test_a_full_chat_does_not_delay_another() -> None:
    log = Log()

    async def series() -> None:
        for _ in range(30):
            await log.alert(7)

    busy = asyncio.create_task(series())
    await asyncio.sleep(3.5)
    assert await log.alert(8) == 3.5
    await busy


@in_virtual_time
async def test_replies_pass_by_a_thousand_waiting_alerts() -> None:
    log = Log()
    alerts = [asyncio.create_task(log.alert(chat)) for chat in range(1, 1001)]
    waits = []
    for i in range(20):
        await asyncio.sleep(0.73)
        asked_s = log.clock.monotonic()
        waits.append(await log.reply(10_000 + i) - asked_s)
    assert max(waits) <= 0.04
    await asyncio.gather(*alerts)
    assert most_in(1.0, [time for time, _ in log.sent]) <= 30


@in_virtual_time
async def test_a_few_replies_in_one_chat_go_at_once_and_then_wait_their_turn() -> None:
    log = Log()
    assert [await log.reply(7) for _ in range(6)] == pytest.approx([0, 0, 0, 1, 2, 3])


@in_virtual_time
async def test_a_burst_of_replies_is_bounded_too() -> None:
    log = Log()
    await asyncio.gather(*(log.reply(chat) for chat in range(1, 101)))
    times = [time for time, _ in log.sent]
    assert most_in(0.01, times) == TOKEN_RATE + BURST
    assert most_in(1.0, times) <= 30


@in_virtual_time
async def test_a_refusal_silences_its_chat_and_halves_the_rate() -> None:
    log = Log()
    log.limiter.refused(7, 35.0)
    assert log.limiter.rate == 12.5
    assert await log.alert(8) == 0
    assert await log.reply(7) == 35


@in_virtual_time
async def test_refusals_of_several_chats_silence_the_token() -> None:
    log = Log()
    log.limiter.refused(7, 20.0)
    log.limiter.refused(8, 30.0)
    assert await log.alert(9) == 30


@in_virtual_time
async def test_refusals_of_one_incident_halve_the_rate_once() -> None:
    log = Log()
    for chat in range(1, 20):
        log.limiter.refused(chat, 1.0)
    assert log.limiter.rate == 12.5
    await asyncio.sleep(10)
    log.limiter.refused(1, 1.0)
    assert log.limiter.rate == 6.25


@in_virtual_time
async def test_each_clean_minute_gives_one_message_a_second_back_up_to_the_full_rate() -> None:
    log = Log()
    log.limiter.refused(7, 1.0)
    for minutes, rate in ((0.9, 12.5), (1.1, 13.5), (2.1, 14.5), (60.0, 25.0)):
        await asyncio.sleep(minutes * 60 - log.clock.monotonic())
        await log.alert(8)
        assert log.limiter.rate == rate


@in_virtual_time
async def test_the_rate_never_falls_below_one() -> None:
    log = Log()
    for _ in range(20):
        log.limiter.refused(7, 1.0)
        await asyncio.sleep(6)
    assert log.limiter.rate == 1.0


@in_virtual_time
async def test_chats_that_have_been_quiet_are_forgotten() -> None:
    log = Log(rate=1e9)
    for chat in range(1, 25_000):
        await log.alert(chat)
        await asyncio.sleep(0.001)
    assert len(log.limiter._lanes) <= 10_000


@in_virtual_time
async def test_giving_up_waiting_takes_no_place() -> None:
    log = Log()
    waiting = [asyncio.create_task(log.alert(chat)) for chat in range(1, 101)]
    await asyncio.sleep(2.0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    asked_s = log.clock.monotonic()
    assert await log.alert(500) - asked_s <= 0.04


@in_virtual_time
async def test_a_wait_that_no_clock_can_tell_is_none() -> None:
    waits: list[float] = []

    class Told(LoopClock):
        async def sleep(self, seconds: float) -> None:
            waits.append(seconds)
            await asyncio.sleep(max(seconds, 1e-6))

    limiter, chats = RateLimiter(Told()), count(1)
    sends = []
    bursts = ((0.0, 42, False), (1e-5, 4, False), (0.0, 35, True), (1.0, 12, False), (0.2, 40, False), (0.0, 50, True))
    for pause_s, messages, replies in (*bursts, (1.0, 13, False), (0.2, 58, True), (1.0, 5, True)):
        await asyncio.sleep(pause_s)
        sends += [asyncio.create_task(limiter.acquire(next(chats), interactive=replies)) for _ in range(messages)]
    await asyncio.gather(*sends)
    assert waits
    assert min(waits) > 1e-6
