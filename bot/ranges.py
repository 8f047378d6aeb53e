"""Stretches of time as sorted, disjoint half-open spans: what is there, and what is missing in between."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bot.market.feed import joined_stretches
from bot.market.types import Ints

Span = tuple[int, int]
"""From a time in ms, up to and without another."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Times that belong together; spans that touch are one."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, spans: Iterable[Span]) -> "Ranges":
        """The union of any spans, in any order; an empty one adds nothing."""
        return cls(joined_stretches(spans))

    @classmethod
    def of_rows(cls, open_ms: Ints, width_ms: int) -> "Ranges":
        """What rows cover that begin at `open_ms` (n,), ascending, and last `width_ms` each."""
        if not len(open_ms):
            return cls()
        first = np.flatnonzero(np.diff(open_ms, prepend=open_ms[0] - width_ms - 1) > width_ms)
        last = np.append(first[1:], len(open_ms)) - 1
        return cls(tuple(zip(open_ms[first].tolist(), (open_ms[last] + width_ms).tolist(), strict=True)))

    def plus(self, other: "Ranges") -> "Ranges":
        return Ranges.of((*self.spans, *other.spans))

    def within(self, start_ms: int, end_ms: int) -> "Ranges":
        """The part of it from `start_ms` up to `end_ms`."""
        return Ranges.of((max(span[0], start_ms), min(span[1], end_ms)) for span in self.spans)

    def gaps(self, start_ms: int, end_ms: int) -> "Ranges":
        """What is missing of it from `start_ms` up to `end_ms`."""
        inside = self.within(start_ms, end_ms).spans
        begins = [start_ms, *(end for _, end in inside)]
        ends = [*(start for start, _ in inside), end_ms]
        return Ranges.of(zip(begins, ends, strict=True))

    def joined(self, most_ms: int) -> "Ranges":
        """Spans with at most `most_ms` between them become one."""
        return Ranges(joined_stretches(self.spans, gap_ms=most_ms))
