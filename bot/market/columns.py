"""Columns of a gzip CSV file with a header line, read whole and strictly: a bad cell is an error with its line."""

import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.market.types import Floats, Ints

GZIP: Final = zlib.MAX_WBITS | 16
FIRST_ROW_LINE: Final = 2
LARGEST_WHOLE: Final = 2.0**53


class RecordingError(Exception):
    """A recording that cannot be trusted; the text is one sentence with the file and, where there is one, the line."""

    def __init__(self, path: Path, what: str, *, line: int | None = None) -> None:
        super().__init__(f"{path}: {what}" if line is None else f"{path}, line {line}: {what}")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file: `numbers` by name, float64 and finite, and `texts` by name; every one has length `rows`.

    Row i is line i + 2 of the file, for a blank line inside it is refused.
    """

    path: Path
    rows: int
    numbers: Mapping[str, Floats]
    texts: Mapping[str, tuple[str, ...]]

    def number(self, name: str) -> Floats:
        """The column, or NaN in every row where the file has no such column."""
        found = self.numbers.get(name)
        return np.full(self.rows, np.nan) if found is None else found

    def whole(self, name: str) -> Ints:
        """A column of whole numbers, such as times in milliseconds."""
        column = self.numbers[name]
        self.refuse(
            (column != np.floor(column)) | (np.abs(column) > LARGEST_WHOLE),
            lambda row: f"{name} {column[row]!r} is not a whole number",
        )
        return column.astype(np.int64)

    def refuse(self, bad: NDArray[np.bool_], reason: Callable[[int], str]) -> None:
        """Raise the reason of the first bad row, if there is one."""
        if bad.any():
            row = int(np.argmax(bad))
            raise RecordingError(self.path, reason(row), line=row + FIRST_ROW_LINE)


def read_columns(
    path: Path, required: Sequence[str], *, optional: Sequence[str] = (), text: Sequence[str] = ()
) -> Columns:
    """Read the named columns; columns beside them are left alone. Raises RecordingError."""
    header, _, body = unpack(path).removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").partition(b"\n")
    place = header_places(path, header, required)
    width = len(header.split(b","))
    body = body.rstrip(b"\n")
    rows = body.count(b"\n") + 1 if body else 0
    known = [name for name in (*required, *optional) if name in place]
    numeric = {name: place[name] for name in known if name not in text}
    numbers = read_numbers(body, rows, width, numeric)
    texts = read_texts(body, width, {name: place[name] for name in known if name in text})
    if numbers is None or texts is None:
        raise first_bad_line(path, body.split(b"\n"), numeric, width)
    return Columns(path, rows, numbers, texts)


def read_numbers(body: bytes, rows: int, width: int, places: Mapping[str, int]) -> dict[str, Floats] | None:
    """The columns at these places; None where some line is not whole or some cell not a finite number."""
    if rows == 0:
        return {name: np.empty(0) for name in places}
    if is_ragged(body, rows, width):
        return None
    try:
        table = np.loadtxt(io.BytesIO(body), delimiter=",", comments=None, usecols=list(places.values()), ndmin=2)
    except ValueError:
        return None
    if len(table) != rows or not np.isfinite(table).all():
        return None
    return dict(zip(places, np.ascontiguousarray(table.T), strict=True))


def read_texts(body: bytes, width: int, places: Mapping[str, int]) -> dict[str, tuple[str, ...]] | None:
    """The columns at these places as text; None where some cell is not UTF-8."""
    if not places:
        return {}
    cells = body.replace(b"\n", b",").split(b",") if body else []
    columns = {name: cells[at::width] for name, at in places.items()}
    try:
        words = {cell: cell.decode() for column in columns.values() for cell in set(column)}
    except UnicodeDecodeError:
        return None
    return {name: tuple(map(words.__getitem__, column)) for name, column in columns.items()}


def is_ragged(body: bytes, rows: int, width: int) -> bool:
    """Whether some line has more or fewer commas than the header."""
    data = np.frombuffer(body, dtype=np.uint8)
    commas = np.flatnonzero(data == ord(","))
    if len(commas) != rows * (width - 1):
        return True
    if width == 1:
        return False
    ends = np.flatnonzero(data == ord("\n"))
    by_line = commas.reshape(rows, width - 1)
    return bool((by_line[:-1, -1] > ends).any() or (by_line[1:, 0] < ends).any())


def unpack(path: Path) -> bytes:
    """The text inside a gzip file of one or more members; a broken end is told with the line at which it breaks."""
    try:
        packed = path.read_bytes()
    except FileNotFoundError as error:
        raise RecordingError(path, "the file is missing") from error
    except OSError as error:
        raise RecordingError(path, f"the file cannot be read ({error.strerror})") from error
    whole: list[bytes] = []
    while packed:
        member = zlib.decompressobj(GZIP)
        try:
            whole.append(member.decompress(packed))
        except zlib.error as error:
            line = last_line(whole)
            what = "this is not a gzip file" if not whole else "the gzip data is damaged after this line"
            raise RecordingError(path, what, line=line) from error
        if not member.eof:
            raise RecordingError(path, "the gzip data breaks off here, so the file is not whole", line=last_line(whole))
        packed = member.unused_data.lstrip(b"\0")
    if not whole:
        raise RecordingError(path, "the file is empty", line=1)
    return b"".join(whole)


def last_line(parts: Sequence[bytes]) -> int:
    """The number of the line in which these parts end."""
    return 1 + sum(part.count(b"\n") for part in parts)


def header_places(path: Path, header: bytes, required: Sequence[str]) -> dict[str, int]:
    """The place of each column of the header line."""
    names = [name.strip().strip('"') for name in header.decode(errors="replace").split(",")]
    for name in required:
        if name not in names:
            raise RecordingError(path, f"the column {name} is missing", line=1)
        if names.count(name) > 1:
            raise RecordingError(path, f"the column {name} is there twice", line=1)
    return {name: place for place, name in enumerate(names)}


def first_bad_line(path: Path, lines: Sequence[bytes], places: Mapping[str, int], width: int) -> RecordingError:
    """What is wrong with the first line that cannot be taken: looked for only after a quick read has failed."""
    for number, line in enumerate(lines, start=FIRST_ROW_LINE):
        cells = line.split(b",")
        if not is_text(line):
            return RecordingError(path, "the line is not UTF-8 text", line=number)
        if not line.strip():
            return RecordingError(path, "the line is blank", line=number)
        if len(cells) != width:
            return RecordingError(path, f"{len(cells)} cells stand under a header of {width}", line=number)
        for name, place in places.items():
            if not is_finite_number(cells[place]):
                shown = cells[place].decode(errors="replace").strip()[:40]
                return RecordingError(path, f"{name} is {shown or 'blank'}, not a number", line=number)
    return RecordingError(path, "the file cannot be read as a table of numbers")


def is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_finite_number(cell: bytes) -> bool:
    try:
        return b"_" not in cell and bool(np.isfinite(float(cell)))
    except ValueError:
        return False
