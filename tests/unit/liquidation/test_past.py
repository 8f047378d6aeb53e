"""The model's own past: what it would have shown then, and nothing that it could not have known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.model import PositionModel
from bot.liquidation.past import moments, past_maps
from bot.liquidation.types import History
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import histories, part, random_market

STEP_MS = 900_000


@settings(max_examples=25, deadline=None)
@given(histories(), st.data())
def test_each_map_is_what_the_model_of_that_moment_showed(history: History, data: st.DataObject) -> None:
    bar = data.draw(st.integers(1, len(history)))
    then = part(history, 0, bar)
    times = np.array([then.end_ms, history.end_ms]) if bar < len(history) else np.array([then.end_ms])
    shown, *_ = past_maps(history, times)
    wanted = PositionModel.rebuild(then).map()
    assert (shown.time_ms, shown.price) == (wanted.time_ms, wanted.price)
    assert shown.long_usd == pytest.approx(wanted.long_usd, rel=1e-9)
    assert shown.short_usd == pytest.approx(wanted.short_usd, rel=1e-9)


def test_the_newest_map_of_the_past_is_the_map_of_now() -> None:
    history = random_market(4, 500)
    times = moments(history, range_ms=86_400_000, step_ms=STEP_MS, least_bars=36)
    *_, newest = past_maps(history, times)
    now = PositionModel.rebuild(history).map()
    assert newest.long_usd == pytest.approx(now.long_usd, rel=1e-6, abs=1e-6 * now.long_usd.max())


def test_what_came_later_changes_nothing_before() -> None:
    history = random_market(4, 300)
    other = replace(history, volume=np.where(np.arange(300) >= 200, 9.0 * history.volume, history.volume))
    times = history.open_ms[[150, 199]] + history.bar_ms
    for one, two in zip(past_maps(history, times), past_maps(other, times), strict=True):
        assert np.array_equal(one.long_usd, two.long_usd)


def test_moments_end_with_the_history_and_leave_the_model_its_first_bars() -> None:
    history = random_market(4, 100)
    times = moments(history, range_ms=30 * 86_400_000, step_ms=STEP_MS, least_bars=36)
    assert times[-1] == history.end_ms
    assert set(np.diff(times).tolist()) == {STEP_MS}
    assert times[0] >= history.open_ms[35] + history.bar_ms
    assert times[0] - STEP_MS < history.open_ms[35] + history.bar_ms
    assert len(moments(part(history, 0, 20), range_ms=86_400_000, step_ms=STEP_MS, least_bars=36)) == 0


def test_a_time_in_a_gap_has_the_map_of_the_last_bar_before_it() -> None:
    history = random_market(4, 100)
    gap = History(
        history.bar_ms,
        *(np.delete(getattr(history, name), slice(60, 70)) for name in tuple(History.__dataclass_fields__)[1:]),
    )
    within = int(history.open_ms[65])
    (shown,) = past_maps(gap, np.array([within]))
    assert shown.time_ms == within
    assert shown.price == history.close[59]


def test_times_before_the_first_bar_have_no_map() -> None:
    history = random_market(4, 50)
    assert list(past_maps(history, np.array([int(history.open_ms[0])]))) == []
