"""A contract's tick size, where nothing tells it but its prices."""

from typing import Final

import numpy as np

from bot.market.types import Floats

MOST_DECIMALS: Final = 10


def tick_size(price: Floats) -> float:
    """The power of ten that all these prices are multiples of, 1 at most."""
    for decimals in range(MOST_DECIMALS):
        if (np.round(price, decimals) == price).all():
            return float(f"1e-{decimals}")
    return float(f"1e-{MOST_DECIMALS}")
