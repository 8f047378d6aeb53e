"""What surrounds the bars of a liquidation map: legend, price pill, and the axes' labels."""

import re
from itertools import pairwise

from bot.charts.bars import Bars, PriceAxis
from bot.charts.boxes import Box, Caption, Ink, caption, ticks
from bot.charts.fonts import fitted, legible, line_height, text_width
from bot.charts.map_frame import BARS_TOP, FRAME, GRID_Y
from bot.charts.numbers import Numerals, price_text, signed_percent_text, tick_text
from bot.charts.page import LEAST_PX, SIDE_MARGIN, TEXT_PX, TICK_PX, WIDTH
from bot.charts.pictures import MapPicture
from bot.liquidation.types import Side

LEGEND_BOTTOM = 646.0
AXIS_GAP = 10.0

_UNIT = re.compile(r"(?<=\d)\s(?=[^\W\d])")
"""The blank between an amount and its unit: not one between groups of digits, nor in a unit of two words."""


def legend(
    picture: MapPicture, grouped: dict[Side, Bars], in_shares: bool
) -> tuple[list[Caption], tuple[tuple[Box, Ink], ...], tuple[Box, ...]]:
    """Each side's name and total on its own side; between them the layers' names, or the curves'."""
    bottom, room = LEGEND_BOTTOM, 340.0 if picture.layers else 470.0
    totals = {side: float(bars.usd.sum()) for side, bars in grouped.items()}
    amounts = {side: _amount(usd, picture.numerals, in_shares) for side, usd in totals.items()}
    captions: list[Caption] = []
    swatches: list[tuple[Box, Ink]] = []
    for side, word in ((Side.LONG, picture.words.longs), (Side.SHORT, picture.words.shorts)):
        ink: Ink = "long" if side is Side.LONG else "short"
        amount_width = text_width(amounts[side], TEXT_PX, bold=True)
        text, px = fitted(legible(word), room - amount_width - 48, TEXT_PX, bold=True)
        widths = (22.0, text_width(text, px, bold=True), amount_width)
        left = SIDE_MARGIN if side is Side.LONG else WIDTH - SIDE_MARGIN - sum(widths) - 24
        swatches.append((Box(round(left), bottom + 4, round(left) + 22, bottom + 26), ink))
        captions.append(caption(text, left + 34, bottom, px, ink, bold=True))
        captions.append(caption(amounts[side], left + 46 + widths[1], bottom, TEXT_PX, "text", bold=True))
    left_end, right_end = captions[1].box.right + 24, swatches[1][0].left - 24
    if picture.layers:
        names, samples = _layer_names(picture, left_end, right_end)
        return [*captions, *names], tuple(swatches), samples
    text, px = fitted(legible(picture.words.cumulative), max(right_end - left_end - 56, 60), TEXT_PX - 2)
    width = text_width(text, px) + 56
    if text and width <= right_end - left_end:
        start = min(max(0.5 * (WIDTH - width), left_end), right_end - width)
        captions.append(caption(text, start + 56, bottom, px, "muted"))
        swatches.append((Box(start, bottom + 13, start + 44, bottom + 17), "muted"))
    return captions, tuple(swatches), ()


def _layer_names(picture: MapPicture, low: float, high: float) -> tuple[list[Caption], tuple[Box, ...]]:
    """A sample of each layer's colour with its name, in one row between two pixel columns; the last gives way."""
    gap, beside, wide = 12.0, 6.0, 18.0
    *names, last = [legible(layer.name) for layer in picture.layers]
    room = high - low - (gap + beside + wide) * len(picture.layers)
    last, _ = fitted(last, max(room - sum(text_width(name, LEAST_PX) for name in names), 0.0), LEAST_PX)
    names.append(last)
    widths = [wide + beside + text_width(name, LEAST_PX) for name in names]
    left = max(0.5 * (low + high) - 0.5 * (sum(widths) + gap * (len(names) - 1)), low)
    captions, samples = [], []
    for name, width in zip(names, widths, strict=True):
        samples.append(Box(round(left), LEGEND_BOTTOM + 5, round(left) + wide, LEGEND_BOTTOM + 25))
        captions.append(caption(name, round(left) + wide + beside, LEGEND_BOTTOM + 2, LEAST_PX, "muted"))
        left += width + gap
    return captions, tuple(samples)


def pill(price: float, price_x: float, picture: MapPicture) -> tuple[Box, list[Caption]]:
    text = price_text(price, picture.tick_size, picture.numerals)
    word, px = fitted(legible(picture.words.price), 240, LEAST_PX)
    width = max(text_width(text, 28, bold=True), text_width(word, px)) + 28
    left = round(min(max(price_x - 0.5 * width, 8), WIDTH - 8 - width))
    box = Box(left, 16, left + width, 86)
    return box, [
        caption(text, box.centre, 49, 28, "on_price", bold=True, anchor=0.5),
        caption(word, box.centre, 20, px, "on_price", anchor=0.5),
    ]


def price_ticks(
    axis: PriceAxis, price: float, pill: Box, numerals: Numerals
) -> tuple[tuple[float, ...], list[Caption]]:
    """Round prices with their distances below, as many as stand apart from each other and from the price pill."""

    def away(level: float) -> str:
        return signed_percent_text(level / price - 1.0, numerals)

    def rows(at: list[float], step: float) -> list[tuple[Caption, Caption]]:
        return [
            (
                caption(tick_text(level, step, numerals), axis.x(level), 53, TICK_PX, "text", anchor=0.5),
                caption(away(level), axis.x(level), 20, LEAST_PX, "muted", anchor=0.5),
            )
            for level in at
        ]

    def fits(at: list[float], step: float) -> bool:
        spans = [(min(a.box.left, b.box.left), max(a.box.right, b.box.right)) for a, b in rows(at, step)]
        return all(before[1] + 20 <= after[0] for before, after in pairwise(spans))

    tick_x: list[int] = []
    captions: list[Caption] = []
    wide_pill = Box(pill.left - 14, pill.bottom, pill.right + 14, pill.top)
    for pair in rows(*ticks(axis.low, axis.high, fits)):
        on_picture = all(each.box.left >= 8 and each.box.right <= WIDTH - 8 for each in pair)
        if on_picture and not any(wide_pill.overlaps(each.box) for each in pair):
            tick_x.append(round(pair[0].box.centre))
            captions.extend(pair)
    return tuple(tick_x), captions


def side_axes(picture: MapPicture, axis_top: float, in_shares: bool) -> list[Caption]:
    """Relative strength on the left, 0 to 100; the curves' amounts on the right, at the same grid lines."""
    captions = []
    for quarter, y in enumerate(GRID_Y, 1):
        bottom = y - 0.5 * line_height(LEAST_PX)
        captions.append(caption(str(25 * quarter), FRAME.left - 8, bottom, LEAST_PX, "muted", anchor=1.0))
    if axis_top > 0.0:
        amounts = [_amount(0.25 * quarter * axis_top, picture.numerals, in_shares) for quarter in (1, 2, 3, 4)]
        captions += _amount_axis(amounts)
    word, px = fitted(legible(picture.words.strength), BARS_TOP - FRAME.bottom, LEAST_PX + 1)
    if word:
        half = 0.5 * text_width(word, px)
        middle = 0.5 * (FRAME.bottom + BARS_TOP)
        box = Box(8, middle - half, 8 + line_height(px), middle + half)
        captions.append(Caption(word, box, px, "muted", vertical=True))
    return captions


def _amount(value: float, numerals: Numerals, in_shares: bool) -> str:
    return numerals.percent(100.0 * value) if in_shares else numerals.money(value)


def _amount_axis(amounts: list[str]) -> list[Caption]:
    """Amounts at the grid lines, right of the frame: each on two lines where one leaves too little room for a unit."""
    room, height = WIDTH - 8 - AXIS_GAP - FRAME.right, line_height(LEAST_PX)
    wide = max(text_width(text, LEAST_PX) for text in amounts) > room
    captions = []
    for text, y in zip(amounts, GRID_Y, strict=True):
        lines = _UNIT.sub("\n", text, count=1).split("\n") if wide else [text]
        for number, line in enumerate(lines):
            left = min(FRAME.right + AXIS_GAP, WIDTH - 8 - text_width(line, LEAST_PX))
            bottom = y + (0.5 * len(lines) - 1 - number) * height
            captions.append(caption(line, left, bottom, LEAST_PX, "muted"))
    return captions
