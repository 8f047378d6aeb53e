"""What a liquidation map is scored on: the cells that price reached soon after it, and what was liquidated there.

Only cells between the price at the map's time and the extreme of the next hour count: whether price goes there is not
the map's claim. Cells that the map holds empty stay in: no mass is a prediction too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.liquidation.grid import cells_of
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Floats, History, Ints, LiquidationMap

BRIEF_CELLS = 60
"""Cells kept of each side of a map: 6 %."""
SKIPPED_CELLS = 1
"""The nearest cells, left out: price passes them at once."""
BAND_EDGES = np.array([2, 4, 7, 12, 20, 35])
"""Distances in cells from which on the next distance band begins."""


@dataclass(frozen=True, slots=True)
class Brief:
    """A map in brief: `usd` (2, 60) is what stands 1, 2, ... cells below (row 0) and above (row 1) the price's cell."""

    time_ms: int
    price: float
    usd: Floats


@dataclass(frozen=True, slots=True)
class Reached:
    """Reached cells, shape (n,) each but `usd` (models, n).

    `symbol` and `side` (0 long, 1 short) number the contract and side, `distance` the cell from price, `events` are
    the notional liquidated there over the effective size of that contract's prints.
    """

    time_ms: Ints
    symbol: Ints
    side: Ints
    distance: Ints
    events: Floats
    usd: Floats

    def __len__(self) -> int:
        return len(self.time_ms)


def brief(read: LiquidationMap) -> Brief:
    """The 60 cells next to price on each side. Raises ValueError on a map of another grid or a smaller window."""
    middle = len(read.low) // 2
    if middle < BRIEF_CELLS or not read.low[middle] <= read.price * (1 + 1e-9) <= read.high[middle] * (1 + 2e-9):
        raise ValueError(f"a map in brief needs at least {BRIEF_CELLS} cells on each side of its price")
    longs = read.long_usd[middle - BRIEF_CELLS : middle][::-1]
    shorts = read.short_usd[middle + 1 : middle + 1 + BRIEF_CELLS]
    return Brief(read.time_ms, read.price, np.array([longs, shorts]))


def reached_cells(
    briefs: Sequence[Sequence[Brief]],
    history: History,
    prints: LiquidationPrints,
    *,
    symbol: int,
    event_usd: float,
    horizon_ms: int,
) -> Reached:
    """The cells that price reached within `horizon_ms` of each moment.

    `briefs[i]` are the maps of all models at one moment, which share time and price. `history` must hold the bars of
    the horizons, `event_usd` is the effective size of a print of this contract.
    """
    parts = []
    for models in briefs:
        time_ms, price = models[0].time_ms, models[0].price
        first, end = np.searchsorted(history.open_ms, (time_ms, time_ms + horizon_ms - history.bar_ms + 1))
        if first == end:
            continue
        cell, lowest, highest = cells_of([price, history.low[first:end].min(), history.high[first:end].max()]).tolist()
        seen = prints.between(time_ms, time_ms + horizon_ms)
        away = cells_of(seen.price) - cell if len(seen) else np.zeros(0, dtype=np.int64)
        for side, reach in ((0, cell - lowest), (1, highest - cell)):
            distance = np.arange(1 + SKIPPED_CELLS, min(reach, BRIEF_CELLS) + 1)
            mine = seen.is_long if side == 0 else ~seen.is_long
            at = (-away if side == 0 else away)[mine]
            inside = (at >= 1) & (at <= BRIEF_CELLS)
            liquidated = np.bincount(at[inside], seen.usd[mine][inside], BRIEF_CELLS + 1)
            parts.append(
                Reached(
                    time_ms=np.full(len(distance), time_ms),
                    symbol=np.full(len(distance), symbol),
                    side=np.full(len(distance), side),
                    distance=distance,
                    events=liquidated[distance] / (event_usd or 1.0),
                    usd=np.array([one.usd[side][distance - 1] for one in models]),
                )
            )
    return join(parts, models=len(briefs[0]) if briefs else 0)


def join(parts: Sequence[Reached], *, models: int) -> Reached:
    """Samples of several moments or contracts as one, in their order; `models` is needed where there are none."""
    nothing = np.zeros(0, dtype=np.int64)
    parts = [Reached(nothing, nothing, nothing, nothing, np.zeros(0), np.zeros((models, 0))), *parts]
    return Reached(
        time_ms=np.concatenate([part.time_ms for part in parts]),
        symbol=np.concatenate([part.symbol for part in parts]),
        side=np.concatenate([part.side for part in parts]),
        distance=np.concatenate([part.distance for part in parts]),
        events=np.concatenate([part.events for part in parts]),
        usd=np.concatenate([part.usd for part in parts], axis=1),
    )
