"""How close a map comes to a known truth: bins by distance from price, and three scores of an estimate in them."""

from dataclasses import dataclass

import numpy as np

from bot.liquidation.grid import CELL, cells_of
from bot.liquidation.types import Floats
from bot.market.recording import Truth

NEAREST, FARTHEST, BIN = 0.002, 0.10, 0.0025
EDGES = NEAREST + BIN * np.arange(int((FARTHEST - NEAREST) / BIN + 1e-9) + 1)
"""Bins of 0.25 % from 0.2 % to 10 % of price, on each side: (40,) edges."""
TOP_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Closeness:
    """Of one estimate and one side: rank correlation over bins, the truth in the fifth of the bins that the estimate
    ranks highest over a fifth of the truth, and the mean gap between the two cumulative shares."""

    spearman: float
    lift: float
    cdf_error: float


def bin_coins(coins: Floats, price: float) -> Floats:
    """Coins by bin, (2, bins), longs and shorts, from coins standing at 1, 2, ... cells beyond the price's; (2, n)."""
    log_price, cell = float(np.log(price)), int(cells_of(price))
    steps = np.arange(coins.shape[1] + 1)
    bounds = (log_price - (cell - steps) * CELL, (cell + 1 + steps) * CELL - log_price)
    wanted = (-np.log1p(-EDGES), np.log1p(EDGES))
    return np.array(
        [
            np.diff(np.interp(at, bound, np.concatenate(([0.0], np.cumsum(side)))))
            for at, bound, side in zip(wanted, bounds, coins, strict=True)
        ]
    )


def bin_truth(truth: Truth, price: float) -> Floats:
    """The open positions by bin, (2, bins)."""
    away = np.where(truth.is_long, 1.0, -1.0) * (1.0 - truth.liquidation_price / price)
    sides = (truth.is_long, ~truth.is_long)
    return np.array([np.histogram(away[side], EDGES, weights=truth.usd[side])[0] for side in sides])


def closeness(estimate: Floats, truth: Floats) -> Closeness:
    """Compare two non-negative arrays (bins,). Where either holds nothing, it ranks nothing: 0 and 1."""
    top = np.argsort(-estimate, kind="stable")[: round(TOP_SHARE * len(estimate))]
    held = float(truth.sum())
    lift = float(truth[top].sum()) / held / (len(top) / len(truth)) if held > 0 and estimate.any() else 1.0
    gap = float(np.abs(_cumulative(estimate) - _cumulative(truth)).mean())
    return Closeness(spearman(estimate, truth), lift, gap)


def spearman(left: Floats, right: Floats) -> float:
    """Rank correlation, ties at their mean; 0 where either is constant."""
    if left.min() == left.max() or right.min() == right.max():
        return 0.0
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def _ranks(values: Floats) -> Floats:
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2.0)[at]
    return ranks


def _cumulative(values: Floats) -> Floats:
    total = float(values.sum())
    shares: Floats = np.cumsum(values if total > 0 else np.ones_like(values)) / (total or len(values))
    return shares
