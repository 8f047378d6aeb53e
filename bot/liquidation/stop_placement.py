"""Where a stop sits: inside a dense zone, just before or just beyond one, or clear of them; and where it is quieter."""

import math
from dataclasses import dataclass
from enum import StrEnum

from bot.liquidation.ground import Ground
from bot.liquidation.own_exposure import Spot, spot_at
from bot.liquidation.position import FARTHEST_ENTRY, Bound, PositionError
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, Side


class Seat(StrEnum):
    """How a stop lies to the nearest dense zone, seen from the price.

    "Just" is within the smoothing that found the zone (0.2 % and more): nearer than that its edge is not known.
    """

    INSIDE = "inside"
    BEFORE = "before"
    BEYOND = "beyond"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class StopReport:
    """`zone` is the one that the stop is in or at, `gap_pct` how far from its edge; None where it is clear of all.

    `nearer` and `farther` are the nearest quiet prices between price and stop, and beyond it: None where the stop is
    quiet itself, or the map has none. `loss_pct` is what the stop costs from the entry, in percent of it, without
    leverage and fees; negative where it locks in a gain.
    """

    side: Side
    entry: float
    stop: Spot
    loss_pct: float
    seat: Seat
    zone: Cluster | None
    gap_pct: float
    nearer: Spot | None
    farther: Spot | None


def place_stop(side: Side, entry: float, stop: float, ground: Ground, volatility: Volatility) -> StopReport:
    """Where the stop of a position sits. Raises PositionError for one on the wrong side of the price, or far off."""
    price = ground.price
    check_stop(side, entry, stop, price)
    seat, zone, gap = _seat(stop, ground)
    quiet = ground.is_quiet(stop)
    nearer = None if quiet else ground.quiet_before(stop)
    farther = None if quiet else ground.quiet_beyond(stop)
    return StopReport(
        side=side,
        entry=entry,
        stop=spot_at(stop, ground, volatility),
        loss_pct=100.0 * (1.0 - stop / entry) * (1.0 if side is Side.LONG else -1.0),
        seat=seat,
        zone=zone,
        gap_pct=100.0 * gap,
        nearer=None if nearer is None else spot_at(nearer, ground, volatility),
        farther=None if farther is None else spot_at(farther, ground, volatility),
    )


def check_stop(side: Side, entry: float, stop: float, price: float) -> None:
    """Raise PositionError unless the stop waits on the losing side of the price, and both are near enough to it.

    It is the price that counts, not the entry: a stop that has been drawn after a gain lies beyond its entry.
    """
    lowest, highest = price / FARTHEST_ENTRY, price * FARTHEST_ENTRY
    if not lowest <= entry <= highest:
        raise PositionError(Bound.ENTRY, entry, low=lowest, high=highest)
    low, high = (lowest, price) if side is Side.LONG else (price, highest)
    if not (low <= stop <= high and stop != price):
        raise PositionError(Bound.STOP, stop, low=low, high=high)


def _seat(stop: float, ground: Ground) -> tuple[Seat, Cluster | None, float]:
    """How the stop lies, to which zone, and how far from its edge in log price."""
    inside = ground.cluster_at(stop)
    if inside is not None:
        return Seat.INSIDE, inside, 0.0
    gaps = [(abs(math.log(stop / min(max(stop, each.low), each.high))), each) for each in ground.clusters]
    gap, zone = min(gaps, key=lambda found: found[0], default=(math.inf, None))
    if zone is None or gap > ground.blur:
        return Seat.CLEAR, None, 0.0
    before = (stop > zone.high) if zone.side is Side.LONG else (stop < zone.low)
    return (Seat.BEFORE if before else Seat.BEYOND), zone, gap
