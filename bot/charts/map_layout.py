"""Where everything of a liquidation map's picture stands, in whole pixels: pure, so that tests can see it too."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.charts import map_margins as margins
from bot.charts.bars import Bars, Grouping, PriceAxis, group_bins, lay_axis
from bot.charts.boxes import Box, Caption, Ink, caption, rounded_up, spread
from bot.charts.fonts import line_height, text_width
from bot.charts.map_frame import BARS_TOP, FRAME, LABELLED, LANE
from bot.charts.numbers import price_text, signed_percent_text
from bot.charts.page import LABEL_PX, LEAST_PX, header, notice
from bot.charts.pictures import MapPicture
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side
from bot.liquidation.values import replace

FOOT_INSET, LABEL_INSET = 16, 8
"""How far from the frame's edge the feet of leaders and the labels themselves stay."""

LABEL_GAP, AWAY_GAP, PRICE_GAP = 12.0, 12.0, 10.0

LabelTexts = tuple[str, str, str]
"""The densest price, its distance from the price (empty where there is no room for it), and the size."""

MARK = "\N{BLACK DIAMOND}"
"""On the label of a cluster at whose near edge something else stands."""


@dataclass(frozen=True, slots=True)
class Label:
    """A cluster's label: its box in the lane, and the leader's foot on the cluster's highest bar."""

    side: Side
    box: Box
    lines: tuple[Caption, ...]
    foot: tuple[float, float]
    highlighted: bool


@dataclass(frozen=True, slots=True)
class Body:
    """A cluster's body in pixels; `odd` alternates, so that neighbours differ in tone."""

    side: Side
    left: float
    right: float
    odd: bool
    highlighted: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """A cumulative curve from the price outwards: shapes (n + 1,)."""

    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class SideLayout:
    """One side's bars with the top of each (n,), and its curve. `odd` (n,) marks the bars of every second cluster.

    `levels` (layers + 1, n) are the heights at which a bar's layers begin and end, empty where there are none.
    """

    side: Side
    bars: Bars
    tops: Floats
    odd: NDArray[np.bool_]
    curve: Curve
    levels: Floats


@dataclass(frozen=True, slots=True)
class MapLayout:
    """The whole picture. `captions` are all texts but those of labels; `pill` holds the price, `banner` the
    warning, `notice` what is said in place of bars; `samples` show the colours of the layers, in their order. `level_x`
    is where a level of the reader's own stands, None where there is none or it lies beyond the map.
    """

    sides: tuple[SideLayout, SideLayout]
    bodies: tuple[Body, ...]
    labels: tuple[Label, ...]
    captions: tuple[Caption, ...]
    price_x: float
    pill: Box
    banner: Box | None
    notice: Box | None
    tick_x: tuple[float, ...]
    swatches: tuple[tuple[Box, Ink], ...]
    samples: tuple[Box, ...]
    level_x: float | None = None

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that must lie apart: each text once, a label or the price pill as one box."""
        framed = [self.pill, *(label.box for label in self.labels), *filter(None, (self.banner, self.notice))]
        loose = [c.box for c in self.captions if not any(box.contains(c.box) for box in framed)]
        return (*framed, *loose, *(box for box, _ in self.swatches), *self.samples)


def lay_out(picture: MapPicture) -> MapLayout:
    """Everything in its place, for any data."""
    in_shares = not picture.names_usd
    if in_shares:
        picture = replace(picture, map=_in_shares(picture.map))
    price = picture.price if picture.price and picture.price > 0.0 else picture.map.price
    axis, grouping = lay_axis(picture.map, price, int(FRAME.left), int(FRAME.right))
    split_x = round(axis.x(picture.map.price))
    grouped = {side: group_bins(picture.map, side, grouping, picture.clusters, split_x) for side in Side}
    full = max((float(bars.usd.sum()) for bars in grouped.values()), default=0.0)
    axis_top = rounded_up(full) if full > 0.0 else 0.0
    long, short = (
        _lay_side(side, grouped, axis_top, split_x, _layered(picture, side, grouping, split_x)) for side in Side
    )
    price_x = min(max(round(axis.x(price)), FRAME.left + 2), FRAME.right - 3)
    head, banner = header(picture.title, picture.subtitle, picture.banner)
    legend, swatches, samples = margins.legend(picture, grouped, in_shares)
    pill, pill_captions = margins.pill(price, price_x, picture)
    tick_x, tick_captions = margins.price_ticks(axis, price, pill, picture.numerals)
    empty, said = notice(picture.words.empty, FRAME) if full <= 0.0 else (None, [])
    captions = [
        *head,
        *legend,
        *pill_captions,
        *tick_captions,
        *said,
        *margins.side_axes(picture, axis_top, in_shares),
    ]
    sides = (long, short)
    return MapLayout(
        sides=sides,
        bodies=_bodies(picture, sides),
        labels=_labels(picture, sides, axis, price),
        captions=tuple(captions),
        price_x=price_x,
        pill=pill,
        banner=banner,
        notice=empty,
        tick_x=tick_x,
        swatches=swatches,
        samples=samples,
        level_x=None if picture.level is None else _within_frame(axis, picture.level),
    )


def _within_frame(axis: PriceAxis, level: float) -> float | None:
    x = round(axis.x(level))
    return x if FRAME.left <= x < FRAME.right else None


def _in_shares(drawn: LiquidationMap) -> LiquidationMap:
    """Each side as shares of its own whole, as clusters are labelled where no dollars are named."""
    return replace(
        drawn,
        long_usd=drawn.long_usd / max(drawn.long_total_usd, float(drawn.long_usd.sum()), 1e-300),
        short_usd=drawn.short_usd / max(drawn.short_total_usd, float(drawn.short_usd.sum()), 1e-300),
        long_total_usd=1.0,
        short_total_usd=1.0,
    )


def _layered(picture: MapPicture, side: Side, grouping: Grouping, split_x: float) -> Floats:
    """What each layer has in each of a side's bars, (layers, bars)."""
    drawn = [replace(picture.map, long_usd=each.long_usd, short_usd=each.short_usd) for each in picture.layers]
    return np.array([group_bins(each, side, grouping, (), split_x).usd for each in drawn])


def _lay_side(side: Side, both: dict[Side, Bars], axis_top: float, split_x: float, layered: Floats) -> SideLayout:
    room, bars = BARS_TOP - FRAME.bottom, both[side]
    densest = max((float(each.density.max()) for each in both.values() if len(each.density)), default=0.0)
    heights = bars.density / densest * room if densest > 0.0 else np.zeros(len(bars.density))
    tops = FRAME.bottom + np.where(bars.density > 0.0, np.maximum(np.round(heights), 1.0), 0.0)
    rising = bars.usd.cumsum() / axis_top * room if axis_top > 0.0 else np.zeros(len(bars.usd))
    curve = Curve(np.append(split_x, bars.outer), FRAME.bottom + np.append(0.0, rising))
    ranks = {index: rank for rank, index in enumerate(_in_order(bars))}
    odd = np.array([ranks.get(int(index), 0) % 2 == 1 for index in bars.cluster], dtype=np.bool_)
    return SideLayout(side, bars, tops, odd, curve, _levels(layered, tops))


def _levels(layered: Floats, tops: Floats) -> Floats:
    """Where the layers of each bar begin and end, (layers + 1, n), the last one at the bar's top."""
    if not len(layered):
        return layered
    below = np.vstack((np.zeros(len(tops)), layered.cumsum(axis=0)))
    shares = below / np.maximum(below[-1], 1e-300)
    levels: Floats = np.round(FRAME.bottom + shares * (tops - FRAME.bottom))
    return levels


def _in_order(bars: Bars) -> list[int]:
    """Indices of the clusters that have bars, from the price outwards."""
    return [int(index) for index in dict.fromkeys(bars.cluster.tolist()) if index >= 0]


def _bodies(picture: MapPicture, sides: Sequence[SideLayout]) -> tuple[Body, ...]:
    bodies = []
    for laid in sides:
        for order, index in enumerate(_in_order(laid.bars)):
            mine = laid.bars.cluster == index
            ends = [laid.bars.inner[mine], laid.bars.outer[mine]]
            left, right = float(np.min(ends)), float(np.max(ends))
            highlighted = picture.clusters[index] == picture.highlight
            bodies.append(Body(laid.side, left, right, order % 2 == 1, highlighted))
    return tuple(bodies)


def _labels(picture: MapPicture, sides: Sequence[SideLayout], axis: PriceAxis, price: float) -> tuple[Label, ...]:
    """Labels of the biggest clusters, the highlighted one among them, in one row above the bars.

    Each side's labels stay on their side of the price: without the distances where that needs it, anywhere where even
    that is too little.
    """
    chosen = sorted(picture.clusters, key=lambda c: (c != picture.highlight, -c.usd))[:LABELLED]
    chosen.sort(key=lambda c: c.peak)
    feet = [min(max(axis.x(c.peak), FRAME.left + FOOT_INSET), FRAME.right - FOOT_INSET) for c in chosen]
    full = [_label_texts(cluster, picture, price) for cluster in chosen]
    short = [(peak, "", size) for peak, _, size in full]
    for texts in (full, short):
        lefts = _on_their_sides(chosen, feet, texts, axis.x(price))
        if lefts is not None:
            break
    else:
        texts = full if _row_width(full) <= LANE.width - 2 * LABEL_INSET else short
        lefts = _spread(feet, texts, LANE.left, LANE.right)
    widths = [_label_width(each) for each in texts]
    labels = []
    for cluster, lines, width, foot, left in zip(chosen, texts, widths, feet, lefts, strict=True):
        box = Box(round(left), LANE.bottom, round(left) + width, LANE.top)
        told = cluster == picture.highlight
        top = _top_at(sides, foot, cluster.side)
        labels.append(Label(cluster.side, box, _label_lines(lines, box, cluster.side, told), (foot, top), told))
    return tuple(labels)


def _on_their_sides(
    chosen: Sequence[Cluster], feet: Sequence[float], texts: Sequence[LabelTexts], price_x: float
) -> list[float] | None:
    """Left ends of the labels, none across the price; None where a side has no room for its own."""
    longs = sum(cluster.side is Side.LONG for cluster in chosen)
    lefts: list[float] = []
    for part, left, right in (
        (slice(0, longs), LANE.left, price_x - PRICE_GAP + LABEL_INSET),
        (slice(longs, None), price_x + PRICE_GAP - LABEL_INSET, LANE.right),
    ):
        if _row_width(texts[part]) > min(right, LANE.right) - max(left, LANE.left) - 2 * LABEL_INSET:
            return None
        lefts += _spread(feet[part], texts[part], max(left, LANE.left), min(right, LANE.right))
    return lefts


def _spread(feet: Sequence[float], texts: Sequence[LabelTexts], left: float, right: float) -> list[float]:
    widths = [_label_width(each) for each in texts]
    return spread(feet, widths, low=left + LABEL_INSET, high=right - LABEL_INSET, gap=LABEL_GAP)


def _row_width(texts: Sequence[LabelTexts]) -> float:
    return sum(_label_width(each) for each in texts) + LABEL_GAP * (len(texts) - 1)


def _label_width(lines: LabelTexts) -> float:
    return round(max(_upper_width(lines), text_width(lines[2], LABEL_PX, bold=True))) + 30.0


def _upper_width(lines: LabelTexts) -> float:
    peak, away, _ = lines
    beside = AWAY_GAP + text_width(away, LEAST_PX) if away else 0.0
    return text_width(peak, LABEL_PX, bold=True) + beside


def _label_lines(lines: LabelTexts, box: Box, side: Side, told: bool) -> tuple[Caption, ...]:
    """Price with its distance, where there is room for it, above the size."""
    peak, away, size = lines
    left, upper = box.centre - 0.5 * _upper_width(lines), box.top - 8 - line_height(LABEL_PX)
    side_ink: Ink = "on_price" if told else "long" if side is Side.LONG else "short"
    first = caption(peak, left, upper, LABEL_PX, "on_price" if told else "text", bold=True)
    last = caption(size, box.centre, box.bottom + 8, LABEL_PX, side_ink, bold=True, anchor=0.5)
    if not away:
        return first, last
    return (
        first,
        caption(away, first.box.right + AWAY_GAP, upper + 1, LEAST_PX, "on_price" if told else "muted"),
        last,
    )


def _label_texts(cluster: Cluster, picture: MapPicture, price: float) -> LabelTexts:
    """Its texts, the price with a mark where something else stands at the cluster."""
    numerals = picture.numerals
    size = numerals.money(cluster.usd)
    if not picture.names_usd:
        size = f"{numerals.percent(100.0 * cluster.share)} · {cluster.strength}/100"
    peak = price_text(cluster.peak, picture.tick_size, numerals, digits=5)
    if cluster.confluence:
        peak = f"{peak} {MARK}"
    return peak, signed_percent_text(cluster.peak / price - 1.0, numerals), size


def _top_at(sides: Sequence[SideLayout], x: float, side: Side) -> float:
    for laid in sides:
        if laid.side is side and len(laid.tops):
            middle = 0.5 * (laid.bars.inner + laid.bars.outer)
            return float(laid.tops[np.abs(middle - x).argmin()])
    return FRAME.bottom
