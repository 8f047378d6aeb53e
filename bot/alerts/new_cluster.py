"""New cluster: a dense zone where nothing stood shortly before, seen to appear."""

from bot.alerts.judge import NEVER_OUT, Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.types import Kind, Rule, Severity, Track
from bot.alerts.wording import body_words, price_words

NEW_MS = 3_600_000
"""A cluster stays new for an hour: so long it has to grow to the size that a rule asks for."""

TERMS = Terms(hold=2, recover_ms=0, cooldown_ms=NEW_MS)
"""Two recomputes in a row, so that one odd map is not news."""

IS_NEW = 0.0


def metric(track: Track, *, slot_ms: int) -> float | None:
    """0 for a cluster whose birth was witnessed within the hour, None for any other."""
    return IS_NEW if track.appeared and track.born_ms > slot_ms - NEW_MS else None


def _tell(rule: Rule, measured: Measured) -> Telling:
    where = f"price is {price_words(measured.price)}"
    reason = f"{rule.market.symbol}: {body_words(measured.body)} is new; {where}."
    return Telling(Kind.NEW_CLUSTER, Severity.INFO, 0.0, reason)


NEW_CLUSTER = Judge(
    hit_at=lambda _rule: IS_NEW,
    exit_at=lambda _rule: NEVER_OUT,
    pace=lambda _rule: TERMS,
    tell=_tell,
)
