"""The exposure of a position: what stands there and before it, and the ways out of a crowd."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.ground import Ground
from bot.liquidation.own_exposure import WayOut, expose_position
from bot.liquidation.position import OwnPosition, PositionError, liquidated_at
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from tests.unit.liquidation.grounds import STEP, TIERS, VOLATILITY, ground_on, grounds, hill, map_of

CROWD = ground_on(map_of(hill(600, (100, 9.0, 8.0)), hill(600)))
(ZONE,) = [each for each in CROWD.clusters if each.side is Side.LONG]
"""Longs stand dense 10 % below the price, and evenly everywhere else."""


def long(leverage: float, *, size: float = 1_000.0, cross: bool = False) -> OwnPosition:
    return OwnPosition(Side.LONG, 100.0, size, leverage, size / leverage, cross)


def test_a_position_in_a_dense_zone_is_told_so_with_what_moves_it_out() -> None:
    report = expose_position(long(10.5), CROWD, VOLATILITY, TIERS)
    assert report.spot is not None
    assert report.spot.cluster is not None
    assert report.spot.crowded
    assert report.spot.distance_pct == pytest.approx(-9.16, abs=0.05)
    assert report.before == ()
    assert [hours for hours, _ in report.spot.touch] == [1, 4, 24]
    assert report.by_margin is not None
    assert report.by_leverage is not None
    assert report.by_leverage.leverage == 7.0
    assert report.by_margin.added < report.by_leverage.added


def test_behind_a_dense_zone_it_is_named_and_so_is_what_stands_on_the_way() -> None:
    report = expose_position(long(5.0), CROWD, VOLATILITY, TIERS)
    assert report.before == (ZONE,)
    assert report.usd_before > ZONE.usd
    assert report.spot is not None
    assert not report.spot.crowded
    assert report.by_margin is report.by_leverage is None


def test_a_margin_that_covers_every_price_leaves_no_liquidation_price() -> None:
    assert expose_position(long(1.0), CROWD, VOLATILITY, TIERS).spot is None


def test_beyond_the_map_crowding_is_not_known() -> None:
    ground = ground_on(map_of(hill(120), hill(120)))
    spot = expose_position(long(3.0), ground, VOLATILITY, TIERS).spot
    assert spot is not None
    assert spot.crowding is None
    assert not spot.crowded


def test_on_cross_margin_leverage_moves_nothing_and_only_margin_is_offered() -> None:
    report = expose_position(long(10.5, cross=True), CROWD, VOLATILITY, TIERS)
    assert report.by_margin is not None
    assert report.by_leverage is None


def test_where_everything_beyond_is_as_dense_there_is_no_way_out() -> None:
    wall = np.where(np.arange(200) < 80, 1.0, 50.0)
    ground = ground_on(map_of(wall, np.ones(200)))
    report = expose_position(long(10.5), ground, VOLATILITY, TIERS)
    assert report.spot is not None
    assert report.spot.crowded
    assert report.by_margin is None


@given(grounds(), st.sampled_from(list(Side)), st.floats(1.0, 60.0), st.floats(100.0, 1e6))
def test_each_way_out_is_real_quiet_and_farther(ground: Ground, side: Side, leverage: float, size: float) -> None:
    position = OwnPosition(side, ground.price, size, leverage, size / leverage)
    try:
        report = expose_position(position, ground, VOLATILITY, TIERS)
    except PositionError:
        return
    for way in (report.by_margin, report.by_leverage):
        if way is not None and report.spot is not None:
            holds_way(way, position, ground, nearer=report.spot.level)


def holds_way(way: WayOut, position: OwnPosition, ground: Ground, *, nearer: float) -> None:
    assert way.added == pytest.approx(way.margin - position.margin)
    assert way.added > 0.0
    assert way.leverage == pytest.approx(position.size_usd / way.margin)
    level = liquidated_at(replace(position, margin=way.margin), TIERS)
    assert level == way.spot.level
    assert ground.is_quiet(way.spot.level)
    assert not way.spot.crowded
    assert abs(math.log(way.spot.level / ground.price)) > abs(math.log(nearer / ground.price)) - STEP
