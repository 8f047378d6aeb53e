"""Odds of a touch, held against eight real markets: what is told with 30 % happens three times in ten."""

from functools import cache

import numpy as np
import pytest

from bot.evaluation.recordings import histories_of
from bot.liquidation.touch import STEP_MS, STEPS_PER_HOUR, Volatility, touch_probability
from bot.liquidation.types import Floats, History
from bot.market.recording import Recording
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

WARM_UP = 2 * 288
EVERY = 2 * STEPS_PER_HOUR
DISTANCES = np.array([0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08])
ENOUGH = 1_000
"""Samples in a tenth. They are not independent: some 1,270 moments of one coin and 340 of seven that move together."""


@cache
def volatilities() -> tuple[tuple[History, tuple[tuple[int, Volatility], ...]], ...]:
    """Every history with its volatility every two hours, as (number of the bar, volatility then)."""
    found = []
    for history in histories_of(Recording(SHARED / "recordings"), "binance").values():
        ends, close = history.open_ms + STEP_MS, history.close.tolist()
        now = Volatility.from_closes(ends[:WARM_UP], history.close[:WARM_UP])
        then = []
        for bar in range(WARM_UP, len(history)):
            now = now.updated(int(ends[bar]), close[bar])
            if (bar - WARM_UP) % EVERY == 0:
                then.append((bar, now))
        found.append((history, tuple(then)))
    return tuple(found)


def told_and_happened(hours: int) -> tuple[Floats, Floats]:
    """Odds (n,) at eleven distances on both sides, and 1 where price touched within `hours`, else 0."""
    told, happened = [], []
    for history, then in volatilities():
        for bar, now in then:
            last = bar + 1 + STEPS_PER_HOUR * hours
            if last >= len(history):
                break
            levels = now.close * np.concatenate((1.0 - DISTANCES, 1.0 + DISTANCES))
            low, high = history.low[bar + 1 : last].min(), history.high[bar + 1 : last].max()
            told.append(touch_probability(now.close, levels, hours, now))
            happened.append(np.where(levels < now.close, low <= levels, high >= levels).astype(np.float64))
    return np.concatenate(told), np.concatenate(happened)


@pytest.mark.parametrize("hours", [1, 4, 24])
def test_in_each_tenth_of_the_odds_what_is_told_is_what_happens_within_five_points(hours: int) -> None:
    told, happened = told_and_happened(hours)
    tenth = np.minimum((told * 10).astype(np.int64), 9)
    count = np.bincount(tenth, minlength=10)
    gap = np.abs(np.bincount(tenth, told, 10) - np.bincount(tenth, happened, 10)) / np.maximum(count, 1)
    enough = count >= ENOUGH
    assert enough.sum() >= 9
    assert gap[enough].max() <= 0.05
