"""How crowded it is at many prices at once, against what a ground tells of each."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.crowding import CROWDED
from bot.liquidation.ground import Ground
from bot.liquidation.types import Cluster, Side
from bot.liquidation.whole import Whole
from tests.unit.liquidation.grounds import hill, map_of

DAY = 0.02
shares = st.lists(st.floats(0.2, 5.0), min_size=1, max_size=20)


@given(st.floats(0.5, 20.0), st.integers(5, 90), shares)
def test_many_levels_are_told_as_each_alone(height: float, at: int, levels: list[float]) -> None:
    drawn = map_of(hill(100, (at, height, 4.0)), np.ones(100))
    ground = Ground(drawn, (), day_volatility=DAY)
    found = Whole.of(drawn, (), day_volatility=DAY).crowdings(drawn.price * np.array(levels))
    for share, crowding in zip(levels, found.tolist(), strict=True):
        alone = ground.crowding(drawn.price * share)
        assert crowding == pytest.approx(math.nan if alone is None else alone, nan_ok=True)


def test_inside_a_cluster_it_is_at_least_a_crowd() -> None:
    drawn, levels = map_of(np.ones(100), np.ones(100)), np.array([95.0, 97.0])
    zone = Cluster(Side.LONG, 94.5, 95.5, 95.0, 10e6, 0.1, 80)
    assert Whole.of(drawn, (), day_volatility=DAY).crowdings(levels).tolist() == pytest.approx([50.0, 50.0])
    assert Whole.of(drawn, (zone,), day_volatility=DAY).crowdings(levels).tolist() == pytest.approx([CROWDED, 50.0])
