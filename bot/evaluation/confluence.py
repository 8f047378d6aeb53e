"""What confluence is worth: are clusters where something else stands touched, and do they turn price, more often?

Touches are held against the odds that volatility alone gives at that distance. Turns are races: after the first touch
of the near edge, does price come back by some usual hourly ranges before it goes on by as much?
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from bot.liquidation.bars import Bar
from bot.liquidation.clusters import find_clusters
from bot.liquidation.confluence import Surroundings
from bot.liquidation.landmarks import Landmarks
from bot.liquidation.learning import PositionLearner
from bot.liquidation.model import PositionModel
from bot.liquidation.totals import average_true_ranges_pct
from bot.liquidation.touch import Volatility, touch_probability
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Cluster, Floats, History, Side

DAY_BARS, WARM_UP_BARS, EVERY_BARS = 288, 7 * 288, 24
MOST_BARS = 31 * DAY_BARS
RACE_RANGES = 3.0
DRAWS, INTERVAL = 2_000, (5.0, 95.0)
NO_PRINTS = LiquidationPrints(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Sample:
    """A cluster ahead of price: its day, whether something else stands there, the odds of a touch within a day, whether
    it was touched, and whether price turned there (None: undecided, or that touch counted already)."""

    day: int
    marked: bool
    odds: float
    touched: bool
    turned: bool | None


def confluence_samples(histories: Mapping[str, History]) -> list[Sample]:
    """Every two hours after a week of warm-up, a month of each history."""
    return [sample for history in histories.values() for sample in _of(history.rows(0, min(len(history), MOST_BARS)))]


def _of(history: History) -> Iterator[Sample]:
    if len(history) <= WARM_UP_BARS:
        return
    landmarks = Landmarks(history)
    ranges, told = average_true_ranges_pct(history) / 100.0, set[tuple[Side, int]]()
    for row, clusters, volatility in _maps(history):
        usual = float(ranges[row])
        if row + DAY_BARS >= len(history) or not usual > 0.0:
            continue
        around = Surroundings(lambda: landmarks, bars=row + 1, day_volatility=volatility.day)
        for cluster in around.marked(clusters):
            edge, price = _near(cluster), float(history.close[row])
            if (edge < price) is not (cluster.side is Side.LONG) or edge == price:
                continue
            touch, turned = _race(history, row, edge, cluster.side, RACE_RANGES * usual)
            if touch is not None and (cluster.side, touch) in told:
                turned = None
            elif touch is not None:
                told.add((cluster.side, touch))
            odds = float(touch_probability(price, edge, 24.0, volatility))
            yield Sample(row // DAY_BARS, bool(cluster.confluence), odds, touch is not None, turned)


def _maps(history: History) -> Iterator[tuple[int, tuple[Cluster, ...], Volatility]]:
    """The clusters every two hours, of positions learned from falls of open interest in the first week."""
    learned = PositionLearner(history, tiers=None).learn(WARM_UP_BARS, NO_PRINTS, cover=()).parameters
    model = PositionModel.rebuild(history.rows(0, WARM_UP_BARS), parameters=learned)
    seen = history.rows(0, WARM_UP_BARS)
    volatility = Volatility.from_closes(seen.open_ms + seen.bar_ms, seen.close)
    columns = [getattr(history, field.name)[WARM_UP_BARS:].tolist() for field in fields(History)[1:]]
    for row, values in enumerate(zip(*columns, strict=True), WARM_UP_BARS):
        bar = Bar(*values)
        model.update(bar)
        volatility = volatility.updated(bar.open_ms + history.bar_ms, bar.close)
        if row % EVERY_BARS == 0:
            yield row, find_clusters(model.map(), day_volatility=volatility.day), volatility


def _near(cluster: Cluster) -> float:
    return cluster.high if cluster.side is Side.LONG else cluster.low


def _race(history: History, row: int, edge: float, side: Side, way: float) -> tuple[int | None, bool | None]:
    """The bar of the first touch within a day, and whether price came back by `way` in log price within the next one
    before it went on by as much; None where neither came, or both in one bar."""
    low, high = np.log(history.low / edge), np.log(history.high / edge)
    on, back = (-low, high) if side is Side.LONG else (high, -low)
    touches = np.flatnonzero(on[row + 1 : row + 1 + DAY_BARS] >= 0.0)
    if not len(touches):
        return None, None
    touch = row + 1 + int(touches[0])
    if on[touch] >= way:
        return touch, False
    after = slice(touch + 1, touch + DAY_BARS)
    came, went = (_first(each[after] >= way) for each in (back, on))
    return touch, None if came == went else came < went


def _first(reached: np.ndarray) -> float:
    found = np.flatnonzero(reached)
    return float(found[0]) if len(found) else math.inf


def confluence_table(samples: Sequence[Sample]) -> str:
    """Both groups and their difference, with intervals by resampling days that all contracts share."""
    rows = np.array(
        [(s.day, s.marked, s.odds, s.touched, math.nan if s.turned is None else s.turned) for s in samples]
    ).reshape(-1, 5)
    days, chance = np.unique(rows[:, 0]), np.random.default_rng(1)
    by_day = {day: rows[rows[:, 0] == day] for day in days.tolist()}
    drawn = [
        _figures(np.concatenate([by_day[day] for day in chance.choice(days, len(days)).tolist()]))
        for _ in range(DRAWS if len(days) else 0)
    ]
    intervals = [_interval(column) for column in np.array(drawn).reshape(-1, 6).T]
    lines = ["## Confluence", f"{len(rows)} clusters ahead of price.", "", "||touched over the odds|turned|", "|-|-|-|"]
    cells = [
        f"{100 * value:+.1f} [{100 * least:+.1f}, {100 * most:+.1f}]"
        for value, (least, most) in zip(_figures(rows), intervals, strict=True)
    ]
    names = ("with", "without", "difference")
    return "\n".join([*lines, *(f"|{name}|{cells[at]}|{cells[at + 3]}|" for at, name in enumerate(names))])


def _figures(rows: Floats) -> Floats:
    """Touches over the odds with, without and the difference, then the same of turns, (6,)."""
    marked = rows[:, 1] > 0.0
    touched = [_mean(rows[group, 3] - rows[group, 2]) for group in (marked, ~marked)]
    turned = [_mean(rows[group & ~np.isnan(rows[:, 4]), 4]) for group in (marked, ~marked)]
    return np.array([*touched, touched[0] - touched[1], *turned, turned[0] - turned[1]])


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan


def _interval(drawn: Floats) -> tuple[float, float]:
    """Where most of the draws lie that tell anything."""
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.percentile(known, INTERVAL).tolist()
    return low, high
