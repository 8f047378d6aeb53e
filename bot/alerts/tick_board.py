"""The last prices of one exchange, and for each symbol the band of prices within which a tick changes nothing.

A tick of all symbols is a few vector operations; only a market whose price has left its band is looked at.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bot.alerts.front import QUIET, Band
from bot.alerts.machine import NEVER_MS
from bot.liquidation.types import Floats, Ints


class Stir(NamedTuple):
    """A symbol whose rules a tick may concern, with the price before it (`last_ms` 0: there was none).

    Ticks within its band were seen until `seen_ms`.
    """

    symbol: str
    price: float
    time_ms: int
    last_price: float
    last_ms: int
    seen_ms: int


class Look(Struct, frozen=True):
    """One tick against all bands: what it stirs, by symbol. The rest is of the k symbols that it brought news of."""

    stirred: Sequence[Stir]
    rows: Ints
    price: Floats
    time_ms: Ints
    calm: NDArray[np.bool_]


class TickBoard:
    """Prices and bands of one exchange. `max_age_ms` is the age from which a price is no data."""

    def __init__(self, *, max_age_ms: int) -> None:
        self._max_age_ms = max_age_ms
        self._symbols: dict[str, int] = {}
        self._asked: tuple[tuple[str, ...], Ints] = ((), np.zeros(0, dtype=np.int64))
        self._price: Floats = np.full(0, np.nan)
        self._time_ms: Ints = np.zeros(0, dtype=np.int64)
        self._low: Floats = np.zeros(0)
        self._high: Floats = np.full(0, np.inf)
        self._due_ms: Ints = np.full(0, NEVER_MS, dtype=np.int64)
        self._seen_ms: Ints = np.zeros(0, dtype=np.int64)
        self._gap_ms: Ints = np.full(0, NEVER_MS, dtype=np.int64)

    def price(self, symbol: str) -> tuple[float, int] | None:
        """The last price seen and its time."""
        at = self._symbols.get(symbol)
        if at is None or self._time_ms[at] == 0:
            return None
        return float(self._price[at]), int(self._time_ms[at])

    def seen_ms(self, symbol: str) -> int:
        """Until when every post of a symbol has been seen, by ticks within its band."""
        at = self._number(symbol)  # which may make the arrays anew
        return int(self._seen_ms[at])

    def put_band(self, symbol: str, band: Band) -> None:
        """A market's band is this now."""
        at = self._number(symbol)
        self._low[at], self._high[at], self._due_ms[at], self._seen_ms[at] = (
            band.low,
            band.high,
            band.due_ms,
            band.seen_ms,
        )
        self._gap_ms[at] = self._max_age_ms if band.waits else NEVER_MS

    def look(self, symbols: tuple[str, ...], prices: Floats, times: Ints, *, now_ms: int) -> Look:
        """Which symbols a tick stirs. Prices that are stale, not newer than the last, or no number are no data."""
        at, oldest_ms = self._numbers(symbols), now_ms - self._max_age_ms
        calm = (self._low[at] < prices) & (prices < self._high[at])  # so that it is a number above 0
        calm &= (self._time_ms[at] < times) & (times >= oldest_ms)
        calm &= (times < self._due_ms[at]) & (times - self._seen_ms[at] <= self._gap_ms[at])
        if not (rest := (~calm).nonzero()[0].tolist()):
            return Look((), at, prices, times, calm)
        stirred: list[Stir] = []
        news = np.ones(len(calm), dtype=np.bool_)
        for i in rest:
            stir = self._stir(symbols[i], at[i], float(prices[i]), int(times[i]))
            if stir.last_ms < stir.time_ms >= oldest_ms and 0.0 < stir.price < math.inf:
                stirred.append(stir)
            else:
                news[i] = False
        stirred.sort()
        if len(stirred) == len(rest):
            return Look(stirred, at, prices, times, calm)
        return Look(stirred, at[news], prices[news], times[news], calm[news])

    def _stir(self, symbol: str, row: int, price: float, time_ms: int) -> Stir:
        last_price, last_ms = float(self._price[row]), int(self._time_ms[row])
        return Stir(symbol, price, time_ms, last_price, last_ms, int(self._seen_ms[row]))

    def keep(self, look: Look) -> None:
        """Remember a tick that has been dealt with."""
        self._price[look.rows] = look.price
        self._time_ms[look.rows] = look.time_ms
        self._seen_ms[look.rows[look.calm]] = look.time_ms[look.calm]

    def _numbers(self, symbols: tuple[str, ...]) -> Ints:
        """The numbers of a tick's symbols; the same list as last time costs nothing."""
        if symbols is not self._asked[0] and symbols != self._asked[0]:
            self._asked = (symbols, np.array([self._number(symbol) for symbol in symbols], dtype=np.int64))
        return self._asked[1]

    def _number(self, symbol: str) -> int:
        number = self._symbols.setdefault(symbol, len(self._symbols))
        if number >= len(self._price):
            more = max(64, len(self._price))
            self._price = np.concatenate([self._price, np.full(more, np.nan)])
            self._time_ms = np.concatenate([self._time_ms, np.zeros(more, dtype=np.int64)])
            self._low = np.concatenate([self._low, np.full(more, QUIET.low)])
            self._high = np.concatenate([self._high, np.full(more, QUIET.high)])
            self._due_ms = np.concatenate([self._due_ms, np.full(more, NEVER_MS)])
            self._seen_ms = np.concatenate([self._seen_ms, np.zeros(more, dtype=np.int64)])
            self._gap_ms = np.concatenate([self._gap_ms, np.full(more, NEVER_MS)])
        return number
