"""The seam to what a venue tells unasked: liquidation prints with when anybody listened at all, prices, contracts.

A silent market and a broken line look alike in the prints. So a feed says both: the prints, and the stretches of time
in which one would have been heard.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from bot.market.price_book import PriceBook
from bot.market.types import Prints

Stretch = tuple[int, int]
"""From when to when, ms UTC."""


@dataclass(frozen=True, slots=True)
class Print:
    """One liquidation: `is_long` is True where a long was closed.

    `price` is where the position was closed on average; with `at_bankruptcy` it is where its margin was used up, which
    lies beyond the price that set the liquidation off (`bot.market.history` moves it back there).
    """

    time_ms: int
    symbol: str
    is_long: bool
    price: float
    coins: float
    at_bankruptcy: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What came since the last look, in the order it came, and when the line was alive."""

    prints: tuple[Print, ...] = ()
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """What a status page shows of a feed. Times in ms UTC, None for never.

    `dropped` counts prints there was no room for, `connections` how often a line was made, `gaps` how often nobody
    listened between two lines. `lag_ms` is how late the newest message was by this machine's clock, `dropped_rows` what
    could not be understood, by cause; `trouble` is why nothing is heard now, in words.
    """

    alive: bool
    last_print_ms: int | None
    prints: int
    dropped: int
    connections: int
    gaps: int = 0
    last_message_ms: int | None = None
    lag_ms: int | None = None
    dropped_rows: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ContractNews:
    """What a venue said unasked of a contract: whether it trades, and when it ends where that is set (ms UTC)."""

    time_ms: int
    symbol: str
    trades: bool
    delist_ms: int | None


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


@runtime_checkable
class MarketStream(LiquidationFeed, Protocol):
    """A feed whose line brings prices too. Played and simulated feeds have none."""

    prices: PriceBook
    """The newest prices. They are those of the moment only while `status().alive`."""

    def follow(self, symbols: Collection[str]) -> None:
        """Have the prices of these contracts on the line, within seconds; a venue may send others too."""
        ...

    def contract_news(self) -> Mapping[str, ContractNews]:
        """The newest news of each contract of which there was some."""
        ...


def rows_of_prints(prints: Prints) -> tuple[Print, ...]:
    """Columns as rows."""
    kinds = [False] * len(prints) if prints.at_bankruptcy is None else prints.at_bankruptcy.tolist()
    columns = (prints.time_ms.tolist(), prints.symbol, prints.is_long.tolist(), prints.price.tolist())
    return tuple(Print(*row) for row in zip(*columns, prints.coins.tolist(), kinds, strict=True))


def prints_of_rows(rows: Iterable[Print]) -> Prints:
    """Rows as columns, in order of time."""
    ordered = sorted(rows, key=lambda row: row.time_ms)
    return Prints(
        time_ms=np.array([row.time_ms for row in ordered], dtype=np.int64),
        symbol=tuple(row.symbol for row in ordered),
        is_long=np.array([row.is_long for row in ordered], dtype=np.bool_),
        price=np.array([row.price for row in ordered], dtype=np.float64),
        coins=np.array([row.coins for row in ordered], dtype=np.float64),
        at_bankruptcy=np.array([row.at_bankruptcy for row in ordered], dtype=np.bool_),
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
