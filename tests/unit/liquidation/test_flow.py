"""What opens and closes in each bar, from open interest and volume."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.flow import Flows, FlowState, Rates, Trail, flows
from bot.liquidation.parameters import DEFAULT
from bot.liquidation.types import Floats

BAR = 300_000
RATES = Rates.of(BAR, DEFAULT)
NAN = np.nan


def flow(interest: list[float], volume: list[float] | None = None, skipped: dict[int, int] | None = None) -> Flows:
    return both(interest, volume, skipped)[0]


def both(
    interest: list[float], volume: list[float] | None = None, skipped: dict[int, int] | None = None
) -> tuple[Flows, FlowState]:
    steps = np.array([1 + (skipped or {}).get(bar, 0) for bar in range(len(interest))])
    traded = np.array(volume if volume is not None else [2.0] * len(interest))
    return flows(RATES, BAR * np.cumsum(steps), traded, np.array(interest))


def accounted(result: Flows) -> Floats:
    """The open interest that the flow of each row adds up to when no path is in the way."""
    held = np.zeros(len(result.kept))
    for bar in range(result.kept.shape[1]):
        held = held * result.kept[:, bar] + result.opened[:, bar] + (result.stock if bar == result.stock_bar else 0.0)
    return held


def test_known_open_interest_is_accounted_for_by_every_row() -> None:
    interest = [100.0, 101.0, 104.0, 103.0, 90.0, 95.0]
    np.testing.assert_allclose(accounted(flow(interest)), 95.0)


def test_the_first_known_open_interest_is_an_initial_stock() -> None:
    result = flow([100.0, 100.5])
    assert result.stock_bar == 0
    assert result.stock.tolist() == [100.0] * 5
    assert not result.opened[:, 0].any()


def test_without_open_interest_there_is_no_stock_and_rows_fade_with_their_holding_time() -> None:
    result, state = both([NAN, NAN, 0.0])
    assert result.stock_bar == -1
    np.testing.assert_allclose(result.kept[:, 1], 1.0 - 1.0 / (12.0 * np.array(DEFAULT.turnover_hours)))
    # A day's volume is twice the open interest: a row of tau hours opens 12 / tau coins per coin traded.
    np.testing.assert_allclose(result.opened[:, 1], 2.0 * 12.0 / np.array(DEFAULT.turnover_hours))
    assert not state.anchored


def test_open_interest_that_appears_late_levels_what_volume_built_up_and_adds_the_rest() -> None:
    result = flow([NAN] * 60 + [500.0, 501.0])
    np.testing.assert_allclose(accounted(result), 501.0)
    filled = 1.0 - result.stock / 500.0
    np.testing.assert_allclose(filled, 1.0 - (1.0 - RATES.share) ** 60)


def test_open_interest_that_stands_still_over_traded_bars_counts_as_missing() -> None:
    result = flow([100.0, 110.0, 110.0, 110.0, 110.0, 110.0, 120.0])
    measured = 1.0 - result.opened[:, 4] / 110.0
    np.testing.assert_allclose(result.kept[:, 4], measured)
    np.testing.assert_allclose(result.kept[:, 5], RATES.kept)
    np.testing.assert_allclose(accounted(result), 120.0)


def test_open_interest_that_stands_still_without_trading_is_known() -> None:
    result, state = both([100.0] * 8, volume=[0.0] * 8)
    assert (result.kept[:, 1:] == 1.0).all()
    assert state.known


@pytest.mark.parametrize("returned", [50.0, 150.0])
def test_a_gaps_change_of_open_interest_is_no_bars_opening(returned: float) -> None:
    result = flow([100.0, 100.5, returned], skipped={2: 12})
    np.testing.assert_allclose(accounted(result), returned)
    in_a_bar = flow([100.0, 100.5, returned])
    assert (result.opened[:, 2] < 0.3 * returned).all()
    if returned > 100.5:
        assert (in_a_bar.opened[:, 2] > 49.0).all()


def test_a_gap_of_three_bars_is_bridged() -> None:
    result = flow([100.0, 100.5, 120.0], skipped={2: 3})
    assert (result.opened[:, 2] > 19.0).all()


def test_missing_open_interest_is_bridged_by_volume_and_rescaled_once() -> None:
    result, state = both([100.0, 101.0] + [NAN] * 30 + [140.0, 141.0])
    np.testing.assert_allclose(accounted(result), 141.0)
    assert state.estimate.tolist() == [141.0] * 5
    assert (result.opened[:, 33] < 5.0).all()


def test_a_collapse_of_open_interest_leaves_a_twentieth() -> None:
    assert flow([100.0, 1.0]).kept[:, 1].tolist() == [0.05] * 5


def test_mean_flow_forgets_over_a_month() -> None:
    hours = np.arange(0, 24 * 120, 24)
    volume = np.where(hours < 24 * 60, 1.0, 9.0)
    day = Rates.of(86_400_000, DEFAULT)
    flow, _ = flows(day, hours * 3_600_000, volume, np.linspace(100.0, 101.0, len(hours)))
    weights = np.exp((hours - hours[-1]) / 720.0)
    assert flow.trail.ratio[-1] == pytest.approx((weights @ np.linspace(100.0, 101.0, len(hours))) / (weights @ volume))


def test_open_interest_that_comes_back_absurd_rescales_at_most_twentyfold() -> None:
    fell, rose = flow([100.0, NAN, 1e-3]), flow([100.0, NAN, 1e7])
    rows = np.array(DEFAULT.turnover_hours)
    np.testing.assert_allclose(fell.kept[:, 2], (1.0 - 1.0 / (12.0 * rows)) / 20.0)
    np.testing.assert_allclose(rose.kept[:, 2], (1.0 - 1.0 / (12.0 * rows)) * 20.0)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([NAN, 0.0, 100.0, 101.0, 140.0, 1e-3, 1e6]),
            st.sampled_from([0.0, 0.0, 1.0, 50.0]),
            st.sampled_from([0, 0, 0, 1, 2, 3, 4, 30]),
        ),
        min_size=2,
        max_size=20,
    ),
    st.integers(1, 19),
    st.sets(st.integers(2, 19)),
)
def test_flow_goes_on_from_the_state_after_any_bar(
    rows: list[tuple[float, float, int]], first: int, cuts: set[int]
) -> None:
    interest, volume, skipped = (np.array(column) for column in zip(*rows, strict=True))
    times = BAR * np.cumsum(skipped + 1)
    first = min(first, len(rows) - 1)
    whole, end = flows(RATES, times, volume, interest)
    estimates = whole.estimates(interest, FlowState(BAR, 0, np.zeros(5)))
    _, state = flows(RATES, times[:first], volume[:first], interest[:first])
    for begin, until in pairwise((first, *sorted({min(cut, len(rows)) for cut in cuts if cut > first}), len(rows))):
        part = slice(begin, until)
        before = state
        if begin == until:
            continue
        step, state = flows(RATES, times[part], volume[part], interest[part], before)
        np.testing.assert_allclose(step.kept, whole.kept[:, part], rtol=1e-9)
        np.testing.assert_allclose(step.opened, whole.opened[:, part], rtol=1e-9)
        np.testing.assert_allclose(step.estimates(interest[part], before), estimates[:, part], rtol=1e-9)
        assert step.stock_bar == (whole.stock_bar - begin if begin <= whole.stock_bar < until else -1)
        if step.stock_bar >= 0:
            np.testing.assert_allclose(step.stock, whole.stock, rtol=1e-9)
        for name in Trail.__dataclass_fields__:
            np.testing.assert_allclose(getattr(step.trail, name), getattr(whole.trail, name)[part], rtol=1e-9)
    np.testing.assert_allclose(state.estimate, end.estimate, rtol=1e-9)
    np.testing.assert_allclose(estimates[:, -1], end.estimate, rtol=1e-9)
    for name in ("anchored", "known", "seen", "unmoved", "measured_ms", "last_ms", "first_ms"):
        np.testing.assert_equal(getattr(state, name), getattr(end, name))
    for name in ("mean_interest", "mean_volume", "seen_bars", "known_bars", "passed_bars"):
        assert getattr(state, name) == pytest.approx(getattr(end, name), rel=1e-9)
