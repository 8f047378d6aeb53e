"""The shape of a map: concentration, shares near price, imbalance, and all of them beside their own past."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.shape import HOUR_MS, LEAST_PAST, Shape, report_shape, shape_of
from bot.liquidation.types import LiquidationMap
from bot.liquidation.values import replace

BINS = 240
PRICE = 100.0


def a_map(longs: np.ndarray, shorts: np.ndarray) -> LiquidationMap:
    edges = PRICE * np.exp(0.001 * (np.arange(BINS + 1) - BINS // 2))
    total = max(float(longs.sum()), 1.0), max(float(shorts.sum()), 1.0)
    return LiquidationMap(HOUR_MS, PRICE, edges[:-1], edges[1:], longs, shorts, *total, "measured")


def sided(seed: int) -> LiquidationMap:
    dice = np.random.default_rng(seed)
    standing = dice.random(BINS) ** 4
    below = np.arange(BINS) < BINS // 2
    return a_map(np.where(below, standing, 0.0), np.where(below, 0.0, standing))


def seen(time_ms: int, concentration: float, imbalance: float = 0.0) -> Shape:
    return Shape(time_ms, concentration, (0.1, 0.2, 0.5), imbalance)


def test_an_empty_map_has_no_shape() -> None:
    assert shape_of(a_map(np.zeros(BINS), np.zeros(BINS))) is None


def test_an_even_map_is_not_concentrated_and_one_full_bin_is_all_concentrated() -> None:
    even, single = shape_of(a_map(np.ones(BINS), np.zeros(BINS))), np.zeros(BINS)
    single[BINS // 2 - 5] = 3.0
    full = shape_of(a_map(single, np.zeros(BINS)))
    assert even is not None
    assert even.concentration == pytest.approx(0.0, abs=1e-12)
    assert full is not None
    assert full.concentration == pytest.approx(1.0)
    assert full.near == pytest.approx((1.5 / 2, 1.5 / 2, 1.5 / 2), abs=0.01)
    assert full.imbalance == pytest.approx(1.0)


@given(seed=st.integers(0, 199), factor=st.floats(1e-3, 1e9), more=st.floats(1.01, 100.0))
def test_a_shape_knows_no_unit_of_money_and_leans_to_what_is_more(seed: int, factor: float, more: float) -> None:
    drawn = sided(seed)
    shape = shape_of(drawn)
    larger = shape_of(a_map(drawn.long_usd * factor, drawn.short_usd * factor))
    with_longs = shape_of(a_map(drawn.long_usd * more, drawn.short_usd))
    assert shape is not None
    assert larger is not None
    assert with_longs is not None
    assert larger.concentration == pytest.approx(shape.concentration, rel=1e-6)
    assert larger.imbalance == pytest.approx(shape.imbalance, rel=1e-6, abs=1e-9)
    assert with_longs.imbalance > shape.imbalance


@given(seed=st.integers(0, 199))
def test_a_wider_reach_never_holds_less_and_every_figure_stays_in_its_range(seed: int) -> None:
    shape = shape_of(sided(seed))
    assert shape is not None
    assert 0.0 <= shape.near[0] <= shape.near[1] <= shape.near[2] <= 1.0
    assert 0.0 <= shape.concentration <= 1.0
    assert -1.0 <= shape.imbalance <= 1.0


def test_a_short_past_calls_nothing_usual() -> None:
    past = [seen(hour * HOUR_MS, 0.1) for hour in range(LEAST_PAST - 1)]
    report = report_shape(seen(100 * HOUR_MS, 0.2), past)
    assert report.concentration.rank is None
    assert report.tightness is None
    assert not report.concentration.is_high
    assert not report.concentration.is_low


def test_a_rank_counts_what_lay_below_and_half_of_the_ties() -> None:
    past = [seen(hour * HOUR_MS, hour / 100.0) for hour in range(100)]
    report = report_shape(seen(100 * HOUR_MS, 0.50), past)
    assert report.concentration.rank == pytest.approx(0.505)
    assert (report.concentration.low, report.concentration.high) == pytest.approx((0.099, 0.891))
    assert report.near[1].rank == pytest.approx(0.5)
    assert report.tightness == report.near[1].rank
    assert report_shape(seen(100 * HOUR_MS, 0.95), past).concentration.is_high
    assert report_shape(seen(100 * HOUR_MS, 0.01), past).concentration.is_low


def test_changes_are_told_where_the_hour_is_known_and_left_out_where_it_is_not() -> None:
    past = [seen(hour * HOUR_MS, hour / 100.0, hour / 1000.0) for hour in range(20, 50)]
    report = report_shape(seen(50 * HOUR_MS, 0.60, 0.1), past)
    assert dict(report.concentration.changes) == pytest.approx({4: 0.60 - 0.46, 24: 0.60 - 0.26})
    assert dict(report.imbalance.changes) == pytest.approx({4: 0.1 - 0.046, 24: 0.1 - 0.026})
    assert dict(report_shape(seen(47 * HOUR_MS, 0.6), past[:5]).concentration.changes) == {4: None, 24: 0.6 - 0.23}


def test_shapes_that_are_not_past_are_left_out() -> None:
    past = [seen(hour * HOUR_MS, 0.1) for hour in range(60)]
    later = [replace(shape, concentration=0.9) for shape in past if shape.time_ms >= 40 * HOUR_MS]
    now = seen(40 * HOUR_MS, 0.5)
    assert report_shape(now, [*past[:40], *later]) == report_shape(now, past[:40])
