"""The standing positions of one side, and what bars make of them: a stretch of bars at once, by one definition with
the rebuild.
"""

from dataclasses import dataclass

import numpy as np

from bot.liquidation.types import Floats
from bot.liquidation.way import Way, carry_on
from bot.liquidation.windows import windows

REACH = 1_500
"""Cells from the close within which positions are kept: 1.5 in log price. Farther ones count as closed long ago."""
LEAST_SCALE = 1e-60


@dataclass(frozen=True, slots=True)
class Stood:
    """What stood on one side in the course of n bars, in coins.

    `swept` (n, rows) is what each bar's path took; it is told where no cells ahead are asked for. Where they are, there
    stood after each bar, rows mixed, `ahead` (n, cells) in those beyond its close, and `mass` (n,) in all of them.
    """

    swept: Floats
    ahead: Floats
    mass: Floats

    def levelled(self, total: Floats) -> Floats:
        """`ahead` as it is where all that stands comes to `total` (n,)."""
        scale: Floats = np.divide(total, self.mass, out=np.ones(len(total)), where=self.mass > 0)
        return self.ahead * scale[:, None]


class Book:
    """The standing positions of one side: coins by turnover row and cell, up to REACH cells beyond the close.

    Cells are counted in the direction in which price comes to liquidate (see `standing`): the grid's cell times
    `sign`. `close` is the close's cell, counted so. A row's coins are its cells times a lazy scale.
    """

    __slots__ = ("_cells", "_scale", "close", "kernel", "sign")

    def __init__(self, sign: int, kernel: Floats, close: int, coins: Floats) -> None:
        """`coins` (rows, REACH) stand at close + 1 ... close + REACH."""
        self.sign = sign
        self.kernel = kernel
        self.close = close
        self._cells = coins.copy()
        self._scale = np.ones(len(coins))

    def coins(self) -> Floats:
        """Coins at close + 1 ... close + REACH, (rows, REACH)."""
        return self._cells * self._scale[:, None]

    def saved(self) -> tuple[Floats, Floats]:
        """Standing cells and their scale, (rows, REACH) and (rows,): what `load` takes back exactly."""
        return self._cells, self._scale

    def load(self, cells: Floats, scale: Floats) -> None:
        """Take back what `saved` gave at the same close."""
        self._cells, self._scale = cells.copy(), scale.copy()

    def mix(self, weights: Floats) -> Floats:
        """Coins at close + 1 ... close + REACH, rows mixed by `weights` (rows,); shape (REACH,)."""
        mixed: Floats = (weights * self._scale) @ self._cells
        return mixed

    def play(self, way: Way, kept: Floats, opened: Floats, weights: Floats, *, ahead: int) -> Stood:
        """Take a stretch of bars into account; `kept`, `opened` and `weights` have the shape (n, rows).

        Each bar's path sweeps what it touches, the rows keep the shares `kept` of the rest, and `opened` coins are
        spread over the bar's entries and from there by the kernel; of them stands what lies beyond the close.
        `weights` mix the rows in what is told of `ahead` cells after each bar.

        Only the cells near the path differ from bar to bar. To those beyond it, everything is added at the end.
        """
        low, last = min(self.close, int(way.close.min())), int(way.close[-1])
        near = max(int(way.near.max()), int(way.close.max()) + ahead) - low
        far = max(near, REACH + last - low)
        scale = self._scale * np.cumprod(kept, axis=0)
        entered = opened / scale
        held = np.zeros((len(self._scale), max(far, REACH + self.close - low)))
        held[:, self.close - low : self.close - low + REACH] = self._cells

        reached = min(far, way.reached(low, len(self.kernel)))
        through, (spread,) = way.through(self.kernel[None], low, max(near, reached))
        standing = self._stand(way, entered, through @ spread[:, :near], held[:, :near], low)
        swept, seen, mass = np.zeros((len(way), 0)), np.zeros((len(way), 0)), np.zeros(len(way))
        if ahead:
            mixing, places = weights * scale, np.arange(len(way))
            mixed = np.matmul(mixing[:, None, :], standing[1:])[:, 0]
            seen = windows(mixed, ahead)[places, way.close - low]
            farther = np.cumsum(entered * (through @ spread[:, near:].sum(axis=1))[:, None], axis=0)
            farther += self._beyond(way, held[:, near:], low + near)
            mass = np.vecdot(mixing, standing[1:].sum(axis=2) + farther)
        else:
            before = np.concatenate((self._scale[None], scale[:-1]))
            touched = np.arange(low + 1, low + near + 1) <= way.near[:, None]
            swept = np.vecdot(standing[:-1], touched[:, None, :].astype(np.float64)) * before

        held[:, min(self.close, int(way.close.min())) - low + REACH :] = 0.0
        held[:, :near] = standing[-1]
        held[:, near : spread.shape[1]] += (entered.T @ through) @ spread[:, near:]
        self._cells = held[:, last - low : last - low + REACH].copy()
        self.close = last
        self._rescale(scale[-1])
        return Stood(swept, seen, mass)

    def _beyond(self, way: Way, held: Floats, last: int) -> Floats:
        """What is left after each bar of what is `held` in the cells after `last`, (n, rows)."""
        lowest = np.minimum(np.minimum.accumulate(way.close), self.close)
        total = np.zeros((len(held), held.shape[1] + 1))
        held.cumsum(axis=1, out=total[:, 1:])
        left: Floats = total[:, np.maximum(lowest + REACH - last, 0)].T
        return left

    def _stand(self, way: Way, entered: Floats, shares: Floats, held: Floats, low: int) -> Floats:
        """What stands in the cells from low + 1 on, before the first bar and after each: (n + 1, rows, cells)."""
        at, after = np.arange(held.shape[1]), (way.close - low)[:, None]
        standing = np.empty((len(way) + 1, *held.shape))
        standing[0] = held
        stands = (at >= after) & (at < after + REACH)
        np.multiply(entered[:, :, None], (shares * stands)[:, None, :], out=standing[1:])
        carry_on(standing, way.near - low)
        # A bar that falls so far is played alone.
        standing[1:, :, int(after.min()) + REACH :] = 0.0
        return standing

    def _rescale(self, scale: Floats) -> None:
        self._scale = scale
        scales = scale.tolist()
        if min(scales) < LEAST_SCALE or max(scales) > 1.0 / LEAST_SCALE:
            self._cells *= scale[:, None]
            self._scale = np.ones(len(scale))
