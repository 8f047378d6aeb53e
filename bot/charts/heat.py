"""Maps of the past on one grid of price rows and time columns, and the candles that belong to the columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.liquidation.types import Floats, History, Ints, LiquidationMap

MAX_COLUMNS = 160
FULL_AT = 0.99  # the quantile of a cell's mass at which the colour is full
CONTRAST = 1.7  # exponent of the colour; above 1 it sets dense zones off


@dataclass(frozen=True, slots=True)
class Candles:
    """The price within each column, shapes (n,); `column` names the columns that have bars."""

    column: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats


def thinned(maps: Sequence[LiquidationMap]) -> list[LiquidationMap]:
    """At most 160 maps, evenly taken, the newest always among them."""
    step = max(1, -(-len(maps) // MAX_COLUMNS))
    return list(maps[::-1][::step][::-1])


def intensities(maps: Sequence[LiquidationMap], edges: Floats) -> tuple[Floats, Floats]:
    """Long and short intensity from 0 to 1, shapes (rows, maps), on rows between ascending price edges (rows + 1,)."""
    sides = np.zeros((2, len(edges) - 1, len(maps)))
    for column, one in enumerate(maps):
        if len(one.low):
            known = np.append(one.low, one.high[-1])
            for side, usd in zip(sides, (one.long_usd, one.short_usd), strict=True):
                side[:, column] = np.diff(np.interp(edges, known, np.append(0.0, usd.cumsum())))
    standing = sides[sides > 0.0]
    if len(standing):
        sides = np.minimum(sides / np.quantile(standing, FULL_AT), 1.0) ** CONTRAST
    return sides[0], sides[1]


def candles(bars: History, times_ms: Ints) -> Candles:
    """One candle for the bars that open from each of the ascending times (n,) to the next; the last has no end."""
    first = np.searchsorted(bars.open_ms, times_ms)
    end = np.append(first[1:], len(bars)) if len(first) else first
    column = np.flatnonzero(end > first)
    first, last = first[column], end[column] - 1
    if len(column) == 0:
        none = np.empty(0)
        return Candles(column, none, none, none, none)
    return Candles(
        column,
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last],
    )
