"""What the engine asks of a kind of rule, so that it need not know any kind.

Each kind reduces what it measures to one number, its metric, the smaller the nearer to an alert: the distance in
percent for proximity, minus the growth in percent for growth. A rule is hit at or below `hit_at`, and out above
`exit_at`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from msgspec import Struct

from bot.alerts.filters import lies_where, meets_floor
from bot.alerts.machine import Sight, Terms
from bot.alerts.readings import Marks, no_marks
from bot.alerts.types import ANYWHERE, Kind, Repeat, Rule, RuleState, Severity, Track, Unit
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace

NEVER_OUT = float("inf")
"""The exit of a kind whose condition, once true, stays true."""

Figures = tuple[tuple[str, float], ...]


class Measure(NamedTuple):
    """What a column's rules measure alike, so that one metric serves them all."""

    kind: Kind
    unit: Unit = Unit.PERCENT
    window_ms: int = 0


class Measured(Struct, frozen=True):
    """What was measured at `time_ms`, of a track or of a market as a whole; `metric` is None where there is no data.

    Without a track, `matter` names what was measured and `whole` stands for it where a rule asks for side and size.
    """

    track: Track | None
    time_ms: int
    price: float
    metric: float | None
    matter: str = ""
    whole: Cluster | None = None
    figures: Figures = ()
    volatility: Volatility | None = None
    marks: Marks = no_marks

    @property
    def track_id(self) -> str:
        return self.matter if self.track is None else self.track.id

    @property
    def body(self) -> Cluster:
        """The cluster, or what stands for it. Raises ValueError where neither was given."""
        body = self.whole if self.track is None else self.track.cluster
        if body is None:
            raise ValueError(f"nothing measured of {self.matter or 'nothing'}")
        return body

    @property
    def side(self) -> Side | None:
        """The side spoken of where there is no cluster to tell it."""
        return None if self.track is not None or self.whole is None else self.whole.side


class Telling(Struct, frozen=True, gc=False):
    """What an alert says beyond the facts: its kind, how loud, the value, and one sentence that explains it."""

    kind: Kind
    severity: Severity
    value_pct: float
    reason: str


@dataclass(frozen=True, slots=True)
class Judge:
    """One kind of rule: its thresholds in its metric, its pace, and its words.

    `tells` is the value that a firing is remembered by; `worth` says whether that is enough news after the last one
    (None: it always is). `measure` names the column a rule belongs to. Of a cluster `tell` says the same for all rules
    of one threshold, unit and window.
    """

    hit_at: Callable[[Rule], float]
    exit_at: Callable[[Rule], float]
    pace: Callable[[Rule], Terms]
    tell: Callable[[Rule, Measured], Telling]
    tells: Callable[[Measured], float] = lambda measured: measured.metric or 0.0
    worth: Callable[[Rule, RuleState, Measured], bool] | None = None
    measure: Callable[[Rule], Measure] = lambda rule: Measure(rule.kind)

    def terms(self, rule: Rule) -> Terms:
        """The kind's pace with the rule's own repeat policy."""
        pace = self.pace(rule)
        if rule.repeat is Repeat.EPISODE:
            return pace
        return replace(pace, once=rule.repeat is Repeat.ONCE, every_ms=rule.repeat_ms)

    def sight(self, rule: Rule, measured: Measured) -> Sight:
        """What was measured, against a rule. A cluster that the rule's filters leave out is no hit, and no exit."""
        return sight_between(self.hit_at(rule), self.exit_at(rule), rule, measured)


def sight_between(
    hit_at: float, exit_at: float, rule: Rule, measured: Measured, *, eligible: bool | None = None
) -> Sight:
    """What was measured, against a rule with these thresholds; `eligible` tells whether the cluster is on its side,
    big enough for it and in its price range, where that is known already.
    """
    metric = measured.metric
    if metric is None:
        return Sight.UNKNOWN
    if metric > exit_at:
        return Sight.OUT
    if metric > hit_at or not (meets_floor(rule, measured.body) if eligible is None else eligible):
        return Sight.BETWEEN
    if rule.where is ANYWHERE:
        return Sight.HIT
    placed = lies_where(rule.where, measured.body, measured.price, measured.volatility, measured.marks)
    return Sight.HIT if placed else Sight.BETWEEN
