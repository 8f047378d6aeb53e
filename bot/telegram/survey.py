"""What a conversation asks about many markets at once; `app` answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.alerts.types import Market
from bot.liquidation.glance import GlanceRow, Order
from bot.liquidation.shape import ShapeReport
from bot.telegram.market_views import Look

SHOWN = 10
"""So many markets stand in one picture."""


@dataclass(frozen=True, slots=True)
class PulseView:
    """The shape of one market's map beside its own last days, as of `time_ms`.

    `move_pct` is the usual move of the next four hours by past volatility (a standard deviation, in percent).
    """

    market: Market
    base: str
    time_ms: int
    report: ShapeReport
    move_pct: float
    simulated: bool = False

    @property
    def tightness(self) -> float:
        """How wound up it is, 0 to 1; below every other where nothing is usual yet."""
        known = self.report.tightness
        return -1.0 if known is None else known


@dataclass(frozen=True, slots=True)
class ScanLine:
    """One market of a scan: its figures at the newest price, from a map as of `time_ms`."""

    market: Market
    base: str
    time_ms: int
    row: GlanceRow
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class ScanView:
    """The markets of a scan in an order, the first one first; those that have no place in it are left out.

    `read` of `wanted` markets have been looked at so far. `several` tells whether they are of several exchanges.
    """

    order: Order
    lines: tuple[ScanLine, ...]
    read: int
    wanted: int
    several: bool = False

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.lines) // SHOWN))

    def page(self, number: int) -> tuple[ScanLine, ...]:
        """The lines of one page, the first one 0."""
        return self.lines[number * SHOWN : (number + 1) * SHOWN]


class Survey(Protocol):
    """Answers about several markets."""

    async def pulse(self, market: Market) -> PulseView:
        """One market's pulse. Takes a second where nobody asked that day. Raises MarketUnavailableError."""
        ...

    async def pulse_picture(self, views: Sequence[PulseView], *, look: Look) -> tuple[bytes, str] | None:
        """The table of one market's figures, or of several markets, in their order; None where it was not drawn."""
        ...

    async def scan(self, order: Order) -> ScanView:
        """Every market that there is a map of, in an order. Asks for order books only where they are what counts."""
        ...

    async def scan_picture(self, view: ScanView, page: int, *, look: Look) -> tuple[bytes, str] | None:
        """One page as a table; None where it was not drawn."""
        ...
