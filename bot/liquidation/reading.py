"""From standing coins to the liquidation maps that people and alerts read."""

from math import isfinite

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bot.liquidation.grid import CELL, cells_of, edges
from bot.liquidation.maps import Maps
from bot.liquidation.types import Floats, Ints, LiquidationMap, MapLimit, OpenInterestSource


def read_map(
    coins: tuple[Floats, Floats],
    totals: tuple[float, float],
    *,
    close_cell: int,
    price: float,
    time_ms: int,
    window: float,
    open_interest: OpenInterestSource,
    limits: tuple[MapLimit, ...] = (),
) -> LiquidationMap:
    """The map in the cells within +-`window` in log price of `price`; long positions strictly below its cell.

    `coins` (long, short) stand at 1, 2, ... cells beyond `close_cell`; `totals` are the sides' coins on and off the
    grid. Where `price` is not in `close_cell`, the cells up to its own count as swept, and the totals lose them.
    Notionals are coins at `price`. Raises ValueError on a price or window that is not a positive number.
    """
    for name, value in (("price", price), ("window", window)):
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a positive number, not {value!r}")
    cell = int(cells_of(price))
    count = cells_within(window)
    long_moved, short_moved = close_cell - cell, cell - close_cell
    bounds = edges(cell - count, 2 * count + 1)
    usd = np.zeros((2, 2 * count + 1))
    usd[0, :count] = _ahead(coins[0], long_moved, count)[::-1]
    usd[1, count + 1 :] = _ahead(coins[1], short_moved, count)
    usd *= price
    return LiquidationMap(
        time_ms=time_ms,
        price=price,
        low=bounds[:-1],
        high=bounds[1:],
        long_usd=usd[0],
        short_usd=usd[1],
        long_total_usd=price * _left(totals[0], coins[0], long_moved),
        short_total_usd=price * _left(totals[1], coins[1], short_moved),
        open_interest=open_interest,
        limits=limits,
    )


def cells_within(window: float) -> int:
    """Cells on either side of price within a window in log price."""
    return max(1, round(window / CELL))


def read_maps(
    coins: tuple[Floats, Floats],
    totals: tuple[Floats, Floats],
    *,
    close: Floats,
    time_ms: Ints,
    open_interest: tuple[OpenInterestSource, ...],
    limits: tuple[tuple[MapLimit, ...], ...],
) -> Maps:
    """The maps around n closes (n,), as `read_map` reads one.

    `coins` (long, short) stand at 1, 2, ... cells beyond each close, (n, cells); `totals` are the sides', (n,).
    """
    count = coins[0].shape[1]
    first = cells_of(close) - count
    lowest = int(first.min())
    prices = edges(lowest, int(first.max()) - lowest + 2 * count + 1)
    usd = np.zeros((2, len(close), 2 * count + 1))
    np.multiply(coins[0][:, ::-1], close[:, None], out=usd[0, :, :count])
    np.multiply(coins[1], close[:, None], out=usd[1, :, count + 1 :])
    return Maps(
        time_ms=time_ms,
        price=close,
        edges=sliding_window_view(prices, 2 * count + 2)[first - lowest],
        long_usd=usd[0],
        short_usd=usd[1],
        long_total_usd=close * totals[0],
        short_total_usd=close * totals[1],
        open_interest=open_interest,
        limits=limits,
    )


def _ahead(coins: Floats, moved: int, count: int) -> Floats:
    """The coins 1 ... count cells ahead of a price that has moved `moved` cells towards them."""
    ahead = np.zeros(count)
    first, end = max(0, -moved), min(count, len(coins) - moved)
    if first < end:
        ahead[first:end] = coins[first + moved : end + moved]
    return ahead


def _left(total: float, coins: Floats, moved: int) -> float:
    """A side's total less what stood on the cells that price has passed."""
    return max(0.0, total - float(coins[:moved].sum())) if moved > 0 else total
