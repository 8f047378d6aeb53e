"""A market at a glance: nearest, growing, one-sided and heaviest, against their definitions; and the order of many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.depth import Depth
from bot.liquidation.glance import BIG, Glance, GlanceRow, Order, glance_of, growth_of, merit, ranked, row_of
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side
from bot.liquidation.values import replace

PRICE = 100.0
CALM = Volatility(PRICE, 0, (4e-6, 4e-6, 4e-6, 4e-6), (1.0, 1.0, 1.0, 1.0))


def body(side: Side, low: float, high: float, *, usd: float = 1e6, strength: int = 90) -> Cluster:
    return Cluster(side, low, high, (low + high) / 2, usd, 0.1, strength)


def a_glance(*clusters: Cluster, growth: tuple[float | None, ...] | None = None) -> Glance:
    return Glance(0, PRICE, clusters, growth or (None,) * len(clusters), 0.3, CALM)


def a_map(long_usd: float = 10.0, short_usd: float = 10.0) -> LiquidationMap:
    edges = np.linspace(90.0, 110.0, 201)
    below = edges[:-1] < PRICE
    longs, shorts = np.where(below, long_usd, 0.0), np.where(below, 0.0, short_usd)
    total = float(longs.sum()), float(shorts.sum())
    return LiquidationMap(0, PRICE, edges[:-1], edges[1:], longs, shorts, *total, "measured")


def a_book(usd_a_level: float = 1000.0, levels: int = 100) -> Depth:
    away: Floats = np.arange(1.0, levels + 1.0) * 0.05
    bids, asks = PRICE - away, PRICE + away
    return Depth(0, bids, usd_a_level / bids, asks, usd_a_level / asks)


def test_the_nearest_is_the_nearest_of_the_big_ones_and_distances_are_signed() -> None:
    small, far = body(Side.SHORT, 100.1, 100.3, strength=BIG - 1), body(Side.SHORT, 103.0, 104.0)
    near = body(Side.LONG, 98.0, 99.0, strength=BIG)
    row = row_of(a_glance(small, far, near))
    assert row.nearest is near
    assert row.nearest_pct == pytest.approx(-1.0)
    assert row.odds is not None
    assert 0.0 < row.odds < 1.0


def test_a_cluster_that_price_stands_in_is_here_and_one_that_it_has_passed_is_gone() -> None:
    short = body(Side.SHORT, 101.0, 102.0)
    inside = row_of(a_glance(short), price=101.5)
    assert (inside.nearest, inside.nearest_pct, inside.odds) == (short, 0.0, 1.0)
    passed = row_of(a_glance(short), price=102.5)
    assert (passed.nearest, passed.nearest_pct, passed.odds) == (None, None, None)
    long = body(Side.LONG, 98.0, 99.0)
    assert row_of(a_glance(long), price=97.0).nearest is None


def test_growth_counts_what_stood_in_the_body_then() -> None:
    grown = body(Side.LONG, 95.0, 96.0, usd=150.0)
    assert growth_of(grown, a_map(long_usd=10.0)) == pytest.approx(0.5)  # ten bins of 10 stood there
    assert growth_of(replace(grown, side=Side.SHORT), a_map()) is None  # no short stood there: it is new
    assert growth_of(replace(grown, low=80.0), a_map()) is None  # out of the earlier map
    assert growth_of(replace(grown, usd=5000.0), a_map()) is None  # a fiftieth stood there: it is new


def test_the_fastest_grown_is_told_and_weak_ones_are_noise() -> None:
    strong, weak = body(Side.LONG, 95.0, 96.0, strength=60), body(Side.LONG, 93.0, 94.0, strength=10)
    slow = body(Side.SHORT, 104.0, 105.0)
    row = row_of(a_glance(strong, weak, slow, growth=(0.4, 3.0, 0.1)))
    assert (row.grown, row.growth) == (strong, 0.4)
    assert row.grown_pct == pytest.approx(-4.0)


def test_the_load_is_that_of_the_cluster_with_the_fewest_orders_before_it() -> None:
    near, far = body(Side.LONG, 98.9, 99.1, usd=10_000.0), body(Side.SHORT, 104.0, 104.4, usd=60_000.0)
    row = row_of(a_glance(near, far), depth=a_book())
    assert row.heaviest is far  # 60k over about 84k of asks; 10k over 20k of bids
    assert row.load == pytest.approx(60_000.0 / a_book().usd_to(104.2, price=PRICE))
    assert row.heaviest_pct == pytest.approx(4.0)
    assert row_of(a_glance(near, far)).load is None
    assert row_of(a_glance(near), depth=a_book(levels=2)).load is None


@given(factor=st.floats(1.01, 100.0))
def test_a_deeper_book_never_makes_a_heavier_load(factor: float) -> None:
    glance = a_glance(body(Side.LONG, 98.0, 99.0), body(Side.SHORT, 103.0, 104.0))
    thin, deep = (row_of(glance, depth=a_book(usd_a_level=usd)).load for usd in (1000.0, 1000.0 * factor))
    assert thin is not None
    assert deep is not None
    assert deep < thin


def test_clusters_that_price_is_in_or_that_lie_far_are_not_weighed() -> None:
    inside, far = body(Side.SHORT, 99.5, 100.5), body(Side.LONG, 93.0, 94.0)
    assert row_of(a_glance(inside, far), depth=a_book()).load is None


def test_an_empty_map_has_no_glance_and_one_without_a_past_no_growth() -> None:
    assert glance_of(a_map(0.0, 0.0), None, (), CALM) is None
    cluster = body(Side.LONG, 95.0, 96.0)
    glance = glance_of(a_map(30.0, 10.0), None, [cluster], CALM)
    assert glance is not None
    assert glance.growth == (None,)
    assert glance.imbalance == pytest.approx(0.5, abs=0.02)


rows = st.lists(
    st.builds(
        GlanceRow,
        price=st.just(1.0),
        nearest=st.none(),
        nearest_pct=st.none() | st.floats(-10, 10),
        odds=st.none(),
        grown=st.none(),
        grown_pct=st.none(),
        growth=st.none() | st.floats(-1, 9),
        imbalance=st.floats(-1, 1),
        load=st.none() | st.floats(0, 100),
    ),
    max_size=12,
)


@given(some=rows, order=st.sampled_from(Order))
def test_ranks_fall_and_each_row_with_a_place_stands_once(some: list[GlanceRow], order: Order) -> None:
    found = ranked(some, order)
    merits = [merit(some[index], order) for index in found]
    assert None not in merits
    assert merits == sorted(merits, key=lambda worth: -(worth or 0.0))
    assert sorted(found) == [index for index, row in enumerate(some) if merit(row, order) is not None]


def test_what_shrank_has_no_place_among_the_growing() -> None:
    shrunk = row_of(a_glance(body(Side.LONG, 95.0, 96.0), growth=(-0.2,)))
    assert shrunk.growth == -0.2
    assert ranked([shrunk], Order.GROWING) == []
    assert ranked([shrunk], Order.ONESIDED) == [0]
