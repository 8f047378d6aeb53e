"""A believable order book: orders every 0.02 % around the price, thinner next to it than a percent away."""

import numpy as np

from bot.liquidation.depth import Depth

STEP = 2e-4


def believable_book(price: float, *, usd_a_percent: float, seen_pct: float = 1.5, time_ms: int = 0) -> Depth:
    """`usd_a_percent` rest on each side within a percent of the price; no order is told beyond `seen_pct`."""
    away = STEP * np.arange(1.0, round(0.01 * seen_pct / STEP) + 1.0)
    usd = (0.5 + np.minimum(away, 0.01) / 0.01) * usd_a_percent * STEP / 0.01
    bids, asks = price * np.exp(-away), price * np.exp(away)
    return Depth(time_ms, bids, usd / bids, asks, usd / asks)
