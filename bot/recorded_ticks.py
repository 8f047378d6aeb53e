"""The prices of a recording as ticks: what markets of one venue show at the same time comes at once, as live."""

from collections.abc import Iterator, Mapping

import numpy as np

from bot.alerts.types import Market
from bot.market.types import Ints, Prices, Tick


class RecordedTicks:
    """Every tick of some markets, played once and in order: by time, then by venue."""

    def __init__(self, prices: Mapping[Market, Prices]) -> None:
        """`prices` of each market, oldest first; within a tick the markets keep the mapping's order."""
        self._markets = tuple(prices)
        number_of = {exchange: number for number, exchange in enumerate(sorted({one.exchange for one in prices}))}
        venues = np.array([number_of[market.exchange] for market in prices], dtype=np.int64)
        of = np.repeat(np.arange(len(prices)), [len(each) for each in prices.values()])
        time_ms: Ints = np.concatenate([np.zeros(0, dtype=np.int64), *(each.time_ms for each in prices.values())])
        price = np.concatenate([np.zeros(0), *(each.price for each in prices.values())])
        order = np.lexsort((of, venues[of], time_ms))
        self._of, self._time_ms, self._price = of[order], time_ms[order], price[order]
        is_new = (np.diff(self._time_ms) != 0) | (np.diff(venues[self._of]) != 0)
        starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(of)), dtype=np.bool_), is_new]))
        self._starts: list[int] = [*starts.tolist(), len(of)]
        self._times: list[int] = self._time_ms[starts].tolist()
        self._named: dict[bytes, tuple[str, tuple[str, ...]]] = {}
        self._at = 0

    def before(self, time_ms: int) -> Iterator[Tick]:
        """The ticks to come that are older than `time_ms`."""
        while self._at < len(self._times) and self._times[self._at] < time_ms:
            begin, end = self._starts[self._at : self._at + 2]
            self._at += 1
            exchange, symbols = self._names(self._of[begin:end])
            yield Tick(exchange, symbols, self._time_ms[begin:end], self._price[begin:end])

    def _names(self, of: Ints) -> tuple[str, tuple[str, ...]]:
        """The venue and the symbols of these markets: nearly every tick is of the same ones as the last."""
        key = of.tobytes()
        if key not in self._named:
            markets = [self._markets[at] for at in of]
            self._named[key] = markets[0].exchange, tuple(market.symbol for market in markets)
        return self._named[key]
