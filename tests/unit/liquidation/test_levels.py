"""The clusters in order from the price, what clearing each releases, and the gap to the next."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.ground import Ground
from bot.liquidation.levels import levels_of
from bot.liquidation.types import Side
from tests.unit.liquidation.grounds import VOLATILITY, ground_on, grounds, hill, map_of

sides = st.sampled_from(list(Side))


def test_two_zones_are_told_from_the_price_outwards_with_the_gap_between() -> None:
    ground = ground_on(map_of(hill(200, (40, 9.0, 6.0), (120, 5.0, 8.0)), hill(200)))
    first, second = levels_of(Side.LONG, ground, VOLATILITY)
    assert first.behind == second.cluster
    assert first.gap_pct == pytest.approx(100 * (first.cluster.low - second.cluster.high) / ground.price)
    assert second.behind is None
    assert second.gap_pct is None
    assert first.usd_by_then == pytest.approx(ground.standing_before(first.cluster.low)[0])
    assert second.usd_by_then > first.usd_by_then + second.cluster.usd - 1.0


@given(grounds(), sides)
def test_levels_go_outwards_and_each_releases_at_least_what_stands_in_it(ground: Ground, side: Side) -> None:
    levels = levels_of(side, ground, VOLATILITY)
    assert [each.cluster for each in levels if each.cluster.side is side] == [each.cluster for each in levels]
    for level in levels:
        assert abs(level.near_pct) <= abs(level.far_pct)
        assert level.usd_by_then >= level.cluster.usd * (1 - 1e-6)
        assert all(clear <= touch for (_, touch), (_, clear) in zip(level.touch, level.clear, strict=True))
    for one, other in pairwise(levels):
        assert abs(one.far_pct) < abs(other.near_pct)
        assert one.gap_pct == pytest.approx(abs(other.near_pct - one.far_pct))
        assert one.usd_by_then <= other.usd_by_then
