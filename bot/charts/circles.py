"""Realised liquidations as circles on a plane: those of one column and about one price as one, by area."""

import math
from dataclasses import dataclass

import numpy as np

from bot.charts.plane import Plane
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Side

MOST = 60
LEAST_RADIUS, FULL_RADIUS = 3.0, 19.0
BLOCK_PX = 16
"""Prints of one column whose rows lie in one block of so many pixels are one circle."""


@dataclass(frozen=True, slots=True)
class Circle:
    """`side` is that of the positions that were closed; the biggest circle has the full radius."""

    side: Side
    x: float
    y: float
    radius: float
    usd: float


def lay_circles(prints: LiquidationPrints | None, plane: Plane) -> tuple[Circle, ...]:
    """The biggest of them, the biggest first, so that small ones are painted over it and stay visible."""
    count = len(plane.times_ms)
    if prints is None or not len(prints) or count < 2:
        return ()
    step_ms = int(plane.times_ms[-1] - plane.times_ms[0]) // (count - 1)
    column = (prints.time_ms - plane.times_ms[0]) // step_ms
    shown = (column >= 0) & (column < count) & (prints.price > plane.low) & (prints.price < plane.high)
    if not shown.any():
        return ()
    block = (plane.rows(prints.price[shown]) // BLOCK_PX).astype(np.int64)
    keys = np.column_stack((column[shown], block, prints.is_long[shown].astype(np.int64)))
    groups, member = np.unique(keys, axis=0, return_inverse=True)
    usd = np.bincount(member.ravel(), prints.usd[shown])
    level = np.bincount(member.ravel(), prints.usd[shown] * np.log(prints.price[shown])) / np.maximum(usd, 1e-300)
    largest = float(usd.max())
    if largest <= 0.0:
        return ()
    circles = []
    for row in np.argsort(-usd, kind="stable")[:MOST].tolist():
        radius = max(FULL_RADIUS * math.sqrt(float(usd[row]) / largest), LEAST_RADIUS)
        x = plane.frame.left + plane.column_px * (int(groups[row][0]) + 0.5)
        y = plane.y(math.exp(float(level[row])))
        frame = plane.frame
        circles.append(
            Circle(
                Side.LONG if groups[row][2] else Side.SHORT,
                min(max(x, frame.left + radius), frame.right - radius),
                min(max(y, frame.bottom + radius), frame.top - radius),
                radius,
                float(usd[row]),
            )
        )
    return tuple(circles)
