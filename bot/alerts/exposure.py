"""Exposure: a dense cluster has formed around a user's own liquidation price."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from bot.alerts.filters import distance_pct, meets_floor
from bot.alerts.judge import Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.proximity import exit_pct
from bot.alerts.types import Kind, Phase, Repeat, Rule, RuleState, Severity, Track
from bot.alerts.wording import body_words, price_words
from bot.liquidation.types import Cluster

NORMAL_PCT = 0.25
TERMS = Terms(hold=2, recover_ms=30 * 60_000, cooldown_ms=4 * 60 * 60_000)
"""Two recomputes in a row; a crowd that comes and goes is told a few times a day at most."""

LEVEL = "level"
"""The figure of the liquidation price that the rule holds."""

CLOSE_PCT = 5.0
"""Price so near to one's own liquidation price makes the alert critical."""


class Levels:
    """The exposure rules of one market as arrays (n,), so that a map is a few vector operations."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._ids = tuple(self._rules)
        self._level = np.array([rule.level for rule in self._rules.values()], dtype=np.float64)
        self._within = np.array([rule.threshold_pct for rule in self._rules.values()], dtype=np.float64)

    def concerned(self, cluster: Cluster, states: Mapping[int, RuleState]) -> list[Rule]:
        """The rules that must be asked about a cluster: those it has come near to, and those it was near to before."""
        if not self._ids:
            return []
        if not self._ids:
            return []
        edge = np.clip(self._level, cluster.low, cluster.high)
        near = 100.0 * np.abs(np.log(self._level / edge)) <= self._within
        found = (self._rules[self._ids[at]] for at in np.flatnonzero(near))
        hit = {rule.id: rule for rule in found if meets_floor(rule, cluster)}
        asked = [rule for rule in hit.values() if rule.id not in states or not _rests(rule, states[rule.id])]
        asked += [self._rules[known] for known in states if known in self._rules and known not in hit]
        return sorted(asked, key=lambda rule: rule.id)


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
