"""What is stored of one series of one market, what is known to be missing for good, and so what is to be asked for."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.market.types import BAR_MS
from bot.ranges import Ranges, Span

HOLE_ASKED_AGAIN_MS = 86_400_000
"""A hole is asked for again after a day: what an exchange left out in its worst hour it may have by then."""

JOINED_MS = 12 * BAR_MS
"""Gaps with less between them are one question: rows are cheaper than requests."""


class Hole(NamedTuple):
    """A stretch of which the exchange had nothing when it was asked at `asked_ms`."""

    start_ms: int
    end_ms: int
    asked_ms: int


class Coverage:
    """One series of 5-minute rows; every time is the open of a row's bar, ms UTC."""

    def __init__(self, rows: Ranges, holes: Sequence[Hole] = ()) -> None:
        self._rows = rows
        self.holes = tuple(holes)

    def missing(self, start_ms: int, end_ms: int, *, now_ms: int) -> Ranges:
        """What is neither there nor a hole that was asked for lately."""
        given_up = Ranges.of((h.start_ms, h.end_ms) for h in self.holes if now_ms - h.asked_ms < HOLE_ASKED_AGAIN_MS)
        return self._rows.plus(given_up).gaps(start_ms, end_ms).joined(JOINED_MS)

    def is_there(self, open_ms: int) -> bool:
        return not self._rows.gaps(open_ms, open_ms + BAR_MS).spans

    def absent(self, start_ms: int, end_ms: int) -> Ranges:
        """What is not there, holes among it."""
        return self._rows.gaps(start_ms, end_ms)

    def take(self, rows: Ranges) -> None:
        """These rows are stored now."""
        self._rows = self._rows.plus(rows)

    def give_up(self, asked: Span, *, now_ms: int) -> bool:
        """Of `asked` everything came that there is. True where the holes have changed by that."""
        still = self._rows.gaps(*asked)
        others = [part for hole in self.holes for part in _outside(hole, asked)]
        holes = (*others, *(Hole(start_ms, end_ms, now_ms) for start_ms, end_ms in still.spans))
        changed = set(holes) != set(self.holes)
        self.holes = tuple(sorted(holes))
        return changed

    def forget(self, before_ms: int) -> None:
        """Rows and holes that ended before the history in use are nobody's business any more."""
        self._rows = Ranges(tuple(span for span in self._rows.spans if span[1] > before_ms))
        self.holes = tuple(hole for hole in self.holes if hole.end_ms > before_ms)


def _outside(hole: Hole, span: Span) -> list[Hole]:
    rest = Ranges.of([span]).gaps(hole.start_ms, hole.end_ms)
    return [Hole(start_ms, end_ms, hole.asked_ms) for start_ms, end_ms in rest.spans]
