"""Exposure: what happens to a user's own liquidation price. Price comes near to it, or it becomes crowded there.

Two matters of one rule, each with its own state: an approach is seen at ticks, a crowd at maps. How crowded a level is
is told by `bot.liquidation.crowding`: the percentile of the density around it among levels of about the same distance.
It becomes crowded where /position calls it so, and is no longer at a lower percentile, so that it cannot flap.
"""

import math

from bot.alerts.judge import Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.proximity import TERMS as APPROACH_TERMS
from bot.alerts.proximity import exit_pct
from bot.alerts.types import Kind, Rule, Severity
from bot.alerts.wording import price_words
from bot.liquidation.crowding import CROWDED
from bot.liquidation.types import Cluster, Side

NORMAL_PCT = 3.0
"""How near price may come before it is told: a day's usual move of a large contract."""

NO_LONGER_CROWDED = 60.0
CROWD_TERMS = Terms(hold=2, recover_ms=30 * 60_000, cooldown_ms=4 * 60 * 60_000)
"""Two recomputes in a row; a crowd that comes and goes is told a few times a day at most."""

APPROACH, CROWD = "exposure-approach", "exposure-crowd"
"""The matters that states and events are of."""

LEVEL, CROWDING = "level", "crowding"
"""The figures of the liquidation price that the rule holds, and of its percentile."""

CLOSE_PCT = 5.0
"""Price so near to one's own liquidation price makes a crowd critical."""


def liquidated_already(side: Side, level: float, price: float) -> bool:
    """Whether a position of this side with this liquidation price would be gone at `price`."""
    return level >= price if side is Side.LONG else level <= price


def away_pct(rule: Rule, price: float) -> float:
    """How far price is from the rule's level in percent, 0 where it has reached it."""
    level, side = own_level(rule)
    away = 100.0 * math.log(price / level)
    return max(0.0, away if side is Side.LONG else -away)


def own_level(rule: Rule) -> tuple[float, Side]:
    """The liquidation price that a rule holds, and whose. Raises ValueError for a rule of another kind."""
    if rule.level is None or rule.side is None:
        raise ValueError(f"rule {rule.id} holds no liquidation price")
    return rule.level, rule.side


def approach(rule: Rule, *, time_ms: int, price: float) -> Measured:
    """How near price is."""
    level, side = own_level(rule)
    metric = away_pct(rule, price)
    return Measured(None, time_ms, price, metric, matter=APPROACH, whole=_point(level, side), figures=((LEVEL, level),))


def crowd(rule: Rule, crowding: float, *, slot_ms: int, price: float) -> Measured:
    """How crowded it is there: minus the percentile, no data where that is NaN or the position is gone."""
    level, side = own_level(rule)
    unknown = math.isnan(crowding) or liquidated_already(side, level, price)
    figures = ((LEVEL, level), (CROWDING, crowding))
    metric = None if unknown else -crowding
    return Measured(None, slot_ms, price, metric, matter=CROWD, whole=_point(level, side), figures=figures)


def _point(level: float, side: Side) -> Cluster:
    """What stands for the level where a rule's side and floors are asked: it meets them all."""
    return Cluster(side, level, level, level, math.inf, 1.0, 100)


def _tell_approach(rule: Rule, measured: Measured) -> Telling:
    level, _ = own_level(rule)
    away = measured.metric or 0.0
    how = f"is {away:.2f} % from" if away else "has reached"
    reason = (
        f"{rule.market.symbol} at {price_words(measured.price)} {how} the liquidation price {price_words(level)}; "
        f"the rule asks for {rule.threshold_pct:g} %."
    )
    return Telling(Kind.EXPOSURE, Severity.CRITICAL, away, reason)


def _tell_crowd(rule: Rule, measured: Measured) -> Telling:
    level, _ = own_level(rule)
    percentile = -(measured.metric or 0.0)
    reason = (
        f"{rule.market.symbol}: around the liquidation price {price_words(level)} more would be liquidated than around "
        f"{percentile:.0f} % of the prices about as far away; price is {price_words(measured.price)}."
    )
    severity = Severity.CRITICAL if away_pct(rule, measured.price) <= CLOSE_PCT else Severity.WARNING
    return Telling(Kind.EXPOSURE, severity, percentile, reason)


EXPOSURE = Judge(
    hit_at=lambda rule: rule.threshold_pct,
    exit_at=lambda rule: exit_pct(rule.threshold_pct),
    pace=lambda _rule: APPROACH_TERMS,
    tell=_tell_approach,
)
CROWDS = Judge(
    hit_at=lambda _rule: -CROWDED,
    exit_at=lambda _rule: -NO_LONGER_CROWDED,
    pace=lambda _rule: CROWD_TERMS,
    tell=_tell_crowd,
)
