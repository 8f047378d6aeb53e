"""What stood where price went: the coins each kind of position stood to lose, by bar and by place.

The position model's steps once more, with a book for every turnover row and every kind of position (a leverage each,
see `kind_kernels`) side by side. What price swept is the raw material for learning which kinds there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.liquidation.bars import path_of
from bot.liquidation.book import LEAST_SCALE, REACH
from bot.liquidation.flow import Rates, flows
from bot.liquidation.kernel import kind_kernels
from bot.liquidation.margin import RiskTier
from bot.liquidation.parameters import ModelParameters
from bot.liquidation.standing import STOCK_OFFSETS, sign_of, stock_profile
from bot.liquidation.types import Floats, History, Ints, Side
from bot.liquidation.way import Way, carry_on, stretches, ways_of

HOUR_MS = 3_600_000
BLOCK_CELLS = 6
"""Swept coins are told apart to 0.6 %: about what a print's price and the model's bars can tell."""
KIND_CELLS = 400
"""Positions farther from their entry than this (49 % up, 33 % down) are hardly ever swept and not followed."""


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
    advance((play,), len(history))
    return play.exposure(len(history))


def advance(plays: Sequence["Play"], until: int) -> None:
    """Play sides of one history on until so many bars have been played; nothing where that is so already. They must
    have been played equally far.
    """
    played, whole, stock_bar = plays[0].played, plays[0].path, plays[0].stock_bar
    if until <= played:
        return
    path = whole.rows(played, until)
    for first, end in stretches(path, int(whole.close[max(0, played - 1)])):
        longs, shorts = ways_of(path, first, end, stock_bar - played)
        for play in plays:
            play.play(shorts if play.side is Side.SHORT else longs)


class Play:
    """One side of a history, played as far as asked: its books over all cells that path and kernels can reach. Places
    are told of the hours from the first to the last of `heard_ms` alone: nowhere else can prints be held against them.

    Cells are counted as in `standing`. The books lie as (kinds, rows, cells); kinds that have nothing within KIND_CELLS
    have none.
    """

    def __init__(
        self,
        history: History,
        side: Side,
        tiers: tuple[RiskTier, ...] | None,
        parameters: ModelParameters,
        *,
        heard_ms: tuple[int, int] | None = None,
    ) -> None:
        """`history` must pass `check_history`; None is all of it."""
        flow, _ = flows(Rates.of(history.bar_ms, parameters), history.open_ms, history.volume, history.open_interest)
        kernels = kind_kernels(side, tiers, parameters)
        self._opened = flow.opened.T.copy()
        self.stock_bar = flow.stock_bar
        if flow.stock_bar >= 0:
            self._opened[flow.stock_bar] = flow.stock / stock_profile(kernels.sum(axis=0), REACH).sum()
        self._kept = flow.kept.T
        self._kinds = np.flatnonzero(kernels[:, :KIND_CELLS].any(axis=1))
        self._kernels = np.ascontiguousarray(kernels[self._kinds, :KIND_CELLS])
        self.path = path_of(history.high, history.low, history.close, history.volume, history.quote_volume)
        self.side = side
        lowest, highest = int(self.path.low.min()), int(self.path.high.max())
        first, last = (lowest, highest) if side is Side.SHORT else (-highest, -lowest)
        self._base = first - 1 + int(STOCK_OFFSETS[0])
        cells = last + int(STOCK_OFFSETS[-1]) + KIND_CELLS + 1 - self._base
        self._coins = np.zeros((len(self._kinds), len(flow.kept), cells))
        self._scale = np.ones(len(flow.kept))
        self._hours = history.open_ms // HOUR_MS
        first_ms, last_ms = (int(history.open_ms[0]), history.end_ms) if heard_ms is None else heard_ms
        self._first_hour, self._last_hour = first_ms // HOUR_MS, last_ms // HOUR_MS
        prior = np.array(parameters.turnover_prior)
        self._prior = prior / prior.sum()
        self._places: dict[tuple[int, int], Floats] = {}
        self._by_bar = np.zeros((len(history), len(kernels)))
        self.played = 0

    def exposure(self, bars: int) -> Exposure:
        """What was swept in the `bars` bars played so far. Raises ValueError where it is more or less than that."""
        if bars != self.played:
            raise ValueError(f"{self.played} bars have been played, not {bars}")
        places = np.array(list(self._places), dtype=np.int64).reshape(-1, 2)
        coins = np.zeros((len(places), len(self._prior), self._by_bar.shape[1]))
        if len(places):
            coins[:, :, self._kinds] = np.array(list(self._places.values())).transpose(0, 2, 1)
        return Exposure(places[:, 0], places[:, 1], coins, self._by_bar[:bars].copy())

    def play(self, way: Way) -> None:
        """One stretch: what stands near the path bar by bar, and beyond it at the end (see `Book.play`)."""
        bars = slice(self.played, self.played + len(way))
        close = sign_of(self.side) * int(self.path.close[max(0, self.played - 1)])
        low = min(close, int(way.close.min()))
        near, begin = int(way.near.max()) - low, low + 1 - self._base
        scale = self._scale * np.cumprod(self._kept[bars], axis=0)
        entered = self._opened[bars] / scale
        through, spread = way.through(self._kernels, low, max(near, way.reached(low, KIND_CELLS)))
        if near:
            shares = through @ spread[..., :near] * (np.arange(near) >= (way.close - low)[:, None])
            standing = np.empty((len(way) + 1, len(self._kinds), len(self._scale), near))
            standing[0] = self._coins[..., begin : begin + near]
            opened = entered[:, None, :, None]
            np.multiply(opened, shares.transpose(1, 0, 2)[:, :, None, :], out=standing[1:])
            carry_on(standing, way.near - low)
            self._note(way, standing[:-1], np.concatenate((self._scale[None], scale[:-1])), low)
            self._coins[..., begin : begin + near] = standing[-1]
        self._coins[..., begin + near : begin + spread.shape[2]] += (entered.T @ through) @ spread[..., near:]
        self.played = bars.stop
        self._rescale(scale[-1])

    def _note(self, way: Way, before: Floats, scale: Floats, low: int) -> None:
        """Note what each bar sweeps of what stands `before` it, (n, kinds, rows, cells) from low + 1 on, and where."""
        bars, kinds, rows, cells = before.shape
        place = sign_of(self.side) * np.arange(low + 1, low + cells + 1) // BLOCK_CELLS
        blocks = np.arange(place.min(), place.max() + 1)
        touched = np.arange(low + 1, low + cells + 1)[:, None] <= way.near[:, None, None]
        swept = np.matmul(before.reshape(bars, kinds * rows, cells), touched * (place[:, None] == blocks))
        by_place = swept.reshape(bars, kinds, rows, len(blocks)) * scale[:, None, :, None]
        self._by_bar[self.played : self.played + bars, self._kinds] = by_place.sum(axis=3) @ self._prior
        hours = self._hours[self.played : self.played + bars]
        if hours[-1] < self._first_hour or hours[0] > self._last_hour:
            return
        at, block = by_place.any(axis=(1, 2)).nonzero()
        for where, taken in zip(
            zip(hours[at].tolist(), blocks[block].tolist(), strict=True), by_place[at, :, :, block], strict=True
        ):
            self._places[where] = self._places[where] + taken if where in self._places else taken

    def _rescale(self, scale: Floats) -> None:
        self._scale = scale
        scales = scale.tolist()
        if min(scales) < LEAST_SCALE or max(scales) > 1.0 / LEAST_SCALE:
            self._coins *= scale[:, None]
            self._scale = np.ones(len(scale))
