"""The seam to a feed of liquidation prints: what was heard, and when anybody listened at all.

A silent market and a broken line look alike in the prints. So a feed says both: the prints, and the stretches of time
in which one would have been heard.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bot.market.types import Prints

Stretch = tuple[int, int]
"""From when to when, ms UTC."""


@dataclass(frozen=True, slots=True)
class Print:
    """One liquidation: `price` is where the position was closed on average, `is_long` True where it was a long."""

    time_ms: int
    symbol: str
    is_long: bool
    price: float
    coins: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What came since the last look, in the order it came, and when the line was alive."""

    prints: tuple[Print, ...] = ()
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """What a status page shows of a feed. Times in ms UTC, None for never. `dropped` counts prints there was no room
    for, `connections` how often a line was made.
    """

    alive: bool
    last_print_ms: int | None
    prints: int
    dropped: int
    connections: int


class LiquidationFeed(Protocol):
    """Liquidation prints of one venue, as they happen."""

    name: str

    async def run(self) -> None:
        """Listen until cancelled; a line that breaks is made again."""
        ...

    def take(self) -> Heard:
        """What was heard since the last take."""
        ...

    def status(self) -> FeedStatus: ...


def rows_of_prints(prints: Prints) -> tuple[Print, ...]:
    """Columns as rows."""
    columns = (prints.time_ms.tolist(), prints.symbol, prints.is_long.tolist(), prints.price.tolist())
    return tuple(Print(*row) for row in zip(*columns, prints.coins.tolist(), strict=True))


def prints_of_rows(rows: Iterable[Print]) -> Prints:
    """Rows as columns, in order of time."""
    ordered = sorted(rows, key=lambda row: row.time_ms)
    return Prints(
        time_ms=np.array([row.time_ms for row in ordered], dtype=np.int64),
        symbol=tuple(row.symbol for row in ordered),
        is_long=np.array([row.is_long for row in ordered], dtype=np.bool_),
        price=np.array([row.price for row in ordered], dtype=np.float64),
        coins=np.array([row.coins for row in ordered], dtype=np.float64),
    )


def joined_stretches(stretches: Iterable[Stretch], *, gap_ms: int = 0) -> tuple[Stretch, ...]:
    """Stretches in order, empty ones left out; those that overlap or are at most `gap_ms` apart are one."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1] + gap_ms:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return tuple(joined)
