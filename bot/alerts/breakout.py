"""Breakout: a swept short cluster with price holding above it by closes; and the mirror below a swept long cluster."""

from bot.alerts.judge import NEVER_OUT, Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.swept import beyond_pct, far_edge
from bot.alerts.types import Kind, Rule, Severity, Track
from bot.alerts.wording import body_words, price_words, span_words
from bot.liquidation.types import Side

NORMAL_HOLD_MS = 15 * 60_000
"""Three closes of five minutes."""

BAR_MS = 300_000
WITHIN_MS = 3 * 3_600_000
"""The longest hold, and an hour for it to begin: later it has another cause."""


def metric(track: Track, *, price: float, slot_ms: int) -> float | None:
    """Minus how far a close stands beyond the far edge in percent: not above 0 while price holds.

    None once it is too late for a hold to begin and to last as long as any rule asks.
    """
    if slot_ms > track.closed_ms + WITHIN_MS:
        return None
    return -beyond_pct(price, track.cluster, far_edge(track.cluster))


def pace(rule: Rule) -> Terms:
    """As many closes in a row as fill the time that the rule asks price to hold."""
    return Terms(hold=max(1, rule.window_ms // BAR_MS), recover_ms=0, cooldown_ms=0)


def _tell(rule: Rule, measured: Measured) -> Telling:
    cluster = measured.body
    above = "above" if cluster.side is Side.SHORT else "below"
    reason = (
        f"{rule.market.symbol} closed at {price_words(measured.price)} and has held {above} {body_words(cluster)}, "
        f"which it swept, for {span_words(rule.window_ms)}."
    )
    return Telling(Kind.BREAKOUT, Severity.WARNING, -(measured.metric or 0.0), reason)


BREAKOUT = Judge(
    hit_at=lambda _rule: 0.0,
    exit_at=lambda _rule: NEVER_OUT,
    pace=pace,
    tell=_tell,
)
