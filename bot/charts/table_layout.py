"""Where everything in a table stands, in pixels; nothing overlaps, whatever the words."""

from dataclasses import dataclass
from itertools import accumulate

from bot.charts.boxes import Box, Caption, Ink, caption
from bot.charts.fonts import fitted, legible, line_height
from bot.charts.page import HEIGHT, LEAST_PX, SIDE_MARGIN, TICK_PX, WIDTH, header, notice
from bot.charts.table_picture import Cell, Column, TablePicture
from bot.liquidation.values import replace

MOST_ROWS = 10
FEW_ROWS, LOW_HEIGHT = 4, 560
"""A table of so few rows is drawn lower, rather than with a void under it."""

HEAD_TOP = 676
"""The upper edge of the column titles, in a page of full height."""
HEAD_HEIGHT = 44
NOTE_HEIGHT = 34
FOOT = 22
MOST_ROW_HEIGHT = 92
NAME_PX, CELL_PX = 30, 28
PADDING = 14
BAR_HEIGHT = 10
SORTS = "\N{BLACK DOWN-POINTING SMALL TRIANGLE} "


@dataclass(frozen=True, slots=True)
class Bar:
    """`track` is what a bar could fill, `body` what it does; `lean` as in `Cell`, None for a plain one."""

    track: Box
    body: Box
    lean: float | None


@dataclass(frozen=True, slots=True)
class TableLayout:
    """`stripes` are the backgrounds of every second row, `sorted_by` that of the column which tells the order."""

    height: int
    frame: Box
    stripes: tuple[Box, ...]
    sorted_by: Box | None
    bars: tuple[Bar, ...]
    captions: tuple[Caption, ...]
    banner: Box | None
    notice: Box | None

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that must stand apart from all else."""
        return (*(each.box for each in self.captions), *(bar.track for bar in self.bars))


def lay_out_table(request: TablePicture) -> TableLayout:
    """The layout of a table of any number of rows."""
    rows = request.rows[:MOST_ROWS]
    height = HEIGHT if len(rows) > FEW_ROWS else LOW_HEIGHT
    up = height - HEIGHT
    captions, banner = header(request.title, request.subtitle, request.banner)
    captions = [_raised(each, up) for each in captions]
    notes = [legible(note) for note in request.notes]
    bottom = FOOT + NOTE_HEIGHT * len(notes)
    frame = Box(SIDE_MARGIN, bottom, WIDTH - SIDE_MARGIN, HEAD_TOP + up)
    edges = _edges(request.columns, frame)
    captions += _titles(request.columns, edges, frame)
    found, told = notice("" if rows else request.empty, frame)
    captions += [_raised(each, up) for each in told]
    row_height = min((frame.height - HEAD_HEIGHT) / max(len(rows), 1), MOST_ROW_HEIGHT)
    sizes = _sizes(rows, edges)
    stripes, bars = [], []
    for number, row in enumerate(rows):
        top = frame.top - HEAD_HEIGHT - number * row_height
        band = Box(frame.left, round(top - row_height), frame.right, round(top))
        if number % 2 == 0:
            stripes.append(band)
        for place, cell in enumerate(row[: len(edges)]):
            left, right = edges[place]
            told_cell, bar = _cell(cell, Box(left, band.bottom, right, band.top), sizes[place], first=place == 0)
            captions.append(told_cell)
            bars += [] if bar is None else [bar]
    for number, note in enumerate(notes):
        text, px = fitted(note, frame.width, LEAST_PX)
        captions.append(caption(text, SIDE_MARGIN, bottom - NOTE_HEIGHT * (number + 1) + 2, px, "muted"))
    low = frame.top - HEAD_HEIGHT - row_height * len(rows)
    by = next((place for place, column in enumerate(request.columns) if column.sorts), None)
    sorted_by = None
    if by is not None and rows:
        sorted_by = Box(round(edges[by][0]), round(low), round(edges[by][1]), frame.top)
    return TableLayout(
        height,
        frame,
        tuple(stripes),
        sorted_by,
        tuple(bars),
        tuple(each for each in captions if each.text),
        None if banner is None else _moved(banner, up),
        None if found is None else _moved(found, up),
    )


def _edges(columns: tuple[Column, ...], frame: Box) -> list[tuple[float, float]]:
    """The left and right edge of each column."""
    whole = sum(column.width for column in columns)
    ends = [frame.left + frame.width * end / whole for end in accumulate(column.width for column in columns)]
    return list(zip([frame.left, *ends[:-1]], ends, strict=True)) if ends else []


def _titles(columns: tuple[Column, ...], edges: list[tuple[float, float]], frame: Box) -> list[Caption]:
    found = []
    for place, (column, (left, right)) in enumerate(zip(columns, edges, strict=True)):
        words = legible(column.title)
        text, px = fitted(SORTS + words if column.sorts and words else words, right - left - 2 * PADDING, TICK_PX)
        ink: Ink = "text" if column.sorts else "muted"
        at, anchor = (left + PADDING, 0.0) if place == 0 else (right - PADDING, 1.0)
        found.append(
            caption(text, at, frame.top - HEAD_HEIGHT + 6, px, ink, bold=column.sorts and px > LEAST_PX, anchor=anchor)
        )
    return found


def _sizes(rows: tuple[tuple[Cell, ...], ...], edges: list[tuple[float, float]]) -> list[int]:
    """The size of each column's texts: that at which the longest of them fits. Names may each have their own."""
    sizes = [NAME_PX]
    for place, (left, right) in list(enumerate(edges))[1:]:
        room = right - left - 2 * PADDING
        cells = [row[place] for row in rows if place < len(row)]
        fits = (fitted(legible(cell.text), room, CELL_PX, least_px=LEAST_PX, bold=cell.strong)[1] for cell in cells)
        sizes.append(min(fits, default=CELL_PX))
    return sizes


def _cell(cell: Cell, box: Box, px: int, *, first: bool) -> tuple[Caption, Bar | None]:
    """The text of a cell, and the bar under it; both together stand in the middle of the row."""
    words, width = legible(cell.text), box.width - 2 * PADDING
    has_bar = cell.filled is not None or cell.lean is not None
    bold = cell.strong or first
    text, px = fitted(words, width, px, least_px=LEAST_PX, bold=bold)
    used = line_height(px) + (BAR_HEIGHT + 2 if has_bar else 0)
    bottom = box.bottom + (box.height - used) / 2
    low = bottom + (BAR_HEIGHT + 2 if has_bar else 0)
    at, anchor = (box.left + PADDING, 0.0) if first else (box.right - PADDING, 1.0)
    told = caption(text, at, low, px, "text", bold=bold, anchor=anchor)
    if not has_bar:
        return told, None
    track = Box(round(box.left + PADDING), round(bottom), round(box.right - PADDING), round(bottom) + BAR_HEIGHT)
    return told, Bar(track, _filled(track, cell), cell.lean)


def _filled(track: Box, cell: Cell) -> Box:
    if cell.lean is None:
        share = min(max(cell.filled or 0.0, 0.0), 1.0)
        return Box(track.left, track.bottom, round(track.left + share * track.width), track.top)
    end = track.centre + min(max(cell.lean, -1.0), 1.0) * track.width / 2
    left, right = sorted((round(track.centre), round(end)))
    return Box(left, track.bottom, right, track.top)


def _moved(box: Box, up: float) -> Box:
    return Box(box.left, box.bottom + up, box.right, box.top + up)


def _raised(one: Caption, up: float) -> Caption:
    return replace(one, box=_moved(one.box, up))
