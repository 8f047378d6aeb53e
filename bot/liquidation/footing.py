"""What the map after each bar rests on: which turnover rows are plausible, whether open interest was measured, and what
the model had to do without. All of it told of n bars at once.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.flow import HOUR_MS, Rates, Trail
from bot.liquidation.parameters import ModelParameters
from bot.liquidation.types import Floats, Ints, MapLimit


def mixing_weights(trail: Trail, rates: Rates, parameters: ModelParameters, weights: Floats) -> Floats:
    """Weight of each turnover row in the map after each bar, (n, rows), summing to 1.

    `weights` (rows,), less what is physically implausible: a row that would open more coins than are traded.
    """
    full, none = parameters.plausible_flow
    opened_per_traded = rates.share * trail.ratio[:, None]
    plausible = np.minimum(np.maximum((none - opened_per_traded) / (none - full), 0.0), 1.0)
    mixing = weights * plausible
    total = mixing.sum(axis=1, keepdims=True)
    if total.all():
        return np.asarray(mixing / total)
    slowest = np.zeros(len(weights))
    slowest[int(np.argmax(parameters.turnover_hours))] = 1.0
    return np.where(total > 0, mixing / np.where(total > 0, total, 1.0), slowest)


def measured(trail: Trail, time_ms: Ints, bar_ms: int, parameters: ModelParameters) -> NDArray[np.bool_]:
    """Whether the totals of the map at each time rest on open interest that was measured lately, (n,)."""
    limit = max(parameters.stale_hours * HOUR_MS, (parameters.stuck_bars + 1) * bar_ms)
    return trail.anchored & (time_ms - trail.measured_ms <= limit)


def limits(
    trail: Trail, time_ms: Ints, bar_ms: int, parameters: ModelParameters, *, first_ms: int
) -> tuple[tuple[MapLimit, ...], ...]:
    """What the model had to do without in the map at each time, n of them, in the order of MapLimit.

    `first_ms` is when the history opens.
    """
    fresh = measured(trail, time_ms, bar_ms, parameters)
    holds = {
        MapLimit.VOLUME_MODEL: ~trail.anchored,
        MapLimit.STALE_OPEN_INTEREST: trail.anchored & ~fresh,
        MapLimit.SPARSE_OPEN_INTEREST: fresh & (trail.known_bars < parameters.sparse_share * trail.seen_bars),
        MapLimit.COARSE_BARS: np.full(len(time_ms), bar_ms > parameters.fine_bar_ms),
        MapLimit.GAPS: trail.passed_bars - trail.seen_bars > parameters.gap_share * trail.passed_bars,
        MapLimit.SHORT_HISTORY: time_ms - first_ms < parameters.short_hours * HOUR_MS,
    }
    return tuple(_applying(*applies) for applies in zip(*(each.tolist() for each in holds.values()), strict=True))


@lru_cache(maxsize=64)
def _applying(*applies: bool) -> tuple[MapLimit, ...]:
    return tuple(limit for limit, there in zip(MapLimit, applies, strict=True) if there)
