"""What a market teaches: learned on time, kept over a restart, and no reason to change a map for little."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.alerts.types import Market
from bot.lessons import MOST_AT_ONCE, Lessons
from bot.liquidation import DEFAULT, MODEL_VERSION, History
from bot.liquidation.learning import RELEARN_MS
from bot.liquidation.values import replace
from bot.market.feed import Heard, rows_of_prints
from bot.market.history import align
from bot.market.simulator import SimulatedMarket, simulate
from bot.market.simulator_parameters import PRESETS
from bot.storage.database import Database
from bot.storage.maps import ModelState

SIM = Market("simulated", "SIMUSDT")
DAY_BARS = 288


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return simulate(replace(PRESETS["low_leverage_slow"], days=6, warmup_days=1, lots_per_bar=16, seed=3))


@pytest.fixture(scope="module")
def history(market: SimulatedMarket) -> History:
    return align(market.bars, market.open_interest)


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with await Database.open("sqlite://", inline=True) as opened:
        yield opened


async def test_the_first_map_of_a_market_is_made_by_what_it_has_taught(db: Database, history: History) -> None:
    lessons = Lessons(db)
    parameters = await lessons.attend(SIM, history, None)
    assert parameters.long_tilt
    lesson = lessons.lesson(SIM)
    assert lesson is not None
    assert lesson.newest.bars > 1_000
    assert lesson.newest.effective_events == 0.0, "nobody listened"


async def test_what_was_taught_outlives_a_restart_to_the_last_bit(db: Database, history: History) -> None:
    taught = await Lessons(db).attend(SIM, history, None)
    again = Lessons(db)
    assert await again.attend(SIM, history.rows(0, len(history) - 1), None) == taught
    lesson = again.lesson(SIM)
    assert lesson is not None
    assert lesson.newest.time_ms == history.end_ms, "it was not learned anew"


async def test_nothing_is_learned_again_before_it_is_time(db: Database, history: History) -> None:
    lessons = Lessons(db)
    times = []
    for bars in (2 * DAY_BARS, 2 * DAY_BARS + 1, 3 * DAY_BARS - 1, 3 * DAY_BARS, 4 * DAY_BARS, 5 * DAY_BARS):
        await lessons.attend(SIM, history.rows(0, bars), None)
        lesson = lessons.lesson(SIM)
        assert lesson is not None
        times.append((lesson.newest.time_ms - int(history.open_ms[0])) // history.bar_ms)
    assert times == [576, 576, 576, 864, 864, 1440]
    late = replace(history, open_ms=history.open_ms + RELEARN_MS)
    await lessons.attend(SIM, late.rows(0, 5 * DAY_BARS), None)
    lesson = lessons.lesson(SIM)
    assert lesson is not None
    assert lesson.newest.time_ms == late.rows(0, 5 * DAY_BARS).end_ms


async def test_a_day_of_listening_is_reason_to_learn_and_its_prints_are_used(
    db: Database, history: History, market: SimulatedMarket
) -> None:
    lessons = Lessons(db)
    await lessons.attend(SIM, history, None)
    await db.prints.save(
        "simulated", Heard(rows_of_prints(market.prints), ((int(history.open_ms[0]), history.end_ms),))
    )
    await lessons.attend(SIM, history, None)
    lesson = lessons.lesson(SIM)
    assert lesson is not None
    assert lesson.newest.effective_events > 5


async def test_a_little_change_is_noted_and_does_not_change_the_map(
    db: Database, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot.lessons")
    lessons = Lessons(db)
    before = await lessons.attend(SIM, history.rows(0, len(history) - 12), None)
    moved = replace(history, open_ms=history.open_ms + RELEARN_MS)
    after = await lessons.attend(SIM, moved, None)
    lesson = lessons.lesson(SIM)
    assert lesson is not None
    assert lesson.newest.parameters != before
    assert after == before
    assert "too little that is new" in caplog.text


async def test_markets_take_turns_so_that_alerts_do_not_wait(db: Database, history: History) -> None:
    lessons, short = Lessons(db), history.rows(0, 40)
    crowd = [Market("simulated", f"S{number}USDT") for number in range(MOST_AT_ONCE + 2)]
    for market in crowd:
        assert await lessons.attend(market, short, None) == DEFAULT
    assert [market for market in crowd if lessons.lesson(market) is None] == crowd[MOST_AT_ONCE:]
    for market in crowd:
        await lessons.attend(market, history.rows(0, 41), None)
    assert all(lessons.lesson(market) is not None for market in crowd)


async def test_one_market_learns_at_a_time_and_nobody_waits_for_it(db: Database, history: History) -> None:
    lessons, other = Lessons(db), Market("simulated", "TWOUSDT")
    first, second = await asyncio.gather(lessons.attend(SIM, history, None), lessons.attend(other, history, None))
    assert first.long_tilt
    assert second == DEFAULT
    assert (await lessons.attend(other, history, None)).long_tilt


@pytest.mark.parametrize(
    ("version", "payload", "told"),
    [
        ("cohorts-0", b"{}", False),  # another model's: no trouble, it is learned anew
        (MODEL_VERSION, b"{}", True),
        (MODEL_VERSION, b"\xff", True),
        (MODEL_VERSION, b'{"newest": {"parameters": {"unknown": 1}}, "parameters": {}}', True),
    ],
)
async def test_what_cannot_be_read_is_learned_anew(
    db: Database, history: History, version: str, payload: bytes, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await db.maps.save_model(ModelState(SIM, version, history.end_ms, payload))
    assert (await Lessons(db).attend(SIM, history, None)).long_tilt
    assert ("is learned anew" in caplog.text) == told
