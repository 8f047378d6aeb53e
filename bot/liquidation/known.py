"""Positions whose liquidation price is known exactly, in place of the model's estimate of the same open interest.

A venue that tells the positions of an address tells their liquidation prices too. Of each side the known part of the
open interest stands where it is told, and the model's mass is scaled by what is left:

    mass = model * (1 - known / total) + known at its prices
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.liquidation.types import Floats, LiquidationMap, Side
from bot.liquidation.values import replace


@dataclass(frozen=True, slots=True)
class KnownPosition:
    """An open position, in coins. `liquidation_price` is None where the venue says that there is none.

    That of a cross position is as of the account's other positions: the venue tells no better.
    """

    side: Side
    coins: float
    liquidation_price: float | None


def with_known(drawn: LiquidationMap, positions: Sequence[KnownPosition]) -> tuple[LiquidationMap, float]:
    """The map with the known positions in it, and their share of both sides' open interest, 0 to 1.

    A position whose liquidation price has been passed is gone: it was read before. Without measured open interest
    there is nothing to be a part of, and the map stays as it is. Known positions larger than a side's total (which was
    sampled at another moment) take all of it, each its part.
    """
    if drawn.open_interest != "measured" or not positions:
        return drawn, 0.0
    long_usd, long_known = _side(drawn, Side.LONG, positions)
    short_usd, short_known = _side(drawn, Side.SHORT, positions)
    total = drawn.long_total_usd + drawn.short_total_usd
    share = (long_known + short_known) / total if total > 0 else 0.0
    return replace(drawn, long_usd=long_usd, short_usd=short_usd), share


def _side(drawn: LiquidationMap, side: Side, positions: Sequence[KnownPosition]) -> tuple[Floats, float]:
    """One side's notional by bin, and how much of its total is known."""
    below = side is Side.LONG
    usd, total = (drawn.long_usd, drawn.long_total_usd) if below else (drawn.short_usd, drawn.short_total_usd)
    open_now = [one for one in positions if one.side is side and not _passed(one, drawn.price)]
    coins = np.array([one.coins for one in open_now], dtype=np.float64)
    known = float(coins.sum()) * drawn.price
    if not known > 0 or not total > 0:
        return usd, 0.0
    fitting = min(1.0, total / known)
    prices = np.array([one.liquidation_price or np.nan for one in open_now], dtype=np.float64)
    inside = (prices >= drawn.low[0]) & (prices < drawn.high[-1])
    bins = np.searchsorted(drawn.high, prices[inside], side="right")
    placed = np.bincount(bins, coins[inside] * drawn.price * fitting, minlength=len(usd))
    return usd * (1.0 - known * fitting / total) + placed, known * fitting


def _passed(position: KnownPosition, price: float) -> bool:
    if position.liquidation_price is None:
        return False
    below = position.liquidation_price < price
    return not below if position.side is Side.LONG else below
