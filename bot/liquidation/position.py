"""One's own position: whether the venue would let it stand, where it is liquidated, and what margin would move that."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, nextafter

from bot.liquidation.margin import RiskTier, check_tiers, liquidation_price
from bot.liquidation.types import Side

FARTHEST_ENTRY = 5.0
"""An entry more than five times above or below the price is a typing error rather than a position."""


@dataclass(frozen=True, slots=True)
class OwnPosition:
    """A position as its holder tells it: `entry` in quote currency, `size_usd` its notional there.

    `margin` is the isolated margin without unrealized profit, or with `cross` the wallet's balance, all of which this
    position is taken to stand on. `leverage` is the one set at the venue: it bounds the size, and only without added
    margin it is `size_usd / margin`.
    """

    side: Side
    entry: float
    size_usd: float
    leverage: float
    margin: float
    cross: bool = False

    @property
    def coins(self) -> float:
        return self.size_usd / self.entry


class Bound(StrEnum):
    """Which of a position's figures cannot be as it is."""

    ENTRY = "entry"
    SIZE = "size"
    LEVERAGE = "leverage"
    MARGIN = "margin"
    STOP = "stop"


class PositionError(ValueError):
    """A position that cannot stand: `value` is what was told of `bound`, which lies between `low` and `high`.

    Of a margin, `low` is what the venue asks for at the price now: with less it would be liquidated already.
    """

    def __init__(self, bound: Bound, value: float, *, low: float, high: float) -> None:
        super().__init__(f"{bound} {value:g} must lie between {low:g} and {high:g}")
        self.bound = bound
        self.value = value
        self.low = low
        self.high = high


def check_position(position: OwnPosition, tiers: Sequence[RiskTier], *, price: float, fee_rate: float = 0.0) -> None:
    """Raise PositionError, with the bound that it breaks, unless the venue would let the position stand at `price`."""
    check_tiers(tiers, fee_rate=fee_rate)
    low, high = price / FARTHEST_ENTRY, price * FARTHEST_ENTRY
    if not low <= position.entry <= high:
        raise PositionError(Bound.ENTRY, position.entry, low=low, high=high)
    if not 0.0 < position.size_usd <= tiers[-1].notional_cap:
        raise PositionError(Bound.SIZE, position.size_usd, low=0.0, high=tiers[-1].notional_cap)
    most = most_leverage(tiers, position.size_usd)
    if not 1.0 <= position.leverage <= most:
        raise PositionError(Bound.LEVERAGE, position.leverage, low=1.0, high=most)
    least = margin_at(position, price, tiers, fee_rate=fee_rate)
    if not least < position.margin < inf:
        raise PositionError(Bound.MARGIN, position.margin, low=max(least, 0.0), high=inf)


def most_leverage(tiers: Sequence[RiskTier], size_usd: float) -> float:
    """The most leverage that a position of this notional may have."""
    return _tier(tiers, size_usd).max_leverage


def liquidated_at(position: OwnPosition, tiers: Sequence[RiskTier], *, fee_rate: float = 0.0) -> float | None:
    """The mark price at which the position is liquidated; None where its margin covers any price."""
    return liquidation_price(
        side=position.side,
        entry=position.entry,
        quantity=position.coins,
        wallet=position.margin,
        tiers=tiers,
        fee_rate=fee_rate,
    )


def margin_at(position: OwnPosition, level: float, tiers: Sequence[RiskTier], *, fee_rate: float = 0.0) -> float:
    """The margin with which the position would meet its requirement at `level` exactly: what `liquidated_at` inverts.

    W = q P (rate + fee) - amount - s q (P - E), with the tier of q P. Where tiers step without a maintenance amount, a
    requirement between price and `level` may be higher: a position with this margin is then liquidated before it.
    """
    sign = 1.0 if position.side is Side.LONG else -1.0
    notional = position.coins * level
    tier = _tier(tiers, notional)
    requirement = notional * (tier.maintenance_margin_rate + fee_rate) - tier.maintenance_amount
    return nextafter(requirement - sign * position.coins * (level - position.entry), inf)


def _tier(tiers: Sequence[RiskTier], notional: float) -> RiskTier:
    return next((tier for tier in tiers if notional <= tier.notional_cap), tiers[-1])
