"""What price did after clusters ended, on paths that are written down."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.lives import Life
from bot.alerts.sequels import AFTER_H, HOUR_MS, count_sweeps, ended, move_after
from bot.alerts.types import CloseReason
from bot.liquidation.types import Cluster, History, Side

BAR_MS = 300_000
HOURS = 30


def rising(hours: int = HOURS, per_hour: float = 1.0) -> History:
    """Bars whose closes rise by so much an hour from 100, which is the close at time 0."""
    open_ms = BAR_MS * np.arange(-1, 12 * hours, dtype=np.int64)
    close = 100.0 + per_hour * (open_ms + BAR_MS) / HOUR_MS
    nothing = np.full(len(close), np.nan)
    return History(BAR_MS, open_ms, close, close, close, close, close, nothing, nothing)


def a_life(side: Side = Side.SHORT, *, ended_h: float = 0.0, end: CloseReason | None = CloseReason.SWEPT) -> Life:
    body = Cluster(side, 99.0, 101.0, 100.0, 1e6, 0.1, 80)
    return Life("a", side, True, (0,), (body,), ended_ms=int(ended_h * HOUR_MS), end=end)


def test_the_move_is_that_of_the_hours_after_the_end() -> None:
    assert move_after(a_life(ended_h=10.0), rising()) == pytest.approx(100.0 * (114.0 / 110.0 - 1.0))
    assert move_after(a_life(ended_h=10.0), rising(), hours=1) == pytest.approx(100.0 * (111.0 / 110.0 - 1.0))


def test_nothing_is_told_of_what_stands_or_ended_too_lately() -> None:
    assert move_after(a_life(end=None), rising()) is None
    assert move_after(a_life(ended_h=HOURS - AFTER_H), rising()) is not None
    assert move_after(a_life(ended_h=HOURS - AFTER_H + 1), rising()) is None
    assert move_after(a_life(), rising().rows(0, 0)) is None
    assert move_after(a_life(ended_h=-1.0), rising()) is None


def test_a_sweep_goes_on_in_its_own_direction() -> None:
    lives = [
        a_life(Side.SHORT, ended_h=1.0),
        a_life(Side.SHORT, ended_h=2.0),
        a_life(Side.LONG, ended_h=3.0),
        a_life(Side.LONG, ended_h=4.0, end=CloseReason.FADED),
        a_life(Side.LONG, ended_h=29.0),
    ]
    count = count_sweeps(lives, rising())
    assert (count.seen, count.went_on, count.came_back) == (3, 2, 1)
    assert count.median_pct == pytest.approx(100.0 * (106.0 / 102.0 - 1.0))


def test_without_sweeps_there_is_no_median() -> None:
    assert count_sweeps([a_life(end=CloseReason.FADED)], rising()).median_pct is None


def test_merged_ones_and_those_that_stand_have_not_ended() -> None:
    faded, merged = a_life(end=CloseReason.FADED), a_life(end=CloseReason.MERGED)
    assert ended([a_life(end=None), merged, faded]) == [faded]


@given(ends=st.lists(st.floats(0.0, 40.0), max_size=8), down=st.booleans())
def test_counts_add_up_and_a_mirrored_path_mirrors_them(ends: list[float], down: bool) -> None:
    side, other = (Side.LONG, Side.SHORT) if down else (Side.SHORT, Side.LONG)
    one, two = (count_sweeps([a_life(each, ended_h=hour) for hour in ends], rising()) for each in (side, other))
    assert one.seen == two.seen == one.went_on + one.came_back
    assert (one.went_on, one.came_back) == (two.came_back, two.went_on)
    if one.median_pct is not None and two.median_pct is not None:
        assert math.isclose(one.median_pct, -two.median_pct)
