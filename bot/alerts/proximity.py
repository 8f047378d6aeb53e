"""Proximity: price stands within X of a dense cluster.

X is a distance in percent, in average true ranges, or the distance from which the odds of a touch are high enough.
All three are one metric over a scale that moves with the market: the distance in percent for the first, over the
average true range for the second, over the spread of the touch model for the third, whose odds fall with that ratio.
"""

from bot.alerts.filters import distance_pct
from bot.alerts.judge import Judge, Measure, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.types import Kind, Rule, Severity, Unit
from bot.alerts.wording import body_words, price_words, span_words
from bot.liquidation.touch import touch_ratio
from bot.liquidation.types import Cluster, Side

TERMS = Terms(hold=1, recover_ms=5 * 60_000, cooldown_ms=30 * 60_000, longest_cooldown_ms=4 * 3_600_000)
"""Reviewed on December 2025: with half an hour each time, price around one zone's threshold told of it eight times a
day. Half an hour, then one, two and four leave two or three."""

EXIT_FACTOR = 1.25
EXIT_POINTS = 0.15
"""Price has left beyond the farther of the two, so that it cannot flap at the threshold."""

EXIT_ODDS = 0.8
"""Of the odds asked for: price has left where they have fallen below that share."""

CRITICAL_STRENGTH = 98
"""A cluster stronger than 49 of 50 of its kind is worth a loud sound."""


def passed(price: float, cluster: Cluster) -> bool:
    """Whether price stands beyond the body's far edge: the body is spent and only the next map will say so."""
    return price < cluster.low if cluster.side is Side.LONG else price > cluster.high


def tick_distance(price: float, cluster: Cluster) -> float:
    """The distance in percent that a tick is judged by: a body jumped through was reached."""
    return 0.0 if passed(price, cluster) else distance_pct(price, cluster)


def exit_pct(threshold_pct: float) -> float:
    """The distance beyond which price has left."""
    return max(EXIT_FACTOR * threshold_pct, threshold_pct + EXIT_POINTS)


def _hit_at(rule: Rule) -> float:
    return touch_ratio(rule.threshold_pct / 100.0) if rule.unit is Unit.ODDS else rule.threshold_pct


def _exit_at(rule: Rule) -> float:
    if rule.unit is Unit.ODDS:
        return touch_ratio(EXIT_ODDS * rule.threshold_pct / 100.0)
    return EXIT_FACTOR * rule.threshold_pct if rule.unit is Unit.ATR else exit_pct(rule.threshold_pct)


def _asked(rule: Rule) -> str:
    if rule.unit is Unit.ODDS:
        return f"{rule.threshold_pct:g} % odds of a touch within {span_words(rule.window_ms)}"
    return f"{rule.threshold_pct:g} {'ATR' if rule.unit is Unit.ATR else '%'}"


def _tell(rule: Rule, measured: Measured) -> Telling:
    cluster = measured.body
    value = tick_distance(measured.price, cluster)
    where = f"{value:.2f} % from" if value > 0.0 else "inside"
    if passed(measured.price, cluster):
        where = "through"
    reason = (
        f"{rule.market.symbol} at {price_words(measured.price)} is {where} {body_words(cluster)}; "
        f"the rule asks for {_asked(rule)}."
    )
    severity = Severity.CRITICAL if cluster.strength >= CRITICAL_STRENGTH else Severity.WARNING
    return Telling(Kind.PROXIMITY, severity, value, reason)


PROXIMITY = Judge(
    hit_at=_hit_at,
    exit_at=_exit_at,
    pace=lambda _rule: TERMS,
    tell=_tell,
    measure=lambda rule: Measure(Kind.PROXIMITY, rule.unit, rule.window_ms if rule.unit is Unit.ODDS else 0),
)
