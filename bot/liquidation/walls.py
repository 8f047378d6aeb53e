"""Walls of an order book: prices at which far more rests than is usual for the book at that distance.

Orders thin out or grow with distance from the price by themselves, so a step of the book is held against the median of
the steps at about its distance on both sides, as levels are against the map (`ground`). What rests at the best prices
is left out: it is the spread's, and gone in seconds.
"""

import numpy as np

from bot.liquidation.depth import Depth
from bot.liquidation.types import Floats, Side

STEP = 0.0005
"""Orders within half of a map's cell are one step: walls are split over neighbouring ticks."""
FIRST_STEP = 2
NEIGHBOURS = 10
"""Steps nearer and farther that a step is compared with, on both sides of the book."""
LEAST_PEERS = 10
TIMES_USUAL = 5.0


def walls_of(depth: Depth) -> tuple[float, ...]:
    """The prices of the walls, ascending: each the largest order of its step. Empty where the book is thin."""
    if depth.is_thin:
        return ()
    sides = [depth.against(side) for side in Side]
    farthest = max(int(orders.seen / STEP) for orders in sides)
    steps = [(orders.away / STEP).astype(np.int64) for orders in sides]
    usd = [orders.price * orders.coins for orders in sides]
    # The last step of a side is told in part only.
    summed = np.full((len(sides), farthest + 1), np.nan)
    for row, (orders, step, worth) in enumerate(zip(sides, steps, usd, strict=True)):
        whole = int(orders.seen / STEP)
        summed[row, :whole] = np.bincount(step, worth, minlength=farthest + 1)[:whole]
    high = summed > TIMES_USUAL * _usual(summed)
    high[:, :FIRST_STEP] = False
    found = []
    for row, (orders, step, worth) in enumerate(zip(sides, steps, usd, strict=True)):
        for at in np.flatnonzero(high[row]):
            inside = np.flatnonzero(step == at)
            found.append(float(orders.price[inside[worth[inside].argmax()]]))
    return tuple(sorted(found))


def _usual(summed: Floats) -> Floats:
    """The median of the steps around each step, on both sides, (steps,); infinite where too few are known."""
    count = summed.shape[1]
    usual = np.full(count, np.inf)
    for at in range(count):
        around = summed[:, max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1]
        known = around[~np.isnan(around)]
        if len(known) >= LEAST_PEERS:
            usual[at] = np.median(known)
    return usual
