"""Markets whose truth is known, as an estimator sees them, with what only the truth knows beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from bot.evaluation.second_simulator import SECOND_PRESETS, TIERS, second_parameters, simulate_second
from bot.liquidation.grid import CELL
from bot.liquidation.margin import RiskTier
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Floats, History, Side
from bot.liquidation.values import replace
from bot.market.history import align
from bot.market.recording import Truth
from bot.market.simulator import simulate
from bot.market.simulator_lots import Holders, Margin, Newcomers
from bot.market.simulator_parameters import PRESETS, LeverageMix, SimulationParameters

PRINTED_SHARE: Final = 0.35
KERNEL_CELLS: Final = 2_000
KERNEL_LOTS: Final = 60_000
SECOND: Final = tuple(SECOND_PRESETS)
NAMES: Final[Mapping[str, str]] = MappingProxyType(dict.fromkeys(PRESETS, "first") | dict.fromkeys(SECOND, "second"))
"""Every variant, and the family that it belongs to."""


@dataclass(frozen=True, slots=True)
class Phase:
    """From bar `first` on: the distances from entry to liquidation of what is opened, by side (2, cells)."""

    first: int
    kernels: Floats


@dataclass(frozen=True, slots=True)
class KnownMarket:
    """What is public (`history`, `tiers`, `prints`: a random 35 % of them), and what is not: the open positions at the
    end, the coins opened by side and bar (2, bars), and the phases of their distances."""

    name: str
    history: History
    tiers: tuple[RiskTier, ...]
    prints: LiquidationPrints
    truth: Truth
    opened: Floats
    phases: tuple[Phase, ...]

    @property
    def price(self) -> float:
        return float(self.history.close[-1])


def known_market(name: str, *, seed: int, days: int) -> KnownMarket:
    """Play a variant of either simulator. Raises KeyError."""
    if name in SECOND_PRESETS:
        return _second(name, seed, days)
    parameters = replace(PRESETS[name], seed=seed, days=days)
    market = simulate(parameters)
    printed = market.prints
    prints = LiquidationPrints(printed.time_ms, printed.is_long, printed.price, printed.price * printed.coins)
    history = align(market.bars, market.open_interest)
    return KnownMarket(
        name=name,
        history=history,
        tiers=market.tiers,
        prints=_some(prints, seed),
        truth=market.truth,
        opened=np.array([market.opened_longs, market.opened_shorts]),
        phases=_phases(parameters, len(history)),
    )


def _second(name: str, seed: int, days: int) -> KnownMarket:
    market = simulate_second(second_parameters(name, seed=seed, days=days))
    halves = (Phase(0, market.kernels[0]), Phase(len(market.history) // 2, market.kernels[1]))
    return KnownMarket(
        name=name,
        history=market.history,
        tiers=TIERS,
        prints=_some(market.prints, seed),
        truth=market.truth,
        opened=market.opened,
        phases=halves,
    )


def _some(prints: LiquidationPrints, seed: int) -> LiquidationPrints:
    kept = np.random.default_rng((seed, 35)).random(len(prints)) < PRINTED_SHARE
    return LiquidationPrints(prints.time_ms[kept], prints.is_long[kept], prints.price[kept], prints.usd[kept])


def _phases(parameters: SimulationParameters, bars: int) -> tuple[Phase, ...]:
    usual = Phase(0, _drawn_kernels(parameters, (parameters.long_leverage, parameters.short_leverage)))
    if parameters.regime is None:
        return (usual,)
    changed = parameters.regime.leverage
    return usual, Phase(bars // 2, _drawn_kernels(parameters, (changed, changed)))


def _drawn_kernels(parameters: SimulationParameters, mixes: tuple[LeverageMix, LeverageMix]) -> Floats:
    """The distances of many of the simulator's newcomers who open at one price, weighted by coins; (2, cells)."""
    coins = parameters.open_interest_usd / parameters.start_price
    lot = coins / parameters.mean_holding_bars / parameters.lots_per_bar
    kernels = np.zeros((2, KERNEL_CELLS))
    for side, mix in enumerate(mixes):
        sign = 1 if side == list(Side).index(Side.LONG) else -1
        newcomers = Newcomers(parameters, mix, np.random.default_rng((parameters.seed, 36, side)))
        holders = Holders(sign, Margin(parameters.tiers), newcomers)
        price = np.array([parameters.start_price])
        holders.open(lot * KERNEL_LOTS, lots=KERNEL_LOTS, price=price, clock=0.0)
        level, size = holders.standing()
        away = np.abs(np.log(np.maximum(level, 1e-9) / parameters.start_price)) / CELL
        cells = np.minimum(away.astype(np.int64), KERNEL_CELLS - 1)
        kernels[side] = np.bincount(cells, size, KERNEL_CELLS) / size.sum()
    return kernels
