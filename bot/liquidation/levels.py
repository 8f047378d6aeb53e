"""Breakout and breakdown: the clusters in order from the price, what clearing each releases, and what comes behind."""

from dataclasses import dataclass
from itertools import zip_longest

from bot.liquidation.ground import Ground
from bot.liquidation.own_exposure import HOURS, Odds
from bot.liquidation.touch import Volatility, touch_probabilities
from bot.liquidation.types import Cluster, Side


@dataclass(frozen=True, slots=True)
class Level:
    """One cluster on the way out. Distances are signed percent of the price: `near_pct` to the edge that price meets
    first (0 inside), `far_pct` to the one whose break clears it.

    `touch` are the odds of the near edge, `clear` those of the far one. Clearing releases the cluster's own `usd`;
    `usd_by_then` (`share_by_then` of the side) is all that stands up to its far edge, in clusters or not. `behind` is
    the next one and `gap_pct` the percent of price between the two, None where the map ends first.
    """

    cluster: Cluster
    near_pct: float
    far_pct: float
    touch: Odds
    clear: Odds
    usd_by_then: float
    share_by_then: float
    behind: Cluster | None
    gap_pct: float | None


def levels_of(side: Side, ground: Ground, volatility: Volatility) -> tuple[Level, ...]:
    """The clusters of one side, from the price outwards."""
    long = side is Side.LONG
    ordered = sorted(
        (each for each in ground.clusters if each.side is side), key=lambda each: -each.peak if long else each.peak
    )
    found = []
    for cluster, behind in zip_longest(ordered, ordered[1:]):
        near, far = (cluster.high, cluster.low) if long else (cluster.low, cluster.high)
        near = min(near, ground.price) if long else max(near, ground.price)
        usd, share = ground.standing_before(far)
        found.append(
            Level(
                cluster=cluster,
                near_pct=_percent(near, ground),
                far_pct=_percent(far, ground),
                touch=_odds(near, ground, volatility),
                clear=_odds(far, ground, volatility),
                usd_by_then=usd,
                share_by_then=share,
                behind=behind,
                gap_pct=None
                if behind is None
                else abs(_percent(behind.high if long else behind.low, ground) - _percent(far, ground)),
            )
        )
    return tuple(found)


def _percent(level: float, ground: Ground) -> float:
    return 100.0 * (level / ground.price - 1.0)


def _odds(level: float, ground: Ground, volatility: Volatility) -> Odds:
    odds = touch_probabilities(ground.price, level, HOURS, volatility)
    return tuple(zip(HOURS, odds, strict=True))
