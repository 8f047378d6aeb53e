"""Bins and scores against figures worked out by hand."""

from dataclasses import astuple

import numpy as np
import pytest

from bot.evaluation.measures import EDGES, bin_coins, bin_truth, closeness, spearman
from bot.liquidation.grid import CELL, cells_of
from bot.market.recording import Truth


def test_bins_are_a_quarter_percent_from_a_fifth_of_a_percent_on() -> None:
    assert len(EDGES) == 40
    assert EDGES[0] == pytest.approx(0.002)
    np.testing.assert_allclose(np.diff(EDGES), 0.0025)
    assert EDGES[-1] <= 0.10


def test_coins_in_one_cell_land_in_the_bin_of_their_price() -> None:
    price = 137.0
    coins = np.zeros((2, 1_500))
    coins[0, 51] = coins[1, 51] = 8.0
    binned = bin_coins(coins, price)
    low = np.exp((int(cells_of(price)) - 52) * CELL) * (1 + 0.5 * CELL)
    high = np.exp((int(cells_of(price)) + 52) * CELL) * (1 + 0.5 * CELL)
    for row, away in ((0, 1 - low / price), (1, high / price - 1)):
        assert binned[row].sum() == pytest.approx(8.0)
        assert np.argmax(binned[row]) == np.searchsorted(EDGES, away) - 1


def test_truth_and_a_perfect_estimate_fill_the_same_bins() -> None:
    chance = np.random.default_rng(1)
    price, cell = 50.0, int(cells_of(50.0))
    away = chance.integers(1, 130, 400)
    long_level, short_level = np.exp((cell - away + 0.5) * CELL), np.exp((cell + away + 0.5) * CELL)
    truth = Truth(np.arange(800) < 400, np.concatenate((long_level, short_level)), np.ones(800))
    coins = np.tile(np.bincount(away - 1, minlength=1_500).astype(float), (2, 1))
    for estimate, side in zip(bin_coins(coins, price), bin_truth(truth, price), strict=True):
        assert side.sum() > 200
        assert spearman(estimate, side) > 0.7
        assert closeness(estimate, side).cdf_error < 0.01


def test_the_three_scores_of_a_small_case() -> None:
    truth = np.array([0.0, 1.0, 2.0, 3.0, 14.0])
    perfect = closeness(2.0 * truth, truth)
    assert astuple(perfect) == pytest.approx((1.0, 14.0 / 20.0 / 0.2, 0.0))
    backwards = closeness(truth[::-1].copy(), truth)
    assert backwards.spearman == pytest.approx(-1.0)
    assert backwards.lift == 0.0
    assert backwards.cdf_error == pytest.approx(np.mean([0.7, 0.8, 0.8, 0.7, 0.0]))


def test_ties_share_their_rank() -> None:
    assert spearman(np.array([1.0, 1.0, 2.0]), np.array([1.0, 1.0, 9.0])) == pytest.approx(1.0)
    assert spearman(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 2.0, 3.0])) == pytest.approx(0.9486833)


def test_nothing_ranks_nothing() -> None:
    empty, some = np.zeros(5), np.arange(5.0)
    assert closeness(empty, some).spearman == 0.0
    assert closeness(empty, some).lift == 1.0
    assert closeness(some, empty).lift == 1.0
    assert closeness(empty, empty).cdf_error == 0.0
