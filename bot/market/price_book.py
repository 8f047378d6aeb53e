"""The newest mark price of each contract of one venue, put together from messages that each bring some of them."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np

from bot.market.bad_rows import BadRows
from bot.market.types import Tick

AHEAD_MS: Final = 300_000
"""How far ahead of the venue's clock, as it is known here, a price may be."""


class PriceBook:
    """Prices by canonical symbol with the venue's own times; an older price never replaces a newer one."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._bad = BadRows(exchange)
        self._now_ms: Callable[[], float] = lambda: math.inf
        self._prices: dict[str, tuple[int, float]] = {}
        self._changed: dict[str, tuple[int, float]] = {}

    def keep_time(self, now_ms: Callable[[], int]) -> None:
        """From now on a price from the future, by the venue's clock, is dropped: it would outlast every true one."""
        self._now_ms = now_ms

    @property
    def dropped(self) -> Mapping[str, int]:
        """Prices that cannot be true, by cause."""
        return self._bad.counts

    def take(self, symbol: str, time_ms: int, price: float) -> None:
        """Note one price, sound and positive."""
        if time_ms > self._now_ms() + AHEAD_MS:
            self._bad.drop("mark prices", "a time in the future")
            return
        known = self._prices.get(symbol)
        if known is None or time_ms > known[0]:
            self._prices[symbol] = self._changed[symbol] = (time_ms, price)

    def take_tick(self, tick: Tick) -> None:
        """Note prices that were asked for."""
        for row in zip(tick.symbols, tick.time_ms.tolist(), tick.price.tolist(), strict=True):
            self.take(*row)

    def news(self) -> Tick:
        """The prices that are newer than at the last look."""
        changed, self._changed = self._changed, {}
        return Tick(
            self._exchange,
            tuple(changed),
            np.array([time_ms for time_ms, _ in changed.values()], dtype=np.int64),
            np.array([price for _, price in changed.values()], dtype=np.float64),
        )

    def lacking(self, symbols: Iterable[str], *, since_ms: int) -> frozenset[str]:
        """Those of these symbols that have no price of `since_ms` or later."""
        return frozenset(symbol for symbol in symbols if self._prices.get(symbol, (0, 0.0))[0] < since_ms)
