"""My exposure: where a position is liquidated, what stands there and before it, and what moves it out of a crowd."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.liquidation.ground import CROWDED, Ground
from bot.liquidation.margin import RiskTier
from bot.liquidation.position import OwnPosition, check_position, liquidated_at, margin_at
from bot.liquidation.touch import Volatility, touch_probabilities
from bot.liquidation.types import Cluster
from bot.liquidation.values import replace

HOURS = (1, 4, 24)
Odds = tuple[tuple[int, float], ...]
"""(hours, probability of a touch within them) pairs."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A level on the map: `distance_pct` is signed (negative below price), `crowding` a percentile (None: the map ends
    before it), `cluster` the one that it lies in."""

    level: float
    distance_pct: float
    crowding: float | None
    cluster: Cluster | None
    touch: Odds

    @property
    def crowded(self) -> bool:
        return self.cluster is not None or (self.crowding is not None and self.crowding >= CROWDED)


@dataclass(frozen=True, slots=True)
class WayOut:
    """A change that moves the liquidation price to a quiet spot: to this leverage, with this margin in all.

    `added` is the margin that it takes beyond what is there.
    """

    leverage: float
    margin: float
    added: float
    spot: Spot


@dataclass(frozen=True, slots=True)
class ExposureReport:
    """What a position's holder wants to know. `spot` is None where no price liquidates it.

    `before` are the clusters between price and spot, from the price outwards; `usd_before` (`share_before` of the side)
    is the estimated notional that would be liquidated on the way. `by_margin` is the least margin that leaves the
    crowd, `by_leverage` the highest whole leverage that does; None where it stands in no crowd, or none does.
    """

    position: OwnPosition
    price: float
    spot: Spot | None
    before: tuple[Cluster, ...] = ()
    usd_before: float = 0.0
    share_before: float = 0.0
    by_margin: WayOut | None = None
    by_leverage: WayOut | None = None


def expose_position(
    position: OwnPosition,
    ground: Ground,
    volatility: Volatility,
    tiers: Sequence[RiskTier],
    *,
    fee_rate: float = 0.0,
) -> ExposureReport:
    """The exposure of a position. Raises PositionError where it cannot stand at the ground's price."""
    check_position(position, tiers, price=ground.price, fee_rate=fee_rate)
    level = liquidated_at(position, tiers, fee_rate=fee_rate)
    if level is None:
        return ExposureReport(position, ground.price, None)
    spot = spot_at(level, ground, volatility)
    usd, share = ground.standing_before(level)
    report = ExposureReport(position, ground.price, spot, ground.before(level), usd, share)
    if not spot.crowded:
        return report
    ways = _Ways(position, spot, ground, volatility, tiers, fee_rate)
    return replace(report, by_margin=ways.by_margin(), by_leverage=None if position.cross else ways.by_leverage())


def spot_at(level: float, ground: Ground, volatility: Volatility) -> Spot:
    """What is known of a level."""
    odds = touch_probabilities(ground.price, level, HOURS, volatility)
    return Spot(
        level=level,
        distance_pct=100.0 * (level / ground.price - 1.0),
        crowding=ground.crowding(level),
        cluster=ground.cluster_at(level),
        touch=tuple(zip(HOURS, odds, strict=True)),
    )


@dataclass(frozen=True, slots=True)
class _Ways:
    position: OwnPosition
    spot: Spot
    ground: Ground
    volatility: Volatility
    tiers: Sequence[RiskTier]
    fee_rate: float

    def by_margin(self) -> WayOut | None:
        """Enough margin for the nearest quiet price beyond."""
        level: float | None = self.spot.level
        while level is not None and (level := self.ground.quiet_beyond(level)) is not None:
            way = self._way(margin_at(self.position, level, self.tiers, fee_rate=self.fee_rate))
            if way is not None:
                return way
        return None

    def by_leverage(self) -> WayOut | None:
        """The highest whole leverage below the position's own that stands on quiet ground."""
        own = min(self.position.leverage, self.position.size_usd / self.position.margin)
        for leverage in range(math.ceil(own) - 1, 0, -1):
            way = self._way(self.position.size_usd / leverage)
            if way is not None:
                return way
        return None

    def _way(self, margin: float) -> WayOut | None:
        """The position with another margin, where that leaves it on quiet ground; None otherwise."""
        if margin <= self.position.margin:
            return None
        moved = replace(self.position, margin=margin)
        level = liquidated_at(moved, self.tiers, fee_rate=self.fee_rate)
        if level is None or not self.ground.is_quiet(level):
            return None
        spot = spot_at(level, self.ground, self.volatility)
        return WayOut(self.position.size_usd / margin, margin, margin - self.position.margin, spot)
