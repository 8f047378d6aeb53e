"""The path of price inside bars: by recorded ticks where there are any, else by the bar's own four prices.

A bar that rises goes open, low, high, close; one that falls goes open, high, low, close. The four stand at the start
of the bar's quarters.
"""

from typing import Final

import numpy as np

from bot.market.types import BAR_MS, Bars, Floats, Ints, Prices

QUARTER_MS: Final = np.arange(4, dtype=np.int64) * (BAR_MS // 4)


def path_points(bars: Bars) -> Floats:
    """The four prices of each bar in the order in which they are taken to be reached. Shape (n, 4)."""
    rises = bars.close >= bars.open
    second = np.where(rises, bars.low, bars.high)
    third = np.where(rises, bars.high, bars.low)
    return np.column_stack([bars.open, second, third, bars.close])


def path_ticks(bars: Bars) -> Prices:
    """Four ticks a bar, at the start of each quarter."""
    time_ms: Ints = bars.open_ms[:, None] + QUARTER_MS
    return Prices(time_ms=time_ms.reshape(-1), price=path_points(bars).reshape(-1))


def market_ticks(bars: Bars, prices: Prices | None) -> Prices:
    """Every tick of these bars, oldest first: a bar's recorded prices where it has any, else its path."""
    if prices is None or len(prices) == 0:
        return path_ticks(bars)
    begin = np.searchsorted(prices.time_ms, bars.open_ms)
    end = np.searchsorted(prices.time_ms, bars.open_ms + BAR_MS)
    by_path = path_ticks(bars)
    without = np.repeat(end == begin, len(QUARTER_MS))
    bar = np.searchsorted(bars.open_ms, prices.time_ms, side="right") - 1
    inside = (bar >= 0) & (prices.time_ms < bars.open_ms[bar] + BAR_MS)
    time_ms = np.concatenate([by_path.time_ms[without], prices.time_ms[inside]])
    price = np.concatenate([by_path.price[without], prices.price[inside]])
    order = np.argsort(time_ms, kind="stable")
    return Prices(time_ms=time_ms[order], price=price[order])


def price_at(bars: Bars, prices: Prices | None, now_ms: int) -> tuple[int, float] | None:
    """The newest price at `now_ms` and the time it is of; None before the first bar.

    Between the four points of a bar the price moves in straight lines; after a bar's last point, and in a gap, the
    close stands.
    """
    bar = int(np.searchsorted(bars.open_ms, now_ms, side="right")) - 1
    if bar < 0:
        return None
    open_ms = int(bars.open_ms[bar])
    if prices is not None:
        row = int(np.searchsorted(prices.time_ms, now_ms, side="right")) - 1
        if row >= 0 and prices.time_ms[row] >= open_ms:
            return int(prices.time_ms[row]), float(prices.price[row])
    if now_ms >= open_ms + BAR_MS:
        return open_ms + BAR_MS, float(bars.close[bar])
    points = path_points(slice_bars(bars, bar, bar + 1))[0]
    return now_ms, float(np.interp(now_ms - open_ms, QUARTER_MS, points))


def slice_bars(bars: Bars, begin: int, end: int) -> Bars:
    """The bars from row `begin` up to, not including, row `end`."""
    rows = slice(begin, end)
    return Bars(
        open_ms=bars.open_ms[rows],
        open=bars.open[rows],
        high=bars.high[rows],
        low=bars.low[rows],
        close=bars.close[rows],
        volume=bars.volume[rows],
        quote_volume=bars.quote_volume[rows],
        taker_buy_volume=bars.taker_buy_volume[rows],
    )
