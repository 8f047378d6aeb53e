"""What one market of a recording teaches of its positions as time goes on, by the rules of the live bot."""

import numpy as np

from bot.alerts.types import Market
from bot.liquidation import DEFAULT, History, LiquidationPrints, ModelParameters, listened
from bot.liquidation.learning import Learned, PositionLearner, adopted, is_due, span_of
from bot.liquidation.score import Cover, nothing_printed
from bot.market.history import liquidations_by_symbol
from bot.recorded import Recorded

DAY_BARS = 288


class RecordedLessons:
    """Learns from the first bars of a history and the prints until then, never from what came later."""

    def __init__(self, recorded: Recorded, market: Market, history: History) -> None:
        printed = recorded.prints(market.exchange)
        self._prints, self._printed_ms = nothing_printed(), nothing_printed().time_ms
        self._heard = recorded.recording.recorded_heard(market.exchange)
        if printed is not None:
            self._prints = liquidations_by_symbol(printed, [market.symbol])[market.symbol]
            self._printed_ms = printed.time_ms
        self._history = history
        self._tiers = recorded.tiers_of(market)
        told = [(int(each[0]), int(each[-1])) for each in (self._printed_ms,) if len(each)]
        heard_ms = span_of(told if self._heard is None else self._heard)
        self._learner = PositionLearner(history, tiers=self._tiers, heard_ms=heard_ms)
        self._newest: Learned | None = None
        self.parameters: ModelParameters = DEFAULT

    @property
    def prints(self) -> LiquidationPrints:
        """The market's liquidations as recorded, all of them."""
        return self._prints

    def learn(self, bars: int) -> None:
        """Learn from the first `bars` bars now."""
        self._newest = self._learner.learn(bars, self._prints, cover=self._cover(bars))
        self.parameters = adopted(self.parameters, self._newest, self._tiers)

    def attend(self, bars: int) -> bool:
        """Whether after so many bars the map is made by other parameters than before; looked at once a day."""
        if bars % DAY_BARS or not is_due(self._newest, self._history.rows(0, bars), self._cover(bars)):
            return False
        before = self.parameters
        self.learn(bars)
        return self.parameters != before

    def _cover(self, bars: int) -> Cover:
        """When the feed was listened to: as recorded, else as far as its prints had told by then."""
        if self._heard is not None:
            return self._heard
        end_ms = int(self._history.open_ms[bars - 1]) + self._history.bar_ms
        return listened(self._printed_ms[: int(np.searchsorted(self._printed_ms, end_ms, side="right"))])
