"""What stood where price went: the coins each kind of position stood to lose, by bar and by place.

The position model's steps once more, with a book for every turnover row and every kind of position (a leverage each,
see `kind_kernels`) side by side. What price swept is the raw material for learning which kinds there are.
"""

from dataclasses import dataclass, replace

import numpy as np

from bot.liquidation.bars import Entries, entry_pairs, path_of
from bot.liquidation.book import REACH
from bot.liquidation.flow import Flows, Rates, flows
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
    rates = Rates.of(history.bar_ms, parameters)
    flow, _ = flows(rates, history.open_ms, history.volume, history.open_interest)
    kinds = kind_kernels(side, tiers, parameters)
    standing_stock = float(stock_profile(kinds.sum(axis=0), REACH).sum())
    flow = replace(flow, stock=flow.stock / standing_stock)
    kernels = np.ascontiguousarray(kinds[:, :KIND_CELLS])
    path = path_of(history.high, history.low, history.close, history.volume, history.quote_volume)
    sign = sign_of(side)
    entries = entry_pairs(path, 0, len(history))
    far, near = (path.low, path.high) if side is Side.SHORT else (-path.high, -path.low)
    play = _Play(flow, kernels, sign * path.close, int(far.min()) - 1, int(near.max()), sign)
    prior = np.array(parameters.turnover_prior)
    ends = np.searchsorted(entries.bar, np.arange(len(history) + 1))
    by_bar = np.zeros((len(history), len(kernels)))
    for bar, hour in enumerate((history.open_ms // HOUR_MS).tolist()):
        if bar:
            by_bar[bar] = prior / prior.sum() @ play.sweep(int(near[bar]), bar, hour)
        play.fade(bar)
        play.open(bar, _shares(entries, ends[bar], ends[bar + 1], sign), int(far[bar]))
    return play.exposure(by_bar)


def _shares(entries: Entries, first: int, end: int, sign: int) -> Floats:
    """One bar's shares by cell, from the cell farthest from liquidation to the nearest."""
    shares: Floats = entries.share[first:end][::sign]
    return shares


class _Play:
    """The books of one side over all cells that its path and kernels can reach, counted as in `standing`."""

    def __init__(self, flow: Flows, kernels: Floats, close: Ints, lowest: int, highest: int, sign: int) -> None:
        self._flow = flow
        self._kernels = kernels
        self._close = close
        self._base = lowest + int(STOCK_OFFSETS[0])
        rows, (kinds, width) = len(flow.kept), kernels.shape
        self._coins = np.zeros((rows, kinds, highest + int(STOCK_OFFSETS[-1]) + width + 1 - self._base))
        self._scale = np.ones(rows)
        self._padded = np.zeros((kinds, width + PADDING))
        self._padded[:, :width] = kernels
        self._sign = sign
        self._places: dict[tuple[int, int], Floats] = {}

    def sweep(self, touched: int, bar: int, hour: int) -> Floats:
        """Take out what stood up to `touched`, (rows, kinds) coins, and note its places."""
        first, end = int(self._close[bar - 1]) + 1, touched + 1
        total = np.zeros(self._coins.shape[:2])
        while first < end:
            block = self._sign * first // BLOCK_CELLS
            # A block's cells ascend on the grid, and descend in the counting of longs.
            after = (block + 1) * BLOCK_CELLS if self._sign > 0 else 1 - block * BLOCK_CELLS
            cells = self._coins[:, :, first - self._base : min(after, end) - self._base]
            first = after
            if not cells.any():
                continue
            taken = cells.sum(axis=2) * self._scale[:, None]
            cells[:] = 0.0
            total += taken
            place = (hour, block)
            self._places[place] = self._places[place] + taken if place in self._places else taken
        return total

    def fade(self, bar: int) -> None:
        self._scale *= self._flow.kept[:, bar]
        if self._scale.min() < 1e-100 or self._scale.max() > 1e100:
            self._coins *= self._scale[:, None, None]
            self._scale[:] = 1.0

    def open(self, bar: int, shares: Floats, first: int) -> None:
        """Add the bar's openings over its entry cells, of which the first is `first`; what the close passed is gone."""
        self._add(bar, self._flow.opened[:, bar], self._profile(shares), first)
        if bar == self._flow.stock_bar:
            for offset, weight in zip(STOCK_OFFSETS.tolist(), STOCK_WEIGHTS.tolist(), strict=True):
                self._add(bar, self._flow.stock * weight, self._kernels, int(self._close[bar]) + offset)

    def exposure(self, by_bar: Floats) -> Exposure:
        places = np.array(list(self._places), dtype=np.int64).reshape(-1, 2)
        coins = np.array(list(self._places.values())).reshape(-1, *self._coins.shape[:2])
        return Exposure(places[:, 0], places[:, 1], coins, by_bar)

    def _add(self, bar: int, opened: Floats, profile: Floats, first: int) -> None:
        begin = max(first, int(self._close[bar]) + 1)
        part = profile[:, begin - first :]
        if part.shape[1]:
            cells = slice(begin - self._base, begin - self._base + part.shape[1])
            self._coins[:, :, cells] += (opened / self._scale)[:, None, None] * part

    def _profile(self, shares: Floats) -> Floats:
        """The kernels (kinds, width) spread over a bar's entries: (kinds, width + entries - 1)."""
        kinds, width = self._kernels.shape
        padded = self._padded
        if len(shares) > PADDING:
            padded = np.zeros((kinds, width + len(shares)))
            padded[:, :width] = self._kernels
        spread = np.convolve(padded.ravel(), shares)[: padded.size].reshape(padded.shape)
        profile: Floats = spread[:, : width + len(shares) - 1]
        return profile
