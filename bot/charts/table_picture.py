"""What a table is asked to show: markets as rows, a few figures as columns, some of them with a small bar."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`width` is its share beside the others'; the first column stands to the left, the others to the right.

    `sorts` marks the one by which the rows stand in order.
    """

    title: str
    width: float = 1.0
    sorts: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and under it a bar where it has one: `filled` 0 to 1 grows from the left, `lean` -1 to 1 from the middle,
    to the right for longs and to the left for shorts. `strong` sets what is out of the usual in bold.
    """

    text: str
    filled: float | None = None
    lean: float | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class TablePicture:
    """A table to draw: at most `table_layout.MOST_ROWS` rows, each with a cell for every column; more are left out.

    `notes` are lines under it. `empty` is said in place of the rows where there are none, `banner` is a warning that
    must not be missed.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str
    subtitle: str
    notes: tuple[str, ...] = ()
    empty: str = ""
    banner: str = ""
