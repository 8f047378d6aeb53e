"""Strength: the rank of a cluster's share in its own history and in the pooled table."""

import csv
import gzip
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.clusters import find_clusters
from bot.liquidation.learning import PositionLearner
from bot.liquidation.model import PositionModel
from bot.liquidation.score import nothing_printed
from bot.liquidation.strength import (
    HOUR_MS,
    KEPT_HOURS,
    POOLED_SHARES,
    ShareHistory,
    distance_band,
    pooled_rank,
    pooled_strength,
)
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, History, Side
from tests.shared import SHARED, needs_shared

PRICE = 100.0
NEAR, MIDDLE, FAR = 0.01, 0.03, 0.08


def cluster(share: float, *, side: Side = Side.LONG, distance: float = MIDDLE) -> Cluster:
    peak = PRICE * np.exp(-distance if side is Side.LONG else distance)
    return Cluster(side, peak * 0.999, peak * 1.001, peak, 1e6, share, 0)


def fed(shares: list[float], *, first_hour: int = 1_000) -> ShareHistory:
    history = ShareHistory()
    for hour, share in enumerate(shares, first_hour):
        history.observe(hour * HOUR_MS, PRICE, [cluster(share)])
    return history


@pytest.mark.parametrize(("distance", "band"), [(0.0, 0), (0.0199, 0), (0.02, 1), (0.0499, 1), (0.05, 2), (0.12, 2)])
def test_bands_are_0_to_2_to_5_and_beyond(distance: float, band: int) -> None:
    assert distance_band(distance) == band


def test_the_pooled_table_rises_strictly_within_shares() -> None:
    assert set(POOLED_SHARES) == {(side, band) for side in Side for band in range(3)}
    for shares in POOLED_SHARES.values():
        assert len(shares) == 21
        assert np.all(np.diff(shares) > 0.0)
        assert shares[0] > 0.0
        assert shares[-1] < 1.0


def test_a_median_share_is_50_without_history() -> None:
    for (side, band), shares in POOLED_SHARES.items():
        distance = (NEAR, MIDDLE, FAR)[band]
        assert pooled_strength(side, distance, float(shares[10])) == 50
        assert ShareHistory().strength(side, distance, float(shares[10])) == 50


@given(share=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0), distance=st.floats(0.0, 0.2), own=st.lists(st.floats(0, 1)))
def test_strength_rises_with_the_share_and_stays_within_0_and_100(
    share: float, more: float, distance: float, own: list[float]
) -> None:
    history = fed(own)
    low, high = (history.strength(Side.LONG, distance, q) for q in sorted((share, more)))
    assert 0 <= low <= high <= 100


@given(st.integers(0, 10_000), st.integers(0, 60), st.sampled_from([HOUR_MS // 4, 40 * HOUR_MS]))
def test_maps_rated_at_once_are_rated_as_map_after_map(seed: int, count: int, step_ms: int) -> None:
    dice = np.random.default_rng(seed)
    time_ms = 1_000 * HOUR_MS + np.cumsum(dice.integers(0, 4, count)) * step_ms
    moment = np.sort(dice.integers(0, max(1, count), 3 * count))
    is_short, far = dice.random(3 * count) < 0.5, dice.choice([NEAR, MIDDLE, FAR], 3 * count)
    share = dice.random(3 * count).round(1)  # with ties
    together, in_turn = ShareHistory(), ShareHistory()

    def rated(begin: int, end: int) -> list[int]:
        rows = slice(*np.searchsorted(moment, (begin, end)).tolist())
        return together.follow(time_ms[begin:end], moment[rows] - begin, is_short[rows], far[rows], share[rows])

    one_by_one = []
    for at_ms, row in zip(time_ms.tolist(), range(count), strict=True):
        bodies = [
            (Side.SHORT if is_short[body] else Side.LONG, float(far[body]), float(share[body]))
            for body in np.flatnonzero(moment == row).tolist()
        ]
        one_by_one += [in_turn.strength(*body) for body in bodies]
        in_turn.observe(at_ms, PRICE, [cluster(size, side=side, distance=away) for side, away, size in bodies])
    assert [*rated(0, count // 3), *rated(count // 3, count)] == one_by_one
    assert together.to_bytes() == in_turn.to_bytes()


def test_own_history_and_pool_are_blended_by_their_sizes() -> None:
    history = fed([0.1] * 100 + [0.3] * 200)
    pooled = pooled_rank(Side.LONG, MIDDLE, 0.2)
    assert history.strength(Side.LONG, MIDDLE, 0.2) == round(100 * (100 + 200 * pooled) / 500)


def test_equal_shares_rank_in_the_middle() -> None:
    history = fed([0.2] * 200)
    pooled = pooled_rank(Side.LONG, MIDDLE, 0.2)
    assert history.strength(Side.LONG, MIDDLE, 0.2) == round(100 * (0.5 + pooled) / 2)


def test_sides_and_bands_do_not_mix() -> None:
    history = fed([0.01] * 300)
    for side, distance in ((Side.SHORT, MIDDLE), (Side.LONG, NEAR), (Side.LONG, FAR)):
        assert history.strength(side, distance, 0.15) == pooled_strength(side, distance, 0.15)
    assert history.strength(Side.LONG, MIDDLE, 0.15) > pooled_strength(Side.LONG, MIDDLE, 0.15)


def test_one_map_an_hour_is_taken() -> None:
    history = ShareHistory()
    start = 500 * HOUR_MS
    assert history.observe(start, PRICE, [cluster(0.1), cluster(0.2, side=Side.SHORT)])
    assert not history.observe(start + 5 * 60_000, PRICE, [cluster(0.1)])
    assert not history.observe(start - HOUR_MS, PRICE, [cluster(0.1)])
    assert history.observe(start + HOUR_MS, PRICE, [])
    assert not history.observe(start + HOUR_MS + 1, PRICE, [cluster(0.1)])
    assert len(history) == 2


def test_samples_older_than_30_days_are_forgotten() -> None:
    history = fed([0.9] * 10 + [0.1] * (KEPT_HOURS - 10))
    assert len(history) == KEPT_HOURS
    history.observe((1_000 + KEPT_HOURS + 9) * HOUR_MS, PRICE, [cluster(0.1)])
    assert len(history) == KEPT_HOURS - 9
    fresh = fed([0.1] * (KEPT_HOURS - 9))
    assert history.strength(Side.LONG, MIDDLE, 0.15) == fresh.strength(Side.LONG, MIDDLE, 0.15)


@given(
    samples=st.lists(st.tuples(st.sampled_from(Side), st.sampled_from([NEAR, MIDDLE, FAR]), st.floats(0.0, 1.0))),
    probe=st.floats(0.0, 1.0),
)
def test_a_restored_history_answers_and_goes_on_alike(samples: list[tuple[Side, float, float]], probe: float) -> None:
    history = ShareHistory()
    for hour, (side, distance, share) in enumerate(samples):
        history.observe(hour * HOUR_MS, PRICE, [cluster(share, side=side, distance=distance)])
    restored = ShareHistory.from_bytes(history.to_bytes())
    assert restored.to_bytes() == history.to_bytes()
    last_ms = (len(samples) - 1) * HOUR_MS
    assert not restored.observe(last_ms, PRICE, [cluster(0.5)])
    later_ms = (len(samples) + KEPT_HOURS // 2) * HOUR_MS
    for each in (history, restored):
        assert each.observe(later_ms, PRICE, [cluster(0.5)])
    for side in Side:
        for distance in (NEAR, MIDDLE, FAR):
            assert restored.strength(side, distance, probe) == history.strength(side, distance, probe)


@pytest.mark.parametrize("data", [b"", b"1234567", b"\1\0\0\0\0\0\0\0\0" + b"\1\0\0\0\x09\0\0\0\0"])
def test_bytes_that_are_no_history_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"history|buffer"):
        ShareHistory.from_bytes(data)


def recorded(symbol: str) -> History:
    """Bars and open interest of December 2025; open interest is sampled at each bar's end."""
    folder = SHARED / "recordings" / "binance" / symbol
    with gzip.open(folder / "bars_5m.csv.gz", "rt") as lines:
        bars = list(csv.DictReader(lines))
    with gzip.open(folder / "open_interest_5m.csv.gz", "rt") as lines:
        known = {int(row["time_ms"]): float(row["open_interest"]) for row in csv.DictReader(lines)}
    open_ms = np.array([int(row["open_time_ms"]) for row in bars], dtype=np.int64)
    open_, high, low, close, volume = (
        np.array([float(row[name]) for row in bars]) for name in ("open", "high", "low", "close", "volume")
    )
    open_interest = np.array([known.get(t, math.nan) for t in (open_ms + 300_000).tolist()])
    return History(300_000, open_ms, open_, high, low, close, volume, np.full(len(bars), math.nan), open_interest)


RELEARN_BARS = 7 * 288


def first_bars(history: History, n: int) -> History:
    return History(
        history.bar_ms,
        history.open_ms[:n],
        history.open[:n],
        history.high[:n],
        history.low[:n],
        history.close[:n],
        history.volume[:n],
        history.quote_volume[:n],
        history.open_interest[:n],
    )


@needs_shared
def test_clusters_of_real_maps_rank_evenly_in_the_pooled_table() -> None:
    """Where the model has changed enough to break this, the table must be measured again."""
    ranks = []
    for symbol in ("BTCUSDT", "SOLUSDT", "AVAXUSDT"):
        history = recorded(symbol)
        learner = PositionLearner(history)
        model = PositionModel.rebuild(first_bars(history, 864))
        for end in range(864, len(history), 288):
            model.extend(first_bars(history, end))
            if (end - 864) % RELEARN_BARS == 0:
                learned = learner.learn(end, nothing_printed(), cover=())
                model = PositionModel.rebuild(first_bars(history, end), parameters=learned.parameters)
            chart = model.map()
            volatility = Volatility.from_closes(history.open_ms[:end], history.close[:end])
            ranks += [
                pooled_rank(found.side, abs(math.log(found.peak / chart.price)), found.share)
                for found in find_clusters(chart, day_volatility=volatility.day)
            ]
    assert len(ranks) > 200
    assert np.quantile(ranks, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.15)
