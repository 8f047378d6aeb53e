"""How often price came where alerts told, against what volatility alone gives a level at the same distance.

Chance is the probability of a touch within the horizon as it stood at the alert (`liquidation.touch`: a random level
at that distance, in that volatility; its calibration is tested on real recordings). Alerts that told of a zone which
price was in already prove nothing, and are counted apart.
"""

import math
from collections.abc import Callable, Iterable
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
    total = HitRate()
    for one in outcomes:
        chance = one.chance
        if chance is None:
            total += HitRate(alerts=1, inside=1)
        elif one.settled_ms:
            total += HitRate(1, 0, 1, int(one.touched_ms > 0), chance, chance * (1.0 - chance))
        else:
            total += HitRate(alerts=1)
    return total


def by_rule(outcomes: Iterable[Outcome]) -> dict[int, HitRate]:
    """The hit rate of each rule, the one with the most alerts first."""
    return _grouped(outcomes, lambda outcome: outcome.rule_id)


def by_kind(outcomes: Iterable[Outcome]) -> dict[Kind, HitRate]:
    """The hit rate of each kind of alert, the one with the most alerts first."""
    return _grouped(outcomes, lambda outcome: outcome.kind)


def _grouped(outcomes: Iterable[Outcome], group_of: Callable[[Outcome], Group]) -> dict[Group, HitRate]:
    groups: dict[Group, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(group_of(outcome), []).append(outcome)
    rates = {group: hit_rate(found) for group, found in groups.items()}
    return dict(sorted(rates.items(), key=lambda item: (-item[1].alerts, item[0])))
