"""How a chat wants to be told: when it is muted, and its quiet hours."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of each day in which nothing rings, by the clock of a zone (`Europe/Berlin`, `UTC+2`).

    `start` and `end` are minutes since midnight there, never equal; past midnight where the end is the smaller one.
    """

    start: int
    end: int
    zone: str
    critical_passes: bool = False


@dataclass(frozen=True, slots=True)
class Manners:
    """A chat's wishes. `quiet_until(time_ms)` is the end of the quiet hours of that time, 0 where it is not quiet."""

    muted_until_ms: int = 0
    quiet_until: Callable[[int], int] = lambda _time_ms: 0
    critical_passes: bool = False


NO_MANNERS = Manners()
