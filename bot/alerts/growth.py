"""Growth: a cluster is Y percent larger than it was a window W ago.

A cluster that did not exist then has no percentage: where its birth was witnessed inside the window, the alert says
that it is new.
"""

from bot.alerts.history import baseline
from bot.alerts.judge import Judge, Measure, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.types import Kind, Rule, RuleState, Severity, Track
from bot.alerts.wording import body_words, price_words, span_words

HOLD = 2
"""Recomputes in a row, so that one odd map is not news."""

MIN_RECOVER_MS = 10 * 60_000

NEW = -1e18
"""The metric of a cluster that is new within the window: below every threshold, yet a number."""

LOUD_FACTOR = 2.0
"""Growth of so many times what the rule asks for is a warning, else it is information."""


def growth_pct(track: Track, *, slot_ms: int, window_ms: int) -> float | None:
    """100 * (usd(t) / usd(t - W) - 1); None where there is no comparable body near t - W."""
    before = baseline(track, slot_ms=slot_ms, window_ms=window_ms)
    return None if before is None else 100.0 * (track.cluster.usd / before - 1.0)


def metric(track: Track, *, slot_ms: int, window_ms: int) -> float | None:
    """Minus the growth in percent, NEW for a cluster seen to appear within the window, None without data."""
    grown = growth_pct(track, slot_ms=slot_ms, window_ms=window_ms)
    if grown is not None:
        return -grown
    return NEW if track.appeared and track.born_ms > slot_ms - window_ms else None


def terms(rule: Rule) -> Terms:
    """Recovery of a quarter of the window, at least ten minutes; a cooldown of the window."""
    return Terms(hold=HOLD, recover_ms=max(rule.window_ms // 4, MIN_RECOVER_MS), cooldown_ms=rule.window_ms)


def _worth(rule: Rule, state: RuleState, measured: Measured) -> bool:
    """The ratchet: after a firing, the next needs the same growth again over the size last told."""
    return measured.body.usd >= state.told * (1.0 + rule.threshold_pct / 100.0)


def _tell(rule: Rule, measured: Measured) -> Telling:
    cluster = measured.body
    window = span_words(rule.window_ms)
    where = f"price is {price_words(measured.price)}"
    if measured.metric is None or measured.metric <= NEW:
        reason = f"{rule.market.symbol}: {body_words(cluster)} is new within {window}; {where}."
        return Telling(Kind.NEW_CLUSTER, Severity.INFO, 0.0, reason)
    grown = -measured.metric
    reason = (
        f"{rule.market.symbol}: {body_words(cluster)} grew {grown:.0f} % in {window}; "
        f"the rule asks for {rule.threshold_pct:g} %; {where}."
    )
    loud = grown >= LOUD_FACTOR * rule.threshold_pct
    return Telling(Kind.GROWTH, Severity.WARNING if loud else Severity.INFO, grown, reason)


GROWTH = Judge(
    hit_at=lambda rule: -rule.threshold_pct,
    exit_at=lambda rule: -rule.threshold_pct / 2.0,
    pace=terms,
    tells=lambda measured: measured.body.usd,
    worth=_worth,
    tell=_tell,
    measure=lambda rule: Measure(Kind.GROWTH, window_ms=rule.window_ms),
)
