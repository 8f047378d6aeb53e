"""The receipt as a picture: the alert, the zone it told of, and what price did since."""

import numpy as np

from bot.charts.boxes import Box
from bot.charts.canvas import Canvas
from bot.charts.page import HEIGHT, WIDTH
from bot.charts.pictures import ReceiptPicture
from bot.charts.plane_paint import paint_candles, paint_grid, paint_price
from bot.charts.receipt_layout import Note, ReceiptLayout, lay_out_receipt
from bot.charts.themes import THEMES, Theme, ThemeName
from bot.charts.tones import tone


def draw_receipt(request: ReceiptPicture, *, theme: ThemeName = "dark") -> bytes:
    """A PNG of 1280x800 pixels. Safe in a worker thread; reads and writes no file."""
    layout, colours = lay_out_receipt(request), THEMES[theme]
    with Canvas(WIDTH, HEIGHT, colours.background) as canvas:
        _paint_zone(canvas, layout, colours)
        paint_grid(canvas, layout.plane, colours)
        paint_candles(canvas, layout.candles, colours)
        paint_price(canvas, layout.plane, colours)
        _paint_moments(canvas, layout, colours)
        for note in layout.notes:
            _paint_note(canvas, note, colours)
        if layout.banner:
            canvas.pill(layout.banner, colours.banner)
        for caption in layout.captions:
            canvas.write(caption, str(getattr(colours, caption.ink)))
        return canvas.png()


def _paint_zone(canvas: Canvas, layout: ReceiptLayout, theme: Theme) -> None:
    """The zone, faint before the alert told of it."""
    zone, colour = layout.zone, tone(theme, layout.side)
    canvas.box(layout.plane.frame, theme.panel)
    canvas.box(Box(zone.left, zone.bottom, layout.alert_x, zone.top), colour, alpha=0.15)
    canvas.box(Box(layout.alert_x, zone.bottom, zone.right, zone.top), colour, alpha=0.42)
    for y in (zone.bottom, zone.top):
        canvas.lines([np.array([(zone.left, y), (zone.right, y)])], colour, 2.0)


def _paint_moments(canvas: Canvas, layout: ReceiptLayout, theme: Theme) -> None:
    """When the alert came, and when it was settled."""
    frame = layout.plane.frame
    for x, dashes in ((layout.alert_x, ()), (layout.end_x, (3.0, 3.0))):
        canvas.lines([np.array([(x, frame.bottom), (x, frame.top)])], theme.text, 2.0, alpha=0.8, dashes=dashes)


def _paint_note(canvas: Canvas, note: Note, theme: Theme) -> None:
    if note.at is not None:
        x, y = note.at
        knee = min(max(x, note.box.left + 8), note.box.right - 8)
        edge = note.box.top if note.box.top <= y else note.box.bottom
        canvas.lines([np.array([(knee, edge), (x, y)])], theme.text, 1.5)
        canvas.ring(x, y, 5.0, theme.text, theme.background)
    canvas.pill(note.box, theme.panel, edge=str(getattr(theme, note.line.ink)), edge_width=2.0)
    canvas.write(note.line, str(getattr(theme, note.line.ink)))
