"""Bars, open interest and prints as the liquidation model takes them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import History
from bot.market.types import BAR_MS, Bars, Floats, Ints, OpenInterest, Prints


def align(bars: Bars, open_interest: OpenInterest | None, *, bar_ms: int = BAR_MS) -> History:
    """The bars with the open interest at each bar's end: the sample less than half a bar from it, else NaN."""
    return History(
        bar_ms=bar_ms,
        open_ms=bars.open_ms,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        volume=bars.volume,
        quote_volume=bars.quote_volume,
        open_interest=sample_at(bars.open_ms + bar_ms, open_interest, reach_ms=bar_ms / 2),
    )


def sample_at(time_ms: Ints, open_interest: OpenInterest | None, *, reach_ms: float) -> Floats:
    """The nearest sample to each time, the earlier of two as near; NaN where none is nearer than `reach_ms`."""
    if open_interest is None or len(open_interest) == 0:
        return np.full(len(time_ms), np.nan)
    after = np.searchsorted(open_interest.time_ms, time_ms).clip(0, len(open_interest) - 1)
    before = (after - 1).clip(0)
    since = np.abs(time_ms - open_interest.time_ms[before])
    until = np.abs(open_interest.time_ms[after] - time_ms)
    nearest = np.where(since <= until, before, after)
    return np.where(np.minimum(since, until) < reach_ms, open_interest.coins[nearest], np.nan)


def liquidations_of(prints: Prints, rows: NDArray[np.bool_]) -> LiquidationPrints:
    """The prints of these rows (n,) in USD at the fill. A fill lies near the trigger; a bankruptcy price would not."""
    price = prints.price[rows]
    return LiquidationPrints(prints.time_ms[rows], prints.is_long[rows], price, price * prints.coins[rows])


def liquidations_by_symbol(prints: Prints, symbols: Iterable[str]) -> dict[str, LiquidationPrints]:
    """Each contract's prints in USD; none where it was not printed."""
    names = np.array(prints.symbol, dtype=np.str_)
    return {symbol: liquidations_of(prints, names == symbol) for symbol in symbols}
