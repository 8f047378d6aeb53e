"""How fast positions change hands, learned from liquidation prints.

A turnover row whose swept positions match in time what was really liquidated gains weight. Only timing is used, not
size: each row's swept mass is scaled to the prints' total, so a throttled or partial feed will do.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from bot.liquidation.model import PositionModel, Swept
from bot.liquidation.parameters import DEFAULT, ModelParameters
from bot.liquidation.types import Floats, Ints

WINDOW_MS = 7 * 86_400_000
TEMPERATURE = 20.0
BACKGROUND = 0.001
"""Liquidations outside what a row swept, as a share of the mean: keeps one stray print from deciding."""
FEW_EVENTS, MANY_EVENTS = 30.0, 100.0
"""Effective events below which the prior holds, and from which on the prints decide."""


@dataclass(frozen=True, slots=True)
class LiquidationPrints:
    """Liquidations of one contract, in time order. Shapes (n,); `is_long` is True where a long was closed.

    `price` is where the position was triggered (see `trigger_price`), `usd` the notional of the print.
    """

    time_ms: Ints
    is_long: np.ndarray
    price: Floats
    usd: Floats

    def __len__(self) -> int:
        return len(self.time_ms)

    def between(self, after_ms: int, until_ms: int) -> "LiquidationPrints":
        """The prints of after_ms < time <= until_ms."""
        rows = slice(*np.searchsorted(self.time_ms, (after_ms, until_ms), side="right"))
        return LiquidationPrints(self.time_ms[rows], self.is_long[rows], self.price[rows], self.usd[rows])


@dataclass(frozen=True, slots=True)
class Turnover:
    """Weights of the turnover rows (rows,), and what they rest on: 0 `trust` is the prior, 1 the prints alone."""

    weights: Floats
    effective_events: float
    trust: float


def trigger_price(price: Floats, is_long: np.ndarray, maintenance_margin_rate: float) -> Floats:
    """Where positions were triggered whose prints give the bankruptcy price, shapes (n,).

    Between the two lies the maintenance margin: trigger = bankruptcy / (1 - m) for a long, / (1 + m) for a short.
    """
    triggered: Floats = price / np.where(is_long, 1.0 - maintenance_margin_rate, 1.0 + maintenance_margin_rate)
    return triggered


def effective_size(usd: Floats) -> float:
    """The size in USD of an equal-sized event that is as uneven a sample as `usd` (n,): sum of squares over sum."""
    total = float(usd.sum())
    return float(np.square(usd).sum()) / total if total > 0 else 0.0


class SweepLog:
    """What the model swept, bar by bar, over the trailing week: what the prints are held against."""

    __slots__ = ("_rows", "bar_ms")

    def __init__(self, bar_ms: int) -> None:
        self.bar_ms = bar_ms
        self._rows: deque[tuple[int, Floats]] = deque()

    def add(self, swept: Swept, price: float) -> None:
        """Take a bar's sweep, from `PositionModel.update`, at its close price; forget what is older than a week."""
        self._rows.append((swept.time_ms, swept.coins * price))
        while self._rows[0][0] <= swept.time_ms - WINDOW_MS:
            self._rows.popleft()

    def extend(self, swept: Sequence[Swept], prices: Sequence[float]) -> None:
        """Take the sweeps of `PositionModel.extend` at their close prices."""
        for one, price in zip(swept, prices, strict=True):
            self.add(one, price)

    def __len__(self) -> int:
        return len(self._rows)

    def learn(self, prints: LiquidationPrints, parameters: ModelParameters = DEFAULT) -> Turnover:
        """Row weights from the prints in the logged bars."""
        if not self._rows:
            return _untaught(parameters)
        ends = np.array([time_ms for time_ms, _ in self._rows])
        swept = np.array([usd for _, usd in self._rows])
        seen = prints.between(int(ends[0]) - self.bar_ms, int(ends[-1]))
        bar = np.searchsorted(ends, seen.time_ms, side="left")
        inside = seen.time_ms > ends[bar] - self.bar_ms
        printed = np.zeros(swept.shape[:2])
        np.add.at(printed, (bar[inside], np.where(seen.is_long[inside], 0, 1)), seen.usd[inside])
        return learn_turnover(swept, printed, effective_size(seen.usd[inside]), parameters)


def learn_turnover(swept: Floats, printed: Floats, event_usd: float, parameters: ModelParameters = DEFAULT) -> Turnover:
    """Weights of the turnover rows from what each swept and what was printed.

    `swept` (bars, 2, rows) and `printed` (bars, 2) by bar and side (long, short) in USD, `event_usd` the effective
    size of a print. Each row predicts mu = swept * sum(y) / sum(swept) + background for y = printed / event_usd; its
    Poisson log-likelihood LL gives the weight prior * exp(LL / temperature). With few effective events the prior
    holds, in between the two are mixed. Raises ValueError on figures that are negative or no numbers.
    """
    if not (np.isfinite(swept).all() and np.isfinite(printed).all() and isfinite(event_usd)):
        raise ValueError("swept and printed notionals must be numbers")
    if (swept < 0).any() or (printed < 0).any():
        raise ValueError("swept and printed notionals must not be negative")
    if event_usd <= 0 or not printed.any():
        return _untaught(parameters)
    events = printed / event_usd
    total = float(events.sum())
    sweeps = swept.sum(axis=(0, 1))
    expected = swept * (total / np.where(sweeps > 0, sweeps, 1.0)) + BACKGROUND * events.mean()
    likelihood = (events[:, :, None] * np.log(expected) - expected).sum(axis=(0, 1))
    prior = _prior(parameters)
    taught = prior * np.exp((likelihood - likelihood.max()) / TEMPERATURE)
    trust = min(max((total - FEW_EVENTS) / (MANY_EVENTS - FEW_EVENTS), 0.0), 1.0)
    return Turnover(trust * taught / taught.sum() + (1.0 - trust) * prior, total, trust)


def guarded(
    learned: Turnover, *, learned_skill: float, prior_skill: float, parameters: ModelParameters = DEFAULT
) -> Turnover:
    """The learned weights, or the prior where a week of live scores does not put them above it (NaN: not scored)."""
    if learned_skill <= prior_skill:
        return Turnover(_prior(parameters), learned.effective_events, 0.0)
    return learned


def apply(turnover: Turnover, model: PositionModel) -> None:
    """Read the model's maps with these weights from now on."""
    model.weights[:] = turnover.weights


def _prior(parameters: ModelParameters) -> Floats:
    prior = np.array(parameters.turnover_prior)
    scaled: Floats = prior / prior.sum()
    return scaled


def _untaught(parameters: ModelParameters) -> Turnover:
    return Turnover(_prior(parameters), 0.0, 0.0)
