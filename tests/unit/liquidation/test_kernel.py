"""Where positions of each leverage are liquidated, in cells from their entry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.grid import CELL
from bot.liquidation.kernel import DEFAULT_TIERS, distance_kernel, liquidation_distance
from bot.liquidation.margin import RiskTier, liquidation_price
from bot.liquidation.parameters import ModelParameters
from bot.liquidation.types import Side

ONE_RATE = (RiskTier(0.0, 1e9, 0.004, 0.0, 125.0),)
SMALL_COIN = (RiskTier(0.0, 5e3, 0.015, 0.0, 20.0), RiskTier(5e3, 1e6, 0.05, 175.0, 5.0))


def only(leverage: float, *, spike_share: float = 1.0) -> ModelParameters:
    return ModelParameters(leverage_weights=((leverage, 1.0),), broad_weight=0.0, spike_share=spike_share)


def test_a_hundredfold_position_is_liquidated_at_the_exact_distance() -> None:
    assert liquidation_distance(Side.LONG, 100.0, 0.004) == pytest.approx(0.006024, abs=5e-7)
    assert liquidation_distance(Side.SHORT, 100.0, 0.004) == pytest.approx(0.005976, abs=5e-7)


@given(st.sampled_from(Side), st.floats(1.5, 125.0), st.floats(0.001, 0.007))
def test_the_distance_is_that_of_the_exact_liquidation_price(side: Side, leverage: float, rate: float) -> None:
    tiers = (RiskTier(0.0, 1e9, rate, 0.0, 200.0),)
    price = liquidation_price(side=side, entry=50.0, quantity=2.0, wallet=100.0 / leverage, tiers=tiers)
    assert price is not None
    assert abs(price / 50.0 - 1.0) == pytest.approx(liquidation_distance(side, leverage, rate))


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("tiers", [None, ONE_RATE, SMALL_COIN])
def test_a_kernel_holds_all_that_was_opened_between_the_nearest_and_farthest_distance(
    side: Side, tiers: tuple[RiskTier, ...] | None
) -> None:
    kernel = distance_kernel(side, tiers)
    farthest = np.log(1.62) if side is Side.SHORT else -np.log(0.38)
    assert kernel.sum() == pytest.approx(1.0)
    assert (kernel >= 0).all()
    assert kernel[0] == 0.0
    assert len(kernel) == int(farthest / CELL) + 2


@pytest.mark.parametrize("side", list(Side))
def test_a_spike_lies_on_its_distance_on_average(side: Side) -> None:
    kernel = distance_kernel(side, ONE_RATE, only(20.0))
    distance = liquidation_distance(side, 20.0, 0.004)
    offset = np.log1p(distance) if side is Side.SHORT else -np.log1p(-distance)
    assert np.count_nonzero(kernel) == 2
    assert kernel @ np.arange(len(kernel)) * CELL == pytest.approx(offset)


def test_added_margin_moves_the_rest_outwards_by_its_mean() -> None:
    kernel = distance_kernel(Side.SHORT, ONE_RATE, only(50.0, spike_share=0.0))
    distances = np.expm1(np.arange(len(kernel)) * CELL)
    assert kernel @ distances == pytest.approx(1.6 * liquidation_distance(Side.SHORT, 50.0, 0.004), rel=0.02)


def test_leverage_above_the_contracts_cap_is_not_opened() -> None:
    nearest = int(np.log1p(liquidation_distance(Side.SHORT, 20.0, 0.015)) / CELL)
    leveraged = ModelParameters(broad_weight=0.0)
    assert distance_kernel(Side.SHORT, SMALL_COIN, leveraged)[:nearest].sum() == 0.0
    assert distance_kernel(Side.SHORT, None, leveraged)[:nearest].sum() > 0.15


def test_most_positions_use_the_first_bracket_that_permits_their_leverage() -> None:
    kernel = distance_kernel(Side.LONG, SMALL_COIN, only(5.0))
    cells = [int(-np.log1p(-liquidation_distance(Side.LONG, 5.0, rate)) / CELL) for rate in (0.015, 0.05)]
    near, far = (kernel[cell : cell + 2].sum() for cell in cells)
    assert near == pytest.approx(2.0 / 3.0)
    assert far == pytest.approx(1.0 / 3.0)


def test_a_contract_without_leverage_keeps_the_broad_part() -> None:
    kernel = distance_kernel(Side.LONG, (RiskTier(0.0, 1e6, 0.5, 0.0, 1.0),))
    assert kernel.sum() == pytest.approx(1.0)
    assert kernel[:100].sum() < 0.2


def test_a_kernel_cannot_be_written_to_by_its_readers() -> None:
    with pytest.raises(ValueError, match="read-only"):
        distance_kernel(Side.LONG, DEFAULT_TIERS)[0] = 1.0


def test_a_broken_tier_table_is_refused_by_its_row() -> None:
    with pytest.raises(ValueError, match="tier 0"):
        distance_kernel(Side.LONG, (RiskTier(0.0, 1.0, 2.0, 0.0, 50.0),))
