"""Trades happen on a contract's ticks alone: a bar with a price between two of them was not made by trades."""

from typing import Final

import numpy as np

from bot.market.bad_rows import BadRows
from bot.market.types import Bars

_NEAR: Final = 1e-3
"""How far from a whole number of ticks, in ticks, rounding may bring a price."""

_FEW: Final = 2
_FEW_SHARE: Final = 0.05


def on_tick(bars: Bars, tick_size: float | None, bad: BadRows) -> Bars:
    """The bars without those whose prices are off the tick; all of them where no tick size is known.

    Where more than a few are off, the venue has changed the tick size meanwhile, and nothing is wrong with any.
    """
    if tick_size is None or not tick_size > 0 or not len(bars):
        return bars
    prices = np.stack([bars.open, bars.high, bars.low, bars.close]) / tick_size
    off = (np.abs(prices - np.round(prices)) > _NEAR).any(axis=0)
    count = int(off.sum())
    if not 0 < count <= max(_FEW, _FEW_SHARE * len(bars)):
        return bars
    for _ in range(count):
        bad.drop("bars", "a price between two ticks")
    return Bars(*(getattr(bars, column)[~off] for column in Bars.__dataclass_fields__))
