"""The way of price through bars, as one side of a contract sees it, in stretches that are played at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bot.liquidation.bars import Path, entry_pairs
from bot.liquidation.standing import STOCK_OFFSETS, STOCK_WEIGHTS
from bot.liquidation.types import Floats, Ints
from bot.liquidation.windows import windows

MOST_BARS = 64
MOST_CELLS = 192
"""What is played at once crosses at most so many cells, unless one bar alone does."""


@dataclass(frozen=True, slots=True)
class Way:
    """Contiguous bars in cells counted in the direction in which price comes to liquidate (see `standing`).

    `near` and `close` (n,) are each bar's last cell in that direction and its close's; `entries` (n, cells) the shares
    of what it opens from the cell `first_entry` on.
    """

    near: Ints
    close: Ints
    first_entry: int
    entries: Floats

    def __len__(self) -> int:
        return len(self.close)

    def through(self, kernels: Floats, low: int, cells: int) -> tuple[Floats, Floats]:
        """How each bar's entries come to stand in `cells` cells from low + 1 on, through kernels (kinds, J): two
        factors (n, m) and (kinds, m, cells), whose product are the shares.
        """
        kinds, reach = kernels.shape
        count, first = self.entries.shape[1], low + 1 - self.first_entry
        start = max(0, count - 1 - first)
        if len(self) == 1:  # a bar by itself may cross any number of cells
            shares = np.zeros((kinds, start + max(count + reach - 1, first + cells)))
            for kind, kernel in enumerate(kernels):
                shares[kind, start : start + count + reach - 1] = np.convolve(self.entries[0], kernel)
            return np.ones((1, 1)), shares[:, None, start + first : start + first + cells]
        padded = np.zeros((kinds, start + max(reach, first + cells)))
        padded[:, start : start + reach] = kernels
        # Row e is the kernel from `first` - e on.
        spread = windows(padded, cells)[:, start + first - np.arange(count)]
        return self.entries, spread

    def reached(self, low: int, kernel_cells: int) -> int:
        """How many cells from low + 1 on the bars' entries reach through a kernel of so many cells."""
        count: int = self.entries.shape[1]
        return self.first_entry + count + kernel_cells - 2 - low


def stretches(path: Path, close: int) -> Iterator[tuple[int, int]]:
    """The bars of a path that are played at once, as (first, end); `close` is the cell before the first of them."""
    first, lowest, highest = 0, close, close
    for bar, (low, high) in enumerate(zip(path.low.tolist(), path.high.tolist(), strict=True)):
        lowest, highest = min(lowest, low), max(highest, high)
        if bar > first and (bar - first == MOST_BARS or highest - lowest > MOST_CELLS):
            yield first, bar
            close = int(path.close[bar - 1])
            first, lowest, highest = bar, min(close, low), max(close, high)
    if first < len(path.low):
        yield first, len(path.low)


def ways_of(path: Path, first: int, end: int, stock_bar: int = -1) -> tuple[Way, Way]:
    """The way of bars first <= t < end for longs and for shorts; `stock_bar`, if there, opens the first stock."""
    low, high, close = path.low[first:end], path.high[first:end], path.close[first:end]
    lowest, highest = int(low.min()), int(high.max())
    stock = stock_bar - first if first <= stock_bar < end else -1
    if stock >= 0:
        cells = int(close[stock]) + STOCK_OFFSETS
        lowest, highest = min(lowest, int(cells[0])), max(highest, int(cells[-1]))
    pairs = entry_pairs(path, first, end)
    entries = np.zeros((end - first, highest - lowest + 1))
    entries[pairs.bar - first, pairs.cell - lowest] = pairs.share
    if stock >= 0:
        entries[stock] = 0.0
        entries[stock, cells - lowest] = STOCK_WEIGHTS
    mirrored = np.ascontiguousarray(entries[:, ::-1])
    return Way(-low, -close, -highest, mirrored), Way(high, close, lowest, entries)


def carry_on(standing: Floats, passed: Ints) -> None:
    """What stands before the first bar and after each, given what stands before the first and what each opens.

    `standing` (n + 1, ..., cells), contiguous, is worked on in place: of what stands before a bar goes on what lies
    beyond its first `passed` (n,) cells.
    """
    bars, cells = len(passed), standing.shape[-1]
    left = np.empty(standing[1:].shape)
    left[...] = (np.arange(cells) >= passed[:, None]).reshape(bars, *[1] * (standing.ndim - 2), cells)
    # Bar by bar it takes less to multiply all by 1 and 0 than to cut out what stays.
    stood, stays = standing.reshape(bars + 1, -1), left.reshape(bars, -1)
    for before, on, after in zip(stood[:-1], stays, stood[1:], strict=True):
        on *= before
        after += on
