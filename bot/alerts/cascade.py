"""Cascade: one side's liquidations in a minute exceed all but the highest percentile of the market's own minutes."""

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from bot.alerts.judge import Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.readings import Liquidation
from bot.alerts.types import Kind, Rule, Severity
from bot.alerts.wording import price_words, usd_words
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace

NORMAL_PERCENTILE = 99.0
NORMAL_MIN_USD = 100e3
"""The floor of a rule that names no size: below it nobody would call it a cascade."""

TERMS = Terms(hold=1, recover_ms=5 * 60_000, cooldown_ms=30 * 60_000)
EXIT_SHARE = 0.9
"""Of the percentile asked for: the cascade is over where a minute ranks below that share of it."""

MINUTE_MS = 60_000
LEARNING = 100
"""Minutes with a liquidation before the percentile is known."""

HALF_LIFE_MS = 3 * 86_400_000
STEPS_A_DECADE = 20
LEAST_USD = 100.0
STEPS = 8 * STEPS_A_DECADE
"""From 100 USD to 10 billion, a twentieth of a decade each: 12 %."""

MINUTE_USD, USUAL_USD = "minute_usd", "usual_usd"


@dataclass(frozen=True, slots=True)
class Minutes:
    """How large this market's minutes usually are, and the one that is running.

    `counts` (STEPS,) are decaying counts of minutes with liquidations of a side, by the logarithm of their USD, as
    they stood at `counted_ms`; `counted` is how many there were ever. `minute` is the running one (time over a
    minute), `long_usd` and `short_usd` what it has brought so far, `last_ms` its newest liquidation.
    """

    counts: tuple[float, ...] = (0.0,) * STEPS
    counted_ms: int = 0
    counted: int = 0
    minute: int = 0
    long_usd: float = 0.0
    short_usd: float = 0.0
    last_ms: int = 0

    def usd(self, side: Side) -> float:
        return self.long_usd if side is Side.LONG else self.short_usd

    def rank_pct(self, usd: float) -> float | None:
        """The percent of counted minutes that were smaller, None while too few were counted."""
        if self.counted < LEARNING:
            return None
        return 100.0 * sum(self.counts[: _step_of(usd)]) / sum(self.counts)

    def usual_usd(self, percentile: float) -> float:
        """The size that so many percent of minutes stayed below."""
        wanted, below = sum(self.counts) * percentile / 100.0, 0.0
        for step, count in enumerate(self.counts):
            below += count
            if below >= wanted:
                return float(LEAST_USD * 10.0 ** ((step + 1) / STEPS_A_DECADE))
        return math.inf

    def at(self, minute: int) -> "Minutes":
        """With every minute before this one counted."""
        if minute <= self.minute:
            return self
        counts, counted_ms = self.counts, self.counted_ms
        told = [usd for usd in (self.long_usd, self.short_usd) if usd > 0.0]
        if told:
            now_ms = (self.minute + 1) * MINUTE_MS
            kept = 0.5 ** ((now_ms - counted_ms) / HALF_LIFE_MS) if counted_ms else 0.0
            decayed = [kept * count for count in counts]
            for usd in told:
                decayed[_step_of(usd)] += 1.0
            counts, counted_ms = tuple(decayed), now_ms
        return Minutes(counts, counted_ms, self.counted + len(told), minute, 0.0, 0.0, self.last_ms)

    def with_one(self, one: Liquidation) -> "Minutes":
        """With one more liquidation; one of a minute that is over is left out."""
        now = self.at(one.time_ms // MINUTE_MS)
        if one.time_ms // MINUTE_MS < now.minute:
            return now
        last_ms = max(one.time_ms, now.last_ms)
        if one.side is Side.LONG:
            return replace(now, long_usd=now.long_usd + one.usd, last_ms=last_ms)
        return replace(now, short_usd=now.short_usd + one.usd, last_ms=last_ms)


def matter(side: Side) -> str:
    """The name of a side's matter, in place of a track."""
    return f"cascade-{side}"


def measure(minutes: Minutes, side: Side, *, time_ms: int, price: float) -> Measured:
    """A side's running minute; the metric is minus its rank in percent."""
    usd = minutes.usd(side)
    rank = minutes.rank_pct(usd)
    return Measured(
        track=None,
        time_ms=time_ms,
        price=price,
        metric=None if rank is None else -rank,
        matter=matter(side),
        whole=Cluster(side, price, price, price, usd, 1.0, 100),
        figures=((MINUTE_USD, usd),),
    )


def batches(news: Iterable[Liquidation]) -> dict[str, list[Liquidation]]:
    """Liquidations by symbol, each in order of time."""
    found: dict[str, list[Liquidation]] = {}
    for one in sorted(news, key=lambda one: one.time_ms):
        found.setdefault(one.symbol, []).append(one)
    return found


def _step_of(usd: float) -> int:
    return bisect_right(_EDGES, usd)


_EDGES = tuple(LEAST_USD * 10.0 ** (step / STEPS_A_DECADE) for step in range(1, STEPS))


def _tell(rule: Rule, measured: Measured) -> Telling:
    usd, usual = (dict(measured.figures)[name] for name in (MINUTE_USD, USUAL_USD))
    reason = (
        f"{rule.market.symbol} at {price_words(measured.price)}: {usd_words(usd)} USD of {measured.body.side}s were "
        f"liquidated within a minute; {rule.threshold_pct:g} % of its minutes stay below {usd_words(usual)} USD."
    )
    return Telling(Kind.CASCADE, Severity.CRITICAL, -(measured.metric or 0.0), reason)


CASCADE = Judge(
    hit_at=lambda rule: -rule.threshold_pct,
    exit_at=lambda rule: -EXIT_SHARE * rule.threshold_pct,
    pace=lambda _rule: TERMS,
    tell=_tell,
)
