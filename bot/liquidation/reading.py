"""From standing coins to the liquidation map that people and alerts read."""

from math import isfinite

import numpy as np

from bot.liquidation.grid import CELL, cells_of, edges
from bot.liquidation.types import Floats, LiquidationMap, MapLimit, OpenInterestSource


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
    count = max(1, round(window / CELL))
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
