"""How far from its entry a position is liquidated: the distance kernel of a contract and side.

The weights are those of flow (what is opened), not of stock: highly leveraged positions die fast, so the stock
becomes low-leverage by itself.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import erf, log, log1p, sqrt

import numpy as np

from bot.liquidation.grid import CELL
from bot.liquidation.margin import RiskTier, check_tiers
from bot.liquidation.parameters import DEFAULT, ModelParameters
from bot.liquidation.types import Floats, Side
from bot.liquidation.values import replace

DEFAULT_TIERS = (
    RiskTier(0.0, 300e3, 0.004, 0.0, 125.0),
    RiskTier(300e3, 800e3, 0.005, 300.0, 100.0),
    RiskTier(800e3, 3e6, 0.0065, 1_500.0, 75.0),
    RiskTier(3e6, 12e6, 0.01, 12e3, 50.0),
    RiskTier(12e6, 70e6, 0.02, 132e3, 25.0),
    RiskTier(70e6, 100e6, 0.025, 482e3, 20.0),
    RiskTier(100e6, 230e6, 0.05, 2_982e3, 10.0),
    RiskTier(230e6, 480e6, 0.10, 14_482e3, 5.0),
    RiskTier(480e6, 1.8e9, 0.25, 86_482e3, 2.0),
)
"""A large contract's table, for a symbol whose tiers are unknown."""

MOST_MOVED_TO_CAP = 0.15
"""The most weight of forbidden leverages that is taken to be opened at the highest leverage allowed."""


def distance_kernel(side: Side, tiers: Sequence[RiskTier] | None, parameters: ModelParameters = DEFAULT) -> Floats:
    """Share of opened positions by the cells between entry and liquidation: index j is j cells away; sums to 1.

    Read-only, shape (J,), J about 970 for longs and 485 for shorts. Raises ValueError on a broken tier table.
    """
    table = DEFAULT_TIERS if tiers is None else tuple(tiers)
    check_tiers(table)
    return _kernel(side, table, parameters)


def liquidation_distance(side: Side, leverage: float, maintenance_margin_rate: float) -> float:
    """The adverse move, as a fraction of the entry price, at which an isolated position is liquidated.

    (1/L - m)/(1 - m) for a long, (1/L - m)/(1 + m) for a short: `liquidation_price` with W = qE/L and one tier.
    """
    sign = -1.0 if side is Side.LONG else 1.0
    return (1.0 / leverage - maintenance_margin_rate) / (1.0 + sign * maintenance_margin_rate)


def kind_kernels(side: Side, tiers: Sequence[RiskTier] | None, parameters: ModelParameters = DEFAULT) -> Floats:
    """The kernel by kinds of position, before their tilts: a row a leverage, the last row those of none; (kinds, J).

    Rows carry their share of what is opened: their tilted sum is the kernel, up to a factor. The row of a leverage
    that the tiers forbid is zero. Read-only. Raises ValueError on a broken tier table.
    """
    table = DEFAULT_TIERS if tiers is None else tuple(tiers)
    check_tiers(table)
    return _kinds(side, table, replace(parameters, long_tilt=(), short_tilt=()))


@lru_cache(maxsize=1024)
def _kernel(side: Side, tiers: tuple[RiskTier, ...], parameters: ModelParameters) -> Floats:
    kinds = _kinds(side, tiers, replace(parameters, long_tilt=(), short_tilt=()))
    tilt = parameters.long_tilt if side is Side.LONG else parameters.short_tilt
    kernel: Floats = np.array(tilt) @ kinds if tilt else kinds.sum(axis=0)
    kernel /= kernel.sum()
    kernel.flags.writeable = False
    return kernel


@lru_cache(maxsize=256)
def _kinds(side: Side, tiers: tuple[RiskTier, ...], parameters: ModelParameters) -> Floats:
    reach = _offset(side, parameters.farthest) / CELL
    kinds = np.zeros((len(parameters.leverage_weights) + 1, int(reach) + 2))
    middles = np.arange(kinds.shape[1] - 1) + 0.5
    bounds = np.expm1(middles * CELL) if side is Side.SHORT else -np.expm1(-middles * CELL)
    for kind, distance, weight in _typical_distances(side, tiers, parameters):
        spike = weight * parameters.spike_share
        at = _offset(side, distance) / CELL
        whole = int(at)
        kinds[kind, whole] += spike * (whole + 1 - at)
        kinds[kind, whole + 1] += spike * (at - whole)
        beyond = np.exp(-np.maximum(bounds / distance - 1.0, 0.0) / parameters.added_margin)
        _add_spread(kinds[kind], weight - spike, 1.0 - beyond, bounds, parameters)
    scale = parameters.broad_sd * sqrt(2.0)
    broad = np.array([0.5 * (1.0 + erf(log(bound / parameters.broad_median) / scale)) for bound in bounds.tolist()])
    _add_spread(kinds[-1], parameters.broad_weight, broad, bounds, parameters)
    kinds.flags.writeable = False
    return kinds


def _add_spread(kernel: Floats, weight: float, below: Floats, bounds: Floats, parameters: ModelParameters) -> None:
    """Add `weight` by a distribution: `below` (J - 1,) is its cumulative share at the `bounds` between cells."""
    clipped = np.where(bounds < parameters.nearest, 0.0, np.where(bounds >= parameters.farthest, 1.0, below))
    kernel += weight * np.diff(clipped, prepend=0.0, append=1.0)


def _offset(side: Side, distance: float) -> float:
    """The log-price distance of an adverse move given as a fraction of the entry price."""
    return log1p(distance) if side is Side.SHORT else -log1p(-distance)


def _typical_distances(
    side: Side, tiers: tuple[RiskTier, ...], parameters: ModelParameters
) -> list[tuple[int, float, float]]:
    """Kinds, distances and weights: each allowed leverage in the brackets that permit it.

    Most positions are small: each bracket holds half of what the one below it holds.
    """
    cap = max(tier.max_leverage for tier in tiers)
    allowed = [
        [leverage, weight, kind]
        for kind, (leverage, weight) in enumerate(parameters.leverage_weights)
        if leverage <= cap
    ]
    forbidden = sum(weight for leverage, weight in parameters.leverage_weights if leverage > cap)
    if allowed:
        max(allowed)[1] += min(forbidden, MOST_MOVED_TO_CAP)
    distances = []
    for leverage, weight, kind in allowed:
        rates = [tier.maintenance_margin_rate for tier in tiers if tier.max_leverage >= leverage]
        shares = [0.5**rank for rank in range(len(rates))]
        for rate, share in zip(rates, shares, strict=True):
            distance = liquidation_distance(side, leverage, rate)
            clipped = min(max(distance, parameters.nearest), parameters.farthest)
            distances.append((int(kind), clipped, weight * share / sum(shares)))
    return distances
