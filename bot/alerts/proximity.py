"""Proximity: price stands within X percent of a dense cluster."""

import math

from bot.alerts.judge import Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.types import Kind, Rule, RuleState, Severity
from bot.alerts.wording import body_words, price_words
from bot.liquidation.types import Cluster, Side

TERMS = Terms(hold=1, recover_ms=5 * 60_000, cooldown_ms=30 * 60_000)

EXIT_FACTOR = 1.25
EXIT_POINTS = 0.15
"""Price has left beyond the farther of the two, so that it cannot flap at the threshold."""

CRITICAL_STRENGTH = 98
"""A cluster stronger than 49 of 50 of its kind is worth a loud sound."""


def distance_pct(price: float, cluster: Cluster) -> float:
    """100 * abs(ln(price / nearest edge)), 0 inside the body."""
    return 100.0 * abs(math.log(price / min(max(price, cluster.low), cluster.high)))


def passed(price: float, cluster: Cluster) -> bool:
    """Whether price stands beyond the body's far edge: the body is spent and only the next map will say so."""
    return price < cluster.low if cluster.side is Side.LONG else price > cluster.high


def exit_pct(threshold_pct: float) -> float:
    """The distance beyond which price has left."""
    return max(EXIT_FACTOR * threshold_pct, threshold_pct + EXIT_POINTS)


def _worth(_rule: Rule, _state: RuleState, _measured: Measured) -> bool:
    return True


def _tell(rule: Rule, measured: Measured) -> Telling:
    cluster = measured.track.cluster
    value = measured.metric or 0.0
    where = f"{value:.2f} % from" if value > 0.0 else "inside"
    if passed(measured.price, cluster):
        where = "through"
    reason = (
        f"{rule.market.symbol} at {price_words(measured.price)} is {where} {body_words(cluster)}; "
        f"the rule asks for {rule.threshold_pct:g} %."
    )
    severity = Severity.CRITICAL if cluster.strength >= CRITICAL_STRENGTH else Severity.WARNING
    return Telling(Kind.PROXIMITY, severity, value, reason)


PROXIMITY = Judge(
    hit_at=lambda rule: rule.threshold_pct,
    exit_at=lambda rule: exit_pct(rule.threshold_pct),
    terms=lambda _rule: TERMS,
    tells=lambda measured: measured.metric or 0.0,
    worth=_worth,
    tell=_tell,
)
