"""Round moments below columns of time, written in digits alone."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from bot.charts.boxes import Box, Caption, caption
from bot.charts.page import TICK_PX
from bot.liquidation.types import Ints

HOUR_MS = 3_600_000
STEPS_H = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720)
MOST_TICKS = 24


def time_ticks(times_ms: Ints, column_px: float, frame: Box) -> tuple[tuple[float, ...], list[Caption]]:
    """Round hours as `14:00` and midnights as `12-21` below the columns of ascending times, as many as stand apart."""
    if len(times_ms) < 2:
        return (), []
    columns = np.arange(len(times_ms), dtype=np.float64)
    for step_h in STEPS_H:
        step = step_h * HOUR_MS
        at = np.arange(-(-int(times_ms[0]) // step) * step, int(times_ms[-1]) + 1, step)
        if len(at) > MOST_TICKS:
            continue
        x = frame.left + column_px * np.interp(at, times_ms, columns)
        placed = [
            caption(_moment_text(t), px, frame.bottom - 42, TICK_PX, "muted", anchor=0.5)
            for t, px in zip(at.tolist(), x.tolist(), strict=True)
        ]
        if all(before.box.right + 24 <= after.box.left for before, after in pairwise(placed)):
            kept = [each for each in placed if each.box.left >= 8 and each.box.right <= frame.right]
            return tuple(round(each.box.centre) for each in kept), kept
    return (), []


def _moment_text(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    return f"{moment:%m-%d}" if time_ms % (24 * HOUR_MS) == 0 else f"{moment:%H:%M}"
