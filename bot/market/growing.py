"""A recording's file that grows while it may be read: each time it is put in place whole, with a gzip member more.

A process that is killed leaves the file as it was last put in place, which a strict reader takes. What waits since
then is lost with it; how much that can be is told by `due`.
"""

import gzip
import os
import shutil
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bot.market.columns import RecordingError, unpack

FIRST_WAIT_S: Final = 60.0
LONGEST_WAIT_S: Final = 600.0
WORTH_A_COPY: Final = 0.02
"""Rows that wait, as a share of those in the file, from which on it is written before the longest wait is over."""

MOST_WAITING: Final = 50_000
"""Rows that wait at most, where a file cannot be begun yet: a day of prices."""

Row = tuple[int, str]
"""The time in ms UTC that a row begins with, and the row."""


class GrowingFile:
    """One gzip CSV file whose rows begin with a time and never fall in it. `add` rows, `write` them."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        """Begin or continue. Raises RecordingError where the file that is there cannot be continued."""
        self.path = path
        self.rows = 0
        self.dropped = 0
        self.newest_ms = -1
        """The latest time of any row, written or waiting."""
        self._header = ",".join(header)
        self._written_ms = -1
        self._written_s = float("-inf")
        self._waiting: deque[Row] = deque()
        if path.exists():
            self._continue(lines_of(path))

    @property
    def waiting(self) -> int:
        """Rows that are not in the file yet."""
        return len(self._waiting)

    def add(self, rows: Iterable[Row]) -> None:
        """Have these rows written; beyond the bound the oldest are dropped and counted."""
        for row in rows:
            self._waiting.append(row)
            self.newest_ms = max(self.newest_ms, row[0])
            if len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self.dropped += 1

    def due(self, now_s: float) -> bool:
        """Whether what waits should be written: at once in a new file, in ten minutes at the latest.

        Each writing copies the file, so that a large one is written less often.
        """
        if not self._waiting or not self.rows:
            return bool(self._waiting)
        waited_s = now_s - self._written_s
        worth = len(self._waiting) >= WORTH_A_COPY * self.rows and waited_s >= FIRST_WAIT_S
        return worth or waited_s >= LONGEST_WAIT_S

    def is_old(self, now_s: float) -> bool:
        """Whether the file was last put in place a minute ago, or never."""
        return now_s - self._written_s >= FIRST_WAIT_S

    def write(self, now_s: float) -> None:
        """Put the file in place with what waits. Raises OSError; then all that waits still does."""
        if not self._waiting:
            return
        new = sorted(self._waiting, key=lambda row: row[0])
        if not self.rows:
            put_in_place(self.path, member([self._header, *(line for _, line in new)]))
        elif new[0][0] >= self._written_ms:
            put_in_place(self.path, member([line for _, line in new]), after=self.path)
        else:
            _, *old = lines_of(self.path)
            both = sorted([*((time_of(line), line) for line in old), *new], key=lambda row: row[0])
            put_in_place(self.path, member([self._header, *(line for _, line in both)]))
        self.rows += len(new)
        self._written_ms = max(self._written_ms, new[-1][0])
        self._waiting.clear()
        self._written_s = now_s

    def _continue(self, lines: Sequence[str]) -> None:
        header, *rows = lines
        if header != self._header:
            what = f"the columns are {header[:200]}, not {self._header}, so it cannot be continued: record elsewhere"
            raise RecordingError(self.path, what, line=1)
        self.rows = len(rows)
        try:
            self.newest_ms = self._written_ms = time_of(rows[-1]) if rows else -1
        except ValueError:
            raise RecordingError(self.path, "the last row begins with no time", line=len(lines)) from None


def time_of(line: str) -> int:
    """The time that a row begins with."""
    return int(line.partition(",")[0])


def lines_of(path: Path) -> list[str]:
    """The lines of a gzip file, the header among them. Raises RecordingError."""
    try:
        return unpack(path).decode("utf-8-sig").splitlines() or [""]
    except UnicodeDecodeError:
        raise RecordingError(path, "the file is not UTF-8 text") from None


def member(lines: Sequence[str]) -> bytes:
    """A gzip member of these lines; the same lines give the same bytes."""
    return gzip.compress("\n".join([*lines, ""]).encode(), compresslevel=6, mtime=0)


def put_in_place(path: Path, data: bytes, *, after: Path | None = None) -> None:
    """Put `data`, after the content of a file, in the place of `path`: in one step and on the disk. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as target:
            if after is not None:
                with after.open("rb") as source:
                    shutil.copyfileobj(source, target, 1 << 20)
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
