"""Exactly known positions in a model's map: they take the place of as much of its mass, and no more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.known import KnownPosition, with_known
from bot.liquidation.model import PositionModel
from bot.liquidation.types import LiquidationMap, Side
from tests.unit.liquidation.markets import history_of, random_market

MAP = PositionModel.rebuild(random_market(6, 7 * 288)).map(price=100.0)
LONG_COINS, SHORT_COINS = MAP.long_total_usd / 100.0, MAP.short_total_usd / 100.0


def long(share: float, price: float | None) -> KnownPosition:
    return KnownPosition(Side.LONG, share * LONG_COINS, price)


def short(share: float, price: float | None) -> KnownPosition:
    return KnownPosition(Side.SHORT, share * SHORT_COINS, price)


def at(drawn: LiquidationMap, price: float) -> int:
    return int(np.searchsorted(drawn.high, price, side="right"))


def test_without_known_positions_the_map_is_the_models() -> None:
    assert with_known(MAP, ()) == (MAP, 0.0)


def test_a_known_position_stands_where_it_is_and_the_model_keeps_the_rest() -> None:
    drawn, share = with_known(MAP, [long(0.25, 95.0)])
    assert share == pytest.approx(0.25 * MAP.long_total_usd / (MAP.long_total_usd + MAP.short_total_usd))
    expected = 0.75 * MAP.long_usd
    expected[at(MAP, 95.0)] += 0.25 * MAP.long_total_usd
    np.testing.assert_allclose(drawn.long_usd, expected)
    assert np.array_equal(drawn.short_usd, MAP.short_usd)
    assert drawn.long_total_usd == MAP.long_total_usd


def test_a_position_that_cannot_be_liquidated_or_stands_far_away_takes_its_mass_along() -> None:
    for price in (None, 20.0):
        drawn, share = with_known(MAP, [long(0.5, price)])
        np.testing.assert_allclose(drawn.long_usd, 0.5 * MAP.long_usd)
        assert share > 0


def test_a_position_whose_price_was_passed_is_gone() -> None:
    assert with_known(MAP, [long(0.5, 101.0), short(0.5, 99.0), long(0.5, 100.0)])[1] == 0.0


def test_more_known_than_is_open_is_all_of_it_and_each_its_part() -> None:
    drawn, share = with_known(MAP, [long(1.5, 95.0), long(0.5, 90.0), short(2.0, 105.0)])
    assert share == pytest.approx(1.0)
    assert drawn.long_usd.sum() == pytest.approx(MAP.long_total_usd)
    assert drawn.long_usd[at(MAP, 95.0)] == pytest.approx(0.75 * MAP.long_total_usd)
    assert drawn.short_usd[at(MAP, 105.0)] == pytest.approx(MAP.short_total_usd)


def test_a_volume_model_has_no_open_interest_to_be_a_part_of() -> None:
    volume = PositionModel.rebuild(history_of(np.full(30, 100.0))).map()
    assert volume.open_interest == "estimated"
    assert with_known(volume, [long(0.5, 95.0)]) == (volume, 0.0)


positions = st.lists(
    st.builds(
        KnownPosition,
        st.sampled_from(list(Side)),
        st.floats(0.01, 2 * LONG_COINS),
        st.none() | st.floats(1.0, 1000.0),
    ),
    max_size=12,
)


@given(positions)
def test_no_side_ever_stands_for_more_than_is_open(known: list[KnownPosition]) -> None:
    drawn, share = with_known(MAP, known)
    assert 0.0 <= share <= 1.0 + 1e-9
    for usd, total in ((drawn.long_usd, MAP.long_total_usd), (drawn.short_usd, MAP.short_total_usd)):
        assert (usd >= -1e-6).all()
        assert usd.sum() <= total * (1 + 1e-9)
    assert not drawn.long_usd[drawn.low >= drawn.price].any()
    assert not drawn.short_usd[drawn.high <= drawn.price].any()
