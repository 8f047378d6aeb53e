"""Maps asked as wholes: many at once as each by itself, and how crowded it is against a loop over plain cells."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.clusters import edge_blur, find_zones
from bot.liquidation.maps import Maps
from bot.liquidation.totals import entropy, standing_near
from bot.liquidation.types import Floats, LiquidationMap, Side
from bot.liquidation.values import replace
from bot.liquidation.whole import Whole, Wholes
from tests.unit.liquidation.grounds import STEP, hill, map_of

BINS = 60
DAYS = (0.011, 0.031, 0.089)
"""At none of them does the smoothing reach exactly to a cell's middle."""


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[LiquidationMap], list[float]]:
    """Maps of equally many bins with their day volatilities: the price may lie anywhere in them, or on an edge."""
    maps = []
    for _ in range(draw(st.integers(1, 5))):
        tops = st.lists(st.tuples(st.integers(0, BINS - 1), st.floats(0.1, 20.0), st.floats(1.0, 8.0)), max_size=3)
        sides = [hill(BINS, *draw(tops)) * draw(st.sampled_from([0.0, 1.0, 1e6])) for _ in Side]
        drawn = map_of(*sides, price=draw(st.sampled_from([0.24, 100.0])))
        edge = drawn.low[draw(st.integers(0, 2 * BINS))]
        maps.append(replace(drawn, price=draw(st.sampled_from([drawn.price, drawn.price * 1.013, float(edge)]))))
    return maps, draw(st.lists(st.sampled_from(DAYS), min_size=len(maps), max_size=len(maps)))


@given(runs(), st.lists(st.floats(0.9, 1.1), min_size=1, max_size=4))
def test_maps_asked_at_once_are_told_as_each_by_itself(
    run: tuple[list[LiquidationMap], list[float]], shares: list[float]
) -> None:
    drawn, volatilities = run
    maps, levels, days = Maps.of(drawn), drawn[0].price * np.array(shares), np.array(volatilities)
    zones = find_zones(maps, day_volatility=days)
    wholes = Wholes(maps, zones.spans, day_volatility=days)
    for moment, (each, clusters) in enumerate(zip(drawn, zones.rated(zones.strengths()), strict=True)):
        one = Whole(wholes, moment)
        alone = Whole.of(each, clusters, day_volatility=volatilities[moment])
        assert one.evenness == pytest.approx(entropy(each), rel=1e-12, nan_ok=True)
        assert one.standing_near == pytest.approx(standing_near(each), rel=1e-12)
        assert one.crowdings(levels).tolist() == pytest.approx(alone.crowdings(levels).tolist(), nan_ok=True)
        known = [found for found in one.crowdings(levels).tolist() if not math.isnan(found)]
        assert one.most_crowded(levels) == pytest.approx(max(known, default=math.nan), nan_ok=True)


@given(runs(), st.lists(st.floats(0.9, 1.1), min_size=1, max_size=4))
def test_a_crowding_is_the_percentile_among_cells_about_as_far_away(
    run: tuple[list[LiquidationMap], list[float]], shares: list[float]
) -> None:
    for drawn, volatility in zip(*run, strict=True):
        levels = drawn.price * np.array(shares)
        found = Whole.of(drawn, (), day_volatility=volatility).crowdings(levels)
        cells = {side: outwards(drawn, side, edge_blur(volatility)) for side in Side}
        for level, crowding in zip(levels.tolist(), found.tolist(), strict=True):
            assert crowding == pytest.approx(plainly(drawn.price, level, cells), nan_ok=True)


def test_without_volatility_a_market_counts_as_calm() -> None:
    drawn, levels = map_of(hill(BINS, (20, 5.0, 4.0)), np.ones(BINS)), np.array([97.0, 98.0])
    unknown, calm = (Whole.of(drawn, (), day_volatility=day).crowdings(levels).tolist() for day in (math.nan, 0.0))
    assert unknown == calm


def test_a_map_of_one_bin_has_no_cell_to_tell_of() -> None:
    edges = np.array([99.0, 101.0])
    drawn = LiquidationMap(0, 100.0, edges[:-1], edges[1:], np.ones(1), np.ones(1), 1.0, 1.0, "measured")
    assert np.isnan(Whole.of(drawn, (), day_volatility=0.02).crowdings(np.array([99.5, 105.0]))).all()


@given(runs())
def test_the_same_levels_are_answered_from_memory_and_others_are_not(
    run: tuple[list[LiquidationMap], list[float]],
) -> None:
    drawn, volatilities = run
    one = Whole.of(drawn[0], (), day_volatility=volatilities[0])
    first, other = drawn[0].price * np.array([0.98, 1.03]), drawn[0].price * np.array([1.02])
    told = one.crowdings(first)
    assert one.crowdings(other).shape == (1,)
    assert one.crowdings(first).tolist() == pytest.approx(told.tolist(), nan_ok=True)


def outwards(drawn: LiquidationMap, side: Side, blur: float) -> list[tuple[float, float]]:
    """(log distance, smoothed density) of the whole cells of a side, from the price outwards."""
    usd = drawn.long_usd if side is Side.LONG else drawn.short_usd
    ahead = drawn.high <= drawn.price if side is Side.LONG else drawn.low >= drawn.price
    order = np.flatnonzero(ahead)[:: -1 if side is Side.LONG else 1]
    if not len(order):
        return []
    reach = math.ceil(3.5 * blur / STEP)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * STEP / blur) ** 2)
    smooth: Floats
    known: Floats
    smooth, known = (np.convolve(one, kernel)[reach : reach + len(order)] for one in (usd[order], np.ones(len(order))))
    middles = np.sqrt(drawn.low[order] * drawn.high[order])
    return list(zip(np.abs(np.log(middles / drawn.price)).tolist(), (smooth / known).tolist(), strict=True))


def plainly(price: float, level: float, cells: dict[Side, list[tuple[float, float]]]) -> float:
    """The percentile of the density at a level, NaN beyond the map."""
    side, away = (Side.LONG if level < price else Side.SHORT), abs(math.log(level / price))
    cell = sum(middle + STEP / 2 < away for middle, _ in cells[side])
    if cell >= len(cells[side]):
        return math.nan
    middle, mine = cells[side][cell]
    near, far = min(middle / 1.5, middle - 0.005) - 1e-9, max(middle * 1.5, middle + 0.005) + 1e-9
    peers = [density for other, density in (*cells[Side.LONG], *cells[Side.SHORT]) if near <= other <= far]
    less = sum(density < mine * (1 - 1e-9) for density in peers)
    no_more = sum(density <= mine * (1 + 1e-9) for density in peers)
    return 50.0 * (less + no_more) / len(peers)
