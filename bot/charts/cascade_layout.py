"""Where everything of a cascade's picture stands, in whole pixels: pure, so that tests can see it too.

A ladder of prices: on its left what stands, on its right the orders, both on one scale, and beyond them the chains.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.charts.boxes import Box, Caption, Ink, caption, place_apart, spread, ticks
from bot.charts.fonts import fitted, legible, line_height, text_width
from bot.charts.numbers import price_text, tick_text
from bot.charts.page import LEAST_PX, SIDE_MARGIN, TEXT_PX, TICK_PX, WIDTH, header
from bot.charts.pictures import CascadePicture, ChainArrow
from bot.charts.plane import FRAME_TOP, LEGEND_BOTTOM
from bot.liquidation.types import Floats, Side

FRAME_BOTTOM = 32
LEAST_REACH = 0.006  # in log price, around all that is shown
LABELS, SPINE, CHAINS = 0.24, 0.52, 0.75
"""Where bars may begin on the left, where they meet, and where chains begin: parts of the frame's width."""
USUAL = 0.9
"""So many of the bars of orders are drawn in their whole length, at least."""

LANE, LANES = 46.0, 4
GAP = 12.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """The frame, and prices in equal steps of their logarithm from its foot to its top."""

    frame: Box
    low: float
    high: float

    def rows(self, prices: Floats) -> Floats:
        """Whole pixel rows inside the frame, for prices (n,)."""
        scale = self.frame.height / math.log(self.high / self.low)
        rows: Floats = np.round(self.frame.bottom + scale * np.log(prices / self.low))
        return np.clip(rows, self.frame.bottom, self.frame.top)

    def y(self, price: float) -> float:
        return float(self.rows(np.array([price]))[0])


@dataclass(frozen=True, slots=True)
class Rungs:
    """The bars of the bins in sight, all (n,): rows, how far they reach on either side of the spine, and of which kind.

    `forced` is the part of what stands that is drawn apart; `longs` marks what lies below the price, `known` the
    orders that were told.
    """

    bottom: Floats
    top: Floats
    stands: Floats
    forced: Floats
    orders: Floats
    longs: NDArray[np.bool_]
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lane:
    """One chain: rows of its start, its middle and its far end at one column; and its cluster's rows."""

    side: Side
    x: float
    start: float
    likely: float
    most: float
    body: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CascadeLayout:
    """The whole picture. `labels` are the clusters' loads with the rows they speak of; `ends` the prices of chains."""

    ladder: Ladder
    spine: float
    rungs: Rungs
    lanes: tuple[Lane, ...]
    labels: tuple[tuple[Box, tuple[Caption, ...], float], ...]
    ends: tuple[Caption, ...]
    price_y: float
    pill: Box
    tick_y: tuple[float, ...]
    swatches: tuple[tuple[Box, str], ...]
    banner: Box | None
    captions: tuple[Caption, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that must lie apart: each text once, a label or the price pill as one box."""
        framed = [self.pill, *(box for box, _, _ in self.labels), *filter(None, (self.banner,))]
        loose = [c.box for c in (*self.captions, *self.ends) if not any(box.contains(c.box) for box in framed)]
        return (*framed, *loose, *(box for box, _ in self.swatches))


def lay_out_cascade(picture: CascadePicture) -> CascadeLayout:
    """Everything in its place, for any data."""
    low, high = _range(picture)
    now = price_text(picture.price, picture.tick_size, picture.numerals)
    ladder, levels, written = _ladder(picture, low, high, now)
    frame = ladder.frame
    price_y = ladder.y(picture.price)
    bottom = min(max(price_y - 20, frame.bottom), frame.top - 40)
    pill = Box(frame.right + 6, bottom, WIDTH - 8, bottom + 40)
    beside = [
        caption(text, frame.right + 16, ladder.y(level) - 0.5 * line_height(TICK_PX), TICK_PX, "muted")
        for text, level in zip(written, levels, strict=True)
    ]
    apart = [each for each in beside if not each.box.overlaps(pill) and each.box.top <= LEGEND_BOTTOM]
    apart.append(caption(now, frame.right + 16, pill.bottom + 5, TEXT_PX, "on_price", bold=True))
    head, banner = header(picture.title, picture.subtitle, picture.banner)
    spine = round(frame.left + SPINE * frame.width)
    legend, swatches = _legend(picture, frame, spine)
    lanes = _lanes(picture.arrows, ladder)
    return CascadeLayout(
        ladder=ladder,
        spine=spine,
        rungs=_rungs(picture, ladder, spine),
        lanes=lanes,
        labels=_labels(picture, ladder),
        ends=_ends(picture, lanes, frame),
        price_y=price_y,
        pill=pill,
        tick_y=tuple(ladder.y(level) for level in levels),
        swatches=swatches,
        banner=banner,
        captions=(*head, *legend, *apart),
    )


def _range(picture: CascadePicture) -> tuple[float, float]:
    """All clusters and the ends of their chains, as far as the map goes, with some air around."""
    drawn, shown = picture.map, [picture.price]
    for arrow in picture.arrows:
        shown += [arrow.low, arrow.high, arrow.start, arrow.likely, arrow.most]
    low, high = max(min(shown), float(drawn.low[0])), min(max(shown), float(drawn.high[-1]))
    low, high = min(low, picture.price), max(high, picture.price)
    reach = max(LEAST_REACH, 0.06 * math.log(high / low))
    return low * math.exp(-reach), high * math.exp(reach)


def _ladder(picture: CascadePicture, low: float, high: float, now: str) -> tuple[Ladder, list[float], list[str]]:
    """The ladder, which leaves the prices beside it as much room as they need, and those prices."""
    scale = (FRAME_TOP - FRAME_BOTTOM) / math.log(high / low)
    levels, step = ticks(low, high, lambda at, _: all(scale * math.log(b / a) >= 58 for a, b in pairwise(at)))
    written = [tick_text(level, step, picture.numerals) for level in levels]
    wide = max([text_width(text, TICK_PX) for text in written] + [text_width(now, TEXT_PX, bold=True)])
    return Ladder(Box(SIDE_MARGIN, FRAME_BOTTOM, WIDTH - 34 - math.ceil(wide), FRAME_TOP), low, high), levels, written


def _rungs(picture: CascadePicture, ladder: Ladder, spine: float) -> Rungs:
    """Both kinds of bars on one scale, so that the longer of two facing ones is the stronger."""
    drawn, frame = picture.map, ladder.frame
    seen = (drawn.high > ladder.low) & (drawn.low < ladder.high)
    low, high = drawn.low[seen], drawn.high[seen]
    longs = np.sqrt(low * high) < picture.price
    stands = np.where(longs, drawn.long_usd[seen], drawn.short_usd[seen])
    orders = picture.orders_usd[seen]
    rooms = spine - frame.left - LABELS * frame.width, (CHAINS - SPINE) * frame.width - GAP
    # A wall of orders in one place is cut at the chains' column, so that everything else stays to be seen.
    most = float(stands.max(initial=0.0)), float(np.quantile(orders, USUAL)) if len(orders) else 0.0
    scale = min((room / each for room, each in zip(rooms, most, strict=True) if each > 0.0), default=0.0)
    bottom = ladder.rows(low)
    return Rungs(
        bottom=bottom,
        top=np.maximum(ladder.rows(high), bottom + 1.0),
        stands=np.round(scale * stands),
        forced=np.round(scale * picture.forced_share * stands),
        orders=np.minimum(np.round(scale * orders), rooms[1]),
        longs=longs,
        known=(low >= picture.known_low) & (high <= picture.known_high),
    )


def _lanes(arrows: Sequence[ChainArrow], ladder: Ladder) -> tuple[Lane, ...]:
    """The first chains of each side, side by side."""
    lanes = []
    for side in Side:
        for number, arrow in enumerate([each for each in arrows if each.side is side][:LANES]):
            x = round(ladder.frame.left + CHAINS * ladder.frame.width + (number + 0.5) * LANE)
            start, likely, most = (ladder.y(level) for level in (arrow.start, arrow.likely, arrow.most))
            lanes.append(Lane(side, x, start, likely, most, (ladder.y(arrow.low), ladder.y(arrow.high))))
    return tuple(lanes)


def _labels(picture: CascadePicture, ladder: Ladder) -> tuple[tuple[Box, tuple[Caption, ...], float], ...]:
    """Each cluster's near edge and load, left of the bars; those that find no room are left out, the last first."""
    height, left = line_height(TICK_PX) + 8, ladder.frame.left + 6
    room = LABELS * ladder.frame.width - GAP - 6
    most = int((ladder.frame.height - 8) // (height + 4))
    chosen = sorted(picture.arrows[:most], key=lambda each: each.start)
    wanted = [ladder.y(math.sqrt(each.low * each.high)) for each in chosen]
    low, high = ladder.frame.bottom + 4, ladder.frame.top - 4
    bottoms = spread(wanted, [height] * len(chosen), low=low, high=high, gap=4.0)
    labels = []
    for arrow, bottom, row in zip(chosen, bottoms, wanted, strict=True):
        box = Box(left, round(bottom), left + room, round(bottom) + height)
        labels.append((box, _label(arrow, box, picture), row))
    return tuple(labels)


def _label(arrow: ChainArrow, box: Box, picture: CascadePicture) -> tuple[Caption, ...]:
    ink: Ink = "long" if arrow.side is Side.LONG else "short"
    base = box.bottom + 4
    load, load_px = fitted(legible(arrow.load), 0.6 * box.width, TICK_PX, bold=True)
    second = caption(load, box.right - 8, base, load_px, ink, bold=True, anchor=1.0)
    level = _level(arrow.high if arrow.side is Side.LONG else arrow.low, picture)
    first, px = fitted(level, second.box.left - box.left - 16, TICK_PX, least_px=LEAST_PX)
    return (caption(first, box.left + 8, base, px, "text"), second) if first else (second,)


def _ends(picture: CascadePicture, lanes: Sequence[Lane], frame: Box) -> tuple[Caption, ...]:
    """The prices at which told chains end, beside the lanes; one without room is left out."""
    left = max((lane.x for lane in lanes), default=frame.left) + 0.5 * LANE
    found: list[Caption] = []
    told = [arrow for arrow in picture.arrows if arrow.told]
    for arrow in told:
        ink: Ink = "long" if arrow.side is Side.LONG else "short"
        lane = next(each for each in lanes if each.side is arrow.side)
        for price, row, bold in ((arrow.likely, lane.likely, True), (arrow.most, lane.most, False)):
            text, px = fitted(
                price_text(price, picture.tick_size, picture.numerals, digits=5),
                frame.right - left - 6,
                TICK_PX,
                bold=bold,
            )
            line = caption(text, left, 0.0, px, ink, bold=bold)
            places = [_at(line.box, row + away, frame) for away in (0.0, 14.0, -14.0, 28.0, -28.0)]
            box = place_apart(places, [each.box for each in found], gap=1.0)
            if text and box is not None:
                found.append(caption(text, left, box.bottom, px, ink, bold=bold))
    return tuple(found)


def _level(price: float, picture: CascadePicture) -> str:
    return price_text(price, picture.tick_size, picture.numerals, digits=5)


def _at(box: Box, row: float, frame: Box) -> Box:
    """The box with its middle at a row, inside the frame."""
    bottom = min(max(row - 0.5 * box.height, frame.bottom + 2), frame.top - box.height - 2)
    return Box(box.left, bottom, box.right, bottom + box.height)


def _legend(picture: CascadePicture, frame: Box, spine: float) -> tuple[list[Caption], tuple[tuple[Box, str], ...]]:
    """What the bars on the left are, whole and forced, what those on the right, and what the chains show."""
    words, chains = picture.words, frame.left + CHAINS * frame.width
    middle = frame.left + 0.6 * (spine - frame.left)
    captions, swatches = [], []
    for word, kind, left, right in (
        (words.stands, "stands", frame.left, middle),
        (words.forced, "forced", middle, spine),
        (words.orders, "orders", spine + GAP, chains),
        (words.chain, "chain", chains, WIDTH - SIDE_MARGIN),
    ):
        text, px = fitted(legible(word), right - left - 34 - GAP, TICK_PX)
        if text:
            swatches.append((Box(round(left), LEGEND_BOTTOM + 5, round(left) + 22, LEGEND_BOTTOM + 25), kind))
            captions.append(caption(text, round(left) + 30, LEGEND_BOTTOM, px, "muted"))
    return captions, tuple(swatches)
