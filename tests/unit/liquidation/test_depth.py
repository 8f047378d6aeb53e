"""Order books: what stands up to a level, what a thin one is, and absorption."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.clusters import find_clusters
from bot.liquidation.depth import LEAST_LEVELS, Depth, absorption
from bot.liquidation.types import Cluster, Floats, Side
from tests.unit.liquidation.grounds import CALM, STEP, hill, map_of

SIZES = st.lists(st.floats(0.0, 1e6), min_size=LEAST_LEVELS, max_size=80).map(np.array)


def book_of(bid_usd: Floats, ask_usd: Floats, *, middle: float = 100.0) -> Depth:
    """Orders 0.1 % apart, from 0.1 % on."""
    bids = middle * np.exp(-STEP * (1.0 + np.arange(len(bid_usd))))
    asks = middle * np.exp(STEP * (1.0 + np.arange(len(ask_usd))))
    return Depth(7, bids, bid_usd / bids, asks, ask_usd / asks)


def cluster_of(side: Side, usd: float = 1e6) -> Cluster:
    """One at 3 % from 100."""
    hills, flat = hill(120, (30, 9.0, 3.0)), np.zeros(120)
    drawn = map_of(hills, flat) if side is Side.LONG else map_of(flat, hills)
    [found] = find_clusters(drawn, day_volatility=CALM)
    return Cluster(found.side, found.low, found.high, found.peak, usd, found.share, found.strength)


def test_orders_up_to_a_level_are_bids_below_and_asks_above() -> None:
    book = book_of(np.array([1.0, 2.0, 4.0, 8.0, 16.0]), np.array([100.0, 200.0, 400.0, 800.0, 1600.0]))
    assert book.middle == pytest.approx(100.0, rel=1e-5)
    assert book.usd_to(100.0 * math.exp(-2.5 * STEP)) == pytest.approx(3.0)
    assert book.usd_to(100.0 * math.exp(2.5 * STEP)) == pytest.approx(300.0)
    assert book.usd_to(book.middle) == 0.0


def test_beyond_the_farthest_order_the_density_goes_on() -> None:
    book = book_of(np.full(10, 5.0), np.full(10, 5.0))
    assert book.usd_to(100.0 * math.exp(-40 * STEP)) == pytest.approx(200.0, rel=1e-3)


def test_a_level_may_be_told_by_its_distance_from_another_price() -> None:
    book = book_of(np.full(10, 5.0), np.full(10, 5.0), middle=250.0)
    assert book.usd_to(100.0 * math.exp(-4.5 * STEP), price=100.0) == pytest.approx(20.0)


def test_a_side_of_few_levels_or_none_is_thin() -> None:
    few, many = np.ones(LEAST_LEVELS - 1), np.ones(LEAST_LEVELS)
    assert book_of(few, many).is_thin
    assert book_of(many, np.empty(0)).is_thin
    assert not book_of(many, many).is_thin


def test_the_nearest_levels_are_kept_on_both_sides() -> None:
    book = book_of(np.arange(1.0, 9.0), np.arange(1.0, 7.0)).nearest(6)
    assert (len(book.bid_price), len(book.ask_price), book.time_ms) == (6, 6, 7)
    assert book.bid_price[0] > book.bid_price[-1]


@pytest.mark.parametrize("side", Side)
def test_a_small_cluster_in_a_thin_book_outranks_a_large_one_in_a_deep_book(side: Side) -> None:
    thin, deep = (book_of(np.full(50, usd), np.full(50, usd)) for usd in (1e4, 1e6))
    assert absorption(cluster_of(side, 5e6), thin) > absorption(cluster_of(side, 50e6), deep)
    assert absorption(cluster_of(side, 5e6), thin) == pytest.approx(5e6 / (30 * 1e4), rel=0.1)


def test_books_of_several_exchanges_absorb_together() -> None:
    one, other = book_of(np.full(50, 1e4), np.full(50, 1e4)), book_of(np.full(50, 3e4), np.full(50, 3e4), middle=3.0)
    cluster = cluster_of(Side.SHORT)
    alone = absorption(cluster, one, price=100.0)
    assert absorption(cluster, (one, other), price=100.0) == pytest.approx(alone / 4)


def test_nothing_absorbs_a_cluster_whose_peak_price_stands_at() -> None:
    cluster = cluster_of(Side.LONG)
    assert absorption(cluster, book_of(np.ones(9), np.ones(9)), price=cluster.peak) == math.inf


@given(SIZES, st.floats(1.0, 5.0), st.floats(-0.2, 0.2))
def test_a_deeper_book_holds_no_less_up_to_any_level_and_no_level_less_than_a_nearer_one(
    usd: Floats, deeper: float, away: float
) -> None:
    book, thicker = (book_of(sizes, sizes) for sizes in (usd + 1.0, deeper * (usd + 1.0)))
    level, farther = 100.0 * math.exp(away), 100.0 * math.exp(1.3 * away)
    assert book.usd_to(level) <= thicker.usd_to(level) * (1 + 1e-12)
    assert book.usd_to(level, price=100.0) <= book.usd_to(farther, price=100.0) * (1 + 1e-12)


@given(SIZES, st.integers(1, 60))
def test_a_book_in_steps_has_the_same_sums_up_to_each_step(usd: Floats, steps: int) -> None:
    book = book_of(usd + 1.0, usd + 1.0)
    fewer = book.in_steps(steps)
    assert len(fewer.bid_price) <= steps
    for side in Side:
        told, whole = fewer.against(side), book.against(side)
        assert told.price[-1] == whole.price[-1]
        sums = (told.price * told.coins).cumsum()
        assert sums == pytest.approx((whole.price * whole.coins).cumsum()[np.isin(whole.price, told.price)], rel=1e-9)
