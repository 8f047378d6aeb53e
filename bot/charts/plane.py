"""Time against price: the frame that heatmaps, histories of clusters and receipts share, with candles and axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.charts.boxes import Box, Caption, caption, ticks
from bot.charts.fonts import line_height, text_width
from bot.charts.heat import Candles
from bot.charts.numbers import Numerals, price_text, tick_text
from bot.charts.page import SIDE_MARGIN, TEXT_PX, TICK_PX, WIDTH
from bot.charts.time_axis import time_ticks
from bot.liquidation.types import Floats, Ints

FRAME_LEFT, FRAME_BOTTOM, FRAME_TOP = SIDE_MARGIN, 62, 634
LEGEND_BOTTOM = 646.0
MOST_REACH = 0.5  # in log price, from the price to either end


@dataclass(frozen=True, slots=True)
class Plane:
    """Columns of equal width for ascending times (n,), prices in equal steps of their logarithm.

    `pill` holds the price of now; `tick_x`, `tick_y` are where lines for the `captions` around the frame go.
    """

    frame: Box
    low: float
    high: float
    times_ms: Ints
    column_px: float
    price_y: float
    pill: Box
    tick_x: tuple[float, ...]
    tick_y: tuple[float, ...]
    captions: tuple[Caption, ...]

    @property
    def right(self) -> float:
        """Where the last column ends."""
        return self.frame.left + self.column_px * len(self.times_ms)

    def y(self, price: float) -> float:
        """A whole pixel row inside the frame."""
        return float(self.rows(np.array([price]))[0])

    def rows(self, prices: Floats) -> Floats:
        """The same for prices (n,)."""
        scale = (FRAME_TOP - FRAME_BOTTOM) / math.log(self.high / self.low)
        rows: Floats = np.clip(np.round(FRAME_BOTTOM + scale * np.log(prices / self.low)), FRAME_BOTTOM, FRAME_TOP)
        return rows

    def x(self, time_ms: int) -> float:
        """A pixel column between the frame's left edge and the end of the last column."""
        count = len(self.times_ms)
        if count < 2:
            return self.right
        step = float(self.times_ms[-1] - self.times_ms[0]) / (count - 1)
        across = (time_ms - float(self.times_ms[0])) / step
        return self.frame.left + self.column_px * min(max(across, 0.0), float(count))


def lay_plane(
    *,
    low: float,
    high: float,
    price: float,
    tick_size: float,
    numerals: Numerals,
    times_ms: Ints,
    beside_px: float,
    utc_offset_ms: int,
) -> Plane:
    """The plane that shows prices from `low` to `high` and keeps `beside_px` free beyond its newest column."""
    low, high = max(low, price * math.exp(-MOST_REACH)), min(high, price * math.exp(MOST_REACH))
    scale = (FRAME_TOP - FRAME_BOTTOM) / math.log(high / low)

    def y(level: float) -> float:
        return float(round(min(max(FRAME_BOTTOM + scale * math.log(level / low), FRAME_BOTTOM), FRAME_TOP)))

    levels, step = ticks(low, high, lambda at, _: all(y(b) - y(a) >= 58 for a, b in pairwise(at)))
    now = price_text(price, tick_size, numerals)
    written = [tick_text(level, step, numerals) for level in levels]
    frame = _frame(written, now)
    bottom = min(max(y(price) - 20, frame.bottom), frame.top - 40)
    pill = Box(frame.right + 6, bottom, WIDTH - 8, bottom + 40)
    beside = [
        caption(text, frame.right + 16, y(level) - 0.5 * line_height(TICK_PX), TICK_PX, "muted")
        for text, level in zip(written, levels, strict=True)
    ]
    apart = [each for each in beside if not each.box.overlaps(pill) and each.box.top <= LEGEND_BOTTOM]
    apart.append(caption(now, frame.right + 16, pill.bottom + 5, TEXT_PX, "on_price", bold=True))
    column_px = (frame.width - beside_px) / max(len(times_ms), 1)
    tick_x, below = time_ticks(times_ms + utc_offset_ms, column_px, frame)
    tick_y = tuple(y(level) for level in levels)
    return Plane(frame, low, high, times_ms, column_px, y(price), pill, tick_x, tick_y, (*apart, *below))


def _frame(levels: Sequence[str], now: str) -> Box:
    """The frame leaves the prices beside it as much room as they need."""
    wide = max([text_width(text, TICK_PX) for text in levels] + [text_width(now, TEXT_PX, bold=True)])
    return Box(FRAME_LEFT, FRAME_BOTTOM, WIDTH - 34 - math.ceil(wide), FRAME_TOP)


@dataclass(frozen=True, slots=True)
class CandleBoxes:
    """Wicks and bodies as (left, bottom, right, top), shape (n, 4); `rising` (n,) closed no lower than they opened."""

    wicks: Floats
    bodies: Floats
    rising: NDArray[np.bool_]


def candle_boxes(drawn: Candles, plane: Plane) -> CandleBoxes:
    """Candles in whole pixels, clipped to the frame; a body is at least two pixels high."""

    def y(prices: Floats) -> Floats:
        return np.minimum(plane.rows(prices), FRAME_TOP - 2.0)

    width = min(float(math.floor(plane.column_px)), 24.0)
    left = np.floor(FRAME_LEFT + drawn.column * plane.column_px + 0.5 * (plane.column_px - width))
    thin = 2.0 if width >= 6 else 1.0
    middle = left + math.floor(0.5 * (width - thin))
    inset = 1.0 if width >= 4 else 0.0
    bottom = y(np.minimum(drawn.open, drawn.close))
    top = np.maximum(y(np.maximum(drawn.open, drawn.close)), bottom + 2.0)
    wicks = np.column_stack((middle, y(drawn.low), middle + thin, y(drawn.high)))
    bodies = np.column_stack((left + inset, bottom, left + width - inset, top))
    return CandleBoxes(wicks, bodies, drawn.close >= drawn.open)
