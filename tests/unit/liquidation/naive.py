"""The position model once more, slowly: one array over all cells, bar after bar, to check the fast ones.

It takes each bar's flow as given (`flows` has its own tests) and writes the rest from the definition.
"""

import numpy as np

from bot.liquidation.bars import entry_pairs, path_of
from bot.liquidation.flow import Rates, flows
from bot.liquidation.grid import cells_of
from bot.liquidation.kernel import distance_kernel
from bot.liquidation.parameters import DEFAULT
from bot.liquidation.types import Floats, History, Ints, Side

REACH = 1_500


def standing_coins(history: History, side: Side, *, row: int, path_matters: bool = True) -> dict[int, float]:
    """Coins by cell of one side and turnover row after the last bar; without `path_matters` nothing is swept."""
    kernel = distance_kernel(side, None)
    away = -1 if side is Side.LONG else 1
    path = path_of(history.high, history.low, history.close, history.volume, history.quote_volume)
    flow, _ = flows(Rates.of(history.bar_ms, DEFAULT), history.open_ms, history.volume, history.open_interest)
    lows, highs, closes = (cells_of(prices) for prices in (history.low, history.high, history.close))
    cells = np.arange(lows.min() - 1_100, highs.max() + 1_100)
    coins = np.zeros(len(cells))
    for bar in range(len(history)):
        if path_matters:
            coins[cells >= lows[bar] if side is Side.LONG else cells <= highs[bar]] = 0.0
        coins *= flow.kept[row, bar]
        pairs = entry_pairs(path, bar, bar + 1)
        _enter(coins, pairs.cell - cells[0], flow.opened[row, bar] * pairs.share, kernel, away)
        if bar == flow.stock_bar:
            where, shares = _stock(flow.stock[row], kernel, away)
            _enter(coins, where + closes[bar] - cells[0], shares, kernel, away)
        if path_matters:
            beyond = away * (cells - closes[bar])
            coins[(beyond <= 0) | (beyond > REACH)] = 0.0
    return {int(cell): float(held) for cell, held in zip(cells, coins, strict=True) if held > 0}


def _enter(coins: Floats, where: Ints, shares: Floats, kernel: Floats, away: int) -> None:
    for at, share in zip(where.tolist(), shares.tolist(), strict=True):
        coins[at + away * np.arange(len(kernel))] += share * kernel


def _stock(total: float, kernel: Floats, away: int) -> tuple[Ints, Floats]:
    offsets = np.arange(-60, 61, 15)
    weights = np.exp(-0.5 * (offsets / 30.0) ** 2)
    ahead = np.array([kernel[np.arange(len(kernel)) + away * offset > 0].sum() for offset in offsets.tolist()])
    return offsets, total * weights / (weights @ ahead)
