"""The exact liquidation price, against published and recorded examples."""

import json
from math import inf, nan
from typing import Any

import pytest

from bot.liquidation.margin import RiskTier, liquidation_price
from bot.liquidation.types import Side
from tests.shared import SHARED, needs_shared

FILE = SHARED / "liquidation_prices.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text())["vectors"] if FILE.exists() else []

STEPPED = (
    RiskTier(0.0, 1_000.0, 0.01, 0.0, 50.0),
    RiskTier(1_000.0, 10_000.0, 0.02, 10.0, 25.0),
    RiskTier(10_000.0, 100_000.0, 0.05, 310.0, 10.0),
)


def flat(rate: float, amount: float = 0.0) -> tuple[RiskTier, ...]:
    return (RiskTier(0.0, inf, rate, amount, 125.0),)


@needs_shared
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_every_published_example_is_met_within_its_tolerance(vector: dict[str, Any]) -> None:
    tiers = flat(vector["mmr"], vector["maint_amount"])
    if vector["formula"] == "bybit_legacy_entry":
        # Until 2025-09 Bybit froze maintenance at the entry value: a fixed amount, whatever the price.
        frozen = vector["qty"] * vector["entry"] * vector["mmr"] - vector["maint_amount"]
        tiers = flat(0.0, -frozen)
    price = liquidation_price(
        side=vector["side"],
        entry=vector["entry"],
        quantity=vector["qty"],
        wallet=vector["wallet"],
        tiers=tiers,
        fee_rate=vector["fee"],
        other_maintenance=vector["tmm_other"],
        other_unrealized=vector["upnl_other"],
    )
    assert price == pytest.approx(vector["expected"], abs=vector["tolerance"])


@needs_shared
def test_all_examples_are_there() -> None:
    assert len(VECTORS) == 50


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("quantity", [0.5, 9.0, 11.0, 95.0, 110.0, 900.0, 2_000.0])
@pytest.mark.parametrize("leverage", [2.0, 5.0, 9.5])
def test_the_margin_meets_the_requirement_of_the_tier_at_the_price(
    side: Side, quantity: float, leverage: float
) -> None:
    entry, wallet = 100.0, quantity * 100.0 / leverage
    price = liquidation_price(side=side, entry=entry, quantity=quantity, wallet=wallet, tiers=STEPPED)
    assert price is not None
    notional = quantity * price
    tier = next((tier for tier in STEPPED if notional <= tier.notional_cap), STEPPED[-1])
    sign = 1 if side is Side.LONG else -1
    equity = wallet + sign * quantity * (price - entry)
    assert equity == pytest.approx(notional * tier.maintenance_margin_rate - tier.maintenance_amount, abs=1e-6)


def test_a_long_that_its_wallet_covers_has_no_liquidation_price() -> None:
    assert liquidation_price(side="long", entry=100.0, quantity=1.0, wallet=100.0, tiers=flat(0.01)) is None
    assert liquidation_price(side="short", entry=100.0, quantity=1.0, wallet=100.0, tiers=flat(0.01)) is not None


def test_a_jump_between_tiers_without_an_amount_is_met_at_the_boundary() -> None:
    jumping = (RiskTier(0.0, 1_000.0, 0.01, 0.0, 50.0), RiskTier(1_000.0, inf, 0.5, 0.0, 2.0))
    price = liquidation_price(side="short", entry=90.0, quantity=10.0, wallet=300.0, tiers=jumping)
    assert price == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"side": "up"}, "side must be 'long' or 'short'"),
        ({"entry": 0.0}, "entry must be a positive number"),
        ({"entry": nan}, "entry must be a positive number"),
        ({"quantity": -1.0}, "quantity must be a positive number"),
        ({"wallet": inf}, "wallet must be a number"),
        ({"fee_rate": 1.0}, "fee_rate must be at least 0 and below 1"),
        ({"other_maintenance": nan}, "other_maintenance must be a number"),
        ({"tiers": ()}, "tiers must not be empty"),
        ({"tiers": flat(1.0)}, "tier 0: the maintenance margin rate"),
        ({"tiers": flat(nan)}, "tier 0: the maintenance margin rate"),
        ({"tiers": STEPPED[::-1]}, "tier 1: tiers must ascend"),
        ({"tiers": (RiskTier(5.0, 5.0, 0.01, 0.0, 50.0),)}, "tier 0: the notional cap"),
        ({"tiers": (RiskTier(0.0, 5.0, 0.01, nan, 50.0),)}, "tier 0: the maintenance amount"),
        ({"tiers": (RiskTier(0.0, 5.0, 0.01, 0.0, 0.0),)}, "tier 0: the maximum leverage"),
    ],
)
def test_nonsense_is_refused_by_name(change: dict[str, Any], says: str) -> None:
    position: dict[str, Any] = {"side": "long", "entry": 1.0, "quantity": 1.0, "wallet": 0.1, "tiers": STEPPED}
    with pytest.raises(ValueError, match=says):
        liquidation_price(**position | change)
