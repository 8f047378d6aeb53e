"""The cascade's picture: what stands against the orders that rest there, and how far chains would run."""

import numpy as np

from bot.charts.boxes import Box
from bot.charts.canvas import Canvas
from bot.charts.cascade_layout import CascadeLayout, Lane, lay_out_cascade
from bot.charts.page import HEIGHT, WIDTH
from bot.charts.pictures import CascadePicture
from bot.charts.themes import THEMES, Theme, ThemeName
from bot.charts.tones import blend, tone
from bot.liquidation.types import Side

HEAD = 11.0
"""How long an arrow's head is."""


def draw_cascade(request: CascadePicture, *, theme: ThemeName = "dark") -> bytes:
    """A PNG of 1280x800 pixels. Safe in a worker thread; reads and writes no file."""
    layout, colours = lay_out_cascade(request), THEMES[theme]
    with Canvas(WIDTH, HEIGHT, colours.background) as canvas:
        _paint_ground(canvas, layout, colours)
        _paint_bars(canvas, layout, colours)
        _paint_price(canvas, layout, colours)
        for lane in layout.lanes:
            _paint_lane(canvas, lane, colours)
        _paint_texts(canvas, layout, colours)
        return canvas.png()


def _paint_ground(canvas: Canvas, layout: CascadeLayout, theme: Theme) -> None:
    """The frame with its grid, and a band where each told cluster lies."""
    frame = layout.ladder.frame
    canvas.box(frame, theme.panel)
    for lane in layout.lanes:
        low, high = lane.body
        canvas.box(Box(frame.left, low, frame.right, max(high, low + 2)), tone(theme, lane.side), alpha=0.14)
    paths = [np.array([(frame.left, y), (frame.right, y)]) for y in layout.tick_y]
    canvas.lines(paths, theme.grid, 1.5)


def _paint_bars(canvas: Canvas, layout: CascadeLayout, theme: Theme) -> None:
    rungs, spine = layout.rungs, np.full(len(layout.rungs.bottom), layout.spine)
    for side, mine in ((Side.LONG, rungs.longs), (Side.SHORT, ~rungs.longs)):
        pale = theme.long_dim if side is Side.LONG else theme.short_dim
        for reach, colour in ((rungs.stands, pale), (rungs.forced, tone(theme, side))):
            canvas.rectangles((spine - reach)[mine], rungs.bottom[mine], spine[mine], rungs.top[mine], colour)
    for mine, share in ((rungs.known, 0.75), (~rungs.known, 0.35)):
        right = (spine + rungs.orders)[mine]
        tint = np.tile(blend(theme.panel, theme.muted, share), (len(right), 1))
        canvas.rectangles(spine[mine], rungs.bottom[mine], right, rungs.top[mine], tint)
    frame = layout.ladder.frame
    canvas.box(Box(layout.spine - 1, frame.bottom, layout.spine + 1, frame.top), theme.frame)


def _paint_price(canvas: Canvas, layout: CascadeLayout, theme: Theme) -> None:
    frame, y = layout.ladder.frame, layout.price_y
    canvas.lines([np.array([(frame.left, y), (frame.right + 8, y)])], theme.price, 2.5)
    canvas.pill(layout.pill, theme.price)


def _paint_lane(canvas: Canvas, lane: Lane, theme: Theme) -> None:
    """From the cluster's edge: an arrow to the middle estimate, and a fainter band on to the far end."""
    colour, x = tone(theme, lane.side), lane.x
    low, high = sorted((lane.start, lane.most))
    canvas.box(Box(x - 9, low, x + 9, max(high, low + 2)), colour, alpha=0.3)
    canvas.box(Box(x - 9, lane.most - 1, x + 9, lane.most + 1), colour)
    canvas.lines([np.array([(x, lane.start), (x, lane.likely)])], colour, 5.0)
    if lane.likely == lane.start:
        canvas.ring(x, lane.start, 5.0, colour, theme.panel)
        return
    back = HEAD if lane.side is Side.LONG else -HEAD
    canvas.lines([np.array([(x - 9, lane.likely + back), (x, lane.likely), (x + 9, lane.likely + back)])], colour, 4.0)
    canvas.ring(x, lane.start, 5.0, colour, theme.panel)


def _paint_texts(canvas: Canvas, layout: CascadeLayout, theme: Theme) -> None:
    if layout.banner:
        canvas.pill(layout.banner, theme.banner)
    for box, lines, row in layout.labels:
        canvas.lines([np.array([(box.right, 0.5 * (box.bottom + box.top)), (box.right + 12, row)])], theme.muted, 2.0)
        canvas.pill(box, theme.background, edge=theme.frame, edge_width=1.5, radius=6)
        for line in lines:
            canvas.write(line, str(getattr(theme, line.ink)))
    for box, kind in layout.swatches:
        _paint_swatch(canvas, box, kind, theme)
    for line in (*layout.captions, *layout.ends):
        canvas.write(line, str(getattr(theme, line.ink)))


def _paint_swatch(canvas: Canvas, box: Box, kind: str, theme: Theme) -> None:
    """A sample of what it names, in both sides' colours where it has them."""
    left, right = Box(box.left, box.bottom, box.centre, box.top), Box(box.centre, box.bottom, box.right, box.top)
    if kind == "stands":
        canvas.box(left, theme.long_dim)
        canvas.box(right, theme.short_dim)
    elif kind == "forced":
        canvas.box(left, theme.long)
        canvas.box(right, theme.short)
    elif kind == "orders":
        canvas.box(box, theme.muted, alpha=0.75)
    else:
        x = box.centre
        canvas.lines([np.array([(x, box.top), (x, box.bottom)])], theme.muted, 4.0)
        canvas.lines([np.array([(x - 7, box.bottom + 8), (x, box.bottom), (x + 7, box.bottom + 8)])], theme.muted, 3.0)
