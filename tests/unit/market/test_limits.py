"""Budgets and pauses, on a clock that only moves when something waits."""

import asyncio

import pytest

from bot.market.exchange import GeoBlockedError, RateLimitedError
from bot.market.limits import GEO_RECHECK_MS, Budget, Gate
from bot.market.priority import Priority, asking_as, current_priority
from tests.fakes.clock import VirtualClock
from tests.fakes.virtual_time import LoopClock, in_virtual_time

T0 = 1_766_188_800_000


def busiest_window(moments: list[tuple[float, int]], window_s: float) -> int:
    """The most weight that was sent within any window."""
    return max(sum(w for at, w in moments if start <= at < start + window_s) for start, _ in moments)


async def ask(budget: Budget, weight: int, *, priority: Priority = Priority.ASKED) -> None:
    """A request whose answer comes at once."""
    async with budget.place(weight, priority=priority):
        pass


async def test_no_window_ever_holds_more_than_half_of_the_limit() -> None:
    clock = VirtualClock(T0)
    budget = Budget(clock, limit=2400, window_s=60)
    sent: list[tuple[float, int]] = []

    async def note(weight: int) -> None:
        async with budget.place(weight):
            sent.append((clock.monotonic(), weight))
            await clock.sleep(0.1)

    await asyncio.gather(*(note(weight) for weight in [2, 5, 40, 10] * 200))
    assert busiest_window(sent, 60) <= 1200
    assert busiest_window(sent, 60) > 1100
    assert sum(weight for _, weight in sent) == 57 * 200


async def test_prices_have_a_lane_that_history_cannot_fill() -> None:
    clock = VirtualClock(T0)
    budget = Budget(clock, limit=2400, window_s=60, reserved_for_urgent=350)
    for _ in range(425):
        await ask(budget, 2)
    assert clock.slept == []
    history = asyncio.create_task(ask(budget, 2))
    for _ in range(35):
        await ask(budget, 10, priority=Priority.PRICES)
    assert clock.slept == []
    assert not history.done()
    await history
    assert clock.monotonic() == 60


async def test_ten_slow_requests_hold_back_history_but_not_prices() -> None:
    budget = Budget(VirtualClock(T0), limit=2400, window_s=60)
    answered = asyncio.Event()
    started = 0

    async def slow() -> None:
        nonlocal started
        async with budget.place(2):
            started += 1
            await answered.wait()

    tasks = [asyncio.create_task(slow()) for _ in range(30)]
    await ask(budget, 10, priority=Priority.PRICES)
    await asyncio.sleep(0)
    assert started == 10
    assert budget.status().used == 30
    answered.set()
    await asyncio.gather(*tasks)
    assert started == 30


@in_virtual_time
async def test_who_is_more_urgent_is_served_first_and_within_a_kind_who_came_first() -> None:
    clock = LoopClock()
    budget = Budget(clock, limit=20, window_s=60)
    served: list[str] = []

    async def note(name: str, priority: Priority) -> None:
        async with budget.place(10, priority=priority):
            served.append(name)

    await note("fills the window", Priority.ASKED)
    kinds = [Priority.BACKGROUND, Priority.ASKED, Priority.WATCHED, Priority.ASKED, Priority.PRICES, Priority.WATCHED]
    await asyncio.gather(*(note(f"{kind.name.lower()} {n}", kind) for n, kind in enumerate(kinds)))
    assert served[1:] == ["prices 4", "watched 2", "watched 5", "asked 1", "asked 3", "background 0"]
    assert clock.monotonic() == 6 * 60


async def test_the_background_leaves_room_for_a_watched_market_in_every_window() -> None:
    clock = VirtualClock(T0)
    budget = Budget(clock, limit=2400, window_s=60, reserved_for_urgent=350)
    while clock.monotonic() < 300:
        await ask(budget, 2, priority=Priority.BACKGROUND)
        before_s = clock.monotonic()
        if int(before_s) % 60 == 0:
            await ask(budget, 2, priority=Priority.WATCHED)
            assert clock.monotonic() == before_s
    assert budget.status().used <= 0.7 * 850 + 2


async def test_slow_answers_of_the_background_leave_connections_to_the_others() -> None:
    budget = Budget(VirtualClock(T0), limit=2400, window_s=60)
    answered = asyncio.Event()

    async def slow(priority: Priority) -> None:
        async with budget.place(2, priority=priority):
            await answered.wait()

    tasks = [asyncio.create_task(slow(Priority.BACKGROUND)) for _ in range(20)]
    await asyncio.sleep(0)
    assert budget.status().used == 12
    async with asyncio.timeout(5):
        await ask(budget, 2, priority=Priority.WATCHED)
    answered.set()
    await asyncio.gather(*tasks)
    assert budget.status().used == 42


async def test_one_that_gives_up_waiting_takes_nothing_and_lets_the_next_go() -> None:
    budget = Budget(VirtualClock(T0), limit=2400, window_s=60)
    answered = asyncio.Event()

    async def slow() -> None:
        async with budget.place(2):
            await answered.wait()

    tasks = [asyncio.create_task(slow()) for _ in range(12)]
    await asyncio.sleep(0)
    tasks[10].cancel()
    answered.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert budget.status().used == 22


async def test_the_priority_is_that_of_whoever_asks_and_goes_over_to_tasks() -> None:
    async def seen() -> Priority:
        return current_priority()

    assert current_priority() is Priority.ASKED
    with asking_as(Priority.BACKGROUND):
        task = asyncio.create_task(seen())
        with asking_as(Priority.WATCHED):
            assert await seen() is Priority.WATCHED
    assert await task is Priority.BACKGROUND
    assert current_priority() is Priority.ASKED


async def test_the_venues_own_count_is_believed_when_it_is_higher() -> None:
    clock = VirtualClock(T0)
    budget = Budget(clock, limit=2400, window_s=60)
    budget.learn(1199, for_s=30)
    assert budget.status().used == 1199
    await ask(budget, 1)
    assert clock.slept == []
    budget.learn(1200, for_s=30)
    await ask(budget, 1)
    assert clock.monotonic() == 30


async def test_answers_that_overtake_each_other_do_not_lower_the_count() -> None:
    clock = VirtualClock(T0)
    budget = Budget(clock, limit=2400, window_s=60)
    budget.learn(900, for_s=30)
    budget.learn(898, for_s=30)
    assert budget.status().used == 900
    clock.advance(30)
    budget.learn(3, for_s=60)
    assert budget.status().used == 3


async def test_a_complaint_halves_the_rate_for_ten_minutes() -> None:
    clock = VirtualClock(T0)
    budget = Budget(clock, limit=2400, window_s=60)
    budget.slow_down()
    assert budget.status().allowed == 600
    clock.advance(600)
    assert budget.status().allowed == 1200


async def test_a_request_heavier_than_the_room_goes_alone_instead_of_waiting_for_ever() -> None:
    clock = VirtualClock(T0)
    budget = Budget(clock, limit=20, window_s=60)
    await ask(budget, 40)
    await ask(budget, 40)
    assert clock.monotonic() == 60


def test_a_ban_is_kept_until_its_time_and_never_shortened() -> None:
    clock = VirtualClock(T0)
    gate = Gate(clock, "Binance")
    gate.pass_through()
    assert gate.ban(T0 + 60_000, message="banned").until_ms == T0 + 60_000
    assert gate.ban(T0 + 1_000, message="slow down").until_ms == T0 + 60_000
    with pytest.raises(RateLimitedError, match="60 s of it are left") as caught:
        gate.pass_through()
    assert caught.value.until_ms == gate.banned_until_ms == T0 + 60_000
    clock.advance(60)
    gate.pass_through()
    assert gate.banned_until_ms is None


def test_a_ban_from_an_earlier_run_holds() -> None:
    clock = VirtualClock(T0)
    gate = Gate(clock, "Binance", banned_until_ms=T0 + 5_000)
    with pytest.raises(RateLimitedError):
        gate.pass_through()
    clock.advance(5)
    gate.pass_through()


def test_a_geo_block_is_looked_at_again_after_half_an_hour() -> None:
    clock = VirtualClock(T0)
    gate = Gate(clock, "Binance")
    assert isinstance(gate.block(), GeoBlockedError)
    with pytest.raises(GeoBlockedError):
        gate.pass_through()
    assert gate.blocked_until_ms == T0 + GEO_RECHECK_MS
    clock.advance(1800)
    gate.pass_through()
    assert gate.blocked_until_ms is None
