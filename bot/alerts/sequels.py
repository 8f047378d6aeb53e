"""What price did after a cluster had ended: whether a sweep went on or came back, over all sweeps of a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from bot.alerts.lives import Life
from bot.alerts.types import CloseReason
from bot.liquidation.types import History, Side

HOUR_MS = 3_600_000
AFTER_H = 4
"""How long after its end what became of a cluster is told."""

ENDINGS = (CloseReason.SWEPT, CloseReason.FADED)


@dataclass(frozen=True, slots=True)
class SweepCount:
    """Of `seen` sweeps it is known where price stood `AFTER_H` hours later: farther in `went_on`, back in `came_back`.

    `median_pct` is the middle one of the moves in percent, positive for farther in the direction of the sweep; None
    where none was seen.
    """

    seen: int
    went_on: int
    came_back: int
    median_pct: float | None


def move_after(life: Life, bars: History, hours: int = AFTER_H) -> float | None:
    """The change of price in percent from a cluster's end to so many hours later, positive upwards.

    None while it stands, and where the bars do not reach so far.
    """
    if life.end is None:
        return None
    until_ms = life.ended_ms + hours * HOUR_MS
    closes = bars.open_ms + bars.bar_ms
    first, last = np.searchsorted(closes, (life.ended_ms, until_ms), side="right").tolist()
    if not first or not len(bars) or bars.end_ms < until_ms:
        return None
    return float(100.0 * (bars.close[last - 1] / bars.close[first - 1] - 1.0))


def count_sweeps(lives: Iterable[Life], bars: History) -> SweepCount:
    """What price did after the sweeps among these lives; below a swept long cluster is farther, above it is back."""
    found = [
        (-move if life.side is Side.LONG else move)
        for life in lives
        if life.end is CloseReason.SWEPT and (move := move_after(life, bars)) is not None
    ]
    return SweepCount(
        seen=len(found),
        went_on=sum(move > 0.0 for move in found),
        came_back=sum(move < 0.0 for move in found),
        median_pct=median(found) if found else None,
    )


def ended(lives: Sequence[Life]) -> list[Life]:
    """Those that price went through or that dissolved, as against those that stand or are a part of another now."""
    return [life for life in lives if life.end in ENDINGS]
