"""Which clusters count for a rule: big enough, on its side, and where it asks for."""

import math
from collections.abc import Callable

from bot.alerts.types import ANYWHERE, Rule, Where
from bot.liquidation.touch import Volatility, touch_probability
from bot.liquidation.types import Cluster, Mark

HOUR_MS = 3_600_000

DEFAULT_MIN_STRENGTH = 60
"""The floor of a rule that names neither size nor strength."""


def floors(rule: Rule) -> tuple[float, float]:
    """(minimum strength, minimum USD) of a rule, with the default where it names neither."""
    if rule.min_strength is None and rule.min_usd is None:
        return float(DEFAULT_MIN_STRENGTH), 0.0
    return float(rule.min_strength or 0), rule.min_usd or 0.0


def meets_floor(rule: Rule, cluster: Cluster) -> bool:
    """Whether the cluster is on the rule's side and reaches its floors."""
    min_strength, min_usd = floors(rule)
    return (
        (rule.side is None or rule.side is cluster.side) and cluster.strength >= min_strength and cluster.usd >= min_usd
    )


def distance_pct(price: float, cluster: Cluster) -> float:
    """100 * abs(ln(price / nearest edge)), 0 inside the body."""
    return 100.0 * abs(math.log(price / min(max(price, cluster.low), cluster.high)))


def in_price_range(where: Where, cluster: Cluster) -> bool:
    """Whether a cluster lies between the prices that a rule names, wherever price is now."""
    return (where.price_low or 0.0) <= cluster.peak <= (where.price_high or math.inf)


def lies_where(
    where: Where,
    cluster: Cluster,
    price: float,
    volatility: Volatility | None,
    marks: Callable[[Cluster], tuple[Mark, ...]],
) -> bool:
    """Whether a cluster lies where a rule asks, seen from `price`. Odds that cannot be told are not enough.

    `marks` tells what else stands at a cluster; it is asked last, since it may be costly.
    """
    if where is ANYWHERE or where == ANYWHERE:
        return True
    if not in_price_range(where, cluster):
        return False
    if where.near_pct is not None or where.far_pct is not None:
        near_pct, far_pct = where.near_pct or 0.0, math.inf if where.far_pct is None else where.far_pct
        if not near_pct <= distance_pct(price, cluster) <= far_pct:
            return False
    if where.odds_pct is not None:
        if volatility is None:
            return False
        edge = min(max(price, cluster.low), cluster.high)
        odds = touch_probability(price, edge, where.odds_ms / HOUR_MS, volatility)
        if 100.0 * float(odds) < where.odds_pct:
            return False
    return not where.confluence or bool(marks(cluster))
