"""A map taken apart by leverage: how much of each bin stands there through positions opened at which leverage.

The model is linear in its distance kernel, and the kernel is a sum over leverages (`kind_kernels`). So the same
cohorts, carried through a part of the kernel, stand where that part's positions do. It tells what the model assumes of
leverage, or has learned of it, and not what anybody has reported.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

import numpy as np

from bot.liquidation.book import REACH
from bot.liquidation.grid import cells_of
from bot.liquidation.kernel import kind_kernels
from bot.liquidation.margin import RiskTier
from bot.liquidation.model import PositionModel, cohorts_of
from bot.liquidation.parameters import DEFAULT, ModelParameters
from bot.liquidation.reading import read_map
from bot.liquidation.standing import lots_of, standing, stock_profile
from bot.liquidation.types import Floats, History, LiquidationMap, Side
from bot.liquidation.values import replace

LEVERAGE_BOUNDS = (0.0, 5.0, 10.0, 25.0, inf)
"""A class holds the leverages above one bound up to the next; the class after the last is of no set leverage."""

CLASSES = len(LEVERAGE_BOUNDS)


def by_leverage(
    drawn: LiquidationMap,
    history: History,
    *,
    tiers: Sequence[RiskTier] | None = None,
    parameters: ModelParameters = DEFAULT,
    weights: Floats | None = None,
    since_ms: int | None = None,
) -> tuple[LiquidationMap, ...]:
    """A map for each class, on the bins of `drawn` and adding up to it; the totals are those of `drawn`.

    `drawn` is a map of `history`, made with the same tiers, parameters, turnover `weights` and `since_ms`; where the
    model has nothing and `drawn` has, it belongs to the last class. Raises ValueError on a broken history.
    """
    mixing = PositionModel.rebuild(history, tiers=tiers, parameters=parameters).mixing_weights(weights)
    coins = mixing @ coins_by_leverage(history, tiers=tiers, parameters=parameters, since_ms=since_ms)
    close = float(history.close[-1])
    return _parted(drawn, [_in_bins(drawn, coins[:, number], close) for number in range(CLASSES)])


def coins_by_leverage(
    history: History,
    *,
    tiers: Sequence[RiskTier] | None = None,
    parameters: ModelParameters = DEFAULT,
    since_ms: int | None = None,
) -> Floats:
    """What stands by side (long, short), class, turnover row and cell from the close on: (2, classes, rows, REACH).

    The classes of a side add up to the model's standing coins. Raises ValueError on a broken history.
    """
    table = None if tiers is None else tuple(tiers)
    cohorts = cohorts_of(history, parameters, since_ms=since_ms)
    lots = lots_of(cohorts)
    coins = np.zeros((2, CLASSES, len(cohorts.weight), REACH))
    for row, side in enumerate(Side):
        kernels = _class_kernels(side, table, parameters)
        whole = stock_profile(kernels.sum(axis=0), REACH).sum()
        for number, kernel in enumerate(kernels):
            if kernel.any():
                # `standing` places the whole stock, whatever share of it is of this class.
                part = replace(cohorts, stock=cohorts.stock * (stock_profile(kernel, REACH).sum() / whole))
                coins[row, number] = standing(part, lots, kernel, side, REACH)
    return coins


def _class_kernels(side: Side, tiers: tuple[RiskTier, ...] | None, parameters: ModelParameters) -> Floats:
    """The kernel by class, (classes, J): the rows add up to it."""
    kinds = kind_kernels(side, tiers, parameters)
    tilt = parameters.long_tilt if side is Side.LONG else parameters.short_tilt
    kinds = kinds * np.array(tilt or (1.0,) * len(kinds))[:, None]
    leverage = np.array([leverage for leverage, _ in parameters.leverage_weights])
    bounded = [
        kinds[:-1][(leverage > above) & (leverage <= up_to)].sum(axis=0) for above, up_to in pairwise(LEVERAGE_BOUNDS)
    ]
    classes: Floats = np.array([*bounded, kinds[-1]]) / kinds.sum()
    return classes


def _in_bins(drawn: LiquidationMap, coins: Floats, close: float) -> LiquidationMap:
    """One class's coins (2, REACH) in the bins of `drawn`; the scale is the same for all classes."""
    return read_map(
        (coins[0], coins[1]),
        (0.0, 0.0),
        close_cell=int(cells_of(close)),
        price=drawn.price,
        time_ms=drawn.time_ms,
        window=0.0005 * (len(drawn.low) - 1),
        open_interest=drawn.open_interest,
    )


def _parted(drawn: LiquidationMap, parts: Sequence[LiquidationMap]) -> tuple[LiquidationMap, ...]:
    """`drawn` divided in each bin as `parts` are; what they do not have goes to the last."""
    long, short = (np.array([getattr(part, name) for part in parts]) for name in ("long_usd", "short_usd"))
    for side in (long, short):
        empty = side.sum(axis=0) <= 0.0
        side[-1, empty] = 1.0
        side /= side.sum(axis=0)
    return tuple(
        replace(drawn, long_usd=drawn.long_usd * a, short_usd=drawn.short_usd * b)
        for a, b in zip(long, short, strict=True)
    )
