"""The single figures of a map and of its market, against their definitions read out one step at a time."""

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.totals import ATR_HOURS, average_true_range_pct, average_true_ranges_pct, standing_near
from bot.liquidation.types import Floats, History, LiquidationMap

BAR_MS = 300_000
PER_HOUR = 12


def walked(bars: int, seed: int, *, missing: int | None = None) -> History:
    """A random walk of five-minute bars; the bar `missing` is not there."""
    dice = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(dice.normal(0.0, 0.004, bars)))
    opened = np.concatenate(([100.0], close[:-1]))
    reach = 1.0 + np.abs(dice.normal(0.0, 0.002, bars))
    nothing = np.full(bars, np.nan)
    kept = np.arange(bars) != (-1 if missing is None else missing)
    columns = (opened, np.maximum(opened, close) * reach, np.minimum(opened, close) / reach, close)
    history = History(BAR_MS, BAR_MS * np.arange(bars), *columns, np.ones(bars), nothing, nothing)
    return History(BAR_MS, *(getattr(history, field.name)[kept] for field in fields(History)[1:]))


def hour_by_hour(history: History) -> float:
    """The mean true range as it is defined: 14 hours back from the last bar, each with the close before it."""
    bars = ATR_HOURS * PER_HOUR
    if len(history) <= bars or history.open_ms[-1] - history.open_ms[-bars] != (bars - 1) * BAR_MS:
        return math.nan
    ranges = []
    for hour in range(ATR_HOURS):
        end = len(history) - hour * PER_HOUR
        before = history.close[end - PER_HOUR - 1]
        inside = slice(end - PER_HOUR, end)
        ranges.append(max(history.high[inside].max(), before) - min(history.low[inside].min(), before))
    return 100.0 * float(np.mean(ranges)) / float(history.close[-1])


@given(bars=st.integers(1, 400), seed=st.integers(0, 99), missing=st.none() | st.integers(0, 399))
def test_the_true_range_of_all_bars_is_that_of_each_history_so_far(bars: int, seed: int, missing: int | None) -> None:
    history = walked(bars + 1, seed, missing=missing)
    after_each = average_true_ranges_pct(history)
    assert len(after_each) == len(history)
    assert math.isnan(average_true_range_pct(history.rows(0, 0)))
    for end in {len(history), max(1, len(history) // 2), min(170, len(history))}:
        so_far = history.rows(0, end)
        assert after_each[len(so_far) - 1] == pytest.approx(hour_by_hour(so_far), rel=1e-9, nan_ok=True)
        assert average_true_range_pct(so_far) == pytest.approx(hour_by_hour(so_far), rel=1e-9, nan_ok=True)


@given(seed=st.integers(0, 99), first=st.floats(0.8, 1.0), price=st.floats(90.0, 110.0))
def test_what_stands_near_is_what_lies_within_five_percent(seed: int, first: float, price: float) -> None:
    dice = np.random.default_rng(seed)
    edges = 100.0 * first * np.exp(0.001 * np.arange(301))
    long_usd, short_usd = dice.random(300), dice.random(300)
    drawn = LiquidationMap(0, price, edges[:-1], edges[1:], long_usd, short_usd, 1.0, 1.0, "measured")
    middle: Floats = (edges[:-1] + edges[1:]) / 2.0
    above, below = standing_near(drawn)
    assert above == pytest.approx(sum(short_usd[(middle > price) & (middle <= price * 1.05)]), rel=1e-9)
    assert below == pytest.approx(sum(long_usd[(middle < price) & (middle >= price * 0.95)]), rel=1e-9)
