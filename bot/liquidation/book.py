"""The standing positions of one side, as the incremental path keeps them."""

import numpy as np

from bot.liquidation.types import Floats

REACH = 1_500
"""Cells from the close within which positions are kept: 1.5 in log price. Farther ones count as closed long ago."""
SLACK = 256
LEAST_SCALE = 1e-60


class Book:
    """The standing positions of one side: coins by turnover row and cell, in a window that follows price.

    Cells are counted in the direction in which price comes to liquidate (see `standing`): the grid's cell times
    `sign`. `close` is the close's cell, counted so. A row's coins are its cells times a lazy scale.
    """

    __slots__ = ("_base", "_cells", "_scale", "close", "kernel", "sign")

    def __init__(self, sign: int, kernel: Floats, close: int, coins: Floats) -> None:
        self.sign = sign
        self.kernel = kernel
        self.close = close
        self._base = close + 1 - SLACK
        self._cells = np.zeros((len(coins), REACH + 2 * SLACK))
        self._cells[:, SLACK : SLACK + REACH] = coins
        self._scale = np.ones(len(coins))

    def coins(self) -> Floats:
        """Coins at close + 1 ... close + REACH, (rows, REACH)."""
        return self._standing() * self._scale[:, None]

    def saved(self) -> tuple[Floats, Floats]:
        """Standing cells and their scale, (rows, REACH) and (rows,): what `load` takes back exactly."""
        return self._standing(), self._scale

    def load(self, cells: Floats, scale: Floats) -> None:
        """Take back what `saved` gave at the same close."""
        self._standing()[:] = cells
        self._scale = scale.copy()

    def mix(self, weights: Floats) -> Floats:
        """Coins at close + 1 ... close + REACH, rows mixed by `weights` (rows,); shape (REACH,)."""
        mixed: Floats = (weights * self._scale) @ self._standing()
        return mixed

    def sweep(self, touched: int) -> Floats:
        """Liquidate all cells up to `touched`; the coins taken from each row, (rows,)."""
        if touched <= self.close:
            return np.zeros(len(self._scale))
        first = self.close + 1 - self._base
        cells = self._cells[:, first : first + min(touched - self.close, REACH)]
        taken: Floats = cells.sum(axis=1) * self._scale
        cells[:] = 0.0
        return taken

    def fade(self, kept: Floats) -> None:
        """Close voluntarily: each row keeps its share `kept` (rows,)."""
        self._scale = self._scale * kept
        scales = self._scale.tolist()
        if min(scales) < LEAST_SCALE or max(scales) > 1.0 / LEAST_SCALE:
            self._cells *= self._scale[:, None]
            self._scale = np.ones(len(kept))

    def move(self, close: int) -> None:
        """Follow price to a new close, up to which all cells must have been swept; forget what lies too far beyond."""
        start = self.close + 1 - self._base
        if close < self.close:
            self._cells[:, start + REACH - min(self.close - close, REACH) : start + REACH] = 0.0
        self.close = close
        start = close + 1 - self._base
        if not 0 <= start <= 2 * SLACK:
            shift = start - SLACK
            cells = np.zeros_like(self._cells)
            if abs(shift) < cells.shape[1]:
                kept, moved = max(0, shift), max(0, -shift)
                size = cells.shape[1] - abs(shift)
                cells[:, moved : moved + size] = self._cells[:, kept : kept + size]
            self._cells, self._base = cells, self._base + shift

    def open(self, opened: Floats, profile: Floats, first: int) -> None:
        """Add `opened` (rows,) coins over `profile`, whose first cell is `first`; only cells beyond the close stand."""
        begin = max(first, self.close + 1)
        end = min(first + len(profile), self.close + 1 + REACH)
        if begin < end:
            part = profile[begin - first : end - first]
            self._cells[:, begin - self._base : end - self._base] += (opened / self._scale)[:, None] * part

    def _standing(self) -> Floats:
        start = self.close + 1 - self._base
        return self._cells[:, start : start + REACH]
