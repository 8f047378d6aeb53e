"""The heatmap: where positions stood over time, the candles that swept them, and what stands now."""

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from bot.charts.boxes import Box
from bot.charts.canvas import Canvas
from bot.charts.heat_layout import ROW_PX, HeatLayout, Tag, lay_out_heat
from bot.charts.page import HEIGHT, WIDTH
from bot.charts.pictures import HeatPicture
from bot.charts.themes import THEMES, Theme, ThemeName
from bot.liquidation.types import Floats, Side


def draw_heatmap(request: HeatPicture, *, theme: ThemeName = "dark") -> bytes:
    """A PNG of 1280x800 pixels. Safe in a worker thread; reads and writes no file."""
    layout, colours = lay_out_heat(request), THEMES[theme]
    with Canvas(WIDTH, HEIGHT, colours.background) as canvas:
        _paint_heat(canvas, layout, colours)
        _paint_candles(canvas, layout, colours)
        _paint_price(canvas, layout, colours)
        for tag in layout.tags:
            _paint_tag(canvas, layout, tag, colours)
        _paint_texts(canvas, layout, colours)
        return canvas.png()


def _tone(theme: Theme, side: Side) -> str:
    return theme.long if side is Side.LONG else theme.short


def _blend(theme: Theme, long: Floats, short: Floats) -> NDArray[np.uint8]:
    """Colours of intensities from 0 to 1: from the panel to the denser side's tone. Shape (..., 3)."""
    panel = np.array(to_rgb(theme.panel))
    heat = np.maximum(long, short)[..., None]
    tone = np.where((long >= short)[..., None], to_rgb(theme.long), to_rgb(theme.short))
    colours: NDArray[np.uint8] = np.round(255.0 * (panel + heat * (tone - panel))).astype(np.uint8)
    return colours


def _paint_heat(canvas: Canvas, layout: HeatLayout, theme: Theme) -> None:
    frame = layout.frame
    canvas.box(frame, theme.panel)
    columns = layout.long.shape[1]
    if columns:
        at = np.minimum((np.arange(frame.width) + 0.5) // layout.column_px, columns - 1).astype(np.int64)
        pixels = _blend(theme, layout.long, layout.short)[:, at].repeat(ROW_PX, axis=0)
        canvas.image(pixels, int(frame.left), int(frame.bottom))
    for y in layout.tick_y:
        canvas.box(Box(frame.left, y, frame.right, y + 1), theme.muted, alpha=0.18)
    for x in layout.tick_x:
        canvas.box(Box(x, frame.bottom - 8, x + 2, frame.bottom), theme.frame)


def _paint_candles(canvas: Canvas, layout: HeatLayout, theme: Theme) -> None:
    """Rising candles are filled, falling ones hollow: told apart without hue."""
    if not len(layout.bodies):
        return
    for boxes in (layout.wicks, layout.bodies):
        left, bottom, right, top = boxes.T
        canvas.rectangles(left, bottom, right, top, theme.text)
    left, bottom, right, top = layout.bodies[~layout.rising].T
    open_ = (top - bottom > 2) & (right - left > 2)
    if open_.any():
        canvas.rectangles(left[open_] + 1, bottom[open_] + 1, right[open_] - 1, top[open_] - 1, theme.background)


def _paint_price(canvas: Canvas, layout: HeatLayout, theme: Theme) -> None:
    frame, y = layout.frame, layout.price_y
    line = np.array([(frame.left, y + 0.5), (frame.right + 8, y + 0.5)])
    canvas.lines([line], theme.price, 2.0, alpha=0.9, dashes=(5.0, 4.0))
    canvas.pill(layout.pill, theme.price)


def _paint_tag(canvas: Canvas, layout: HeatLayout, tag: Tag, theme: Theme) -> None:
    """The tag, and its cluster's body as a bracket at the frame's edge."""
    tone, right = _tone(theme, tag.side), layout.frame.right
    top = max(tag.high, tag.low + 3)
    canvas.box(Box(right - 10, tag.low, right - 2, top), theme.background)
    canvas.box(Box(right - 8, tag.low + 1, right - 4, top - 1), tone)
    canvas.pill(tag.box, tone if tag.highlighted else theme.panel, edge=tone, edge_width=2.0)
    canvas.write(tag.line, theme.on_price if tag.highlighted else theme.text)


def _paint_texts(canvas: Canvas, layout: HeatLayout, theme: Theme) -> None:
    if layout.banner:
        canvas.pill(layout.banner, theme.banner)
    if layout.notice:
        canvas.pill(layout.notice, theme.panel, edge=theme.frame, edge_width=2.0)
    for box, side in layout.swatches:
        ramp, none = np.linspace(0.0, 1.0, int(box.width)), np.zeros(int(box.width))
        row = _blend(theme, ramp, none) if side is Side.LONG else _blend(theme, none, ramp)
        canvas.image(row[None].repeat(int(box.height), axis=0), int(box.left), int(box.bottom))
    for caption in layout.captions:
        canvas.write(caption, str(getattr(theme, caption.ink)))
