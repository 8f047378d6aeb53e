"""Where a stop sits to the dense zones, and that no suggestion lies in one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.ground import Ground
from bot.liquidation.position import Bound, PositionError
from bot.liquidation.stop_placement import Seat, place_stop
from bot.liquidation.types import Side
from tests.unit.liquidation.grounds import VOLATILITY, ground_on, grounds, hill, map_of

GROUND = ground_on(map_of(hill(200, (60, 9.0, 8.0)), np.ones(200)))
(ZONE,) = [each for each in GROUND.clusters if each.side is Side.LONG]


@pytest.mark.parametrize(
    ("stop", "seat"),
    [
        (ZONE.peak, Seat.INSIDE),
        (ZONE.high, Seat.INSIDE),
        (ZONE.high * 1.0015, Seat.BEFORE),
        (ZONE.low * 0.9985, Seat.BEYOND),
        (ZONE.high * 1.003, Seat.CLEAR),
        (99.0, Seat.CLEAR),
    ],
)
def test_a_stop_is_inside_just_before_just_beyond_or_clear_of_a_dense_zone(stop: float, seat: Seat) -> None:
    report = place_stop(Side.LONG, 100.0, stop, GROUND, VOLATILITY)
    assert report.seat is seat
    assert (report.zone is None) == (seat is Seat.CLEAR)
    assert report.loss_pct == pytest.approx(100.0 - stop)


def test_a_stop_inside_a_zone_gets_a_quieter_price_on_either_side_of_it() -> None:
    report = place_stop(Side.LONG, 100.0, ZONE.peak, GROUND, VOLATILITY)
    assert report.nearer is not None
    assert report.farther is not None
    assert report.farther.level < ZONE.low < ZONE.high < report.nearer.level
    assert dict(report.farther.touch)[24] < dict(report.stop.touch)[24] < dict(report.nearer.touch)[24]


def test_a_quiet_stop_gets_no_suggestion() -> None:
    report = place_stop(Side.LONG, 100.0, 99.0, GROUND, VOLATILITY)
    assert report.nearer is report.farther is None


def test_a_stop_that_has_been_drawn_beyond_its_entry_locks_in_a_gain() -> None:
    assert place_stop(Side.LONG, 90.0, 95.0, GROUND, VOLATILITY).loss_pct == pytest.approx(-5.5556, abs=1e-4)
    assert place_stop(Side.SHORT, 110.0, 105.0, GROUND, VOLATILITY).loss_pct == pytest.approx(-4.5455, abs=1e-4)


@pytest.mark.parametrize(
    ("side", "entry", "stop", "bound", "low", "high"),
    [
        (Side.LONG, 100.0, 101.0, Bound.STOP, 20.0, 100.0),
        (Side.LONG, 100.0, 100.0, Bound.STOP, 20.0, 100.0),
        (Side.LONG, 100.0, 5.0, Bound.STOP, 20.0, 100.0),
        (Side.SHORT, 100.0, 99.0, Bound.STOP, 100.0, 500.0),
        (Side.SHORT, 100.0, 1_000.0, Bound.STOP, 100.0, 500.0),
        (Side.LONG, 1_000.0, 99.0, Bound.ENTRY, 20.0, 500.0),
    ],
)
def test_a_stop_on_the_wrong_side_or_far_off_is_refused_with_the_range(
    side: Side, entry: float, stop: float, bound: Bound, low: float, high: float
) -> None:
    with pytest.raises(PositionError) as refused:
        place_stop(side, entry, stop, GROUND, VOLATILITY)
    assert (refused.value.bound, refused.value.low, refused.value.high) == (bound, low, high)


@given(grounds(), st.sampled_from(list(Side)), st.floats(0.0005, 0.4))
def test_no_suggested_price_lies_inside_a_cluster(ground: Ground, side: Side, away: float) -> None:
    stop = ground.price * math.exp(-away if side is Side.LONG else away)
    report = place_stop(side, ground.price, stop, ground, VOLATILITY)
    for spot in (report.nearer, report.farther):
        if spot is not None:
            assert spot.cluster is None
            assert all(not each.low <= spot.level <= each.high for each in ground.clusters)
            assert (spot.level < ground.price) == (side is Side.LONG)
    if report.nearer is not None:
        assert abs(math.log(report.nearer.level / ground.price)) < away
    if report.farther is not None:
        assert abs(math.log(report.farther.level / ground.price)) > away
