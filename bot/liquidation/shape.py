"""The shape of a map in a few figures: how concentrated positions are, how near to price, and which side is heavier.

Each figure stands beside the market's own past: an entropy says nothing until it is known what is usual for a market.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.liquidation.totals import entropy, standing_near
from bot.liquidation.types import LiquidationMap

HOUR_MS = 3_600_000
NEAR = (0.01, 0.02, 0.05)
"""Distances from price, as fractions of it, within which positions are counted."""

BAND = (0.1, 0.9)
"""The quantiles of a market's own past between which a figure is usual."""

LEAST_PAST = 24
"""Shapes of the past, hourly ones a day, below which nothing is called usual or unusual."""

CHANGES_H = (4, 24)
"""Over how many hours changes are told: what happened today, and since yesterday."""

SAME_HOUR_MS = HOUR_MS // 2
"""How far a shape of the past may lie from the hour that is asked for."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One map at one time.

    `concentration` is 1 - H / ln n, with H Shannon's entropy of the positions over the map's n bins: 0 where they are
    spread evenly, 1 where all stand in one bin. `near` are the shares of all open positions within each distance of
    `NEAR`, 0 to 1. `imbalance` is (longs - shorts) / (longs + shorts) within 5 % of price, 1 where only longs stand.
    """

    time_ms: int
    concentration: float
    near: tuple[float, float, float]
    imbalance: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One figure beside its own past: `rank` is the share of the past that lay below it (ties count half), `low` and
    `high` are the edges of the usual band; all None while the past is too short. `changes` are (hours, difference)
    pairs, None where nothing is known of that hour.
    """

    value: float
    rank: float | None
    low: float | None
    high: float | None
    changes: tuple[tuple[int, float | None], ...]

    @property
    def is_high(self) -> bool:
        """Whether it lies above the usual band."""
        return self.high is not None and self.value > self.high

    @property
    def is_low(self) -> bool:
        return self.low is not None and self.value < self.low


@dataclass(frozen=True, slots=True)
class ShapeReport:
    """A map's shape beside those of its past: of `near`, that of each distance of `NEAR`."""

    time_ms: int
    concentration: Standing
    near: tuple[Standing, Standing, Standing]
    imbalance: Standing
    past: int

    @property
    def tightness(self) -> float | None:
        """How wound up the market is, 0 to 1: the rank of the share within 2 % of price in its own past. None while
        that is too short.

        Concentration is no part of it: entropy falls when what stood near price has been swept, which is the opposite.
        """
        return self.near[1].rank


def shape_of(liquidations: LiquidationMap) -> Shape | None:
    """The shape of a map; None where nothing stands in it."""
    evenness = entropy(liquidations)
    if not math.isfinite(evenness):
        return None
    shorts, longs = standing_near(liquidations)
    both = shorts + longs
    all_open = liquidations.long_total_usd + liquidations.short_total_usd
    first, second, third = (_standing_within(liquidations, reach) / all_open for reach in NEAR)
    return Shape(
        time_ms=liquidations.time_ms,
        concentration=1.0 - evenness / math.log(max(len(liquidations.low), 2)),
        near=(first, second, third),
        imbalance=(longs - shorts) / both if both > 0.0 else 0.0,
    )


def report_shape(now: Shape, past: Sequence[Shape]) -> ShapeReport:
    """A shape beside those of its own past, ascending in time; those not before it are left out."""
    before = [shape for shape in past if shape.time_ms < now.time_ms]

    def standing(figure: Callable[[Shape], float]) -> Standing:
        return _standing(figure(now), [figure(shape) for shape in before], _changes(now, before, figure))

    return ShapeReport(
        time_ms=now.time_ms,
        concentration=standing(lambda shape: shape.concentration),
        near=(
            standing(lambda shape: shape.near[0]),
            standing(lambda shape: shape.near[1]),
            standing(lambda shape: shape.near[2]),
        ),
        imbalance=standing(lambda shape: shape.imbalance),
        past=len(before),
    )


def _standing_within(liquidations: LiquidationMap, reach: float) -> float:
    """Notional of both sides in the bins whose middle lies within `reach` of price."""
    middle = (liquidations.low + liquidations.high) / 2
    first, end = middle.searchsorted((liquidations.price * (1 - reach), liquidations.price * (1 + reach))).tolist()
    return float(liquidations.long_usd[first:end].sum() + liquidations.short_usd[first:end].sum())


def _standing(value: float, past: Sequence[float], changes: tuple[tuple[int, float | None], ...]) -> Standing:
    if len(past) < LEAST_PAST:
        return Standing(value, None, None, None, changes)
    known = np.array(past)
    rank = float(np.mean(known < value) + 0.5 * np.mean(known == value))
    low, high = np.quantile(known, BAND).tolist()
    return Standing(value, rank, low, high, changes)


def _changes(
    now: Shape, past: Sequence[Shape], figure: Callable[[Shape], float]
) -> tuple[tuple[int, float | None], ...]:
    found: list[tuple[int, float | None]] = []
    for hours in CHANGES_H:
        then_ms = now.time_ms - hours * HOUR_MS
        nearest = min(past, key=lambda shape: abs(shape.time_ms - then_ms), default=None)
        known = nearest is not None and abs(nearest.time_ms - then_ms) <= SAME_HOUR_MS
        found.append((hours, figure(now) - figure(nearest) if nearest is not None and known else None))
    return tuple(found)
