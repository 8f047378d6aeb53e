"""The two traces that swept positions leave in public data, as evidence: likelihoods with slopes and curvatures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.liquidation.exposure import BLOCK_CELLS, HOUR_MS, Exposure
from bot.liquidation.flow import LEAST_INTEREST
from bot.liquidation.grid import cells_of
from bot.liquidation.parameters import ModelParameters
from bot.liquidation.turnover import LiquidationPrints, effective_size
from bot.liquidation.types import Floats, History, Ints

PRINTS_TEMPERATURE, FALLS_TEMPERATURE = 4.0, 20.0
"""Events come in crowds and falls have other causes: a log-likelihood counts as this much less."""
MOST_COUNTED = 300.0
"""However many prints there are, they count as at most so many at temperature 1: what the model gets wrong about a
market (a change of regime, say) does not shrink with their number, and must not outweigh the falls."""
HALF_LIFE_MS = 15 * 86_400_000
BACKGROUND = 0.001
FEW_EVENTS = 5.0
LEAST_FALL_BARS = 576
DEGREES = 4.0
RESPONSE = 0.3


@dataclass(frozen=True, slots=True)
class Unknowns:
    """Places in the vector of unknowns, all logarithms but the nuisance: the share of liquidations that is printed,
    the share of swept coins by which open interest falls, turnover rows, kinds of both sides, and five nuisances."""

    row_count: int
    kind_count: int
    capture = 0
    response = 1

    @property
    def rows(self) -> slice:
        return slice(2, 2 + self.row_count)

    @property
    def kinds(self) -> slice:
        return slice(self.rows.stop, self.rows.stop + 2 * self.kind_count)

    def side(self, side: int) -> slice:
        return slice(self.rows.stop + side * self.kind_count, self.rows.stop + (side + 1) * self.kind_count)

    @property
    def nuisance(self) -> slice:
        return slice(self.kinds.stop, self.count)

    @property
    def count(self) -> int:
        return 2 + self.row_count + 2 * self.kind_count + 5


@dataclass(frozen=True, slots=True)
class Watched:
    """A negative log-likelihood, its downward slope (unknowns,) and expected curvature (unknowns, unknowns)."""

    loss: float
    slope: Floats
    curvature: Floats

    def and_also(self, other: "Watched") -> "Watched":
        return Watched(self.loss + other.loss, self.slope + other.slope, self.curvature + other.curvature)


@dataclass(frozen=True, slots=True)
class Placed:
    """Prints by place: `coins` (n, rows, kinds) of each side in prior shares, and `events` (n,) printed there."""

    coins: tuple[Floats, Floats]
    events: tuple[Floats, Floats]
    background: float
    effective_events: float
    temperature: float

    def start(self) -> float:
        """The logarithm of the capture that gives the right total under the prior."""
        return float(np.log(sum(one.sum() for one in self.events) / sum(one.sum() for one in self.coins)))

    def loss(self, unknowns: Unknowns, at: Floats) -> float:
        """The loss alone, as `watch` tells it."""
        loss = 0.0
        for side, events in enumerate(self.events):
            loss -= _poisson(events, self._parts(unknowns, at, side).sum(axis=2).sum(axis=1) + self.background)
        return loss / self.temperature

    def watch(self, unknowns: Unknowns, at: Floats) -> Watched:
        loss = 0.0
        slope: Floats = np.zeros(len(at))
        curvature: Floats = np.zeros((len(at), len(at)))
        for side, events in enumerate(self.events):
            parts = self._parts(unknowns, at, side)
            by_row = parts.sum(axis=2)
            slopes = np.zeros((len(events), len(at)))
            slopes[:, unknowns.capture] = by_row.sum(axis=1)
            slopes[:, unknowns.rows] = by_row
            slopes[:, unknowns.side(side)] = parts.sum(axis=1)
            expected = slopes[:, unknowns.capture] + self.background
            loss -= _poisson(events, expected)
            slope += np.asarray(slopes.T @ (events / expected - 1.0))
            curvature += np.asarray((slopes.T / expected) @ slopes)
        return Watched(loss / self.temperature, slope / self.temperature, curvature / self.temperature)

    def _parts(self, unknowns: Unknowns, at: Floats, side: int) -> Floats:
        """What is expected to be printed in each place of each row and kind, (n, rows, kinds)."""
        rows = np.exp(at[unknowns.capture] + at[unknowns.rows])
        parts: Floats = self.coins[side] * rows[:, None] * np.exp(at[unknowns.side(side)])
        return parts


def _poisson(events: Floats, expected: Floats) -> float:
    return float(events @ np.log(expected) - expected.sum())


@dataclass(frozen=True, slots=True)
class Falls:
    """Falls of open interest by bar: `coins` (bars, 2 * kinds) in prior shares, `fall` (bars,) and the terms of
    volume, range and move (bars, 5), all over the usual size of a bar's change; `weight` (bars,), 0 where unknown."""

    coins: Floats
    fall: Floats
    terms: Floats
    weight: Floats
    bars: int

    def start(self) -> Floats:
        """The terms' coefficients without any sweep, (5,)."""
        root = np.sqrt(self.weight)
        found, *_ = np.linalg.lstsq(self.terms * root[:, None], self.fall * root, rcond=None)
        return np.asarray(found, dtype=np.float64)

    def held_against(self, unknowns: Unknowns, at: Floats) -> "FallsHeld":
        """The falls and what the unknowns expect of them."""
        parts = self.coins * (RESPONSE * np.exp(at[unknowns.response] + at[unknowns.kinds]))
        expected = parts.sum(axis=1) + self.terms @ at[unknowns.nuisance]
        return FallsHeld(self, unknowns, parts, self.fall - expected)


@dataclass(frozen=True, slots=True)
class FallsHeld:
    """Falls held against what some unknowns expect: `parts` (bars, 2 * kinds) is what each kind's sweeps take from open
    interest, `error` (bars,) what is left unexplained.
    """

    falls: Falls
    unknowns: Unknowns
    parts: Floats
    error: Floats

    def spread(self) -> float:
        """The squared scale of the Student-t errors, by iterated reweighting."""
        weight, error, spread = self.falls.weight, np.square(self.error), 1.0
        total = weight.sum()
        for _ in range(5):
            near = (DEGREES + 1.0) / (DEGREES + error / spread)
            spread = max(float((weight * near * error).sum() / total), 1e-12)
        return spread

    def loss(self, spread: float) -> float:
        """The loss alone, as `watch` tells it."""
        far = np.log1p(self.error**2 / (DEGREES * spread))
        return float((0.5 * (DEGREES + 1.0) * self.falls.weight * far).sum()) / FALLS_TEMPERATURE

    def watch(self, spread: float) -> Watched:
        unknowns, error = self.unknowns, self.error
        slopes = np.zeros((len(error), unknowns.count))
        slopes[:, unknowns.response] = self.parts.sum(axis=1)
        slopes[:, unknowns.kinds] = self.parts
        slopes[:, unknowns.nuisance] = self.falls.terms
        near = self.falls.weight * (DEGREES + 1.0) / (DEGREES + error**2 / spread)
        slope = slopes.T @ (near * error) / spread
        curvature = (slopes.T * near) @ slopes / spread
        return Watched(self.loss(spread), slope / FALLS_TEMPERATURE, curvature / FALLS_TEMPERATURE)


def prints_of(
    exposures: Sequence[Exposure], prints: LiquidationPrints, cover: Sequence[tuple[int, int]], end_ms: int
) -> Placed | None:
    """The prints of fully covered hours in the places that held coins; None where they are too few."""
    heard = np.concatenate([np.zeros(0), *(prints.between(start - 1, end).usd for start, end in cover)])
    event_usd = effective_size(heard)
    if event_usd <= 0:
        return None
    coins: list[Floats] = []
    events: list[Floats] = []
    for side, exposure in enumerate(exposures):
        begins = exposure.hour * HOUR_MS
        inside = np.zeros(len(begins), dtype=np.bool_)
        for start, end in cover:
            inside |= (begins >= start) & (begins + HOUR_MS <= end)
        recency = 0.5 ** ((end_ms - begins[inside]) / HALF_LIFE_MS)
        mine = prints.is_long if side == 0 else ~prints.is_long
        hour, block = prints.time_ms[mine] // HOUR_MS, cells_of(prints.price[mine]) // BLOCK_CELLS
        printed = _sum_by_place(exposure.hour[inside], exposure.block[inside], hour, block, prints.usd[mine])
        coins.append(exposure.coins[inside] * recency[:, None, None])
        events.append(printed / event_usd * recency)
    total = float(sum(one.sum() for one in events))
    if total < FEW_EVENTS or not all(len(one) for one in events):
        return None
    background = BACKGROUND * total / sum(len(one) for one in events)
    temperature = max(PRINTS_TEMPERATURE, total / MOST_COUNTED)
    return Placed((coins[0], coins[1]), (events[0], events[1]), background, total, temperature)


def falls_of(exposures: Sequence[Exposure], history: History, parameters: ModelParameters) -> Falls | None:
    """The falls of open interest between neighbouring bars; None where it is not known finely enough."""
    interest, volume = history.open_interest, history.volume
    known = interest >= LEAST_INTEREST
    paired = np.zeros(len(history), dtype=np.bool_)
    paired[1:] = known[1:] & known[:-1] & (np.diff(history.open_ms) == history.bar_ms)
    fall = np.zeros(len(history))
    fall[paired] = -np.diff(interest, prepend=interest[:1])[paired]
    moved = paired & (fall != 0.0) & (volume > 0)
    if int(moved.sum()) < max(LEAST_FALL_BARS, parameters.sparse_share * int((paired & (volume > 0)).sum())):
        return None
    usual, mean = float(volume[moved].mean()), float(interest[known].mean())
    size = np.abs(fall[moved]).mean() * np.sqrt(volume / usual + 0.1)
    reach = mean * np.log(history.high / history.low)
    move = mean * np.abs(np.log(history.close / history.open))
    terms = np.column_stack((volume, np.full(len(volume), usual), reach, 30.0 / mean * reach**2, move))
    recency = 0.5 ** ((history.end_ms - history.open_ms) / HALF_LIFE_MS)
    return Falls(
        coins=np.concatenate([one.by_bar for one in exposures], axis=1) / size[:, None],
        fall=fall / size,
        terms=terms / size[:, None],
        weight=recency * moved,
        bars=int(moved.sum()),
    )


def _sum_by_place(hour: Ints, block: Ints, of_hour: Ints, of_block: Ints, usd: Floats) -> Floats:
    """The USD of the prints in each place (hour, block) (n,); prints elsewhere are left out."""
    total = np.zeros(len(hour))
    if not len(hour) or not len(usd):
        return total
    lowest = min(int(block.min()), int(of_block.min()))
    width = max(int(block.max()), int(of_block.max())) - lowest + 1
    place, printed = hour * width + block - lowest, of_hour * width + of_block - lowest
    order = np.argsort(place)
    at = np.minimum(np.searchsorted(place[order], printed), len(place) - 1)
    found = place[order][at] == printed
    np.add.at(total, order[at[found]], usd[found])
    return total
