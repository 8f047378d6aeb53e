"""Small tables for a monospaced font, inside <pre>, no wider than a phone shows them."""

import unicodedata
from collections.abc import Sequence

from bot.telegram.texts import Html, escape

COLUMNS = 31
"""What a bubble on a phone holds of a line: a longer one breaks, and the table with it."""

Rows = Sequence[Sequence[str]]


def columns_of(text: str) -> int:
    """How many columns a text takes: a Chinese character two, a combining mark none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def widths_of(rows: Rows) -> list[int]:
    """How wide each column is."""
    return [max(map(columns_of, column)) for column in zip(*rows, strict=True)]


def fits(rows: Rows) -> bool:
    """Whether a phone shows these rows without breaking a line."""
    widths = widths_of(rows)
    return sum(widths) + len(widths) - 1 <= COLUMNS


def narrowed(rows: Rows, *, spare: Sequence[int]) -> Rows:
    """The rows without as many of the `spare` columns, in their order, as a phone has no room for."""
    gone: set[int] = set()
    for column in spare:
        kept = [[cell for place, cell in enumerate(row) if place not in gone] for row in rows]
        if fits(kept):
            return kept
        gone.add(column)
    return [[cell for place, cell in enumerate(row) if place not in gone] for row in rows]


def aligned(cells: Sequence[str], widths: Sequence[int], *, left: int = 1) -> str:
    """One line: the first `left` columns to the left, the others to the right."""
    padded = (
        cell + " " * (width - columns_of(cell)) if place < left else " " * (width - columns_of(cell)) + cell
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return " ".join(padded).rstrip()


def lines_of(rows: Rows, *, left: int = 1) -> list[str]:
    """The rows in columns."""
    widths = widths_of(rows)
    return [aligned(row, widths, left=left) for row in rows]


def escape_lines(lines: Sequence[str]) -> Html:
    """Lines made safe one by one, so that their breaks survive."""
    return Html("\n".join(escape(line) for line in lines))


def table(header: Sequence[str], rows: Rows, *, spare: Sequence[int] = ()) -> Html:
    """The rows under their header, the first column to the left, the others to the right; at least one row.

    Of the `spare` columns so many are left out, in their order, as a phone has no room for.
    """
    return Html("<pre>" + escape_lines(lines_of(narrowed([header, *rows], spare=spare))) + "</pre>")
