"""Stop hunt: a cluster was swept, and price is back on the side it came from within the hour."""

from bot.alerts.judge import NEVER_OUT, Judge, Measure, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.swept import beyond_pct, near_edge
from bot.alerts.types import Kind, Rule, Severity, Track
from bot.alerts.wording import body_words, price_words, span_words
from bot.liquidation.types import Side

NORMAL_WINDOW_MS = 3_600_000
TERMS = Terms(hold=1, recover_ms=0, cooldown_ms=0)

AFTER = "after_ms"
"""The figure of how long after the sweep price was back, by the closes of bars."""


def metric(track: Track, *, price: float, slot_ms: int, window_ms: int) -> float | None:
    """How far a close still is from being back, in percent, not above 0 where it is; None once the window is over."""
    if slot_ms > track.closed_ms + window_ms:
        return None
    return beyond_pct(price, track.cluster, near_edge(track.cluster))


def _tell(rule: Rule, measured: Measured) -> Telling:
    cluster = measured.body
    below = "below" if cluster.side is Side.SHORT else "above"
    after_ms = int(dict(measured.figures)[AFTER])
    reason = (
        f"{rule.market.symbol} closed at {price_words(measured.price)}, back {below} {body_words(cluster)} "
        f"{span_words(after_ms)} after it was swept; the rule asks for a return within {span_words(rule.window_ms)}."
    )
    return Telling(Kind.STOP_HUNT, Severity.WARNING, -(measured.metric or 0.0), reason)


STOP_HUNT = Judge(
    hit_at=lambda _rule: 0.0,
    exit_at=lambda _rule: NEVER_OUT,
    pace=lambda _rule: TERMS,
    tell=_tell,
    measure=lambda rule: Measure(Kind.STOP_HUNT, window_ms=rule.window_ms),
)
