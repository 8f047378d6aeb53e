"""The heatmap: where positions stood over time, the candles that swept them, and what stands now."""

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from bot.charts.boxes import Box
from bot.charts.canvas import Canvas
from bot.charts.heat_layout import ROW_PX, HeatLayout, Tag, lay_out_heat
from bot.charts.page import HEIGHT, WIDTH
from bot.charts.pictures import HeatPicture
from bot.charts.plane_paint import paint_candles, paint_grid, paint_price
from bot.charts.themes import THEMES, Theme, ThemeName
from bot.charts.tones import tone
from bot.liquidation.types import Floats, Side


def draw_heatmap(request: HeatPicture, *, theme: ThemeName = "dark") -> bytes:
    """A PNG of 1280x800 pixels. Safe in a worker thread; reads and writes no file."""
    layout, colours = lay_out_heat(request), THEMES[theme]
    with Canvas(WIDTH, HEIGHT, colours.background) as canvas:
        _paint_heat(canvas, layout, colours)
        paint_grid(canvas, layout.plane, colours)
        paint_candles(canvas, layout.candles, colours)
        for circle in layout.circles:
            canvas.ring(circle.x, circle.y, circle.radius, _line(colours, circle.side), colours.background)
        paint_price(canvas, layout.plane, colours)
        for tag in layout.tags:
            _paint_tag(canvas, layout, tag, colours)
        _paint_texts(canvas, layout, colours)
        return canvas.png()


def _line(theme: Theme, side: Side) -> str:
    return theme.long_line if side is Side.LONG else theme.short_line


def _blend(theme: Theme, long: Floats, short: Floats) -> NDArray[np.uint8]:
    """Colours of intensities from 0 to 1: from the panel to the denser side's tone. Shape (..., 3)."""
    panel = np.array(to_rgb(theme.panel))
    heat = np.maximum(long, short)[..., None]
    tone = np.where((long >= short)[..., None], to_rgb(theme.long), to_rgb(theme.short))
    colours: NDArray[np.uint8] = np.round(255.0 * (panel + heat * (tone - panel))).astype(np.uint8)
    return colours


def _paint_heat(canvas: Canvas, layout: HeatLayout, theme: Theme) -> None:
    frame = layout.plane.frame
    canvas.box(frame, theme.panel)
    columns = layout.long.shape[1]
    if columns:
        at = np.minimum((np.arange(frame.width) + 0.5) // layout.plane.column_px, columns - 1).astype(np.int64)
        pixels = _blend(theme, layout.long, layout.short)[:, at].repeat(ROW_PX, axis=0)
        canvas.image(pixels, int(frame.left), int(frame.bottom))


def _paint_tag(canvas: Canvas, layout: HeatLayout, tag: Tag, theme: Theme) -> None:
    """The tag, and its cluster's body as a bracket at the frame's edge."""
    colour, right = tone(theme, tag.side), layout.plane.frame.right
    top = max(tag.high, tag.low + 3)
    canvas.box(Box(right - 10, tag.low, right - 2, top), theme.background)
    canvas.box(Box(right - 8, tag.low + 1, right - 4, top - 1), colour)
    canvas.pill(tag.box, colour if tag.highlighted else theme.panel, edge=colour, edge_width=2.0)
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
    if layout.ring:
        box = layout.ring
        canvas.ring(box.centre, 0.5 * (box.bottom + box.top), 0.5 * box.width - 1, theme.muted, theme.background)
    for caption in layout.captions:
        canvas.write(caption, str(getattr(theme, caption.ink)))
