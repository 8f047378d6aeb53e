"""What a conversation asks about many markets at once; `app` answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.alerts.types import Market
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


class Survey(Protocol):
    """Answers about several markets."""

    async def pulse(self, market: Market) -> PulseView:
        """One market's pulse. Takes a second where nobody asked within the hour. Raises MarketUnavailableError."""
        ...

    async def pulse_picture(self, views: Sequence[PulseView], *, look: Look) -> tuple[bytes, str] | None:
        """The table of one market's figures, or of several markets, in their order; None where it was not drawn."""
        ...
