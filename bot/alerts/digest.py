"""Digest: a summary at a fixed hour of a chat's day, daily or weekly on Mondays.

This module knows when; what it says is made where it is sent. Wall times are ms since 1970 as a chat's clock counts
them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.alerts.types import Rule

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS

MATTER = "digest"

_MONDAY_MS = 4 * DAY_MS
"""1970 began on a Thursday."""


def _no_offset(_time_ms: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Day:
    """A chat's day: the hour of its digests, and by how many ms its clock is ahead of UTC at a moment."""

    hour: int = 8
    offset_ms: Callable[[int], int] = _no_offset

    def moment_ms(self, wall_ms: int) -> int:
        """When the clock shows this; a time that it skips is counted as if it had not."""
        return wall_ms - self.offset_ms(wall_ms - self.offset_ms(wall_ms))


UTC_DAY = Day()
DayOf = Callable[[int], Day]
"""The day of a chat."""


def slot_before(rule: Rule, now_ms: int, day: Day = UTC_DAY) -> int:
    """The last moment up to now at which this digest was due."""
    return day.moment_ms(_wall_before(rule, now_ms, day))


def due_ms(rule: Rule, told_ms: int, day: Day = UTC_DAY) -> int:
    """When the next one is due after one of `told_ms`, or after the rule was made.

    Not within a quarter of its time after the last one: the clock is put back, or the hour was changed since.
    """
    after_ms = rule.created_ms if told_ms <= rule.created_ms else told_ms + rule.window_ms // 4
    return next_ms(rule, after_ms, day)


def next_ms(rule: Rule, now_ms: int, day: Day = UTC_DAY) -> int:
    """The first moment after now at which this digest is due, whatever was told of it."""
    return day.moment_ms(_wall_before(rule, now_ms, day) + rule.window_ms)


def _wall_before(rule: Rule, now_ms: int, day: Day) -> int:
    first_ms = day.hour * HOUR_MS + (_MONDAY_MS if rule.window_ms >= WEEK_MS else 0)
    here_ms = now_ms + day.offset_ms(now_ms)
    wall_ms = (here_ms - first_ms) // rule.window_ms * rule.window_ms + first_ms
    return wall_ms if day.moment_ms(wall_ms) <= now_ms else wall_ms - rule.window_ms
