"""Digest: a summary at a fixed hour, daily or weekly. This module knows when; what it says is made where it is sent."""

from bot.alerts.types import Rule

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS

AT_MS = 8 * 3_600_000
"""08:00 UTC; a weekly one on Mondays."""

MATTER = "digest"

_MONDAY_MS = 4 * DAY_MS
"""1970 began on a Thursday."""


def slot_before(rule: Rule, now_ms: int) -> int:
    """The last moment up to now at which this digest was due."""
    offset_ms = AT_MS if rule.window_ms < WEEK_MS else _MONDAY_MS + AT_MS
    return (now_ms - offset_ms) // rule.window_ms * rule.window_ms + offset_ms


def due_ms(rule: Rule, told_ms: int) -> int:
    """When the next one is due after one of `told_ms`, or after the rule was made."""
    return slot_before(rule, max(told_ms, rule.created_ms)) + rule.window_ms
