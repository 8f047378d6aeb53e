"""How often price came where alerts told, against what volatility alone gives a level at the same distance.

Chance is the probability of a touch within the horizon as it stood at the alert (`liquidation.touch`: a random level
at that distance, in that volatility; its calibration is tested on real recordings). Alerts that told of a zone which
price was in already prove nothing, and are counted apart.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from bot.alerts.outcomes import Outcome
from bot.alerts.types import Kind

Group = TypeVar("Group", int, Kind)

LEAST_KNOWN = 20
SURE = 1.645
"""So many standard deviations from chance, nine times in ten no luck."""


class Against(StrEnum):
    """How a hit rate stands against chance."""

    TOO_FEW = "too_few"
    ABOVE = "above"
    LIKE = "like"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class HitRate:
    """Counts of alerts: all followed, those in which price was in the zone already, those decided, and those touched.

    `expected` is the sum of the decided alerts' chances, `variance` that of chance (1 - chance). `open` are undecided.
    """

    alerts: int = 0
    inside: int = 0
    known: int = 0
    touched: int = 0
    expected: float = 0.0
    variance: float = 0.0

    @property
    def open(self) -> int:
        return self.alerts - self.inside - self.known

    @property
    def rate(self) -> float | None:
        return self.touched / self.known if self.known else None

    @property
    def chance(self) -> float | None:
        return self.expected / self.known if self.known else None

    @property
    def against(self) -> Against:
        """Alerts of one hour share one price path, so that this is a lenient judge: it may find what is luck."""
        if self.known < LEAST_KNOWN:
            return Against.TOO_FEW
        surplus = self.touched - self.expected
        if abs(surplus) <= SURE * math.sqrt(self.variance):
            return Against.LIKE
        return Against.ABOVE if surplus > 0 else Against.BELOW

    def __add__(self, other: "HitRate") -> "HitRate":
        return HitRate(
            self.alerts + other.alerts,
            self.inside + other.inside,
            self.known + other.known,
            self.touched + other.touched,
            self.expected + other.expected,
            self.variance + other.variance,
        )


def hit_rate(outcomes: Iterable[Outcome]) -> HitRate:
    """Of these alerts. One whose odds were not known counts as in the zone: there is nothing to compare it with."""
    alerts = inside = known = touched = 0
    expected = variance = 0.0
    for one in outcomes:
        alerts += 1
        chance = one.chance
        if chance is None:
            inside += 1
        elif one.settled_ms:
            known += 1
            touched += one.touched_ms > 0
            expected += chance
            variance += chance * (1.0 - chance)
    return HitRate(alerts, inside, known, touched, expected, variance)


def by_rule(outcomes: Iterable[Outcome]) -> dict[int, HitRate]:
    """The hit rate of each rule, the one with the most alerts first."""
    return hit_rates((outcome.rule_id, outcome) for outcome in outcomes)


def by_kind(outcomes: Iterable[Outcome]) -> dict[Kind, HitRate]:
    """The hit rate of each kind of alert, the one with the most alerts first."""
    return hit_rates((outcome.kind, outcome) for outcome in outcomes)


def hit_rates(outcomes: Iterable[tuple[Group, Outcome]]) -> dict[Group, HitRate]:
    """The hit rate of each group, by each alert's group and outcome; the one with the most alerts first."""
    groups: dict[Group, list[Outcome]] = {}
    for group, outcome in outcomes:
        groups.setdefault(group, []).append(outcome)
    rates = {group: hit_rate(found) for group, found in groups.items()}
    return dict(sorted(rates.items(), key=lambda item: (-item[1].alerts, item[0])))
