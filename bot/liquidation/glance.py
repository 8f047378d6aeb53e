"""One market at a glance, as a scan compares it with others: the nearest big cluster, the fastest growing one, the side
that is heavier, and what a cluster weighs beside the order book.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bot.liquidation.depth import Depth, absorption
from bot.liquidation.shape import shape_of
from bot.liquidation.touch import Volatility, touch_probability
from bot.liquidation.types import Cluster, LiquidationMap, Side

BIG = 70
"""The strength from which on a cluster counts as big: half of those that maps show reach it."""

GROWTH_H = 4
"""Over how many hours growth is measured."""

LEAST_BASE = 0.1
"""A body that held less than this share of what it holds now is new: it has not grown by so many hundred percent."""

GROWN_STRENGTH = 50
"""Below this strength a cluster's growth is noise."""

TOUCH_H = 4
LOAD_REACH = 0.05
"""Clusters farther than this from price are not weighed against the order book, which is not known so far."""


class Order(StrEnum):
    """By what markets are ranked."""

    NEAREST = "nearest"
    GROWING = "growing"
    ONESIDED = "onesided"
    ABSORPTION = "absorption"


@dataclass(frozen=True, slots=True)
class Glance:
    """A market's map at `time_ms` in what a scan needs of it: `growth` is that of each cluster, as a fraction of what
    stood in its body hours ago; None where that is not known or the body is new. `imbalance` as in `shape.Shape`.
    """

    time_ms: int
    price: float
    clusters: tuple[Cluster, ...]
    growth: tuple[float | None, ...]
    imbalance: float
    volatility: Volatility


@dataclass(frozen=True, slots=True)
class GlanceRow:
    """A glance at one price: for each order a cluster and its figure, None where there is none.

    `nearest_pct` and `grown_pct` are signed percent of price to the near edge (0 inside), `odds` those of a touch of
    the nearest within 4 hours. `load` is what stands in the heaviest cluster over the orders up to it.
    """

    price: float
    nearest: Cluster | None
    nearest_pct: float | None
    odds: float | None
    grown: Cluster | None
    grown_pct: float | None
    growth: float | None
    imbalance: float
    heaviest: Cluster | None = None
    heaviest_pct: float | None = None
    load: float | None = None


def glance_of(
    now: LiquidationMap, before: LiquidationMap | None, clusters: Sequence[Cluster], volatility: Volatility
) -> Glance | None:
    """What a scan needs of a map and of the one `GROWTH_H` hours before; None where nothing stands in the map."""
    shape = shape_of(now)
    if shape is None:
        return None
    return Glance(
        time_ms=now.time_ms,
        price=now.price,
        clusters=tuple(clusters),
        growth=tuple(None if before is None else growth_of(cluster, before) for cluster in clusters),
        imbalance=shape.imbalance,
        volatility=volatility,
    )


def growth_of(cluster: Cluster, before: LiquidationMap) -> float | None:
    """How much more stands in a cluster's body than stood there in an earlier map, as a fraction of that.

    None where the body is new, or was not inside the earlier map's window.
    """
    if cluster.low < before.low[0] or cluster.high > before.high[-1]:
        return None
    standing = before.long_usd if cluster.side is Side.LONG else before.short_usd
    edges = np.append(before.low, before.high[-1])
    known = np.concatenate(((0.0,), np.cumsum(standing)))
    low, high = np.interp((cluster.low, cluster.high), edges, known).tolist()
    then = high - low
    return cluster.usd / then - 1.0 if then > LEAST_BASE * cluster.usd else None


def row_of(glance: Glance, *, price: float | None = None, depth: Depth | None = None) -> GlanceRow:
    """The figures at a price, the map's own where none is given. Clusters that price has passed since are gone."""
    at = glance.price if price is None else price
    ahead = [
        (cluster, growth)
        for cluster, growth in zip(glance.clusters, glance.growth, strict=True)
        if (cluster.low < at if cluster.side is Side.LONG else cluster.high > at)
    ]
    big = [cluster for cluster, _ in ahead if cluster.strength >= BIG]
    nearest = min(big, key=lambda cluster: abs(_away(cluster, at)), default=None)
    grown = max(
        ((growth, cluster) for cluster, growth in ahead if growth is not None and cluster.strength >= GROWN_STRENGTH),
        key=lambda pair: pair[0],
        default=(None, None),
    )
    load, heaviest = _heaviest([cluster for cluster, _ in ahead], at, depth)
    return GlanceRow(
        price=at,
        nearest=nearest,
        nearest_pct=None if nearest is None else _away(nearest, at),
        odds=None if nearest is None else _odds(nearest, at, glance.volatility),
        grown=grown[1],
        grown_pct=None if grown[1] is None else _away(grown[1], at),
        growth=grown[0],
        imbalance=glance.imbalance,
        heaviest=heaviest,
        heaviest_pct=None if heaviest is None else _away(heaviest, at),
        load=load,
    )


def merit(row: GlanceRow, order: Order) -> float | None:
    """What a row is worth in an order, the more the higher it ranks; None where it has no place in it."""
    match order:
        case Order.NEAREST:
            return None if row.nearest_pct is None else -abs(row.nearest_pct)
        case Order.GROWING:
            return row.growth if row.growth is not None and row.growth > 0.0 else None
        case Order.ONESIDED:
            return abs(row.imbalance)
        case Order.ABSORPTION:
            return row.load


def ranked(rows: Sequence[GlanceRow], order: Order) -> list[int]:
    """The indices of the rows that have a place in an order, the first one first; equal ones as they stood."""
    merits = [(merit(row, order), index) for index, row in enumerate(rows)]
    return [index for worth, index in sorted((-worth, index) for worth, index in merits if worth is not None)]


def _away(cluster: Cluster, price: float) -> float:
    """Signed percent of price to the edge that price meets first; 0 inside."""
    return 100.0 * (min(max(price, cluster.low), cluster.high) / price - 1.0)


def _odds(cluster: Cluster, price: float, volatility: Volatility) -> float:
    edge = min(max(price, cluster.low), cluster.high)
    return float(touch_probability(price, edge, TOUCH_H, volatility))


def _heaviest(clusters: Sequence[Cluster], price: float, depth: Depth | None) -> tuple[float | None, Cluster | None]:
    """The cluster before which the fewest orders stand for what it holds; those that price has entered have begun."""
    if depth is None or depth.is_thin:
        return None, None
    loads = [
        (absorption(cluster, depth, price=price), cluster)
        for cluster in clusters
        if 0.0 < abs(_away(cluster, price)) <= 100.0 * LOAD_REACH
    ]
    finite = [pair for pair in loads if math.isfinite(pair[0])]
    return max(finite, key=lambda pair: pair[0], default=(None, None))
