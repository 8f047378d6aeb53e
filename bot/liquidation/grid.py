"""The absolute grid of log-price cells that maps, kernels and clusters share."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from bot.liquidation.types import Floats, Ints

CELL = 0.001
"""Width of a cell in log price: 0.1 %. Cell c holds the prices from exp(c * CELL) up to exp((c + 1) * CELL)."""


def log_cells(prices: ArrayLike) -> Floats:
    """Log price in cells, unrounded; same shape as `prices`, which must be positive."""
    return np.log(np.asarray(prices, dtype=np.float64, order="C")) / CELL


def cells_of(prices: ArrayLike) -> Ints:
    """The cell that holds each price; same shape as `prices`, which must be positive."""
    return np.floor(log_cells(prices)).astype(np.int64)


@lru_cache(maxsize=512)  # price comes back to its cell; each market has a few of its own
def edges(first: int, count: int) -> Floats:
    """The (count + 1,) prices that bound `count` contiguous cells from cell `first` on; not to be written."""
    prices: Floats = np.exp(np.arange(first, first + count + 1) * CELL)
    prices.flags.writeable = False
    return prices
