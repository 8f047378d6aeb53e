"""Leverage learned from prints and from falls of open interest: it finds what made them, and moves for nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.exposure import BLOCK_CELLS, HOUR_MS, Exposure, exposure_of
from bot.liquidation.grid import CELL
from bot.liquidation.kernel import distance_kernel
from bot.liquidation.learning import Learned, PositionLearner, learn_positions, span_of
from bot.liquidation.model import PositionModel
from bot.liquidation.parameters import DEFAULT
from bot.liquidation.traces import falls_of, prints_of
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Floats, History, Side
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import bars_of, histories, part, random_market

KINDS = len(DEFAULT.leverage_weights) + 1
HIGH = np.array([0.1] * 4 + [0.3, 1.0, 1.0] + [4.0] * 4 + [0.1])
NOTHING = LiquidationPrints(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0))


@pytest.fixture(scope="module")
def market() -> History:
    return random_market(5, 1_200, volatility=0.004)


@pytest.fixture(scope="module")
def exposures(market: History) -> list[Exposure]:
    return [exposure_of(market, side, None, DEFAULT) for side in Side]


def printed_by(exposures: list[Exposure], factors: Floats, *, usd: float = 50.0) -> LiquidationPrints:
    """What positions of these kinds would print, in forty parts on the hour, in the middle of their block."""
    prior = np.array(DEFAULT.turnover_prior)
    columns = []
    for side, one in enumerate(exposures):
        coins = np.repeat(np.einsum("nrk,r,k->n", one.coins, prior, factors) / 40.0, 40)
        place = (np.repeat(one.block, 40) + 0.5) * BLOCK_CELLS * CELL
        longs = np.full(len(coins), side == 0)
        columns.append((np.repeat(one.hour, 40) * HOUR_MS + 60_000, longs, np.exp(place), usd * coins))
    time_ms, is_long, price, usd_of = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(time_ms, kind="stable")
    return LiquidationPrints(time_ms[order], is_long[order], price[order], usd_of[order])


def always(history: History) -> tuple[tuple[int, int], ...]:
    return ((int(history.open_ms[0]) - HOUR_MS, history.end_ms + HOUR_MS),)


def silent(history: History) -> History:
    """The same market with unknown open interest: no falls."""
    return replace(history, open_interest=np.full(len(history), np.nan))


def learned_tilt(learned: Learned) -> Floats:
    tilt: Floats = np.log(np.array([learned.parameters.long_tilt, learned.parameters.short_tilt]))
    return tilt


def test_what_was_exposed_is_what_the_model_swept(market: History, exposures: list[Exposure]) -> None:
    prior = np.array(DEFAULT.turnover_prior)
    model = PositionModel.rebuild(part(market, 0, 1))
    swept = np.array([model.update(bar).coins @ prior for bar in bars_of(part(market, 1, len(market)))])
    for side, exposure in enumerate(exposures):
        np.testing.assert_allclose(exposure.by_bar[1:].sum(axis=1), swept[:, side], rtol=1e-9, atol=1e-9)
        by_place = np.einsum("nrk,r->", exposure.coins, prior)
        assert by_place == pytest.approx(exposure.by_bar.sum())


def test_without_any_trace_the_prior_stays_as_it_is(market: History) -> None:
    learned = learn_positions(silent(market), NOTHING, cover=())
    length_ms = market.end_ms - int(market.open_ms[0])
    assert learned == Learned(DEFAULT, 0.0, 0, time_ms=market.end_ms, length_ms=length_ms, heard_ms=0)


def test_prints_of_high_leverage_are_found_to_be_that() -> None:
    history = silent(random_market(5, 1_200, volatility=0.004))
    exposures = [exposure_of(history, side, None, DEFAULT) for side in Side]
    learned = learn_positions(history, printed_by(exposures, HIGH), cover=always(history))
    assert learned.effective_events > 30
    for tilt in learned_tilt(learned):
        assert np.corrcoef(tilt, np.log(HIGH))[0, 1] > 0.65
        assert tilt[7:11].mean() - tilt[:4].mean() > 0.6
    near = distance_kernel(Side.LONG, None, learned.parameters)[:30].sum()
    assert near > 1.5 * distance_kernel(Side.LONG, None)[:30].sum()


def test_prints_of_the_prior_move_little() -> None:
    history = silent(random_market(5, 1_200, volatility=0.004))
    exposures = [exposure_of(history, side, None, DEFAULT) for side in Side]
    learned = learn_positions(history, printed_by(exposures, np.ones(KINDS)), cover=always(history))
    assert np.abs(learned_tilt(learned)).max() < 0.35


def test_a_throttled_feed_says_the_same(market: History) -> None:
    history = silent(market)
    exposures = [exposure_of(history, side, None, DEFAULT) for side in Side]
    whole = learn_positions(history, printed_by(exposures, HIGH), cover=always(history))
    part_of = learn_positions(history, printed_by(exposures, HIGH, usd=5.0), cover=always(history))
    np.testing.assert_allclose(learned_tilt(part_of), learned_tilt(whole), atol=2e-3)


def test_noting_only_where_prints_can_be_heard_teaches_the_same(market: History, exposures: list[Exposure]) -> None:
    start = (int(market.open_ms[0]) // HOUR_MS + 40) * HOUR_MS
    cover = ((start, start + 9 * HOUR_MS), (start + 30 * HOUR_MS, start + 40 * HOUR_MS))
    prints = printed_by(exposures, HIGH)
    everywhere, there = PositionLearner(market), PositionLearner(market, heard_ms=span_of(cover))
    for bars in (450, 900, len(market)):
        learned = there.learn(bars, prints, cover=cover)
        assert learned == everywhere.learn(bars, prints, cover=cover)
        assert (learned.effective_events > 0) is (bars > 450)


def test_prints_of_hours_that_nobody_listened_to_count_for_nothing(market: History, exposures: list[Exposure]) -> None:
    start = (int(market.open_ms[0]) // HOUR_MS + 20) * HOUR_MS
    cover = ((start, start + 40 * HOUR_MS),)
    prints = printed_by(exposures, HIGH)
    inside = prints.between(start - 1, start + 40 * HOUR_MS)
    some = prints_of(exposures, inside, cover, market.end_ms)
    all_of = prints_of(exposures, prints, cover, market.end_ms)
    assert some is not None
    assert all_of is not None
    assert [one.sum() for one in some.events] == [one.sum() for one in all_of.events]
    assert prints_of(exposures, prints, (), market.end_ms) is None
    assert sum(len(one) for one in some.events) < sum(len(one.hour) for one in exposures)


def test_falls_of_open_interest_find_high_leverage_without_a_print(market: History, exposures: list[Exposure]) -> None:
    chance = np.random.default_rng(3)
    falls = 0.5 * sum(one.by_bar @ HIGH for one in exposures) + chance.normal(0.0, 0.05, len(market))
    interest = 5_000.0 - np.cumsum(falls)
    fallen = replace(market, open_interest=np.maximum(interest, 1.0))
    found = falls_of(exposures, fallen, DEFAULT)
    assert found is not None
    assert found.bars == len(market) - 1
    learned = learn_positions(fallen, NOTHING, cover=())
    assert learned.bars == found.bars
    for tilt in learned_tilt(learned):
        assert tilt[7:11].mean() > tilt[:5].mean()


def test_open_interest_that_moves_once_an_hour_tells_nothing(market: History, exposures: list[Exposure]) -> None:
    held = market.open_interest[np.arange(len(market)) // 12 * 12]
    assert falls_of(exposures, replace(market, open_interest=held), DEFAULT) is None


def test_neither_the_unit_of_price_nor_of_coins_matters(market: History) -> None:
    history = silent(market)
    exposures = [exposure_of(history, side, None, DEFAULT) for side in Side]
    prints = printed_by(exposures, HIGH)
    cells = np.exp(2_300 * BLOCK_CELLS * CELL)
    dearer = replace(
        history,
        open=history.open * cells,
        high=history.high * cells,
        low=history.low * cells,
        close=history.close * cells,
        volume=history.volume * 10.0,
    )
    moved = replace(prints, price=prints.price * cells, usd=prints.usd * cells)
    plain = learn_positions(history, prints, cover=always(history))
    scaled = learn_positions(dearer, moved, cover=always(dearer))
    np.testing.assert_allclose(learned_tilt(scaled), learned_tilt(plain), atol=2e-3)


def test_a_model_of_learned_positions_goes_through_its_state_and_both_paths(market: History) -> None:
    parameters = replace(DEFAULT, long_tilt=tuple(HIGH.tolist()), short_tilt=tuple(HIGH[::-1].tolist()))
    early, late = part(market, 0, 900), part(market, 900, 1_200)
    model = PositionModel.restore(PositionModel.rebuild(early, parameters=parameters).state())
    assert model.parameters == parameters
    model.extend(late)
    whole = PositionModel.rebuild(market, parameters=parameters)
    np.testing.assert_allclose(model.map().long_usd, whole.map().long_usd, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.map().short_usd, whole.map().short_usd, rtol=1e-9, atol=1e-9)


def test_a_tilted_kernel_still_sums_to_one_and_a_flat_tilt_is_none() -> None:
    flat = replace(DEFAULT, long_tilt=(2.0,) * KINDS, short_tilt=(0.5,) * KINDS)
    for side in Side:
        np.testing.assert_allclose(distance_kernel(side, None, flat), distance_kernel(side, None), rtol=1e-12)
        tilted = replace(DEFAULT, long_tilt=tuple(HIGH.tolist()), short_tilt=tuple(HIGH.tolist()))
        assert distance_kernel(side, None, tilted).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("tilt", [(1.0,), (0.0,) * KINDS, (-1.0,) * KINDS])
def test_a_broken_tilt_is_refused(tilt: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="tilt"):
        replace(DEFAULT, short_tilt=tilt)


@settings(max_examples=12, deadline=None)
@given(history=histories(most=10), seed=st.integers(0, 1_000))
def test_no_market_breaks_it(history: History, seed: int) -> None:
    chance = np.random.default_rng(seed)
    bar = np.sort(chance.integers(0, len(history), 40))
    time_ms = history.open_ms[bar] + chance.integers(0, history.bar_ms, 40)
    prints = LiquidationPrints(np.sort(time_ms), chance.random(40) < 0.5, history.close[bar], chance.exponential(9, 40))
    learned = learn_positions(history, prints, cover=always(history))
    if learned.parameters.long_tilt:
        tilt = learned_tilt(learned)
        assert np.isfinite(tilt).all()
        assert np.abs(tilt).max() <= 4.0 + 1e-9
    assert sum(learned.parameters.turnover_prior) == pytest.approx(1.0)
    read = PositionModel.rebuild(history, parameters=learned.parameters).map()
    assert np.isfinite(read.long_usd).all()


def test_a_history_without_bars_is_refused() -> None:
    with pytest.raises(ValueError, match="no bar"):
        learn_positions(part(random_market(1, 3), 0, 0), NOTHING, cover=())
