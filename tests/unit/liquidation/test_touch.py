"""Odds of a touch: the shape of the curve, the table behind it, and how often it is right."""

import csv
import gzip
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.touch import (
    DEGREES_OF_FREEDOM,
    STEP_MS,
    Volatility,
    touch_probabilities,
    touch_probability,
    touch_spread,
    touch_spread_over,
)
from bot.liquidation.types import Floats, Ints
from tests.shared import SHARED, needs_shared

CALM = Volatility(close=100.0, time_ms=0, variances=(1e-6,) * 4, weights=(1.0,) * 4)


def closes(n: int, seed: int = 1) -> tuple[Ints, Floats]:
    rng = np.random.default_rng(seed)
    return np.arange(n, dtype=np.int64) * STEP_MS, 100.0 * np.exp(rng.normal(0.0, 0.002, n).cumsum())


def reflected_student_t(ratio: float) -> float:
    """2 (1 - T(ratio)) by the substitution x = sqrt(nu) tan(a), under which the density is cos(a)^(nu - 1)."""
    angle = np.linspace(math.atan(ratio / math.sqrt(DEGREES_OF_FREEDOM)), math.pi / 2, 200_001)
    whole = np.linspace(0.0, math.pi / 2, 200_001)
    power = DEGREES_OF_FREEDOM - 1.0
    upper = np.trapezoid(np.cos(angle) ** power, angle)
    return float(upper / np.trapezoid(np.cos(whole) ** power, whole))


@pytest.mark.parametrize("ratio", [0.001, 0.1, 0.5, 1.0, 2.0, 3.3, 7.0, 25.0])
def test_table_agrees_with_an_independent_integration(ratio: float) -> None:
    one_hour = 0.65 * math.sqrt(12.0) * 1e-3
    odds = touch_probability(100.0, 100.0 * math.exp(ratio * one_hour), 1.0, CALM)
    assert odds == pytest.approx(reflected_student_t(ratio), abs=1e-5)


@given(
    price=st.floats(1e-8, 1e6),
    far=st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=6),
    hours=st.lists(st.floats(0.01, 500.0), min_size=2, max_size=6),
)
def test_odds_fall_with_distance_and_rise_with_time(price: float, far: list[float], hours: list[float]) -> None:
    distance = np.array(sorted(far, key=abs))
    odds = touch_probability(price, price * np.exp(distance)[:, None], np.sort(hours), CALM)
    assert odds.shape == (len(far), len(hours))
    assert np.all((odds >= 0.0) & (odds <= 1.0))
    assert np.all(np.diff(odds, axis=0) <= 1e-9)
    assert np.all(np.diff(odds, axis=1) >= 0.0)


@given(hours=st.floats(-1.0, 500.0), variances=st.tuples(*[st.floats(0.0, 1e-2)] * 4))
def test_one_horizon_by_itself_gives_the_very_spread_of_many(
    hours: float, variances: tuple[float, float, float, float]
) -> None:
    volatility = Volatility(close=100.0, time_ms=0, variances=variances, weights=(1.0,) * 4)
    assert touch_spread_over(hours, volatility.step) == float(touch_spread(hours, volatility))


@given(
    away=st.one_of(st.just(0.0), st.floats(-2.0, 2.0)),
    hours=st.lists(st.floats(-1.0, 500.0), max_size=4),
    variances=st.tuples(*[st.floats(0.0, 1e-2)] * 4),
)
def test_one_level_by_itself_has_the_very_odds_of_many(
    away: float, hours: list[float], variances: tuple[float, float, float, float]
) -> None:
    volatility = Volatility(close=100.0, time_ms=0, variances=variances, weights=(1.0,) * 4)
    level = 100.0 * math.exp(away)
    expected = [float(touch_probability(100.0, level, each, volatility)) for each in hours]
    assert touch_probabilities(100.0, level, hours, volatility) == expected


def test_a_level_at_the_price_is_touched_already() -> None:
    assert touch_probability(100.0, 100.0, [0.0, 1.0, 24.0], CALM).tolist() == [1.0, 1.0, 1.0]


def test_without_time_or_without_movement_nothing_else_is_touched() -> None:
    still = Volatility(close=100.0, time_ms=0)
    assert touch_probability(100.0, [99.0, 100.0], 24.0, still).tolist() == [0.0, 1.0]
    assert touch_probability(100.0, [99.0, 100.0], 0.0, CALM).tolist() == [0.0, 1.0]


def test_both_directions_are_alike() -> None:
    up, down = touch_probability(100.0, [105.0, 100.0 / 1.05], 4.0, CALM)
    assert up == pytest.approx(down, abs=1e-12)


@given(seed=st.integers(0, 50), holes=st.sets(st.integers(1, 299), max_size=250), spoilt=st.sets(st.integers(1, 299)))
def test_updating_bar_by_bar_equals_building_at_once(seed: int, holes: set[int], spoilt: set[int]) -> None:
    time_ms, close = closes(300, seed)
    close[sorted(spoilt)] = np.nan
    kept = [i for i in range(300) if i not in holes]
    time_ms, close = time_ms[kept], close[kept]
    grown = Volatility(float(close[0]), int(time_ms[0]))
    for t, c in zip(time_ms[1:].tolist(), close[1:].tolist(), strict=True):
        grown = grown.updated(t, c)
    built = Volatility.from_closes(time_ms, close)
    assert (grown.close, grown.time_ms) == (built.close, built.time_ms)
    assert grown.variances == pytest.approx(built.variances, rel=1e-9)
    assert grown.weights == pytest.approx(built.weights, rel=1e-9)


def test_volatility_of_a_random_walk_is_its_own() -> None:
    built = Volatility.from_closes(*closes(20_000))
    assert built.step == pytest.approx(0.002, rel=0.1)
    assert built.day == pytest.approx(0.002 * math.sqrt(288), rel=0.1)


def test_a_return_over_a_gap_is_spread_over_the_missing_bars() -> None:
    time_ms = np.array([0, STEP_MS, 13 * STEP_MS], dtype=np.int64)
    gap = Volatility.from_closes(time_ms, np.array([100.0, 101.0, 101.0 * math.exp(0.12)]))
    even = Volatility.from_closes(
        np.arange(14, dtype=np.int64) * STEP_MS,
        np.array([100.0, *(101.0 * np.exp(np.arange(13) * 0.12 / math.sqrt(12)))]),
    )
    assert gap.variances == pytest.approx(even.variances, rel=1e-9)
    assert gap.weights == pytest.approx(even.weights, rel=1e-9)


def test_hourly_bars_tell_the_same_volatility_in_the_same_unit() -> None:
    time_ms, close = closes(60_001)
    assert Volatility.from_closes(time_ms[::12], close[::12]).day == pytest.approx(0.002 * math.sqrt(288), rel=0.25)


@pytest.mark.parametrize("close", [math.nan, math.inf, 0.0, -1.0])
def test_a_close_that_is_no_price_changes_nothing(close: float) -> None:
    assert CALM.updated(STEP_MS, close) is CALM


def test_a_bar_seen_again_changes_nothing() -> None:
    assert CALM.updated(0, 101.0) is CALM
    assert CALM.updated(-STEP_MS, 101.0) is CALM


def test_no_close_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one close"):
        Volatility.from_closes(np.array([0], dtype=np.int64), np.array([np.nan]))


def real_bars(symbol: str) -> tuple[Ints, Floats, Floats, Floats]:
    with gzip.open(SHARED / "recordings" / "binance" / symbol / "bars_5m.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    high, low, close = (np.array([float(row[name]) for row in rows]) for name in ("high", "low", "close"))
    return np.array([int(row["open_time_ms"]) for row in rows], dtype=np.int64) + STEP_MS, high, low, close


@needs_shared
def test_odds_on_real_markets_happen_as_often_as_said() -> None:
    distance = np.array([-0.08, -0.05, -0.03, -0.02, -0.01, -0.005, -0.003, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08])
    hours = (1, 4, 24)
    said, happened = [], []
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT", "AVAXUSDT", "ARBUSDT", "WIFUSDT", "ZRXUSDT"):
        time_ms, high, low, close = real_bars(symbol)
        volatility = Volatility.from_closes(time_ms[:2016], close[:2016])
        for i in range(2016, len(close) - 288):
            volatility = volatility.updated(int(time_ms[i]), float(close[i]))
            if i % 12:
                continue
            level = close[i] * np.exp(distance)
            said.append(touch_probability(close[i], level, np.array(hours)[:, None], volatility))
            reach = [(low[i + 1 : i + 1 + 12 * h].min(), high[i + 1 : i + 1 + 12 * h].max()) for h in hours]
            happened.append([(level >= bottom) & (level <= top) for bottom, top in reach])
    odds, truth = np.ravel(said), np.ravel(happened).astype(float)
    decile = np.minimum((odds * 10).astype(int), 9)
    count = np.bincount(decile, minlength=10)
    error = np.abs(np.bincount(decile, odds, 10) - np.bincount(decile, truth, 10)).sum() / count.sum()
    assert len(odds) > 100_000
    assert error <= 0.015
