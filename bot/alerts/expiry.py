"""Expiry: a rule that ends says so beforehand and when it does, so that one tap keeps it."""

from bot.alerts.types import Rule, RuleState

MATTER = "expiry"
EXPIRED = "expired"
"""The reason of a rule that has ended."""

LONGEST_NOTICE_MS = 24 * 3_600_000
NOTICE_SHARE = 0.25
"""The reminder comes a day before the end, or with a quarter of the rule's life left where that is shorter."""

EXPIRES, LIFE = "expires_ms", "life_ms"
"""The figures: when the rule ends, and for how long it was made."""


def life_ms(rule: Rule) -> int:
    """For how long the rule was made."""
    return max(60_000, rule.expires_ms - rule.created_ms)


def reminder_ms(rule: Rule) -> int:
    """When to remind of the end."""
    return rule.expires_ms - min(LONGEST_NOTICE_MS, round(NOTICE_SHARE * life_ms(rule)))


def due_ms(rule: Rule, state: RuleState) -> int | None:
    """When this rule next has to say something of its end, None where it has not.

    The state's `told` is the end that it last reminded of.
    """
    if not rule.expires_ms or rule.paused_reason is not None:
        return None
    return rule.expires_ms if state.told == rule.expires_ms else reminder_ms(rule)
