"""Imbalance flip: the side that is heavier within 5 % of price has changed.

Each side is a matter of its own. It is hit once it is heavier by the margin, and out only once the other is: so a
balance that wavers around even is no news. Coming and leaving take the same two looks in a row, so that a side is told
of again only where the other was the heavier in between.
"""

import math

from bot.alerts.judge import Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.types import Kind, Rule, Severity
from bot.alerts.wording import price_words, usd_words
from bot.liquidation.types import Cluster, Side

NORMAL_MARGIN_PCT = 10.0
TERMS = Terms(hold=2, recover_ms=0, cooldown_ms=0, firm=True)
"""Two recomputes in a row. No wait after it: whoever was told of a flip has to hear of the way back."""

LONG_USD, SHORT_USD = "long_usd", "short_usd"


def matter(side: Side) -> str:
    """The name of a side's matter, in place of a track."""
    return f"flip-{side}"


MATTERS = matter(Side.LONG), matter(Side.SHORT)


def metric(near_usd: tuple[float, float]) -> float | None:
    """Of the first of `MATTERS`, minus the lead in percent of both sides together; the other's is minus as much.

    `near_usd` are (shorts above, longs below) within 5 %; None where both are empty.
    """
    short_usd, long_usd = near_usd
    both = short_usd + long_usd
    return 100.0 * (short_usd - long_usd) / both if both > 0.0 else None


def measure(*, near_usd: tuple[float, float], slot_ms: int, price: float) -> tuple[Measured, ...]:
    """What was measured of both, to the last bit the same for both."""
    lead = metric(near_usd)
    if lead is None:
        return ()
    short_usd, long_usd = near_usd
    figures = ((LONG_USD, long_usd), (SHORT_USD, short_usd))
    return tuple(
        Measured(
            track=None,
            time_ms=slot_ms,
            price=price,
            metric=behind,
            matter=name,
            whole=Cluster(side, price, price, price, usd, usd / (short_usd + long_usd), 100),
            figures=figures,
        )
        for behind, name, side, usd in zip((lead, -lead), MATTERS, Side, (long_usd, short_usd), strict=True)
    )


def _tell(rule: Rule, measured: Measured) -> Telling:
    heavy = measured.body
    reason = (
        f"{rule.market.symbol} at {price_words(measured.price)}: {heavy.side}s are the heavier side within 5 % now, "
        f"{100 * heavy.share:.0f} % of what stands there (about {usd_words(heavy.usd)} USD); "
        f"the rule asks for a lead of {rule.threshold_pct:g} %."
    )
    return Telling(Kind.FLIP, Severity.INFO, 100.0 * heavy.share, reason)


FLIP = Judge(
    hit_at=lambda rule: -rule.threshold_pct,
    exit_at=lambda rule: math.nextafter(rule.threshold_pct, 0.0),  # out at the very lead at which the other is hit
    pace=lambda _rule: TERMS,
    tell=_tell,
)
