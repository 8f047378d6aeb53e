"""How crowded a level is against others as far away, and where it is quiet."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.ground import QUIET, Ground
from bot.liquidation.types import Side
from tests.unit.liquidation.grounds import STEP, ground_on, grounds, hill, map_of

levels = st.floats(0.7, 1.4)


def inside_any(ground: Ground, level: float) -> bool:
    return any(each.low <= level <= each.high for each in ground.clusters)


@given(grounds(), levels)
def test_no_quiet_price_lies_in_a_cluster_and_each_lies_on_its_side_of_the_level(ground: Ground, share: float) -> None:
    level = ground.price * share
    near, far = ground.quiet_before(level), ground.quiet_beyond(level)
    away = abs(math.log(share))
    for quiet in (near, far):
        assert quiet is None or (ground.is_quiet(quiet) and not inside_any(ground, quiet))
        assert quiet is None or (quiet < ground.price) == (share < 1)
    assert near is None or abs(math.log(near / ground.price)) < away
    assert far is None or abs(math.log(far / ground.price)) > away - 1e-9


@given(grounds(), levels)
def test_crowding_is_a_percentile_or_unknown_beyond_the_map(ground: Ground, share: float) -> None:
    crowding = ground.crowding(ground.price * share)
    assert crowding is None or 0.0 <= crowding <= 100.0
    assert ground.crowding(ground.price * 3.0) is None
    assert not ground.is_quiet(ground.price * 3.0)


@given(grounds(), levels, levels)
def test_what_stands_before_a_level_grows_with_its_distance(ground: Ground, one: float, other: float) -> None:
    level, farther = sorted((1 - abs(1 - one), 1 - abs(1 - other)), reverse=True)
    usd, share = ground.standing_before(ground.price * level)
    more, more_share = ground.standing_before(ground.price * farther)
    assert 0.0 <= usd <= more * (1 + 1e-9)
    assert 0.0 <= share <= more_share * (1 + 1e-9) <= 1 + 1e-9


def test_what_stands_before_a_level_is_the_sum_of_the_cells_up_to_it() -> None:
    usd = np.arange(1.0, 101.0)
    ground = ground_on(map_of(usd, usd))
    third = 100.0 * math.exp(-3.5 * STEP)  # the far edge of the third cell
    assert ground.standing_before(third)[0] == pytest.approx(6.0)
    assert ground.standing_before(100.0 * math.exp(4.0 * STEP))[0] == pytest.approx(6.0 + 0.5 * 4.0)
    usd_in_all, share = ground.standing_before(10.0)
    assert usd_in_all == pytest.approx(5050.0)
    assert share == pytest.approx(0.5)


def test_a_falling_density_is_as_crowded_near_as_far() -> None:
    """Only the distance tells these levels apart: none of them is crowded."""
    fading = 1e3 * np.exp(-np.arange(300) / 60)
    ground = Ground(map_of(fading, fading), (), day_volatility=0.01)
    for away in (0.02, 0.05, 0.1):
        crowding = ground.crowding(100.0 * math.exp(-away))
        assert crowding is not None
        assert 35.0 < crowding < 65.0


def test_a_hill_is_crowded_and_the_same_place_across_the_price_is_quiet() -> None:
    ground = ground_on(map_of(hill(200, (60, 9.0, 8.0)), np.ones(200)))
    level = 100.0 * math.exp(-60.5 * STEP)
    assert ground.crowding(level) == pytest.approx(100.0, abs=2.0)
    cluster = ground.cluster_at(level)
    assert cluster is not None
    assert cluster.side is Side.LONG
    across = ground.crowding(100.0 * math.exp(60.5 * STEP))
    assert across is not None
    assert across < QUIET
    assert ground.before(level) == ()
    assert ground.before(100.0 * math.exp(-0.15)) == (cluster,)


@given(st.integers(1, 149))
def test_one_side_is_the_mirror_of_the_other(cell: int) -> None:
    usd = hill(150, (30, 4.0, 5.0), (90, 8.0, 12.0))
    one, other = ground_on(map_of(usd, np.ones(150))), ground_on(map_of(np.ones(150), usd))
    level = 100.0 * math.exp(-cell * STEP)
    assert one.crowding(level) == pytest.approx(other.crowding(10_000.0 / level))
    assert one.is_quiet(level) == other.is_quiet(10_000.0 / level)
