"""Volume profile, swings, walls, and the clusters that stand at them."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.confluence import Surroundings
from bot.liquidation.depth import Depth
from bot.liquidation.grid import CELL
from bot.liquidation.landmarks import WINDOW_MS, Landmarks
from bot.liquidation.swings import REVERSAL_RANGES, Shelf, Swing, shelves_of, swings_of
from bot.liquidation.totals import average_true_range_pct
from bot.liquidation.types import Cluster, Feature, Floats, History, Side
from bot.liquidation.values import replace
from bot.liquidation.volume_profile import VALUE_SHARE, profile_of
from bot.liquidation.walls import walls_of
from tests.unit.liquidation.markets import history_of, random_market

BLUR = 0.002
HOUR_BARS = 12


def legs(*prices: float, hours: int = 12) -> Floats:
    """Closes that go from price to price in straight legs of so many hours."""
    steps = [np.linspace(a, b, hours * HOUR_BARS, endpoint=False) for a, b in pairwise(prices)]
    return np.concatenate([*steps, [prices[-1]]])


def book(middle: float, *, levels: int = 200, wall: float | None = None, times: float = 20.0) -> Depth:
    """A level each 0.02 % on both sides with 10 coins, and so many times as much at one price."""
    away = np.arange(1, levels + 1) * 0.0002
    bid, ask = middle * np.exp(-away), middle * np.exp(away)
    bid_coins, ask_coins = np.full(levels, 10.0), np.full(levels, 10.0)
    for price, coins in ((bid, bid_coins), (ask, ask_coins)):
        if wall is not None and price.min() <= wall <= price.max():
            coins[np.abs(price - wall).argmin()] *= times
    return Depth(0, bid, bid_coins, ask, ask_coins)


def at(side: Side, edge: float) -> Cluster:
    """A cluster whose near edge is this."""
    low, high = (edge * 0.98, edge) if side is Side.LONG else (edge, edge * 1.02)
    return Cluster(side, low, high, (low + high) / 2, 10e6, 0.1, 80)


def test_the_profile_peaks_where_most_was_traded() -> None:
    closes = np.concatenate([np.full(100, 100.0), np.full(300, 105.0), np.full(60, 110.0)])
    profile = profile_of(history_of(closes, wick=0.0005), blur=BLUR)
    assert profile is not None
    assert profile.point_of_control == pytest.approx(105.0, rel=CELL)
    assert profile.nodes == pytest.approx((100.0, 105.0, 110.0), rel=CELL)
    value_low, value_high = profile.value_area
    assert value_low < 105.0 < value_high


def test_a_ripple_on_a_hill_is_no_node() -> None:
    closes = np.concatenate([np.full(300, 100.0), np.full(20, 101.5)])
    profile = profile_of(history_of(closes, wick=0.0005), blur=BLUR)
    assert profile is not None
    assert profile.nodes == pytest.approx((100.0,), rel=CELL)


def test_without_volume_there_is_no_profile() -> None:
    assert profile_of(history_of(np.full(50, 100.0), volume=0.0), blur=BLUR) is None


@given(st.integers(0, 10_000), st.integers(40, 400))
def test_the_value_area_holds_its_share_around_the_point_of_control(seed: int, bars: int) -> None:
    history = random_market(seed, bars)
    profile = profile_of(history, blur=BLUR)
    assert profile is not None
    edges = np.exp((profile.first + np.arange(len(profile.volume) + 1)) * CELL)
    value_low, value_high = profile.value_area
    inside = (edges[:-1] >= value_low * (1 - 1e-12)) & (edges[1:] <= value_high * (1 + 1e-12))
    assert profile.volume[inside].sum() >= (VALUE_SHARE - 1e-9) * profile.volume.sum()
    assert value_low <= profile.point_of_control <= value_high
    assert profile.point_of_control in profile.nodes
    assert history.low.min() * (1 - CELL) <= profile.nodes[0] <= profile.nodes[-1] <= history.high.max() * (1 + CELL)


def test_turns_are_told_once_price_has_come_back_far_enough() -> None:
    closes = legs(100.0, 110.0, 100.0, 108.0, 99.0)
    found = swings_of(history_of(closes, wick=0.0))
    assert [(round(swing.price), swing.is_high) for swing in found] == [(110, True), (100, False), (108, True)]
    until_the_top = len(legs(100.0, 110.0))
    assert swings_of(history_of(closes[: until_the_top + HOUR_BARS], wick=0.0)) == ()


def test_the_edge_of_the_history_is_no_turn() -> None:
    assert swings_of(history_of(legs(100.0, 90.0, hours=48), wick=0.0)) == ()


def test_less_than_a_day_says_nothing() -> None:
    assert swings_of(history_of(np.full(100, 100.0))) == ()


@given(st.integers(0, 10_000), st.integers(300, 1_200))
def test_turns_alternate_and_are_known_only_from_the_past(seed: int, bars: int) -> None:
    history = random_market(seed, bars)
    found = swings_of(history)
    assert all(one.is_high is not other.is_high for one, other in pairwise(found))
    earlier = swings_of(history.rows(0, bars - bars % HOUR_BARS - 5 * HOUR_BARS))
    assert found[: len(earlier)] == earlier
    for swing in found:
        assert swing.price == pytest.approx(_extreme(history, swing), rel=1e-9)


def _extreme(history: History, swing: Swing) -> float:
    rows = (history.open_ms >= swing.time_ms) & (history.open_ms < swing.time_ms + 3_600_000)
    return float(history.high[rows].max() if swing.is_high else history.low[rows].min())


def test_turns_at_one_price_are_one_level_with_its_touches() -> None:
    prices = ((100.0, True), (100.2, False), (100.1, True), (104.0, True))
    swings = [Swing(hour, price, is_high) for hour, (price, is_high) in enumerate(prices)]
    low, high = shelves_of(swings, width=0.003)
    assert (low.highs, low.lows, low.touches) == (2, 1, 3)
    assert low.price == pytest.approx(100.1)
    assert high == Shelf(104.0, highs=1, lows=0)


@given(st.lists(st.tuples(st.floats(90.0, 110.0), st.booleans()), max_size=30), st.floats(0.0005, 0.02))
def test_levels_lose_no_turn_and_are_no_wider_than_asked(turns: list[tuple[float, bool]], width: float) -> None:
    swings = [Swing(hour, price, is_high) for hour, (price, is_high) in enumerate(turns)]
    shelves = shelves_of(swings, width=width)
    assert sum(shelf.touches for shelf in shelves) == len(swings)
    assert [shelf.price for shelf in shelves] == sorted(shelf.price for shelf in shelves)
    often = tuple(shelf for shelf in shelves if shelf.touches >= 2)
    assert shelves_of(swings, width=width, least_touches=2) == often


@pytest.mark.parametrize("wall", [98.6, 101.5])
def test_a_wall_is_far_more_than_rests_around_it(wall: float) -> None:
    assert walls_of(book(100.0, wall=wall)) == pytest.approx((wall,), rel=0.0002)
    assert walls_of(book(100.0, wall=wall, times=4.0)) == ()


def test_an_even_book_and_a_thin_one_have_no_walls() -> None:
    assert walls_of(book(100.0)) == ()
    assert walls_of(book(100.0, levels=4, wall=99.95)) == ()


def test_what_rests_at_the_best_prices_is_no_wall() -> None:
    assert walls_of(book(100.0, wall=99.98)) == ()


@given(st.floats(-0.03, 0.03), st.floats(0.5, 2000.0))
def test_walls_are_those_of_the_book_whatever_its_price(away: float, price: float) -> None:
    expected = tuple(each * price / 100.0 for each in walls_of(book(100.0, wall=100.0 * math.exp(away))))
    assert walls_of(book(price, wall=price * math.exp(away))) == pytest.approx(expected)


CLOSES = legs(100.0, 105.0, 100.0, 105.0, 100.0, 102.0)
"""Twice up to 105, twice down to 100: resistance and support, with equal volume in between."""


def surroundings(*books: Depth) -> Surroundings:
    history = history_of(CLOSES, wick=0.0)
    return Surroundings(lambda: Landmarks(history), day_volatility=0.02, books=books)


def test_a_cluster_at_a_level_that_price_turned_at_twice_is_marked_with_it() -> None:
    found = surroundings()
    (mark,) = [each for each in found.marks(at(Side.SHORT, 105.0)) if each.feature is Feature.SWING_HIGH]
    assert mark.price == pytest.approx(105.0, rel=0.002)
    assert mark.times == 2
    assert Feature.SWING_HIGH not in {each.feature for each in found.marks(at(Side.SHORT, 105.0 * 1.01))}


def test_a_cluster_at_a_wall_is_marked_with_it() -> None:
    def walls(*books: Depth) -> list[float]:
        marks = surroundings(*books).marks(at(Side.SHORT, 103.5))
        return [mark.price for mark in marks if mark.feature is Feature.WALL]

    assert walls(book(102.0, wall=103.5)) == pytest.approx([103.5], rel=0.0002)
    assert walls(book(102.0)) == []


def test_it_is_the_edge_that_price_meets_that_counts() -> None:
    short = at(Side.SHORT, 105.0)
    assert surroundings().marks(replace(short, side=Side.LONG, low=100.5, high=105.0)) == surroundings().marks(short)
    assert surroundings().marks(replace(short, low=103.2)) != surroundings().marks(short)


def test_a_mark_makes_no_other_body_of_a_cluster() -> None:
    bare = at(Side.SHORT, 105.0)
    (marked,) = surroundings().marked([bare])
    assert marked.confluence
    assert marked == bare


@given(st.integers(0, 10_000), st.integers(40, 400), st.sampled_from([0.0005, 0.001, 0.003, 0.02]))
def test_nodes_near_a_price_are_those_of_all_within_its_reach(seed: int, bars: int, within: float) -> None:
    history = random_market(seed, bars)
    profile = profile_of(history, blur=BLUR)
    assert profile is not None
    around = [node * math.exp(away) for node in profile.nodes for away in (-within, -0.0004, 0.0, 0.0011, within)]
    for price in (*around, *history.close[::20].tolist(), 0.5 * history.low.min(), 2.0 * history.high.max()):
        near = [node for node in profile.nodes if abs(math.log(node / price)) <= within]
        assert profile.nodes_near(price, within) == near


def test_nothing_is_worked_out_before_it_is_asked_for() -> None:
    asked = 0

    def landmarks() -> Landmarks:
        nonlocal asked
        asked += 1
        return Landmarks(history_of(CLOSES))

    found = Surroundings(landmarks, day_volatility=0.02)
    assert asked == 0
    found.marks(at(Side.LONG, 100.0))
    found.marks(at(Side.SHORT, 105.0))
    assert asked == 1


@given(st.integers(0, 10_000), st.lists(st.integers(1, 1_000), min_size=1, max_size=6))
def test_landmarks_asked_for_after_bar_upon_bar_are_those_of_the_bars_so_far(seed: int, asked: list[int]) -> None:
    bar_ms, count = 3_600_000 // 2, 1_500 + max(asked)  # a month is 1,440 such bars
    history = random_market(seed, count)
    history = replace(history, bar_ms=bar_ms, open_ms=history.open_ms[0] + bar_ms * np.arange(count))
    landmarks = Landmarks(history)
    for bars in (*asked, *(count - each for each in sorted(asked))):
        so_far = history.within(int(history.open_ms[bars - 1]) + bar_ms - WINDOW_MS, int(history.open_ms[bars]))
        assert landmarks.swings(bars) == swings_of(so_far)
        assert landmarks.usual_range(bars) == pytest.approx(average_true_range_pct(so_far) / 100.0, nan_ok=True)
        both = landmarks.profile(bars, blur=BLUR), profile_of(so_far, blur=BLUR)
        one, other = (None if each is None else (each.first, each.nodes, each.volume.tolist()) for each in both)
        assert one == other


def test_a_dip_of_less_than_three_usual_ranges_is_no_swing() -> None:
    rise, dip = legs(100.0, 112.0), legs(112.0, 110.5, 112.0, hours=1)  # an hour's usual range is a percent here
    assert REVERSAL_RANGES * 0.009 > 1.5 / 112.0
    assert swings_of(history_of(np.concatenate([rise, dip, legs(112.0, 118.0)]), wick=0.0)) == ()
