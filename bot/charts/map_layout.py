"""Where everything of a liquidation map's picture stands, in whole pixels: pure, so that tests can see it too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.charts import map_margins as margins
from bot.charts.bars import Bars, PriceAxis, group_bins, lay_axis
from bot.charts.boxes import Box, Caption, Ink, caption, rounded_up, spread
from bot.charts.fonts import line_height, text_width
from bot.charts.map_frame import BARS_TOP, FRAME, LABELLED, LANE
from bot.charts.numbers import percent_text, price_text, usd_text
from bot.charts.page import LABEL_PX, header, notice
from bot.charts.pictures import MapPicture
from bot.liquidation.types import Cluster, Floats, LiquidationMap, Side


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
    """One side's bars with the top of each (n,), and its curve. `odd` (n,) marks the bars of every second cluster."""

    side: Side
    bars: Bars
    tops: Floats
    odd: NDArray[np.bool_]
    curve: Curve


@dataclass(frozen=True, slots=True)
class MapLayout:
    """The whole picture. `captions` are all texts but those of labels; `pill` holds the price, `banner` the
    warning, `notice` what is said in place of bars.
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

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that must lie apart: each text once, a label or the price pill as one box."""
        framed = [self.pill, *(label.box for label in self.labels), *filter(None, (self.banner, self.notice))]
        loose = [c.box for c in self.captions if not any(box.contains(c.box) for box in framed)]
        return (*framed, *loose, *(box for box, _ in self.swatches))


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
    long, short = (_lay_side(side, grouped[side], grouped, axis_top, split_x) for side in Side)
    price_x = min(max(round(axis.x(price)), FRAME.left + 2), FRAME.right - 3)
    head, banner = header(picture.title, picture.subtitle, picture.banner)
    legend, swatches = margins.legend(picture, grouped, in_shares)
    pill, pill_captions = margins.pill(price, price_x, picture)
    tick_x, tick_captions = margins.price_ticks(axis, price, pill)
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
        labels=_labels(picture, sides, axis),
        captions=tuple(captions),
        price_x=price_x,
        pill=pill,
        banner=banner,
        notice=empty,
        tick_x=tick_x,
        swatches=swatches,
    )


def _in_shares(drawn: LiquidationMap) -> LiquidationMap:
    """Each side as shares of its own whole, as clusters are labelled where no dollars are named."""
    return replace(
        drawn,
        long_usd=drawn.long_usd / max(drawn.long_total_usd, float(drawn.long_usd.sum()), 1e-300),
        short_usd=drawn.short_usd / max(drawn.short_total_usd, float(drawn.short_usd.sum()), 1e-300),
        long_total_usd=1.0,
        short_total_usd=1.0,
    )


def _lay_side(side: Side, bars: Bars, both: dict[Side, Bars], axis_top: float, split_x: float) -> SideLayout:
    room = BARS_TOP - FRAME.bottom
    densest = max((float(each.density.max()) for each in both.values() if len(each.density)), default=0.0)
    heights = bars.density / densest * room if densest > 0.0 else np.zeros(len(bars.density))
    tops = FRAME.bottom + np.where(bars.density > 0.0, np.maximum(np.round(heights), 1.0), 0.0)
    rising = bars.usd.cumsum() / axis_top * room if axis_top > 0.0 else np.zeros(len(bars.usd))
    curve = Curve(np.append(split_x, bars.outer), FRAME.bottom + np.append(0.0, rising))
    ranks = {index: rank for rank, index in enumerate(_in_order(bars))}
    odd = np.array([ranks.get(int(index), 0) % 2 == 1 for index in bars.cluster], dtype=np.bool_)
    return SideLayout(side, bars, tops, odd, curve)


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


def _labels(picture: MapPicture, sides: Sequence[SideLayout], axis: PriceAxis) -> tuple[Label, ...]:
    """Labels of the biggest clusters, the highlighted one among them, in one row above the bars."""
    chosen = sorted(picture.clusters, key=lambda c: (c != picture.highlight, -c.usd))[:LABELLED]
    chosen.sort(key=lambda c: c.peak)
    texts = [_label_texts(cluster, picture) for cluster in chosen]
    widths = [round(max(text_width(t, LABEL_PX, bold=True) for t in lines)) + 30.0 for lines in texts]
    feet = [min(max(axis.x(c.peak), FRAME.left + 4), FRAME.right - 4) for c in chosen]
    lefts = spread(feet, widths, low=LANE.left + 8, high=LANE.right - 8, gap=12)
    labels = []
    for cluster, lines, width, foot, left in zip(chosen, texts, widths, feet, lefts, strict=True):
        box = Box(round(left), LANE.bottom, round(left) + width, LANE.top)
        told = cluster == picture.highlight
        ink: Ink = "on_price" if told else "long" if cluster.side is Side.LONG else "short"
        high, low = lines
        placed = (
            caption(
                high,
                box.centre,
                box.top - 8 - line_height(LABEL_PX),
                LABEL_PX,
                "on_price" if told else "text",
                bold=True,
                anchor=0.5,
            ),
            caption(low, box.centre, box.bottom + 8, LABEL_PX, ink, bold=True, anchor=0.5),
        )
        labels.append(Label(cluster.side, box, placed, (foot, _top_at(sides, foot, cluster.side)), told))
    return tuple(labels)


def _label_texts(cluster: Cluster, picture: MapPicture) -> tuple[str, str]:
    size = usd_text(cluster.usd)
    if not picture.names_usd:
        size = f"{percent_text(cluster.share)} · {cluster.strength}/100"
    return price_text(cluster.peak, picture.tick_size, digits=5), size


def _top_at(sides: Sequence[SideLayout], x: float, side: Side) -> float:
    for laid in sides:
        if laid.side is side and len(laid.tops):
            middle = 0.5 * (laid.bars.inner + laid.bars.outer)
            return float(laid.tops[np.abs(middle - x).argmin()])
    return FRAME.bottom
