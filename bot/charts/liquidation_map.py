"""The liquidation map: where positions would be closed, on both sides of the price."""

import numpy as np
from matplotlib.colors import to_rgb

from bot.charts.boxes import Box, Ink
from bot.charts.canvas import Canvas
from bot.charts.map_frame import BARS_TOP, FRAME, GRID_Y
from bot.charts.map_layout import Label, MapLayout, SideLayout, lay_out
from bot.charts.page import HEIGHT, WIDTH
from bot.charts.pictures import MapPicture
from bot.charts.themes import THEMES, Theme, ThemeName
from bot.charts.tones import steps, tone
from bot.liquidation.types import Floats, Side


def draw_map(request: MapPicture, *, theme: ThemeName = "dark") -> bytes:
    """A PNG of 1280x800 pixels. Safe in a worker thread; reads and writes no file."""
    layout, colours = lay_out(request), THEMES[theme]
    with Canvas(WIDTH, HEIGHT, colours.background) as canvas:
        _paint_frame(canvas, layout, colours)
        for side in layout.sides:
            (_paint_layers if request.layers else _paint_bars)(canvas, side, colours)
        for side in layout.sides:
            _paint_curve(canvas, side, colours)
        _paint_level(canvas, layout, colours)
        _paint_price(canvas, layout, colours)
        for label in layout.labels:
            _paint_label(canvas, label, colours)
        _paint_texts(canvas, layout, colours)
        return canvas.png()


def _ink(theme: Theme, ink: Ink) -> str:
    return str(getattr(theme, ink))


def _paint_frame(canvas: Canvas, layout: MapLayout, theme: Theme) -> None:
    canvas.box(FRAME, theme.panel)
    for body in layout.bodies:
        alpha = 0.30 if body.highlighted else 0.20 if body.odd else 0.13
        canvas.box(Box(body.left, FRAME.bottom, body.right, FRAME.top), tone(theme, body.side), alpha=alpha)
    for y in GRID_Y:
        canvas.box(Box(FRAME.left, y, FRAME.right, y + 1), theme.grid)
    for x in layout.tick_x:
        canvas.box(Box(x, FRAME.bottom - 8, x + 2, FRAME.bottom), theme.frame)


def _paint_bars(canvas: Canvas, laid: SideLayout, theme: Theme) -> None:
    """Bars outside clusters stay dim; inside they glow with their height, and neighbours differ in tone."""
    bars = laid.bars
    left, right = _bar_sides(laid)
    drawn = (laid.tops > FRAME.bottom) & (right > left)
    if not drawn.any():
        return
    dim = np.array(to_rgb(theme.long_dim if laid.side is Side.LONG else theme.short_dim))
    bright = np.array(to_rgb(tone(theme, laid.side)))
    height = (laid.tops - FRAME.bottom) / (BARS_TOP - FRAME.bottom)
    glow = np.where(laid.odd, 0.45, 0.60) + 0.40 * height
    glow = np.where(bars.cluster >= 0, np.minimum(glow, 1.0), 0.0)[drawn, None]
    floor = np.full(int(drawn.sum()), FRAME.bottom)
    canvas.rectangles(left[drawn], floor, right[drawn], laid.tops[drawn], dim + glow * (bright - dim))


def _paint_layers(canvas: Canvas, laid: SideLayout, theme: Theme) -> None:
    """Bars of layers, one on another."""
    left, right = _bar_sides(laid)
    drawn = (laid.tops > FRAME.bottom) & (right > left)
    colours = steps(theme, laid.side, len(laid.levels) - 1)
    for colour, floor, top in zip(colours, laid.levels[:-1], laid.levels[1:], strict=True):
        seen = drawn & (top > floor)
        if seen.any():
            canvas.rectangles(left[seen], floor[seen], right[seen], top[seen], np.tile(colour, (int(seen.sum()), 1)))


def _bar_sides(laid: SideLayout) -> tuple[Floats, Floats]:
    """Left and right ends of the bars, (n,) each, with a line of background between broad ones."""
    bars = laid.bars
    left, right = np.minimum(bars.inner, bars.outer), np.maximum(bars.inner, bars.outer)
    return left, np.where(right - left >= 4, right - 1, right)


def _paint_curve(canvas: Canvas, laid: SideLayout, theme: Theme) -> None:
    x, y = laid.curve.x, laid.curve.y
    if y[-1] > FRAME.bottom:
        path = np.column_stack((x, y))
        canvas.lines([path], theme.panel, 7.0, alpha=0.8)
        canvas.lines([path], theme.long_line if laid.side is Side.LONG else theme.short_line, 3.5)


def _paint_level(canvas: Canvas, layout: MapLayout, theme: Theme) -> None:
    """The reader's own level: dashed, so that it is told from the price without colour."""
    x = layout.level_x
    if x is not None:
        path = np.array([(x, FRAME.bottom), (x, BARS_TOP + 16)])
        canvas.lines([path], theme.panel, 7.0, alpha=0.8)
        canvas.lines([path], theme.price, 3.5, dashes=(3.0, 2.0))


def _paint_price(canvas: Canvas, layout: MapLayout, theme: Theme) -> None:
    x = layout.price_x
    canvas.box(Box(x - 3, FRAME.bottom, x + 4, FRAME.top), theme.panel, alpha=0.7)
    canvas.box(Box(x - 1, FRAME.bottom - 10, x + 2, FRAME.top), theme.price)
    canvas.box(Box(FRAME.left, FRAME.bottom - 2, FRAME.right, FRAME.bottom), theme.frame)
    for body in layout.bodies:
        inset = 2 if body.right - body.left > 8 else 0
        bracket = Box(body.left + inset, FRAME.bottom - 8, body.right - inset, FRAME.bottom - 3)
        canvas.box(bracket, tone(theme, body.side))
    canvas.pill(layout.pill, theme.price)


def _paint_label(canvas: Canvas, label: Label, theme: Theme) -> None:
    colour, (x, y) = tone(theme, label.side), label.foot
    top = label.box.bottom
    knee = min(max(x, label.box.left + 14), label.box.right - 14)
    path = np.array([(knee, top), (x, top - 14), (x, min(y + 4, top - 14))])
    canvas.lines([path], theme.panel, 5.0, alpha=0.8)
    canvas.lines([path], colour, 2.0)
    canvas.pill(label.box, colour if label.highlighted else theme.panel, edge=colour, edge_width=2.0)
    for line in label.lines:
        canvas.write(line, _ink(theme, line.ink))


def _paint_texts(canvas: Canvas, layout: MapLayout, theme: Theme) -> None:
    if layout.banner:
        canvas.pill(layout.banner, theme.banner)
    if layout.notice:
        canvas.pill(layout.notice, theme.panel, edge=theme.frame, edge_width=2.0)
    for box, ink in layout.swatches:
        canvas.box(box, _ink(theme, ink))
    for number, box in enumerate(layout.samples):
        half = Box(box.left, box.bottom, box.centre, box.top), Box(box.centre, box.bottom, box.right, box.top)
        for side, part in zip(Side, half, strict=True):
            left, bottom, right, top = np.array([[part.left], [part.bottom], [part.right], [part.top]])
            canvas.rectangles(left, bottom, right, top, steps(theme, side, len(layout.samples))[number][None])
    for caption in layout.captions:
        canvas.write(caption, _ink(theme, caption.ink))
