"""The newest mark price of each contract of one venue, put together from messages that each bring some of them."""

from collections.abc import Iterable

import numpy as np

from bot.market.types import Tick


class PriceBook:
    """Prices by canonical symbol with the venue's own times; an older price never replaces a newer one."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._prices: dict[str, tuple[int, float]] = {}
        self._changed: dict[str, tuple[int, float]] = {}

    def take(self, symbol: str, time_ms: int, price: float) -> None:
        """Note one price, sound and positive."""
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
