"""Turnover learned from prints: when it is believed, and what it finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.model import PositionModel, Swept
from bot.liquidation.parameters import DEFAULT
from bot.liquidation.turnover import (
    LiquidationPrints,
    SweepLog,
    Turnover,
    apply,
    effective_size,
    guarded,
    learn_turnover,
    trigger_price,
)
from bot.liquidation.types import Floats
from tests.unit.liquidation.markets import part, random_market

PRIOR = np.array(DEFAULT.turnover_prior)


def sweeps(seed: int, bars: int = 600) -> Floats:
    """Sweeps whose rows differ in time: (bars, 2, 5)."""
    return np.random.default_rng(seed).exponential(1.0, (bars, 2, 5)) ** 3


@pytest.mark.parametrize("row", range(5))
def test_the_row_that_the_prints_follow_gains_the_weight(row: int) -> None:
    swept = sweeps(row)
    chance = np.random.default_rng(99)
    printed = chance.poisson(swept[:, :, row] * 400.0 / swept[:, :, row].sum()).astype(float)
    learned = learn_turnover(swept, printed, 1.0)
    assert learned.trust == 1.0
    assert learned.weights[row] > 0.9
    assert learned.weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(("events", "trust"), [(10, 0.0), (30, 0.0), (65, 0.5), (100, 1.0), (500, 1.0)])
def test_few_prints_leave_the_prior(events: int, trust: float) -> None:
    printed = np.zeros((600, 2))
    printed[:events, 0] = 1.0
    learned = learn_turnover(sweeps(1), printed, 1.0)
    assert learned.trust == pytest.approx(trust)
    assert learned.effective_events == events
    if trust == 0.0:
        np.testing.assert_allclose(learned.weights, PRIOR)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_the_units_of_sweeps_and_prints_do_not_matter(seed: int, swept_unit: float, print_unit: float) -> None:
    swept = sweeps(seed, 50)
    printed = np.random.default_rng(seed).poisson(2.0, (50, 2)).astype(float)
    one = learn_turnover(swept, printed, 1.0)
    other = learn_turnover(swept * swept_unit, printed * print_unit, print_unit)
    np.testing.assert_allclose(one.weights, other.weights, rtol=1e-6)


def test_rows_that_swept_nothing_lose_to_a_row_that_did() -> None:
    swept = np.zeros((300, 2, 5))
    swept[:, :, 3] = 1.0
    learned = learn_turnover(swept, np.ones((300, 2)), 1.0)
    assert learned.weights[3] > 0.99


def test_without_prints_or_sweeps_the_prior_holds() -> None:
    for learned in (learn_turnover(sweeps(1), np.zeros((600, 2)), 0.0), SweepLog(1).learn(prints([], [], []))):
        np.testing.assert_allclose(learned.weights, PRIOR)
        assert learned.trust == 0.0


@pytest.mark.parametrize(("swept", "printed", "says"), [(-1.0, 1.0, "negative"), (np.nan, 1.0, "must be numbers")])
def test_impossible_figures_are_refused(swept: float, printed: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        learn_turnover(np.full((3, 2, 5), swept), np.full((3, 2), printed), 1.0)


def test_a_bankruptcy_price_is_moved_to_the_trigger_by_the_maintenance_margin() -> None:
    # Entry 100, 10x, m = 1 %: bankrupt at 90 and 110, liquidated at 90 / 0.99 and 110 / 1.01.
    moved = trigger_price(np.array([90.0, 110.0]), np.array([True, False]), 0.01)
    np.testing.assert_allclose(moved, [90.0 / 0.99, 110.0 / 1.01])


def test_one_big_print_among_small_ones_counts_for_few_events() -> None:
    usd = np.array([100.0, 1.0, 1.0])
    assert usd.sum() / effective_size(usd) == pytest.approx(102.0**2 / 10_002.0)
    assert effective_size(np.zeros(0)) == 0.0


def prints(times: list[int], longs: list[bool], usd: list[float]) -> LiquidationPrints:
    return LiquidationPrints(
        np.array(times, dtype=np.int64), np.array(longs, dtype=bool), np.ones(len(times)), np.array(usd, dtype=float)
    )


def test_prints_are_held_against_the_bar_they_fell_in() -> None:
    log = SweepLog(10)
    for end in (10, 20, 40):
        coins = np.zeros((2, 5))
        coins[0, end // 20] = 1.0
        log.add(Swept(end, coins), 1.0)
    # 30 to 40 is the last bar; the print at 25 fell into a gap, those at 0 and 45 are outside.
    many = prints([0, 20, 25, 31, 40, 45], [True] * 6, [9.0, 150.0, 9.0, 150.0, 1.0, 9.0])
    assert log.learn(many).effective_events == pytest.approx(301.0**2 / (2 * 150.0**2 + 1.0))


def test_a_log_forgets_what_is_older_than_a_week() -> None:
    log = SweepLog(86_400_000)
    for day in range(1, 12):
        log.add(Swept(day * 86_400_000, np.ones((2, 5))), 2.0)
    assert len(log) == 7


def test_weights_not_above_the_prior_in_live_scores_are_dropped() -> None:
    learned = Turnover(np.array([1.0, 0.0, 0.0, 0.0, 0.0]), 200.0, 1.0)
    assert guarded(learned, learned_skill=0.1, prior_skill=0.05) is learned
    assert guarded(learned, learned_skill=np.nan, prior_skill=0.05) is learned
    for skill in (0.05, 0.01):
        np.testing.assert_allclose(guarded(learned, learned_skill=skill, prior_skill=0.05).weights, PRIOR)


def test_applied_weights_change_the_map_and_not_its_total() -> None:
    history = random_market(1, 400)
    model = PositionModel.rebuild(history)
    before = model.map()
    apply(Turnover(np.array([0.0, 0.0, 0.0, 0.0, 1.0]), 200.0, 1.0), model)
    after = model.map()
    assert after.long_total_usd == pytest.approx(before.long_total_usd)
    assert not np.allclose(after.long_usd, before.long_usd)


def test_a_models_own_sweeps_teach_it() -> None:
    history = random_market(2, 1_500)
    model = PositionModel.rebuild(part(history, 0, 600))
    swept = model.extend(history)
    log = SweepLog(history.bar_ms)
    log.extend(swept, history.close[600:].tolist())
    assert len(log) == 900
    fast = np.array([one.coins[:, 0] for one in swept])
    usd = fast * 300.0 / fast.sum()
    bar, side = np.nonzero(usd)
    times = [swept[at].time_ms for at in bar.tolist()]
    learned = log.learn(prints(times, (side == 0).tolist(), usd[bar, side].tolist()))
    assert learned.trust > 0
    assert learned.weights[0] > PRIOR[0]
