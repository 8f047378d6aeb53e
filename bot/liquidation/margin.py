"""Where a leveraged position is force-closed, by the venue's risk tiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from bot.liquidation.types import Side


@dataclass(frozen=True, slots=True)
class RiskTier:
    """One row of a venue's maintenance table; notionals in quote currency, rates as fractions."""

    notional_floor: float
    notional_cap: float
    maintenance_margin_rate: float
    maintenance_amount: float
    max_leverage: float


def liquidation_price(
    *,
    side: Side | str,
    entry: float,
    quantity: float,
    wallet: float,
    tiers: Sequence[RiskTier],
    fee_rate: float = 0.0,
    other_maintenance: float = 0.0,
    other_unrealized: float = 0.0,
) -> float | None:
    """The mark price at which a position's margin meets its maintenance requirement; None where there is no such price.

    `entry` in quote currency, `quantity` in coins (positive for both sides). `wallet` is the isolated margin without
    unrealized profit, or the wallet balance of a cross account; `other_maintenance` and `other_unrealized` are those
    of the account's other cross positions. `fee_rate` is the closing fee that some venues add to the requirement
    (0 on Binance, Bybit and Hyperliquid, the taker fee on OKX, Gate and Bitget).

    Solves  W + s q (P - E) = q P (rate + fee) - amount  for P, with the tier that holds the notional q P at that
    price. Where tiers step without a maintenance amount, the price that a position reaches first counts.
    Raises ValueError on arguments that describe no position.
    """
    sign = 1.0 if _side(side) is Side.LONG else -1.0
    _check(entry, quantity, wallet, tiers, fee_rate, other_maintenance, other_unrealized)
    cushion = wallet - other_maintenance + other_unrealized - sign * quantity * entry
    first = -inf if sign > 0 else inf
    for index, tier in enumerate(tiers):
        floor = tier.notional_floor / quantity if index else 0.0
        cap = tier.notional_cap / quantity if index < len(tiers) - 1 else inf
        slope = quantity * (tier.maintenance_margin_rate + fee_rate) - sign * quantity
        price = (cushion + tier.maintenance_amount) / slope
        # A long is under its requirement below `price`, a short above it, as far as this tier reaches.
        if sign > 0 and price >= floor:
            first = max(first, min(price, cap))
        elif sign < 0 and price <= cap:
            first = min(first, max(price, floor))
    return first if isfinite(first) and first > 0 else None


def _side(side: Side | str) -> Side:
    try:
        return Side(side)
    except ValueError:
        raise ValueError(f"side must be 'long' or 'short', not {side!r}") from None


def _check(
    entry: float,
    quantity: float,
    wallet: float,
    tiers: Sequence[RiskTier],
    fee_rate: float,
    other_maintenance: float,
    other_unrealized: float,
) -> None:
    for name, value in (("entry", entry), ("quantity", quantity)):
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive number, not {value!r}")
    for name, value in (
        ("wallet", wallet),
        ("other_maintenance", other_maintenance),
        ("other_unrealized", other_unrealized),
    ):
        if not isfinite(value):
            raise ValueError(f"{name} must be a number, not {value!r}")
    if not 0 <= fee_rate < 1:
        raise ValueError(f"fee_rate must be at least 0 and below 1, not {fee_rate!r}")
    check_tiers(tiers, fee_rate=fee_rate)


def check_tiers(tiers: Sequence[RiskTier], *, fee_rate: float = 0.0) -> None:
    """Raise ValueError, naming the row, unless `tiers` ascend by notional with usable rates."""
    if not tiers:
        raise ValueError("tiers must not be empty")
    below = -inf
    for index, tier in enumerate(tiers):
        if not tier.notional_floor < tier.notional_cap:
            raise ValueError(f"tier {index}: the notional cap must be above its floor")
        if tier.notional_floor < below:
            raise ValueError(f"tier {index}: tiers must ascend by notional without overlap")
        if not 0 <= tier.maintenance_margin_rate + fee_rate < 1 or tier.maintenance_margin_rate < 0:
            raise ValueError(f"tier {index}: the maintenance margin rate must be at least 0 and below 1")
        if not isfinite(tier.maintenance_amount):
            raise ValueError(f"tier {index}: the maintenance amount must be a number")
        if not tier.max_leverage > 0:
            raise ValueError(f"tier {index}: the maximum leverage must be positive")
        below = tier.notional_cap
