"""The order book of a simulated market: what its law of impact amounts to, had it been orders that rest."""

from typing import Final

import numpy as np

from bot.market.simulator_parameters import SimulationParameters
from bot.market.types import Depth

MOST_PUSH: Final = 0.8
"""Forced orders push price by less than this many daily moves."""

STEP: Final = 1e-3
WALL: Final = 0.98
LEAST_IMPACT: Final = 1e-6


def impact_book(parameters: SimulationParameters, *, push: float, coins: float, mark: float, time_ms: int) -> Depth:
    """The book around `mark`, in levels of 0.1 % to nearly the most that price can be pushed.

    `push` is how far price is pushed already, in log price, `coins` the open interest. A push x of at most m takes
    coins * m (atanh(x / m) - atanh(push / m)) / impact from where it is.
    """
    most = MOST_PUSH * parameters.daily_volatility
    price, sizes = [], []
    for sign in (-1.0, 1.0):
        away = np.arange(STEP, max(WALL * most - sign * push, 2 * STEP), STEP)
        pushed = np.arctanh(np.clip((push + sign * np.append(0.0, away)) / most, -WALL, WALL))
        taken = np.maximum(np.abs(np.diff(pushed)), STEP) * coins * most
        price.append(mark * np.exp(sign * away))
        sizes.append(taken / max(parameters.impact, LEAST_IMPACT))
    return Depth(time_ms, price[0], sizes[0], price[1], sizes[1])
