"""Concentration shift: the entropy of the map has left its own band. That it foretells volatility is not claimed: on
recorded markets it told nothing that price had not shown already (`bot.evaluation.outlook`).

The band is learned from the market's own recomputes of the last days. Too dense and too spread out are matters of
their own, so that going from one to the other is told.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

from bot.alerts.judge import Judge, Measured, Telling
from bot.alerts.machine import Terms
from bot.alerts.types import Kind, Rule, Severity
from bot.alerts.wording import price_words
from bot.liquidation.types import Cluster, Side

NORMAL_BAND_PCT = 99.0
HALF_LIFE = 864
"""Recomputes of five minutes after which a sample counts half: three days."""

LEARNING = 288
"""Recomputes before the band is known: a day."""

TERMS = Terms(hold=3, recover_ms=60 * 60_000, cooldown_ms=6 * 60 * 60_000)

DEVIATION = "deviation"
"""The figure of how many standard deviations off the mean; negative for too dense."""

MATTERS = DENSE, SPREAD = "concentration-dense", "concentration-spread"

_KEPT = 0.5 ** (1 / HALF_LIFE)


class Band(NamedTuple):
    """What is usual: the decaying mean and variance of a market's entropy, over `samples` recomputes."""

    mean: float = 0.0
    variance: float = 0.0
    weight: float = 0.0
    samples: int = 0

    def with_sample(self, value: float) -> "Band":
        """After one more recompute; one without a value changes nothing."""
        if not math.isfinite(value):
            return self
        kept = _KEPT * self.weight
        weight = kept + 1.0
        step = value - self.mean
        mean = self.mean + step / weight
        variance = (kept * self.variance + step * (value - mean)) / weight
        return Band(mean, variance, weight, self.samples + 1)

    def deviation(self, value: float) -> float | None:
        """How many standard deviations a value lies off the mean, None while the band is being learned."""
        if self.samples < LEARNING or not self.variance > 0.0 or not math.isfinite(value):
            return None
        return (value - self.mean) / math.sqrt(self.variance)


def edge(band_pct: float) -> float:
    """The half width, in standard deviations, of the band that holds so many percent of a normal distribution."""
    return NormalDist().inv_cdf(0.5 + band_pct / 200.0)


def measure(deviation: float | None, *, slot_ms: int, price: float) -> tuple[Measured, ...]:
    """Of both `MATTERS`, minus the deviation in its direction; nothing while the band is being learned."""
    if deviation is None:
        return ()
    whole = Cluster(Side.LONG, price, price, price, math.inf, 1.0, 100)
    return tuple(
        Measured(None, slot_ms, price, metric, matter, whole, ((DEVIATION, deviation),))
        for matter, metric in zip(MATTERS, (deviation, -deviation), strict=True)
    )


def _tell(rule: Rule, measured: Measured) -> Telling:
    deviation = dict(measured.figures)[DEVIATION]
    how = "concentrated" if deviation < 0.0 else "spread out"
    reason = (
        f"{rule.market.symbol} at {price_words(measured.price)}: positions are unusually {how}, "
        f"{abs(deviation):.1f} standard deviations off; the rule asks for leaving the {rule.threshold_pct:g} % band."
    )
    return Telling(Kind.CONCENTRATION, Severity.WARNING, 100.0 * (2.0 * NormalDist().cdf(abs(deviation)) - 1.0), reason)


CONCENTRATION = Judge(
    hit_at=lambda rule: -edge(rule.threshold_pct),
    exit_at=lambda rule: -edge(rule.threshold_pct) / 2.0,
    pace=lambda _rule: TERMS,
    tell=_tell,
)
