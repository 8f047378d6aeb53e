"""The history of clusters: how the largest of them grew and ended, against the price's candles."""

import numpy as np

from bot.charts.boxes import Box
from bot.charts.canvas import Canvas
from bot.charts.lives_layout import Band, LivesLayout, lay_out_lives
from bot.charts.page import HEIGHT, WIDTH
from bot.charts.pictures import LivesPicture
from bot.charts.plane_paint import paint_candles, paint_grid, paint_price
from bot.charts.themes import THEMES, Theme, ThemeName
from bot.charts.tones import blend, tone

CROSS = 9.0


def draw_lives(request: LivesPicture, *, theme: ThemeName = "dark") -> bytes:
    """A PNG of 1280x800 pixels. Safe in a worker thread; reads and writes no file."""
    layout, colours = lay_out_lives(request), THEMES[theme]
    with Canvas(WIDTH, HEIGHT, colours.background) as canvas:
        canvas.box(layout.plane.frame, colours.panel)
        for band in reversed(layout.bands):
            _paint_band(canvas, band, colours)
        paint_grid(canvas, layout.plane, colours)
        paint_candles(canvas, layout.candles, colours)
        paint_price(canvas, layout.plane, colours)
        for band in layout.bands:
            _paint_marks(canvas, band, colours)
        _paint_texts(canvas, layout, colours)
        return canvas.png()


def _paint_band(canvas: Canvas, band: Band, theme: Theme) -> None:
    """The larger the cluster stood, the fuller its colour; its edges are told by lines."""
    left, bottom, right, top = band.boxes.T
    canvas.rectangles(left, bottom, right, top, blend(theme.panel, tone(theme, band.side), band.alpha[:, None]))
    for edge in (bottom, top):
        path = np.column_stack((np.repeat(left, 2), np.repeat(edge, 2)))
        path[1::2, 0] = right
        canvas.lines([path], tone(theme, band.side), 1.5)


def _paint_marks(canvas: Canvas, band: Band, theme: Theme) -> None:
    """A cross where it ended, its number where it was born."""
    if band.end is not None:
        x, y = band.end
        strokes = [np.array([(x - CROSS, y - d), (x + CROSS, y + d)]) for d in (CROSS, -CROSS)]
        canvas.lines(strokes, theme.background, 8.0)
        canvas.lines(strokes, theme.text, 3.5)
    if band.badge is not None and band.number is not None:
        canvas.pill(band.badge, tone(theme, band.side), edge=theme.background, edge_width=2.0, radius=8)
        canvas.write(band.number, theme.on_price)


def _paint_texts(canvas: Canvas, layout: LivesLayout, theme: Theme) -> None:
    if layout.banner:
        canvas.pill(layout.banner, theme.banner)
    if layout.notice:
        canvas.pill(layout.notice, theme.panel, edge=theme.frame, edge_width=2.0)
    for tag in layout.tags:
        canvas.pill(tag.box, theme.panel, edge=tone(theme, tag.side), edge_width=2.0)
        for line in tag.lines:
            canvas.write(line, str(getattr(theme, line.ink)))
    for box, side in layout.swatches:
        canvas.box(Box(*map(round, (box.left, box.bottom, box.right, box.top))), tone(theme, side))
    for caption in layout.captions:
        canvas.write(caption, str(getattr(theme, caption.ink)))
