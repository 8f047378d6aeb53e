"""The skill meter: how much a map knows about liquidations beyond their distance from price.

Poisson deviance of the liquidated notional in reached cells, on held-out stretches of time, with the map's mass
against contract, side and distance band alone:

    ln E[y] = a(contract, side) + f(distance band) + b ln(mass / mean mass of contract and side + 0.05)
    skill = 1 - deviance(with the map) / deviance(without)

Moments overlap and markets move together, so only an interval over resampled blocks is honest about chance.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import isfinite, nan
from typing import Any

import numpy as np

from bot.liquidation.poisson import deviance, expected_events, fit_poisson
from bot.liquidation.skill_sample import BAND_EDGES, Reached
from bot.liquidation.types import Floats, Ints

FOLDS = 8
RESAMPLES = 2_000
BLOCK_MS = 2 * 3_600_000
LEAST_BLOCKS = 8
LEAST_EVENTS = 30.0
MASS_FLOOR = 0.05
LEVEL_RIDGE, SLOPE_RIDGE = 0.5, 1e-3
TOP_SHARE = 0.2


class Verdict(StrEnum):
    PROVEN = "proven"
    """The whole 90 % interval lies above zero."""
    NOT_PROVEN = "not_proven"
    TOO_FEW = "too_few"
    """Fewer than 8 blocks or 30 effective events: no interval to be trusted."""


@dataclass(frozen=True, slots=True)
class ModelSkill:
    """One model's score. `low`, `high` bound the 90 % interval; `b` is how liquidations grow with mass.

    `rank_in_band` is the rank correlation of mass and liquidations inside distance bands, `lift` what the fifth of
    the cells with the most mass took, over a fifth, inside contract, side and block.
    """

    name: str
    skill: float
    low: float
    high: float
    b: float
    rank_in_band: float
    lift: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Skill:
    """All models' scores on one sample, and its sizes. `blocks_of` says what was resampled: "2h" or "symbol"."""

    models: tuple[ModelSkill, ...]
    distance_lift: float
    cells: int
    moments: int
    symbols: int
    effective_events: float
    blocks: int
    blocks_of: str

    def model(self, name: str) -> ModelSkill:
        """The score of one model. Raises KeyError."""
        return {one.name: one for one in self.models}[name]

    def plain(self) -> dict[str, Any]:
        """Plain values for JSON; what could not be computed is None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def measure_skill(
    cells: Reached,
    names: Sequence[str],
    *,
    overlap: float = 1.0,
    by_symbol: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> Skill:
    """Score each model's mass, `cells.usd[i]` under `names[i]`, against distance alone.

    `overlap` is in how many moments' horizons a print falls: it counts once towards the effective events. Blocks of
    the interval are two hours shared by all contracts, or with `by_symbol` the contracts. The same input gives the
    same figures. Raises ValueError where names and models differ in number.
    """
    if len(names) != len(cells.usd):
        raise ValueError(f"{len(cells.usd)} models need as many names, not {len(names)}")
    block = cells.symbol if by_symbol else cells.time_ms // BLOCK_MS
    blocks, block = np.unique(block, return_inverse=True)
    group = np.unique(cells.symbol * 2 + cells.side, return_inverse=True)[1]
    band = np.searchsorted(BAND_EDGES, cells.distance, side="right")
    events = float(cells.events.sum()) / overlap
    enough = len(blocks) >= LEAST_BLOCKS and events >= LEAST_EVENTS
    sample = _Sample(cells, group, band, block)
    base, features = sample.levels(), [sample.feature(usd) for usd in cells.usd]
    fitted = events > 0 and len(np.unique(cells.time_ms)) >= 2
    without, plain = sample.held_out(base) if fitted else (np.zeros(len(cells)), np.ones(len(cells)))
    scored = []
    for name, feature in zip(names, features, strict=True):
        skill, low, high, b = nan, nan, nan, nan
        if fitted:
            design = np.column_stack((base, feature))
            withit, _ = sample.held_out(design)
            skill, low, high = _interval(without, withit, block, len(blocks), resamples, seed)
            b = float(fit_poisson(design, cells.events, _ridge(design, slopes=1))[-1])
        verdict = Verdict.TOO_FEW if not enough else Verdict.PROVEN if low > 0 else Verdict.NOT_PROVEN
        rank, lift = sample.rank_in_band(feature), sample.lift(feature)
        scored.append(ModelSkill(name, skill, low, high, b, rank, lift, verdict))
    return Skill(
        models=tuple(scored),
        distance_lift=sample.lift(plain),
        cells=len(cells),
        moments=len(np.unique(np.stack((cells.time_ms, cells.symbol)), axis=1).T),
        symbols=len(np.unique(cells.symbol)),
        effective_events=events,
        blocks=len(blocks),
        blocks_of="symbol" if by_symbol else "2h",
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    """Reached cells with their groups (contract and side), distance bands and blocks, (n,) each."""

    cells: Reached
    group: Ints
    band: Ints
    block: Ints

    def levels(self) -> Floats:
        """The design without a map: intercept, groups, bands; (n, p)."""
        return np.column_stack((np.ones(len(self.cells)), _one_hot(self.group), _one_hot(self.band)))

    def feature(self, usd: Floats) -> Floats:
        """ln(mass / mean mass of its group + floor), (n,)."""
        counts = np.bincount(self.group)
        means = np.bincount(self.group, usd) / np.maximum(counts, 1)
        mean = means[self.group]
        relative: Floats = np.log(usd / np.where(mean > 0, mean, 1.0) + MASS_FLOOR)
        return relative

    def held_out(self, design: Floats) -> tuple[Floats, Floats]:
        """Deviance and mean of each row, (n,) each, by a fit on the other contiguous stretches of time."""
        times = np.unique(self.cells.time_ms)
        fold = np.searchsorted(times, self.cells.time_ms) * FOLDS // len(times)
        slopes = design.shape[1] - self.levels().shape[1]
        means = np.ones(len(self.cells))
        for held in np.unique(fold).tolist():
            rest = fold != held
            fit = fit_poisson(design[rest], self.cells.events[rest], _ridge(design, slopes=slopes))
            means[~rest] = expected_events(design[~rest], fit)
        return deviance(self.cells.events, means), means

    def rank_in_band(self, feature: Floats) -> float:
        """Rank correlation of mass and liquidations inside distance bands, weighted by their cells."""
        total, weight = 0.0, 0
        for band in np.unique(self.band).tolist():
            rows = self.band == band
            correlation = _rank_correlation(feature[rows], self.cells.events[rows])
            if isfinite(correlation):
                total, weight = total + correlation * int(rows.sum()), weight + int(rows.sum())
        return total / weight if weight else nan

    def lift(self, feature: Floats) -> float:
        """Liquidations in the top fifth of cells by mass, inside group and block, over those cells' share."""
        if not self.cells.events.any():
            return nan
        inside = self.group * (int(self.block.max()) + 1) + self.block
        order = np.lexsort((-feature, inside))
        counts = np.bincount(np.unique(inside, return_inverse=True)[1])
        rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        top = order[rank < np.ceil(TOP_SHARE * np.repeat(counts, counts))]
        return float(self.cells.events[top].sum() / self.cells.events.sum() / (len(top) / len(order)))


def _interval(
    without: Floats, withit: Floats, block: Ints, blocks: int, resamples: int, seed: int
) -> tuple[float, float, float]:
    """Skill and its 90 % interval over resampled blocks."""
    sums = np.stack([np.bincount(block, rows, blocks) for rows in (without, withit)], axis=1)
    counts = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1.0 / blocks), size=resamples)
    drawn = counts @ sums
    skills = 1.0 - drawn[:, 1] / np.where(drawn[:, 0] > 0, drawn[:, 0], 1.0)
    low, high = np.quantile(skills, (0.05, 0.95)).tolist()
    total = sums.sum(axis=0)
    return float(1.0 - total[1] / total[0]), low, high


def _ridge(design: Floats, *, slopes: int) -> Floats:
    ridge = np.full(design.shape[1], LEVEL_RIDGE)
    ridge[0] = 0.0
    if slopes:
        ridge[-slopes:] = SLOPE_RIDGE
    return ridge


def _one_hot(values: Ints) -> Floats:
    return np.eye(int(values.max()) + 1 if len(values) else 1)[values]


def _rank_correlation(left: Floats, right: Floats) -> float:
    if len(left) < 3 or left.min() == left.max() or right.min() == right.max():
        return nan
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def _ranks(values: Floats) -> Floats:
    """Ranks with ties at their mean."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = ((ends - counts + ends - 1) / 2.0)[at]
    return ranks


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
