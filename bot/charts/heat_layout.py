"""Where everything of a heatmap stands, in whole pixels: pure, so that tests can see it too."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.charts.boxes import Box, Caption, Ink, caption, spread, ticks
from bot.charts.fonts import fitted, legible, line_height, text_width
from bot.charts.heat import Candles, candles, intensities, thinned
from bot.charts.numbers import percent_text, price_text, tick_text, usd_text
from bot.charts.page import SIDE_MARGIN, TEXT_PX, TICK_PX, WIDTH, header, notice
from bot.charts.pictures import HeatPicture
from bot.charts.time_axis import time_ticks
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side

FRAME_LEFT, FRAME_BOTTOM, FRAME_TOP = SIDE_MARGIN, 62, 634
LEGEND_BOTTOM = 646.0
ROW_PX = 4
LEAST_REACH = 0.06  # in log price, around the price and the candles
MOST_REACH = 0.5
LABELLED = 3
TAG_HEIGHT = 42.0
SWATCH_PX = 96


@dataclass(frozen=True, slots=True)
class Tag:
    """A cluster's tag at the right edge; `low` and `high` are its body's edges in pixels."""

    side: Side
    box: Box
    line: Caption
    low: float
    high: float
    highlighted: bool


@dataclass(frozen=True, slots=True)
class HeatLayout:
    """The whole picture. `long` and `short` are intensities (rows, columns); each column is `column_px` wide.

    The newest column reaches on to the frame's right edge. `wicks` and `bodies` are (left, bottom, right, top), shape
    (n, 4); `rising` (n,) tells the candles that closed no lower than they opened.
    """

    frame: Box
    column_px: float
    long: Floats
    short: Floats
    wicks: Floats
    bodies: Floats
    rising: NDArray[np.bool_]
    price_y: float
    pill: Box
    banner: Box | None
    notice: Box | None
    tags: tuple[Tag, ...]
    swatches: tuple[tuple[Box, Side], ...]
    tick_x: tuple[float, ...]
    tick_y: tuple[float, ...]
    captions: tuple[Caption, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that must lie apart: each text once, a tag or the price pill as one box."""
        framed = [self.pill, *(tag.box for tag in self.tags), *filter(None, (self.banner, self.notice))]
        loose = [c.box for c in self.captions if not any(box.contains(c.box) for box in framed)]
        return (*framed, *loose, *(box for box, _ in self.swatches))


def lay_out_heat(picture: HeatPicture) -> HeatLayout:
    """Everything in its place, for any data."""
    maps = thinned(picture.maps)
    times = np.array([one.time_ms for one in maps], dtype=np.int64)
    drawn = candles(picture.bars, times)
    low, high = _price_range(picture.price, drawn, maps)
    scale = (FRAME_TOP - FRAME_BOTTOM) / math.log(high / low)

    def y(price: float) -> float:
        return float(round(min(max(FRAME_BOTTOM + scale * math.log(price / low), FRAME_BOTTOM), FRAME_TOP)))

    frame, pill, tick_y, beside = _price_axis(picture, low, high, y)
    tags = _tags(picture, frame, y)
    room = frame.width - (max(tag.box.width for tag in tags) + 44 if tags else 40)
    column_px = room / max(len(maps), 1)
    edges = low * np.exp(np.linspace(0.0, math.log(high / low), (FRAME_TOP - FRAME_BOTTOM) // ROW_PX + 1))
    long, short = intensities(maps, edges)
    wicks, bodies = _candle_boxes(drawn, column_px, scale, low)
    head, banner = header(picture.title, picture.subtitle, picture.banner)
    legend, swatches = _legend(picture)
    tick_x, time_captions = time_ticks(times + picture.utc_offset_ms, column_px, frame)
    empty, said = (None, []) if long.any() or short.any() else notice(picture.words.empty, frame)
    return HeatLayout(
        frame=frame,
        column_px=column_px,
        long=long,
        short=short,
        wicks=wicks,
        bodies=bodies,
        rising=drawn.close >= drawn.open,
        price_y=y(picture.price),
        pill=pill,
        banner=banner,
        notice=empty,
        tags=tags,
        swatches=swatches,
        tick_x=tick_x,
        tick_y=tick_y,
        captions=(*head, *legend, *time_captions, *beside, *said),
    )


def _price_range(price: float, drawn: Candles, maps: Sequence[LiquidationMap]) -> tuple[float, float]:
    """All candles and what stands around them, and the newest map's window, but nothing absurdly far away."""
    low = min([price, *drawn.low.tolist()]) * math.exp(-LEAST_REACH)
    high = max([price, *drawn.high.tolist()]) * math.exp(LEAST_REACH)
    if maps and len(maps[-1].low):
        low, high = min(low, float(maps[-1].low[0])), max(high, float(maps[-1].high[-1]))
    return max(low, price * math.exp(-MOST_REACH)), min(high, price * math.exp(MOST_REACH))


def _price_axis(
    picture: HeatPicture, low: float, high: float, y: Callable[[float], float]
) -> tuple[Box, Box, tuple[float, ...], list[Caption]]:
    """The frame, which leaves the prices beside it as much room as they need, the price pill, and the ticks."""
    levels, step = ticks(low, high, lambda at, _: all(y(b) - y(a) >= 58 for a, b in pairwise(at)))
    texts = [tick_text(level, step) for level in levels]
    now = price_text(picture.price, picture.tick_size)
    wide = max([text_width(text, TICK_PX) for text in texts] + [text_width(now, TEXT_PX, bold=True)])
    frame = Box(FRAME_LEFT, FRAME_BOTTOM, WIDTH - 34 - math.ceil(wide), FRAME_TOP)
    bottom = min(max(y(picture.price) - 20, frame.bottom), frame.top - 40)
    pill = Box(frame.right + 6, bottom, WIDTH - 8, bottom + 40)
    captions = [
        caption(text, frame.right + 16, y(level) - 0.5 * line_height(TICK_PX), TICK_PX, "muted")
        for level, text in zip(levels, texts, strict=True)
    ]
    apart = [each for each in captions if not each.box.overlaps(pill) and each.box.top <= LEGEND_BOTTOM]
    apart.append(caption(now, frame.right + 16, pill.bottom + 5, TEXT_PX, "on_price", bold=True))
    return frame, pill, tuple(y(level) for level in levels), apart


def _candle_boxes(drawn: Candles, column_px: float, scale: float, low: float) -> tuple[Floats, Floats]:
    """Wicks and bodies, each (n, 4), clipped to the frame; a body is at least two pixels high."""

    def y(price: Floats) -> Floats:
        return np.clip(np.round(FRAME_BOTTOM + scale * np.log(price / low)), FRAME_BOTTOM, FRAME_TOP - 2.0)

    width = min(float(math.floor(column_px)), 24.0)
    left = np.floor(FRAME_LEFT + drawn.column * column_px + 0.5 * (column_px - width))
    thin = 2.0 if width >= 6 else 1.0
    middle = left + math.floor(0.5 * (width - thin))
    inset = 1.0 if width >= 4 else 0.0
    bottom = y(np.minimum(drawn.open, drawn.close))
    top = np.maximum(y(np.maximum(drawn.open, drawn.close)), bottom + 2.0)
    wicks = np.column_stack((middle, y(drawn.low), middle + thin, y(drawn.high)))
    return wicks, np.column_stack((left + inset, bottom, left + width - inset, top))


def _tags(picture: HeatPicture, frame: Box, y: Callable[[float], float]) -> tuple[Tag, ...]:
    """Tags of the biggest clusters, the highlighted one among them, one above the other at the right edge."""
    chosen = sorted(picture.clusters, key=lambda c: (c != picture.highlight, -c.usd))[:LABELLED]
    chosen.sort(key=lambda c: c.peak)
    if not chosen:
        return ()
    texts = [_tag_text(cluster, picture) for cluster in chosen]
    width = max(math.ceil(text_width(text, TICK_PX, bold=True)) for text in texts) + 28.0
    peaks, heights = [y(c.peak) for c in chosen], [TAG_HEIGHT] * len(chosen)
    bottoms = spread(peaks, heights, low=frame.bottom + 8, high=frame.top - 8, gap=8)
    tags = []
    for cluster, text, bottom in zip(chosen, texts, bottoms, strict=True):
        told = cluster == picture.highlight
        ink: Ink = "on_price" if told else "text"
        box = Box(frame.right - 20 - width, round(bottom), frame.right - 20, round(bottom) + TAG_HEIGHT)
        line = caption(text, box.centre, box.bottom + 7, TICK_PX, ink, bold=True, anchor=0.5)
        tags.append(Tag(cluster.side, box, line, y(cluster.low), y(cluster.high), told))
    return tuple(tags)


def _tag_text(cluster: Cluster, picture: HeatPicture) -> str:
    size = usd_text(cluster.usd)
    if picture.maps and picture.maps[-1].open_interest == "estimated":
        size = percent_text(cluster.share)
    return f"{price_text(cluster.peak, picture.tick_size, digits=5)} · {size}"


def _legend(picture: HeatPicture) -> tuple[list[Caption], tuple[tuple[Box, Side], ...]]:
    """Each side's colours from thin to dense, with its name."""
    bottom, room = LEGEND_BOTTOM, 0.5 * (WIDTH - 3 * SIDE_MARGIN) - SWATCH_PX - 12
    left, left_px = fitted(legible(picture.words.longs), room, TEXT_PX, bold=True)
    right, right_px = fitted(legible(picture.words.shorts), room, TEXT_PX, bold=True)
    start = WIDTH - SIDE_MARGIN - text_width(right, right_px, bold=True)
    end = math.floor(start) - 12.0
    captions = [
        caption(left, SIDE_MARGIN + SWATCH_PX + 12, bottom, left_px, "long", bold=True),
        caption(right, start, bottom, right_px, "short", bold=True),
    ]
    return captions, (
        (Box(SIDE_MARGIN, bottom + 4, SIDE_MARGIN + SWATCH_PX, bottom + 26), Side.LONG),
        (Box(end - SWATCH_PX, bottom + 4, end, bottom + 26), Side.SHORT),
    )
