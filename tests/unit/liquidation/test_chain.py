"""Cascades: where a chain ends, what it takes, and that a deeper book never gives a longer one."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.chain import Chain, Fall
from bot.liquidation.clusters import find_clusters
from bot.liquidation.depth import Depth
from bot.liquidation.types import Floats, LiquidationMap, Side
from tests.unit.liquidation.grounds import CALM, STEP, hill, map_of

CELLS = 200


def book_of(usd: Floats, *, middle: float = 100.0) -> Depth:
    """The same USD on both sides: one order before the end of each cell of the map."""
    away = (np.arange(len(usd)) + 0.4) * STEP
    bids, asks = middle * np.exp(-away), middle * np.exp(away)
    return Depth(0, bids, usd / bids, asks, usd / asks)


def chain_on(usd: Floats, per_cell: float, side: Side = Side.LONG, *, cells: int = CELLS) -> Chain:
    drawn = map_of(usd, np.zeros(len(usd))) if side is Side.LONG else map_of(np.zeros(len(usd)), usd)
    return Chain(drawn, find_clusters(drawn, day_volatility=CALM), side, book_of(np.full(cells, per_cell)))


def below(cells: float) -> float:
    """The price so many cells below; the first cell begins half a cell away."""
    return 100.0 * math.exp(-(cells + 0.5) * STEP)


def dense(*stretches: tuple[int, int, float]) -> Floats:
    usd = np.zeros(CELLS)
    for first, end, height in stretches:
        usd[first:end] = height
    return usd


def test_a_chain_ends_where_the_orders_on_its_way_hold_the_positions_on_it() -> None:
    chain = chain_on(dense((50, 60, 3.0)), 1.0)
    fall = chain.fall(below(50))
    assert fall.end == pytest.approx(below(80), rel=1e-3)  # 30 USD of positions, 1 USD of orders a cell
    assert fall.usd == pytest.approx(30.0)
    assert fall.way_pct == pytest.approx(100 * (1 - math.exp(-0.03)), rel=0.05)


def test_where_the_book_holds_more_than_what_stands_nothing_is_set_off() -> None:
    chain = chain_on(dense((50, 60, 0.9)), 1.0)
    fall = chain.fall(below(50))
    assert fall.end == pytest.approx(below(50))
    assert fall.usd == pytest.approx(0.0)
    assert fall.clusters == ()


def test_a_chain_goes_from_one_cluster_into_the_next_where_the_gap_does_not_hold_it() -> None:
    near = chain_on(dense((50, 60, 3.0), (75, 85, 3.0)), 1.0)
    assert near.fall(below(50)).end == pytest.approx(below(110), rel=1e-3)
    report = near.report(likely=1.0, most=1.0)
    assert report.runaway is not None
    assert report.foremost == report.runaway == report.likely_runaway
    assert len(report.runaway.most.clusters) == 2
    far = chain_on(dense((50, 60, 3.0), (100, 110, 3.0)), 1.0)
    assert far.fall(below(50)).end == pytest.approx(below(80), rel=1e-3)
    held = far.report(most=1.0)
    assert held.runaway is None
    assert held.foremost == held.chains[0]


def test_a_chain_that_nothing_holds_runs_beyond_the_map() -> None:
    fall = chain_on(dense((50, 60, 1e6)), 1.0).fall(below(50))
    assert fall.end is None
    assert fall.way_pct is None
    assert fall.usd == pytest.approx(1e7)


def test_beyond_what_is_seen_of_the_book_its_density_goes_on() -> None:
    seen = chain_on(dense((50, 60, 3.0)), 1.0, cells=20)
    assert seen.report().seen_pct == pytest.approx(1.92, abs=0.01)
    assert seen.fall(below(50)).end == pytest.approx(below(80), rel=1e-3)


def test_forced_orders_that_wait_already_carry_the_chain_on() -> None:
    chain = chain_on(dense(), 1.0)
    assert chain.fall(below(50), kick_usd=12.0).end == pytest.approx(below(62), rel=1e-3)


def test_small_in_a_thin_book_absorbs_worse_than_large_in_a_deep_one() -> None:
    thin, deep = (chain_on(dense((50, 60, usd)), per_cell).report() for usd, per_cell in ((0.5, 0.2), (5.0, 10.0)))
    assert thin.chains[0].absorption > deep.chains[0].absorption
    assert thin.chains[0].depth_usd < deep.chains[0].depth_usd


def test_a_book_whose_orders_have_no_size_is_refused() -> None:
    drawn = map_of(np.ones(50), np.ones(50))
    with pytest.raises(ValueError, match="orders"):
        Chain(drawn, (), Side.LONG, book_of(np.zeros(9)))


def test_a_book_that_was_read_when_price_had_moved_on_counts_from_its_own_middle() -> None:
    usd = dense((50, 60, 5.0))
    drawn = map_of(usd, np.zeros(len(usd)))
    clusters = find_clusters(drawn, day_volatility=CALM)
    books = book_of(np.ones(CELLS)), book_of(np.ones(CELLS), middle=130.0)  # every bid above the map's price now
    [before], [after] = (Chain(drawn, clusters, Side.LONG, book).report().chains for book in books)
    assert after.depth_usd == pytest.approx(before.depth_usd)
    assert after.most.end == pytest.approx(before.most.end)


def test_the_books_of_several_exchanges_hold_together() -> None:
    usd = dense((50, 60, 5.0))
    drawn = map_of(usd, np.zeros(len(usd)))
    shallow, far = book_of(np.ones(CELLS // 2)), book_of(np.ones(CELLS), middle=70.0)
    both, twice = Chain(drawn, (), Side.LONG, shallow, far), Chain(drawn, (), Side.LONG, book_of(np.full(CELLS, 2.0)))
    assert both.depth_to(below(80)) == pytest.approx(twice.depth_to(below(80)))
    assert both.fall(below(50)).end == pytest.approx(twice.fall(below(50)).end)
    assert both.seen == pytest.approx(shallow.against(Side.LONG).seen)  # beyond, one of them is a guess


maps = st.lists(st.floats(0.0, 50.0), min_size=30, max_size=120).map(np.array)
books = st.lists(st.floats(0.0, 20.0), min_size=30, max_size=120).map(np.array)


def chain_of(usd: Floats, book: Floats, side: Side) -> Chain:
    drawn: LiquidationMap = map_of(usd, usd)
    clusters = find_clusters(drawn, day_volatility=CALM)
    return Chain(drawn, clusters, side, book_of(book + 1e-3))


def way(fall: Fall) -> float:
    return math.inf if fall.end is None else abs(math.log(fall.end / fall.start))


@given(maps, books, st.floats(1.0, 4.0), st.sampled_from(list(Side)), st.floats(0.0, 0.08), st.floats(0.0, 30.0))
def test_a_deeper_book_never_gives_a_longer_cascade(
    usd: Floats, book: Floats, deeper: float, side: Side, away: float, kick: float
) -> None:
    start = 100.0 * math.exp(-away if side is Side.LONG else away)
    thin, deep = chain_of(usd, book, side), chain_of(usd, book * deeper + (deeper - 1.0), side)
    one, other = (chain.fall(start, kick_usd=kick) for chain in (thin, deep))
    assert way(other) <= way(one) + 1e-9
    assert other.usd <= one.usd * (1 + 1e-9) + 1e-6
    assert len(other.clusters) <= len(one.clusters)


@given(maps, books, st.sampled_from(list(Side)), st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3).map(sorted))
def test_the_more_is_forced_the_farther_it_goes(
    usd: Floats, book: Floats, side: Side, shares: tuple[float, float, float]
) -> None:
    least, likely, most = shares
    report = chain_of(usd, book, side).report(least=least, likely=likely, most=most)
    for each in report.chains:
        for less, more in pairwise((each.least, each.likely, each.most)):
            assert way(less) <= way(more) + 1e-9
            assert less.usd <= more.usd * (1 + 1e-9) + 1e-6
    assert all(before.absorption >= after.absorption for before, after in pairwise(report.chains))
    assert report.likely_runaway is None or report.runaway is not None


def test_one_side_is_the_mirror_of_the_other() -> None:
    usd = hill(CELLS, (60, 9.0, 8.0))
    long, short = chain_on(usd, 4.0), chain_on(usd, 4.0, Side.SHORT)
    down, up = long.fall(95.0), short.fall(10_000.0 / 95.0)
    assert down.end is not None
    assert up.end == pytest.approx(10_000.0 / down.end)
    assert up.usd == pytest.approx(down.usd)
    assert len(up.clusters) == len(down.clusters)
