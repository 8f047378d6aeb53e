"""A table of markets as a picture: figures to be read, with small bars to be seen at a glance."""

from bot.charts.boxes import Box
from bot.charts.canvas import Canvas
from bot.charts.page import WIDTH
from bot.charts.table_layout import Bar, lay_out_table
from bot.charts.table_picture import TablePicture
from bot.charts.themes import THEMES, Theme, ThemeName


def draw_table(request: TablePicture, *, theme: ThemeName = "dark") -> bytes:
    """A PNG of 1280 pixels by 800, or by 560 for a few rows. Safe in a worker thread; reads and writes no file."""
    layout, colours = lay_out_table(request), THEMES[theme]
    with Canvas(WIDTH, layout.height, colours.background) as canvas:
        for stripe in layout.stripes:
            canvas.box(stripe, colours.panel)
        if layout.sorted_by is not None:
            canvas.box(layout.sorted_by, colours.frame, alpha=0.35)
        for bar in layout.bars:
            _paint_bar(canvas, bar, colours)
        if layout.banner:
            canvas.pill(layout.banner, colours.banner)
        if layout.notice:
            canvas.pill(layout.notice, colours.panel, edge=colours.frame, edge_width=2.0)
        for caption in layout.captions:
            canvas.write(caption, str(getattr(colours, caption.ink)))
        return canvas.png()


def _paint_bar(canvas: Canvas, bar: Bar, theme: Theme) -> None:
    """The track, what is filled of it, and of one that leans the middle from which it does."""
    canvas.box(bar.track, theme.frame)
    tone = theme.price if bar.lean is None else theme.long if bar.lean > 0.0 else theme.short
    canvas.box(bar.body, tone)
    if bar.lean is not None:
        middle = round(bar.track.centre)
        canvas.box(Box(middle - 1, bar.track.bottom - 3, middle + 2, bar.track.top + 3), theme.muted)
