"""Where everything of a heatmap stands, in whole pixels: pure, so that tests can see it too."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.charts.boxes import Box, Caption, Ink, caption, spread
from bot.charts.circles import Circle, lay_circles
from bot.charts.fonts import fitted, legible, text_width
from bot.charts.heat import Candles, candles, intensities, thinned
from bot.charts.numbers import price_text
from bot.charts.page import SIDE_MARGIN, TEXT_PX, TICK_PX, WIDTH, header, notice
from bot.charts.pictures import HeatPicture
from bot.charts.plane import FRAME_BOTTOM, FRAME_TOP, LEGEND_BOTTOM, CandleBoxes, Plane, candle_boxes, lay_plane
from bot.liquidation.types import Cluster, Floats, Side

ROW_PX = 4
LEAST_REACH, USUAL_REACH = 0.05, 0.12
"""How far beyond the price the picture reaches at least and at most where no candle was farther, in log price."""

MOVES, EDGE = 3.0, 0.01
"""Whole ranges of the candles that are shown to each side of the price; what is left free beyond the candles."""

LABELLED = 3
TAG_HEIGHT = 42.0
SWATCH_PX = 96
RING_PX = 11.0


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
    """The whole picture. `long` and `short` are intensities (rows, columns), the newest column reaching on to the
    frame's right edge. `ring` is the sample of a circle in the legend, None where there are no circles.
    """

    plane: Plane
    long: Floats
    short: Floats
    candles: CandleBoxes
    circles: tuple[Circle, ...]
    banner: Box | None
    notice: Box | None
    tags: tuple[Tag, ...]
    swatches: tuple[tuple[Box, Side], ...]
    ring: Box | None
    captions: tuple[Caption, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that must lie apart: each text once, a tag or the price pill as one box."""
        framed = [self.plane.pill, *(tag.box for tag in self.tags), *filter(None, (self.banner, self.notice))]
        loose = [c.box for c in self.captions if not any(box.contains(c.box) for box in framed)]
        return (*framed, *loose, *(box for box, _ in self.swatches), *filter(None, (self.ring,)))


def lay_out_heat(picture: HeatPicture) -> HeatLayout:
    """Everything in its place, for any data."""
    maps = thinned(picture.maps)
    times = np.array([one.time_ms for one in maps], dtype=np.int64)
    drawn = candles(picture.bars, times)
    low, high = _price_range(picture.price, drawn)
    chosen = _chosen(picture, low, high)
    wide = _tag_width(chosen, picture)
    plane = lay_plane(
        low=low,
        high=high,
        price=picture.price,
        tick_size=picture.tick_size,
        numerals=picture.numerals,
        times_ms=times,
        beside_px=wide + 44.0 if wide else 40.0,
        utc_offset_ms=picture.utc_offset_ms,
    )
    steps = np.linspace(0.0, math.log(plane.high / plane.low), (FRAME_TOP - FRAME_BOTTOM) // ROW_PX + 1)
    long, short = intensities(maps, plane.low * np.exp(steps))
    circles = lay_circles(picture.prints, plane)
    head, banner = header(picture.title, picture.subtitle, picture.banner)
    legend, swatches, ring = _legend(picture, circles)
    empty, said = (None, []) if long.any() or short.any() else notice(picture.words.empty, plane.frame)
    return HeatLayout(
        plane=plane,
        long=long,
        short=short,
        candles=candle_boxes(drawn, plane),
        circles=circles,
        banner=banner,
        notice=empty,
        tags=_tags(chosen, picture, plane, wide),
        swatches=swatches,
        ring=ring,
        captions=(*head, *legend, *plane.captions, *said),
    )


def _price_range(price: float, drawn: Candles) -> tuple[float, float]:
    """All candles, and to each side of the price what a few moves like theirs would reach."""
    low, high = min([price, *drawn.low.tolist()]), max([price, *drawn.high.tolist()])
    reach = min(max(MOVES * math.log(high / low), LEAST_REACH), USUAL_REACH)
    return min(low * math.exp(-EDGE), price * math.exp(-reach)), max(high * math.exp(EDGE), price * math.exp(reach))


def _chosen(picture: HeatPicture, low: float, high: float) -> list[Cluster]:
    """The biggest clusters that are in view, the highlighted one among them, the lowest first."""
    seen = [cluster for cluster in picture.clusters if low < cluster.peak < high]
    chosen = sorted(seen, key=lambda c: (c != picture.highlight, -c.usd))[:LABELLED]
    return sorted(chosen, key=lambda c: c.peak)


def _tag_width(chosen: Sequence[Cluster], picture: HeatPicture) -> float:
    widths = [text_width(_tag_text(cluster, picture), TICK_PX, bold=True) for cluster in chosen]
    return math.ceil(max(widths)) + 28.0 if widths else 0.0


def _tags(chosen: Sequence[Cluster], picture: HeatPicture, plane: Plane, width: float) -> tuple[Tag, ...]:
    """Tags one above the other at the right edge."""
    frame = plane.frame
    peaks, heights = [plane.y(c.peak) for c in chosen], [TAG_HEIGHT] * len(chosen)
    bottoms = spread(peaks, heights, low=frame.bottom + 8, high=frame.top - 8, gap=8)
    tags = []
    for cluster, bottom in zip(chosen, bottoms, strict=True):
        told = cluster == picture.highlight
        ink: Ink = "on_price" if told else "text"
        box = Box(frame.right - 20 - width, round(bottom), frame.right - 20, round(bottom) + TAG_HEIGHT)
        text = _tag_text(cluster, picture)
        line = caption(text, box.centre, box.bottom + 7, TICK_PX, ink, bold=True, anchor=0.5)
        tags.append(Tag(cluster.side, box, line, plane.y(cluster.low), plane.y(cluster.high), told))
    return tuple(tags)


def _tag_text(cluster: Cluster, picture: HeatPicture) -> str:
    numerals = picture.numerals
    size = numerals.money(cluster.usd) if picture.names_usd else numerals.percent(100.0 * cluster.share)
    return f"{price_text(cluster.peak, picture.tick_size, numerals, digits=5)} · {size}"


def _legend(
    picture: HeatPicture, circles: Sequence[Circle]
) -> tuple[list[Caption], tuple[tuple[Box, Side], ...], Box | None]:
    """Each side's colours from thin to dense, with its name; between them what a circle is, and the biggest."""
    bottom, room = LEGEND_BOTTOM, (0.28 if circles else 0.5) * (WIDTH - 3 * SIDE_MARGIN) - SWATCH_PX - 12
    left, left_px = fitted(legible(picture.words.longs), room, TEXT_PX, bold=True)
    right, right_px = fitted(legible(picture.words.shorts), room, TEXT_PX, bold=True)
    start = WIDTH - SIDE_MARGIN - text_width(right, right_px, bold=True)
    end = math.floor(start) - 12.0
    captions = [
        caption(left, SIDE_MARGIN + SWATCH_PX + 12, bottom, left_px, "long", bold=True),
        caption(right, start, bottom, right_px, "short", bold=True),
    ]
    swatches = (
        (Box(SIDE_MARGIN, bottom + 4, SIDE_MARGIN + SWATCH_PX, bottom + 26), Side.LONG),
        (Box(end - SWATCH_PX, bottom + 4, end, bottom + 26), Side.SHORT),
    )
    if not circles:
        return captions, swatches, None
    low, high = captions[0].box.right + 24, swatches[1][0].left - 24
    biggest = f" ≤ {picture.numerals.money(max(circle.usd for circle in circles))}"
    room = high - low - 36 - text_width(biggest, TEXT_PX - 2)
    text, px = fitted(legible(picture.words.liquidated), room, TEXT_PX - 2)
    line = caption(text + biggest, 0.5 * (low + high) + 18, bottom, px, "muted", anchor=0.5)
    ring = Box(line.box.left - 34, bottom + 4, line.box.left - 34 + 2 * RING_PX, bottom + 4 + 2 * RING_PX)
    return [*captions, line], swatches, ring
