"""Swept: price has gone through a cluster, so that what stood there is liquidated or gone.

Price eats its way in, so that little stands when it comes out at the far side: filters ask for the cluster at its best,
and alerts show it so. Told at the tick that passes the far edge; a sweep that no tick showed is told when the next map
finds it.
"""

import math

from bot.alerts.judge import NEVER_OUT, Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.types import Kind, Rule, Severity
from bot.alerts.wording import body_words, price_words, usd_words
from bot.liquidation.types import Cluster, Side

TERMS = Terms(hold=1, recover_ms=0, cooldown_ms=0)

REALISED = "realised_usd"
"""The figure of what the venue printed of that side within the body lately; absent where its prints are not heard."""


def far_edge(cluster: Cluster) -> float:
    """The edge that price passes last."""
    return cluster.low if cluster.side is Side.LONG else cluster.high


def near_edge(cluster: Cluster) -> float:
    """The edge that price comes to first."""
    return cluster.high if cluster.side is Side.LONG else cluster.low


def beyond_pct(price: float, cluster: Cluster, edge: float) -> float:
    """How far price stands beyond an edge in the direction of the sweep, in percent; negative before it."""
    direction = -1.0 if cluster.side is Side.LONG else 1.0
    return direction * 100.0 * math.log(price / edge)


def tick_distance(price: float, cluster: Cluster) -> float:
    """The distance in percent still to go to the far edge, 0 beyond it."""
    return max(0.0, -beyond_pct(price, cluster, far_edge(cluster)))


def _tell(rule: Rule, measured: Measured) -> Telling:
    realised = dict(measured.figures).get(REALISED)
    printed = "" if realised is None else f"; {usd_words(realised)} USD were printed there so far"
    reason = (
        f"{rule.market.symbol} at {price_words(measured.price)} has swept {body_words(measured.body)}{printed}; "
        "the rule asks for sweeps."
    )
    return Telling(Kind.SWEPT, Severity.WARNING, 0.0, reason)


SWEPT = Judge(
    hit_at=lambda _rule: 0.0,
    exit_at=lambda _rule: NEVER_OUT,
    pace=lambda _rule: TERMS,
    tell=_tell,
)
