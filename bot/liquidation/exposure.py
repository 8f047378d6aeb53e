"""What stood where price went: the coins each kind of position stood to lose, by bar and by place.

The position model's steps once more, with a book for every turnover row and every kind of position (a leverage each,
see `kind_kernels`) side by side. What price swept is the raw material for learning which kinds there are.
"""

from dataclasses import dataclass, replace

import numpy as np

from bot.liquidation.bars import entry_pairs, path_of
from bot.liquidation.book import REACH
from bot.liquidation.flow import Rates, flows
from bot.liquidation.kernel import kind_kernels
from bot.liquidation.margin import RiskTier
from bot.liquidation.parameters import ModelParameters
from bot.liquidation.standing import STOCK_OFFSETS, STOCK_WEIGHTS, sign_of, stock_profile
from bot.liquidation.types import Floats, History, Ints, Side

HOUR_MS = 3_600_000
BLOCK_CELLS = 6
"""Swept coins are told apart to 0.6 %: about what a print's price and the model's bars can tell."""
KIND_CELLS = 400
"""Positions farther from their entry than this (49 % up, 33 % down) are hardly ever swept and not followed."""
PADDING = 64


@dataclass(frozen=True, slots=True)
class Exposure:
    """One side's swept coins.

    `coins` (n, rows, kinds) stood in the places `hour`, `block` (n,): hours since the epoch, and the grid's cells in
    blocks of six. `by_bar` (bars, kinds) are the sums of each bar, rows mixed by the prior. Coins that were opened and
    swept in the same bar are left out: whether they were there when price came is unknown.
    """

    hour: Ints
    block: Ints
    coins: Floats
    by_bar: Floats


def exposure_of(
    history: History, side: Side, tiers: tuple[RiskTier, ...] | None, parameters: ModelParameters
) -> Exposure:
    """Play one side of a history, bar by bar. `history` must pass `check_history`."""
    play = Play(history, side, tiers, parameters)
    play.advance(len(history))
    return play.exposure(len(history))


class Play:
    """One side of a history, played as far as asked: its books over all cells that path and kernels can reach.

    Cells are counted as in `standing`. The books lie as (rows, cells * kinds), so that a bar's openings are one
    stretch of memory; kinds that have nothing within KIND_CELLS have no book.
    """

    def __init__(
        self, history: History, side: Side, tiers: tuple[RiskTier, ...] | None, parameters: ModelParameters
    ) -> None:
        """`history` must pass `check_history`."""
        flow, _ = flows(Rates.of(history.bar_ms, parameters), history.open_ms, history.volume, history.open_interest)
        kernels = kind_kernels(side, tiers, parameters)
        self._flow = replace(flow, stock=flow.stock / float(stock_profile(kernels.sum(axis=0), REACH).sum()))
        self._kinds = np.flatnonzero(kernels[:, :KIND_CELLS].any(axis=1))
        self._kernels = np.ascontiguousarray(kernels[self._kinds, :KIND_CELLS])
        self._padded = np.pad(self._kernels, ((0, 0), (0, PADDING)))
        path = path_of(history.high, history.low, history.close, history.volume, history.quote_volume)
        self._sign = sign_of(side)
        far, near = (path.low, path.high) if side is Side.SHORT else (-path.high, -path.low)
        self._close: list[int] = (self._sign * path.close).tolist()
        self._far: list[int] = far.tolist()
        self._near: list[int] = near.tolist()
        entries = entry_pairs(path, 0, len(history))
        self._shares = entries.share
        self._ends: list[int] = np.searchsorted(entries.bar, np.arange(len(history) + 1)).tolist()
        self._hours = (history.open_ms // HOUR_MS).tolist()
        self._base = min(self._far) - 1 + int(STOCK_OFFSETS[0])
        cells = max(self._near) + int(STOCK_OFFSETS[-1]) + KIND_CELLS + 1 - self._base
        self._coins = np.zeros((len(flow.kept), cells * len(self._kinds)))
        self._kept, self._opened = np.ascontiguousarray(flow.kept.T), np.ascontiguousarray(flow.opened.T)
        self._entered = np.empty((len(flow.kept), self._padded.size))
        self._scale = np.ones(len(flow.kept))
        prior = np.array(parameters.turnover_prior)
        self._prior = prior / prior.sum()
        self._places: dict[tuple[int, int], Floats] = {}
        self._by_bar = np.zeros((len(history), len(kernels)))
        self._at = 0

    def advance(self, until: int) -> None:
        """Play on until so many bars have been played; nothing where that is so already."""
        for bar in range(self._at, until):
            if bar and self._near[bar] > self._close[bar - 1]:
                self._by_bar[bar, self._kinds] = self._prior @ self._sweep(bar)
            self._fade(self._kept[bar])
            self._open(bar)
        self._at = max(self._at, until)

    def exposure(self, bars: int) -> Exposure:
        """What was swept in the `bars` bars played so far. Raises ValueError where it is more or less than that."""
        if bars != self._at:
            raise ValueError(f"{self._at} bars have been played, not {bars}")
        places = np.array(list(self._places), dtype=np.int64).reshape(-1, 2)
        coins = np.zeros((len(places), len(self._coins), self._by_bar.shape[1]))
        if len(places):
            coins[:, :, self._kinds] = np.array(list(self._places.values()))
        return Exposure(places[:, 0], places[:, 1], coins, self._by_bar[:bars].copy())

    def _sweep(self, bar: int) -> Floats:
        """Take out what stands up to the bar's extreme, (rows, kinds) coins, and note its places."""
        first, end = self._close[bar - 1] + 1, self._near[bar] + 1
        kinds, hour = len(self._kinds), self._hours[bar]
        total = np.zeros((len(self._coins), kinds))
        while first < end:
            block = self._sign * first // BLOCK_CELLS
            # A block's cells ascend on the grid, and descend in the counting of longs.
            after = (block + 1) * BLOCK_CELLS if self._sign > 0 else 1 - block * BLOCK_CELLS
            cells = self._coins[:, (first - self._base) * kinds : (min(after, end) - self._base) * kinds]
            first = after
            if not cells.any():
                continue
            taken = cells.reshape(len(cells), -1, kinds).sum(axis=1) * self._scale[:, None]
            cells[:] = 0.0
            total += taken
            place = (hour, block)
            self._places[place] = self._places[place] + taken if place in self._places else taken
        return total

    def _fade(self, kept: Floats) -> None:
        self._scale *= kept
        scales = self._scale.tolist()
        if min(scales) < 1e-100 or max(scales) > 1e100:
            self._coins *= self._scale[:, None]
            self._scale[:] = 1.0

    def _open(self, bar: int) -> None:
        """Add the bar's openings over its entry cells; what the close has passed is gone."""
        self._add(bar, self._opened[bar], self._profile(bar), self._far[bar])
        if bar == self._flow.stock_bar:
            for offset, weight in zip(STOCK_OFFSETS.tolist(), STOCK_WEIGHTS.tolist(), strict=True):
                self._add(bar, self._flow.stock * weight, self._kernels, self._close[bar] + offset)

    def _add(self, bar: int, opened: Floats, profile: Floats, first: int) -> None:
        begin = max(first, self._close[bar] + 1)
        part = profile[:, begin - first :].T.ravel()
        size = len(part)
        if size:
            start = (begin - self._base) * len(self._kinds)
            entered = self._entered[:, :size] if size <= self._entered.shape[1] else np.empty((len(opened), size))
            np.multiply((opened / self._scale)[:, None], part, out=entered)
            self._coins[:, start : start + size] += entered

    def _profile(self, bar: int) -> Floats:
        """The kernels (kinds, width) spread over a bar's entries: (kinds, width + entries - 1)."""
        shares = self._shares[self._ends[bar] : self._ends[bar + 1]][:: self._sign]
        width = self._kernels.shape[1]
        padded = self._padded
        if len(shares) > PADDING:
            padded = np.pad(self._kernels, ((0, 0), (0, len(shares))))
        spread = np.convolve(padded.ravel(), shares)[: padded.size].reshape(padded.shape)
        profile: Floats = spread[:, : width + len(shares) - 1]
        return profile
