"""Rectangles, captions and axes in pixels, from the lower left corner of a picture."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.charts import fonts

Ink = Literal["text", "muted", "long", "short", "on_price", "on_banner"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def centre(self) -> float:
        return 0.5 * (self.left + self.right)

    def overlaps(self, other: "Box") -> bool:
        """Whether they share more than an edge."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def contains(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and self.bottom <= other.bottom
            and self.right >= other.right
            and self.top >= other.top
        )


@dataclass(frozen=True, slots=True)
class Caption:
    """One line of text: `box` is what it covers, ascent and descent included. A vertical one reads upwards."""

    text: str
    box: Box
    px: int
    ink: Ink
    bold: bool = False
    vertical: bool = False


def caption(
    text: str, x: float, bottom: float, px: int, ink: Ink, *, bold: bool = False, anchor: float = 0.0
) -> Caption:
    """A caption on one line; `anchor` 0, 0.5 or 1 puts its left end, its middle or its right end at `x`."""
    width = fonts.text_width(text, px, bold=bold)
    left = x - anchor * width
    return Caption(text, Box(left, bottom, left + width, bottom + fonts.line_height(px)), px, ink, bold)


def spread(wanted: Sequence[float], widths: Sequence[float], *, low: float, high: float, gap: float) -> list[float]:
    """Left ends of intervals in a row, as near to the `wanted` centres as least squares allows, without overlap.

    Both sequences are in order from left to right. Where they do not all fit between `low` and `high`, the row begins
    at `low`.
    """
    offsets = [sum(widths[:i]) + gap * i for i in range(len(widths))]
    blocks: list[tuple[float, int]] = []  # (mean, members) of offsets pooled until they ascend
    for centre, width, offset in zip(wanted, widths, offsets, strict=True):
        mean, members = centre - 0.5 * width - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, others = blocks.pop()
            mean = (before * others + mean * members) / (others + members)
            members += others
        blocks.append((mean, members))
    room = high - (offsets[-1] + widths[-1]) if widths else high
    shifts = [max(min(mean, room), low) for mean, members in blocks for _ in range(members)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]


def place_apart(candidates: Iterable[Box], taken: Sequence[Box], *, gap: float = 0.0) -> Box | None:
    """The first candidate that stands apart from all that is taken; None where none does."""
    for box in candidates:
        wide = Box(box.left - gap, box.bottom - gap, box.right + gap, box.top + gap)
        if not any(wide.overlaps(other) for other in taken):
            return box
    return None


def nice_steps(low: float, high: float) -> list[float]:
    """Steps of 1, 2, 2.5 or 5 times a power of ten, ascending, from a hundredth of the range to all of it."""
    first = math.floor(math.log10((high - low) / 100.0))
    return [digit * 10.0**power for power in range(first, first + 4) for digit in (1, 2, 2.5, 5)]


def ticks(low: float, high: float, fits: Callable[[list[float], float], bool]) -> tuple[list[float], float]:
    """Multiples of the smallest nice step inside the range whose labels fit, and the step; none where no step's do."""
    for step in nice_steps(low, high):
        count = (high - low) / step
        if count > 40:
            continue
        at = [step * i for i in range(math.floor(low / step), math.ceil(high / step) + 1) if low < step * i < high]
        if fits(at, step):
            return at, step
    return [], 1.0


def rounded_up(value: float) -> float:
    """The next number whose quarter is short: 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6 or 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    for digit in (1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0):
        if value <= digit * power * (1 + 1e-9):
            return digit * power
    return 10.0 * power
