"""Which cohorts still stand, in closed form: the whole history at once, without a loop over bars.

Cells are counted here in the direction in which price comes to liquidate: upwards for shorts, downwards (negated)
for longs, so that one rule serves both sides. A cohort of bar t at cell u stands iff price has neither touched u
after bar t nor closed at or beyond it in bar t, and u is not farther than `reach` from any close since. Both
conditions hold for all bars from some first bar on, so each cell has one first bar whose later entries count.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bot.liquidation.bars import PAIRS_AT_ONCE, Path, entry_pairs
from bot.liquidation.types import Floats, Ints, Side

CELLS_AT_ONCE = 12_000
"""Steps times entry cells worked on at once, so that their rows stay in the processor's cache."""
NARROW_STEP, WIDE_STEP = 3, 256


@dataclass(frozen=True, slots=True)
class Cohorts:
    """What was opened and not closed since: `weight` (rows, n) coins by bar, spread over the bars of `path`.

    `stock` (rows,) coins were put around the close of bar `stock_bar` instead (-1: no stock).
    """

    path: Path
    weight: Floats
    stock: Floats
    stock_bar: int


@dataclass(frozen=True, slots=True)
class Lots:
    """Cohorts by the cell of their entry, ordered by bar: `bar`, `cell` (p,), `coins` (rows, p)."""

    bar: Ints
    cell: Ints
    coins: Floats


def lots_of(cohorts: Cohorts) -> list[Lots]:
    """All lots, in blocks of contiguous bars that keep memory bounded however tall the bars are."""
    path = cohorts.path
    ends = np.cumsum(path.high - path.low + 1)
    blocks, first = [], 0
    while first < len(ends):
        taken = int(ends[first - 1]) if first else 0
        end = max(first + 1, int(np.searchsorted(ends, taken + PAIRS_AT_ONCE, side="right")))
        pairs = entry_pairs(path, first, end)
        coins = np.empty((len(cohorts.weight), len(pairs.bar)))
        for row, weight in enumerate(cohorts.weight):
            np.multiply(weight[pairs.bar], pairs.share, out=coins[row])
        blocks.append(Lots(pairs.bar, pairs.cell, coins))
        first = end
    return blocks


def sign_of(side: Side) -> int:
    """Multiplies a cell so that price comes to liquidate this side upwards."""
    return -1 if side is Side.LONG else 1


STOCK_OFFSETS = np.arange(-60, 61, 15)
STOCK_WEIGHTS = np.exp(-0.5 * (STOCK_OFFSETS / 30.0) ** 2)
"""The initial stock's entries: nine points over -6 % to +6 % of the close, normal with a deviation of 3 %."""


def stock_profile(kernel: Floats, reach: int) -> Floats:
    """Where an initial stock stands at u = close + 1 ... close + reach, before it is scaled to its sum; (reach,)."""
    profile = np.zeros(reach)
    for offset, weight in zip(STOCK_OFFSETS.tolist(), STOCK_WEIGHTS.tolist(), strict=True):
        first = max(0, 1 - offset)
        at = offset + first - 1
        part = kernel[first : first + reach - at]
        profile[at : at + len(part)] += weight * part
    return profile


def first_bars(path: Path, side: Side, reach: int) -> Ints:
    """For the cells u = close + 1 ... close + reach of this side: the first bar whose entries stand there, (reach,)."""
    sign = sign_of(side)
    close = sign * path.close
    touched = path.high if side is Side.SHORT else -path.low
    later = np.append(np.maximum.accumulate(touched[:0:-1])[::-1], np.iinfo(np.int64).min)
    top = np.maximum(close, later)
    nearest_close = np.minimum.accumulate(close[::-1])[::-1]
    cells = close[-1] + np.arange(1, reach + 1)
    untouched = len(top) - np.searchsorted(top[::-1], cells, side="left")
    within = np.searchsorted(nearest_close, cells - reach, side="left")
    first: Ints = np.maximum(untouched, within)
    return first


def standing(cohorts: Cohorts, lots: Iterable[Lots], kernel: Floats, side: Side, reach: int) -> Floats:
    """Coins that stand at u = close + 1 ... close + reach, shape (rows, reach); `lots` are `lots_of(cohorts)`.

    Cells with the same first bar share a step. Walking the steps from the newest to the oldest, the entries by cell
    only grow, and each step's cells get them through the kernel.
    """
    first = first_bars(cohorts.path, side, reach)
    order = np.argsort(-first, kind="stable")
    steps, widths = np.unique(-first, return_counts=True)
    steps, bounds = -steps, np.concatenate(([0], np.cumsum(widths)))
    window = _window(cohorts, len(kernel), side, reach)
    stock = cohorts.stock / stock_profile(kernel, reach).sum()
    ledger = _Ledger(cohorts, list(lots), stock, side, window)
    result = np.zeros((len(cohorts.weight), reach))
    carried = np.zeros((len(cohorts.weight), window.width))
    end = len(cohorts.path.close)
    at_once = max(8, CELLS_AT_ONCE // window.width)
    for begin in range(0, len(steps), at_once):
        chunk = steps[begin : begin + at_once]
        entered = ledger.entered(chunk, end)
        for step in entered:
            step += carried
            carried = step
        end = int(chunk[-1])
        _spread(result, entered, kernel, order, bounds[begin : begin + len(chunk) + 1], window)
    return result


@dataclass(frozen=True, slots=True)
class _Window:
    """Entry cells base ... base + width - 1 that can matter; `shift` is the first standing cell less `base`."""

    base: int
    width: int
    shift: int


def _window(cohorts: Cohorts, kernel_cells: int, side: Side, reach: int) -> _Window:
    path = cohorts.path
    lowest, highest = int(path.low.min()), int(path.high.max())
    if cohorts.stock_bar >= 0:
        about = int(path.close[cohorts.stock_bar])
        lowest, highest = min(lowest, about - 60), max(highest, about + 60)
    if side is Side.LONG:
        lowest, highest = -highest, -lowest
    close = sign_of(side) * int(path.close[-1])
    base = max(lowest, close + 2 - kernel_cells)
    return _Window(base, max(1, min(highest, close + reach) + 1 - base), close + 1 - base)


@dataclass(frozen=True, slots=True)
class _Ledger:
    """Looks up what was entered, where, in a stretch of bars."""

    cohorts: Cohorts
    lots: list[Lots]
    stock: Floats
    side: Side
    window: _Window

    def entered(self, steps: Ints, end: int) -> Floats:
        """Coins by step, row and entry cell (steps, rows, width): step i holds the bars steps[i] <= t < steps[i - 1].

        `steps` descend; the first one's bars reach up to `end`.
        """
        rows, width = len(self.cohorts.weight), self.window.width
        entered = np.zeros((len(steps), rows, width))
        first = int(steps[-1])
        step_of = np.searchsorted(-steps, -np.arange(first, end), side="left")
        sign = sign_of(self.side)
        for block in self.lots:
            low, high = np.searchsorted(block.bar, (first, end))
            if low == high:
                continue
            cell = sign * block.cell[low:high] - self.window.base
            at = step_of[block.bar[low:high] - first] * width + cell
            coins = block.coins[:, low:high]
            inside = (cell >= 0) & (cell < width)
            if not inside.all():
                at, coins = at[inside], coins[:, inside]
            for row in range(rows):
                entered[:, row] += np.bincount(at, coins[row], len(steps) * width).reshape(len(steps), width)
        if first <= self.cohorts.stock_bar < end:
            self._add_stock(entered[step_of[self.cohorts.stock_bar - first]])
        return entered

    def _add_stock(self, entered: Floats) -> None:
        offsets = STOCK_OFFSETS + sign_of(self.side) * int(self.cohorts.path.close[self.cohorts.stock_bar])
        cell = offsets - self.window.base
        inside = (cell >= 0) & (cell < self.window.width)
        entered[:, cell[inside]] += self.stock[:, None] * STOCK_WEIGHTS[inside]


def _spread(result: Floats, entered: Floats, kernel: Floats, order: Ints, bounds: Ints, window: _Window) -> None:
    """Carry each step's entries (steps, rows, width) through the kernel to its cells of `result`.

    The cells of step i are order[bounds[i] : bounds[i + 1]], counted from the first standing cell.
    """
    widths = np.diff(bounds)
    pad = window.width + len(order)
    reversed_kernel = np.concatenate((np.zeros(pad), kernel[::-1], np.zeros(pad)))
    toeplitz = np.lib.stride_tricks.sliding_window_view(reversed_kernel, window.width)
    nearest = pad + len(kernel) - 1 - window.shift
    for step in np.flatnonzero(widths > NARROW_STEP).tolist():
        cells = order[bounds[step] : bounds[step + 1]]
        if len(cells) <= WIDE_STEP:
            result[:, cells] = entered[step] @ toeplitz[nearest - cells].T
            continue
        within = cells[(cells + window.shift >= 0) & (cells + window.shift < window.width + len(kernel) - 1)]
        for row, coins in enumerate(entered[step]):
            result[row, within] = np.convolve(coins, kernel)[within + window.shift]
    narrow = np.flatnonzero(widths <= NARROW_STEP)
    if len(narrow):
        cells = np.concatenate([order[bounds[step] : bounds[step + 1]] for step in narrow.tolist()])
        of_cell = entered[np.repeat(narrow, widths[narrow])]
        result[:, cells] = np.vecdot(of_cell, toeplitz[nearest - cells][:, None, :]).T
