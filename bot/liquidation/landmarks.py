"""Where a market has turned and traded most by any of its bars, and how far it usually ranges.

Nothing is worked out before it is asked for. What bars share is worked out once, so that asking after bar upon bar of
one history costs little more each time than what has changed.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property

from bot.liquidation.swings import Swing, Swings
from bot.liquidation.totals import average_true_range_pct
from bot.liquidation.types import History
from bot.liquidation.volume_profile import VolumeProfile, VolumeProfiles

WINDOW_MS = 30 * 86_400_000


class Landmarks:
    """Those of one history. Each is asked for as it was known after the first `bars` bars (at least one), of which the
    last 30 days count.
    """

    def __init__(self, history: History, ranges_pct: Sequence[float] | None = None) -> None:
        """`ranges_pct` are the `average_true_ranges_pct` of the history, where they are known already."""
        self._history = history
        self._ranges_pct = ranges_pct

    def __len__(self) -> int:
        """How many bars there are."""
        return len(self._history)

    def close(self, bars: int) -> float:
        """The last price."""
        return float(self._history.close[bars - 1])

    def usual_range(self, bars: int) -> float:
        """An hour's average true range over price; NaN where bars are missing."""
        if self._ranges_pct is not None:
            return self._ranges_pct[bars - 1] / 100.0
        return average_true_range_pct(self._history.rows(0, bars)) / 100.0

    def profile(self, bars: int, *, blur: float) -> VolumeProfile | None:
        """Volume by price, smoothed as `profile_of` takes it; None where nothing was traded."""
        return self._profiles.known(self._first(bars), bars, blur=blur)

    def swings(self, bars: int) -> tuple[Swing, ...]:
        """The confirmed turns, in order of time."""
        return self._swings.known(self._first(bars), bars)

    @cached_property
    def _profiles(self) -> VolumeProfiles:
        return VolumeProfiles(self._history)

    @cached_property
    def _swings(self) -> Swings:
        return Swings(self._history)

    @cached_property
    def _opened_ms(self) -> list[int]:
        opened_ms: list[int] = self._history.open_ms.tolist()
        return opened_ms

    def _first(self, bars: int) -> int:
        """The row of the first bar that counts."""
        return bisect_left(self._opened_ms, self._opened_ms[bars - 1] + self._history.bar_ms - WINDOW_MS)
