"""Where everything of a picture of clusters' lives stands, in whole pixels: pure, so that tests can see it too."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bot.charts.boxes import Box, Caption, Ink, caption, place_apart, spread
from bot.charts.fonts import fitted, legible, line_height, text_width
from bot.charts.heat import MAX_COLUMNS, candles
from bot.charts.page import LEAST_PX, SIDE_MARGIN, TEXT_PX, TICK_PX, WIDTH, header, notice
from bot.charts.pictures import LivesPicture, Ribbon
from bot.charts.plane import LEGEND_BOTTOM, CandleBoxes, Plane, candle_boxes, lay_plane
from bot.liquidation.types import Floats, Ints, Side

LEAST_REACH = 0.02  # in log price, around the price and all that is shown
TAG_HEIGHT, TAG_WIDTH_MOST = 68.0, 330.0
BADGE_PX, BADGE = 22, 32.0
FAINTEST, FULLEST = 0.16, 0.78


@dataclass(frozen=True, slots=True)
class Band:
    """A cluster's bodies, side by side: `boxes` (k, 4) as (left, bottom, right, top), each as opaque as `alpha` (k,).

    `badge` holds its number where there was room for it. `end` is where it ended, None while it stands.
    """

    side: Side
    boxes: Floats
    alpha: Floats
    badge: Box | None
    number: Caption | None
    end: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class LifeTag:
    """What is said of one cluster, at the right edge."""

    side: Side
    box: Box
    lines: tuple[Caption, ...]


@dataclass(frozen=True, slots=True)
class LivesLayout:
    """The whole picture; a band and a tag a cluster, in the order of the request."""

    plane: Plane
    candles: CandleBoxes
    bands: tuple[Band, ...]
    tags: tuple[LifeTag, ...]
    swatches: tuple[tuple[Box, Side], ...]
    banner: Box | None
    notice: Box | None
    captions: tuple[Caption, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that must lie apart: each text once, a tag, a badge or the price pill as one box."""
        badges = [band.badge for band in self.bands if band.badge is not None]
        framed = [self.plane.pill, *(tag.box for tag in self.tags), *filter(None, (self.banner, self.notice))]
        loose = [c.box for c in self.captions if not any(box.contains(c.box) for box in framed)]
        return (*framed, *badges, *loose, *(box for box, _ in self.swatches))


def lay_out_lives(picture: LivesPicture) -> LivesLayout:
    """Everything in its place, for any data."""
    times = columns_of(picture.bars.open_ms)
    drawn = candles(picture.bars, times)
    tops = [float(ribbon.high.max()) for ribbon in picture.ribbons]
    bottoms = [float(ribbon.low.min()) for ribbon in picture.ribbons]
    wide = _tag_width(picture)
    plane = lay_plane(
        low=min([picture.price, *drawn.low.tolist(), *bottoms]) * math.exp(-LEAST_REACH),
        high=max([picture.price, *drawn.high.tolist(), *tops]) * math.exp(LEAST_REACH),
        price=picture.price,
        tick_size=picture.tick_size,
        numerals=picture.numerals,
        times_ms=times,
        beside_px=wide + 40.0 if wide else 24.0,
        utc_offset_ms=picture.utc_offset_ms,
    )
    head, banner = header(picture.title, picture.subtitle, picture.banner)
    legend, swatches = _legend(picture)
    empty, said = (None, []) if picture.ribbons else notice(picture.empty, plane.frame)
    return LivesLayout(
        plane=plane,
        candles=candle_boxes(drawn, plane),
        bands=_bands(picture, plane),
        tags=_tags(picture, plane, wide),
        swatches=swatches,
        banner=banner,
        notice=empty,
        captions=(*head, *legend, *plane.captions, *said),
    )


def columns_of(open_ms: Ints) -> Ints:
    """The starts of at most 160 columns of equal length, over bars that open at these ascending times (n,)."""
    if len(open_ms) < 2:
        return open_ms
    bar_ms = int(np.diff(open_ms).min())
    count = (int(open_ms[-1]) - int(open_ms[0])) // bar_ms + 1
    step_ms = -(-count // MAX_COLUMNS) * bar_ms
    return np.arange(int(open_ms[0]), int(open_ms[-1]) + 1, step_ms, dtype=np.int64)


def _bands(picture: LivesPicture, plane: Plane) -> tuple[Band, ...]:
    fullest = max((float(ribbon.usd.max()) for ribbon in picture.ribbons), default=0.0)
    taken: list[Box] = []
    bands = []
    for number, ribbon in enumerate(picture.ribbons, 1):
        boxes = _bodies(ribbon, plane)
        share = ribbon.usd / fullest if fullest > 0.0 else np.zeros(len(ribbon.usd))
        badge = place_apart(_badge_places(boxes, plane), taken, gap=3.0)
        line = None
        if badge is not None:
            taken.append(badge)
            base = badge.bottom + 0.5 * (BADGE - line_height(BADGE_PX))
            line = caption(str(number), badge.centre, base, BADGE_PX, "on_price", bold=True, anchor=0.5)
        end = None
        if ribbon.ended_ms is not None:
            end = plane.x(ribbon.ended_ms), 0.5 * float(boxes[-1, 1] + boxes[-1, 3])
        alpha = FAINTEST + (FULLEST - FAINTEST) * share
        bands.append(Band(ribbon.side, boxes, alpha, badge, line, end))
    return tuple(bands)


def _bodies(ribbon: Ribbon, plane: Plane) -> Floats:
    """Each body from its time to the next one's, the last to its end or to the newest column's."""
    last = plane.right if ribbon.ended_ms is None else plane.x(ribbon.ended_ms)
    lefts = np.floor([plane.x(time_ms) for time_ms in ribbon.times_ms.tolist()])
    rights = np.append(lefts[1:], max(math.floor(last), float(lefts[-1]) + 2.0))
    bottom = plane.rows(ribbon.low)
    return np.column_stack((lefts, bottom, rights, np.maximum(plane.rows(ribbon.high), bottom + 2.0)))


def _badge_places(boxes: Floats, plane: Plane) -> Iterator[Box]:
    """From the ribbon's birth along its middle, then above and below it."""
    frame, steps = plane.frame, np.linspace(0, len(boxes) - 1, min(len(boxes), 24)).astype(int)
    for lifted in (0.0, 1.0, -1.0, 2.0, -2.0):
        for row in dict.fromkeys(steps.tolist()):
            left, bottom, _, top = boxes[row].tolist()
            x = min(max(left + 2.0, frame.left + 2.0), plane.right - BADGE - 2.0)
            y = round(0.5 * (bottom + top) - 0.5 * BADGE + lifted * (BADGE + 2.0))
            y = min(max(y, int(frame.bottom) + 12), int(frame.top - BADGE) - 2)
            yield Box(x, y, x + BADGE, y + BADGE)


def _tag_lines(number: int, ribbon: Ribbon) -> tuple[str, str]:
    return f"{number} · {ribbon.size}", legible(ribbon.fate)


def _tag_width(picture: LivesPicture) -> float:
    widths = [
        max(text_width(first, TICK_PX, bold=True), text_width(second, LEAST_PX))
        for first, second in (_tag_lines(number, ribbon) for number, ribbon in enumerate(picture.ribbons, 1))
    ]
    return min(math.ceil(max(widths)) + 28.0, TAG_WIDTH_MOST) if widths else 0.0


def _tags(picture: LivesPicture, plane: Plane, width: float) -> tuple[LifeTag, ...]:
    """Tags one above the other at the right edge, as near to where their clusters were last as they stand apart."""
    frame = plane.frame
    middles = [plane.y(math.sqrt(float(each.low[-1]) * float(each.high[-1]))) for each in picture.ribbons]
    order = sorted(range(len(middles)), key=lambda index: middles[index])
    bottoms = spread(
        [middles[index] for index in order],
        [TAG_HEIGHT] * len(order),
        low=frame.bottom + 6,
        high=frame.top - 6,
        gap=8,
    )
    placed = dict(zip(order, bottoms, strict=True))
    tags = []
    for index, ribbon in enumerate(picture.ribbons):
        bottom = float(round(placed[index]))
        box = Box(frame.right - 12 - width, bottom, frame.right - 12, bottom + TAG_HEIGHT)
        first, second = _tag_lines(index + 1, ribbon)
        ink: Ink = "long" if ribbon.side is Side.LONG else "short"
        told, px = fitted(second, width - 24, LEAST_PX)
        upper, upper_px = fitted(first, width - 24, TICK_PX, bold=True)
        lines = (
            caption(upper, box.left + 12, box.bottom + 35, upper_px, ink, bold=True),
            caption(told, box.left + 12, box.bottom + 6, px, "text"),
        )
        tags.append(LifeTag(ribbon.side, box, lines))
    return tuple(tags)


def _legend(picture: LivesPicture) -> tuple[list[Caption], tuple[tuple[Box, Side], ...]]:
    """Each side's name with a sample of its colour, on its own side."""
    bottom, room = LEGEND_BOTTOM, 0.5 * (WIDTH - 3 * SIDE_MARGIN) - 40
    left, left_px = fitted(legible(picture.longs), room, TEXT_PX, bold=True)
    right, right_px = fitted(legible(picture.shorts), room, TEXT_PX, bold=True)
    start = WIDTH - SIDE_MARGIN - text_width(right, right_px, bold=True)
    end = math.floor(start) - 12.0
    return [
        caption(left, SIDE_MARGIN + 34, bottom, left_px, "long", bold=True),
        caption(right, start, bottom, right_px, "short", bold=True),
    ], (
        (Box(SIDE_MARGIN, bottom + 4, SIDE_MARGIN + 22, bottom + 26), Side.LONG),
        (Box(end - 22, bottom + 4, end, bottom + 26), Side.SHORT),
    )
