"""Calm, Normal and Fast: how near price must come, fitted to how much a market moves on a typical day."""

from dataclasses import dataclass

TYPICAL_MOVE_PCT = 2.5
"""Assumed where a market's own daily move is unknown."""

CALM_SHARE, NORMAL_SHARE, FAST_SHARE = 0.2, 0.4, 0.8
"""Distances as shares of a day's move: at 2.5 % a day these are 0.5, 1 and 2 %."""

STEPS_PCT = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Three distances in percent, each above the one before."""

    calm_pct: float
    normal_pct: float
    fast_pct: float


def sensitivity(daily_move_pct: float | None) -> Sensitivity:
    """The three distances for a market that moves so much on a typical day."""
    move = daily_move_pct if daily_move_pct and daily_move_pct > 0 else TYPICAL_MOVE_PCT
    last = len(STEPS_PCT) - 1
    normal = min(max(_nearest_step(NORMAL_SHARE * move), 1), last - 1)
    calm = min(_nearest_step(CALM_SHARE * move), normal - 1)
    fast = max(_nearest_step(FAST_SHARE * move), normal + 1)
    return Sensitivity(STEPS_PCT[calm], STEPS_PCT[normal], STEPS_PCT[fast])


def _nearest_step(percent: float) -> int:
    return min(range(len(STEPS_PCT)), key=lambda index: abs(STEPS_PCT[index] - percent) / STEPS_PCT[index])
