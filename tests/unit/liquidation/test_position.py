"""One's own position: exact, monotone, and refused with the bound that it breaks."""

import json
import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.liquidation.margin import RiskTier
from bot.liquidation.position import (
    Bound,
    OwnPosition,
    PositionError,
    check_position,
    liquidated_at,
    margin_at,
    most_leverage,
)
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from tests.shared import SHARED, needs_shared
from tests.unit.liquidation.grounds import TIERS

FILE = SHARED / "liquidation_prices.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text())["vectors"] if FILE.exists() else []
ALONE = [v for v in VECTORS if v["formula"] == "universal" and not v["tmm_other"] and not v["upnl_other"]]

sides = st.sampled_from(list(Side))
sizes = st.floats(1.0, 9e6)
leverages = st.floats(1.0, 125.0)


def own(side: Side, *, size: float = 1_000.0, leverage: float = 10.0, entry: float = 100.0, **more: Any) -> OwnPosition:
    return OwnPosition(side, entry, size, leverage, more.pop("margin", size / leverage), **more)


def reached_later(side: Side, level: float | None, than: float | None) -> bool:
    """Whether price meets `level` no sooner than `than`; what is never met comes last."""
    if level is None:
        return True
    if than is None:
        return False
    return level <= than * (1 + 1e-9) if side is Side.LONG else level >= than * (1 - 1e-9)


@needs_shared
@pytest.mark.parametrize("vector", ALONE, ids=lambda vector: str(vector["id"]))
def test_published_examples_of_a_position_alone_are_met_and_their_margin_found_again(vector: dict[str, Any]) -> None:
    tiers = (RiskTier(0.0, math.inf, vector["mmr"], vector["maint_amount"], 125.0),)
    size = vector["qty"] * vector["entry"]
    position = OwnPosition(Side(vector["side"]), vector["entry"], size, 1.0, vector["wallet"])
    level = liquidated_at(position, tiers, fee_rate=vector["fee"])
    assert level == pytest.approx(vector["expected"], abs=vector["tolerance"])
    assert level is not None
    assert margin_at(position, level, tiers, fee_rate=vector["fee"]) == pytest.approx(vector["wallet"], rel=1e-9)


@needs_shared
def test_most_published_examples_are_of_a_position_alone() -> None:
    assert len(ALONE) >= 20


@given(sides, sizes, leverages, leverages)
def test_more_leverage_is_never_a_farther_liquidation_price(side: Side, size: float, one: float, other: float) -> None:
    less, more = sorted((one, other))
    near, far = (liquidated_at(own(side, size=size, leverage=leverage), TIERS) for leverage in (more, less))
    assert reached_later(side, far, near)


@given(sides, sizes, leverages, st.floats(0.0, 1e7))
def test_adding_margin_is_never_a_nearer_liquidation_price(
    side: Side, size: float, leverage: float, added: float
) -> None:
    before = own(side, size=size, leverage=leverage)
    after = own(side, size=size, leverage=leverage, margin=before.margin + added)
    assert reached_later(side, liquidated_at(after, TIERS), liquidated_at(before, TIERS))


@given(sides, sizes, leverages)
def test_the_margin_at_the_liquidation_price_is_the_position_s_own(side: Side, size: float, leverage: float) -> None:
    position = own(side, size=size, leverage=leverage)
    level = liquidated_at(position, TIERS)
    assume(level is not None)
    assert level is not None
    assert margin_at(position, level, TIERS) == pytest.approx(position.margin, rel=1e-6, abs=1e-6 * size)


@given(sides, sizes, st.floats(0.3, 2.5))
def test_with_the_margin_of_a_level_a_position_is_liquidated_there(side: Side, size: float, away: float) -> None:
    position = own(side, size=size)
    level = 100.0 * (away if side is Side.SHORT else 1.0 / away)
    margin = margin_at(position, level, TIERS)
    assume(margin > 0.0)
    assert liquidated_at(own(side, size=size, margin=margin), TIERS) == pytest.approx(level, rel=1e-6)


@pytest.mark.parametrize(
    ("position", "bound", "low", "high"),
    [
        (own(Side.LONG, leverage=126.0), Bound.LEVERAGE, 1.0, 125.0),
        (own(Side.SHORT, leverage=51.0, size=50_000.0), Bound.LEVERAGE, 1.0, 50.0),
        (own(Side.LONG, leverage=0.5), Bound.LEVERAGE, 1.0, 125.0),
        (own(Side.LONG, leverage=1.0, size=1e8), Bound.SIZE, 0.0, 10_000_000.0),
        (own(Side.LONG, entry=501.0), Bound.ENTRY, 20.0, 500.0),
        (own(Side.SHORT, entry=9.0), Bound.ENTRY, 20.0, 500.0),
        (own(Side.LONG, margin=3.0), Bound.MARGIN, 4.0, math.inf),
        (own(Side.LONG, entry=120.0, leverage=10.0), Bound.MARGIN, 1_000 / 120 * (0.4 + 20.0), math.inf),
    ],
)
def test_a_position_that_cannot_stand_is_refused_with_its_bound(
    position: OwnPosition, bound: Bound, low: float, high: float
) -> None:
    with pytest.raises(PositionError) as refused:
        check_position(position, TIERS, price=100.0)
    assert refused.value.bound is bound
    assert refused.value.low == pytest.approx(low)
    assert refused.value.high == pytest.approx(high)
    assert str(refused.value)


@given(sides, st.floats(1.0, 9e6), st.floats(0.5, 1.5))
def test_with_more_than_the_least_margin_a_position_is_liquidated_beyond_the_price(
    side: Side, size: float, entry: float
) -> None:
    position = own(side, size=size, entry=100.0 * entry, leverage=most_leverage(TIERS, size), margin=-9 * size)
    with pytest.raises(PositionError) as refused:
        check_position(position, TIERS, price=100.0)
    assert refused.value.bound is Bound.MARGIN
    position = replace(position, margin=refused.value.low * 1.001 + 1e-6 * size)
    check_position(position, TIERS, price=100.0)
    level = liquidated_at(position, TIERS)
    assert level is None or (level < 100.0 if side is Side.LONG else level > 100.0)
