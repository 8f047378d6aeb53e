"""Small tables for a monospaced font, inside <pre>."""

from collections.abc import Sequence

from bot.telegram.limits import utf16_length
from bot.telegram.texts import Html, escape


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    """The rows under their header, the first column to the left, the others to the right; at least one row."""
    widths = [max(map(utf16_length, column)) for column in zip(header, *rows, strict=True)]
    lines = []
    for cells in (header, *rows):
        first, *rest = (
            " " * (width - utf16_length(cell)) + cell if place else cell + " " * (width - utf16_length(cell))
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        lines.append(escape(" ".join([first, *rest]).rstrip()))
    return Html("<pre>" + "\n".join(lines) + "</pre>")
