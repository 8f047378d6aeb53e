"""What the engine asks of a kind of rule, so that it need not know any kind.

Each kind reduces what it measures to one number, its metric, the smaller the nearer to an alert: the distance in
percent for proximity, minus the growth in percent for growth. A rule is hit at or below `hit_at`, and out above
`exit_at`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.alerts.floors import meets_floor
from bot.alerts.machine import Sight, Terms
from bot.alerts.types import Kind, Rule, RuleState, Severity, Track


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a track at `time_ms`; `metric` is None where there is no data."""

    track: Track
    time_ms: int
    price: float
    metric: float | None


@dataclass(frozen=True, slots=True)
class Telling:
    """What an alert says beyond the facts: its kind, how loud, the value, and one sentence that explains it."""

    kind: Kind
    severity: Severity
    value_pct: float
    reason: str


@dataclass(frozen=True, slots=True)
class Judge:
    """One kind of rule: its thresholds in its metric, its terms, and its words.

    `tells` is the value that a firing is remembered by; `worth` says whether that is enough news after the last one.
    """

    hit_at: Callable[[Rule], float]
    exit_at: Callable[[Rule], float]
    terms: Callable[[Rule], Terms]
    tells: Callable[[Measured], float]
    worth: Callable[[Rule, RuleState, Measured], bool]
    tell: Callable[[Rule, Measured], Telling]

    def sight(self, rule: Rule, measured: Measured) -> Sight:
        """What was measured, against a rule. A cluster below the rule's floor is no hit, and no exit either."""
        if measured.metric is None:
            return Sight.UNKNOWN
        if measured.metric > self.exit_at(rule):
            return Sight.OUT
        if measured.metric <= self.hit_at(rule) and meets_floor(rule, measured.track.cluster):
            return Sight.HIT
        return Sight.BETWEEN
