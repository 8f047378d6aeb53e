"""Exposure: a dense cluster has formed around a user's own liquidation price."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

from bot.alerts.filters import distance_pct, meets_floor
from bot.alerts.judge import Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.proximity import exit_pct
from bot.alerts.types import Kind, Phase, Repeat, Rule, RuleState, Severity, Track
from bot.alerts.wording import body_words, price_words
from bot.liquidation.types import Cluster, Side

NORMAL_PCT = 0.25
TERMS = Terms(hold=2, recover_ms=30 * 60_000, cooldown_ms=4 * 60 * 60_000)
"""Two recomputes in a row; a crowd that comes and goes is told a few times a day at most."""

LEVEL = "level"
"""The figure of the liquidation price that the rule holds."""

CLOSE_PCT = 5.0
"""Price so near to one's own liquidation price makes the alert critical."""


class Levels:
    """The exposure rules of one market by their levels, so that a map looks only at those near its clusters."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        known = [(rule.level, rule) for rule in self._rules.values() if rule.level is not None]
        known.sort(key=lambda pair: pair[0])
        self._levels = [level for level, _ in known]
        self._by_level = [rule for _, rule in known]
        # A hair more than the farthest that any rule reaches: the exact comparison is made rule by rule.
        self._reach = math.exp(max((rule.threshold_pct for _, rule in known), default=0.0) / 100.0) * (1.0 + 1e-9)

    def concerned(self, cluster: Cluster, states: Mapping[int, RuleState]) -> list[Rule]:
        """The rules that must be asked about a cluster: those it has come near to, and those it was near to before."""
        if not self._rules:
            return []
        first = bisect_left(self._levels, cluster.low / self._reach)
        end = bisect_right(self._levels, cluster.high * self._reach)
        found = zip(self._levels[first:end], self._by_level[first:end], strict=True)
        hit = {
            rule.id: rule
            for level, rule in found
            if distance_pct(level, cluster) <= rule.threshold_pct and meets_floor(rule, cluster)
        }
        asked = [rule for rule in hit.values() if rule.id not in states or not _rests(rule, states[rule.id])]
        if states:
            asked += [self._rules[known] for known in states if known in self._rules and known not in hit]
        return sorted(asked, key=lambda rule: rule.id)


def liquidated_already(side: Side, level: float, price: float) -> bool:
    """Whether a position of this side with this liquidation price would be gone at `price`."""
    return level >= price if side is Side.LONG else level <= price


def measure(rule: Rule, track: Track, *, slot_ms: int, price: float) -> Measured:
    """How near a cluster is to the rule's level, in percent, 0 inside it."""
    level = rule.level or track.cluster.peak
    return Measured(track, slot_ms, price, distance_pct(level, track.cluster), figures=((LEVEL, level),))


def _rests(rule: Rule, state: RuleState) -> bool:
    """Whether a pair that is hit again has nothing to say."""
    return state.phase is Phase.DONE or (state.phase is Phase.FIRED and rule.repeat is not Repeat.EVERY)


def _tell(rule: Rule, measured: Measured) -> Telling:
    level = dict(measured.figures)[LEVEL]
    away = 100.0 * abs(math.log(measured.price / level))
    reason = (
        f"{rule.market.symbol}: the liquidation price {price_words(level)} lies within {rule.threshold_pct:g} % of "
        f"{body_words(measured.body)}; price is {price_words(measured.price)}."
    )
    severity = Severity.CRITICAL if away <= CLOSE_PCT else Severity.WARNING
    return Telling(Kind.EXPOSURE, severity, measured.metric or 0.0, reason)


EXPOSURE = Judge(
    hit_at=lambda rule: rule.threshold_pct,
    exit_at=lambda rule: exit_pct(rule.threshold_pct),
    pace=lambda _rule: TERMS,
    tell=_tell,
)
