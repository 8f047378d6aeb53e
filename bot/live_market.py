"""One market as it is known now: its history, its reading, its price."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.alerts.types import Market
from bot.liquidation import DEFAULT, History, ModelParameters, RiskTier
from bot.liquidation.confluence import Surroundings
from bot.liquidation.depth import Depth
from bot.liquidation.landmarks import Landmarks
from bot.market.types import Instrument
from bot.reading import Reading


@dataclass(slots=True)
class LiveMarket:
    """What is known now. `reading` is of the last closed bar in `history`; `price` is newer, seen at `price_ms`.

    `read_ms` is when the history was last brought up to date, or that was tried. `whole` is False while older parts of
    the history are still to come. `parameters` are what was learned of its positions, whether the reading uses them or
    not. `surroundings` tell what else stands where clusters stand.
    """

    market: Market
    instrument: Instrument
    history: History
    reading: Reading
    price: float
    price_ms: int
    read_ms: int
    tiers: Sequence[RiskTier] | None = None
    whole: bool = True
    parameters: ModelParameters = DEFAULT
    surroundings: Surroundings = field(init=False)

    def __post_init__(self) -> None:
        self.see_books(())

    def see_books(self, books: Sequence[Depth]) -> None:
        """Look for walls in these order books."""
        history, day_volatility = self.history, self.reading.volatility.day
        self.surroundings = Surroundings(lambda: Landmarks(history), day_volatility=day_volatility, books=books)

    @property
    def open_interest_ms(self) -> int | None:
        """The time of the newest open interest that is known; None where there is none."""
        known = np.flatnonzero(np.isfinite(self.history.open_interest))
        return int(self.history.open_ms[known[-1]]) + self.history.bar_ms if len(known) else None

    def extremes_since(self, time_ms: int) -> tuple[float, float]:
        """The lowest and highest price of the bars that opened at `time_ms` or later; NaN where there are none."""
        new = self.history.open_ms >= time_ms
        if not new.any():
            return np.nan, np.nan
        return float(self.history.low[new].min()), float(self.history.high[new].max())
