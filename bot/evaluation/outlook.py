"""Whether a map's shape foretells volatility: the next four hours on real bars, beside forecasts from price alone.

Each forecast is a regression of the log realised variance of a window on what was known when it began: an intercept
for each contract and the terms of the model, one slope for all contracts together. It is fitted anew each day on the
windows that were over by then, and only days that it was not fitted on are scored. The yardsticks are the EWMA of
RiskMetrics (J.P. Morgan 1996, decay 0.94, here of four-hour variances) and HAR (Corsi 2009: the last four hours, day
and week). QLIKE is Patton's (2011) loss, which is robust to the noise of realised variance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.liquidation.past import past_maps
from bot.liquidation.shape import HOUR_MS, Shape, shape_of
from bot.liquidation.types import Floats, History, Ints

WINDOW_MS = 4 * HOUR_MS
DAY_MS = 24 * HOUR_MS
WARM_UP_MS = 7 * DAY_MS
DECAY = 0.94
LEAST_FITTED = 30
"""Windows of a contract that must be over before the next ones are foretold: five days."""

HAR_WINDOWS = (1, 6, 42)
RESAMPLES = 2_000
LEAST_SHARE = 1e-6

MODELS = ("EWMA", "EWMA and map", "HAR", "HAR and map")
BASELINES = {"EWMA and map": "EWMA", "HAR and map": "HAR"}
"""What each model with a map has to beat."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of all contracts, one a row: which contract, when it began, log realised variance, terms by name."""

    contract: Ints
    start_ms: Ints
    log_variance: Floats
    terms: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class OutlookScore:
    """One model out of sample. `r2` is beside each contract's own mean, `gain` the squared error saved beside the
    baseline with a 90 % interval from resampled days, `by_contract` the same for each; None for baselines.
    """

    model: str
    r2: float
    qlike: float
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    by_contract: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """`windows` scored, at `times` distinct times, which is how many are independent at most, on so many `days`."""

    contracts: tuple[str, ...]
    windows: int
    times: int
    days: int
    scores: tuple[OutlookScore, ...]


def outlook_score(histories: Mapping[str, History]) -> Outlook | None:
    """Score every model on all contracts together; None where the recordings are too short."""
    parts = [windows_of(number, history) for number, history in enumerate(histories.values())]
    return score_windows(tuple(histories), joined(parts)) if parts else None


def score_windows(contracts: tuple[str, ...], found: Windows) -> Outlook | None:
    """Score every model on these windows; None where there are too few."""
    foretold = {name: walk_forward(found, found.terms[name]) for name in MODELS}
    scored = np.isfinite(foretold[MODELS[0]][0])
    if not scored.any():
        return None
    errors = {name: found.log_variance - mean for name, (mean, _) in foretold.items()}
    days = found.start_ms // DAY_MS
    scores = []
    for name, (_, variance) in foretold.items():
        ratio = np.exp(found.log_variance[scored]) / variance[scored]
        score = OutlookScore(name, _r2(found, errors[name], scored), float(np.mean(ratio - np.log(ratio) - 1.0)))
        base = BASELINES.get(name)
        scores.append(score if base is None else _beside(score, errors[name], errors[base], found, scored))
    return Outlook(
        contracts,
        int(scored.sum()),
        len(np.unique(found.start_ms[scored])),
        len(np.unique(days[scored])),
        tuple(scores),
    )


def windows_of(contract: int, history: History) -> Windows:
    """One contract's windows, none overlapping: the map of each rests on bars that were closed when it began."""
    begin = -(-int(history.open_ms[0]) // WINDOW_MS) * WINDOW_MS
    edges = np.arange(begin, history.end_ms + 1, WINDOW_MS, dtype=np.int64)
    variance = _realised(history, edges)
    average = _ewma(variance)
    first = max(HAR_WINDOWS[-1], -(-WARM_UP_MS // WINDOW_MS))
    shapes: dict[int, Shape] = {}
    for drawn in past_maps(history, edges[first:-1]):
        if (shape := shape_of(drawn)) is not None:
            shapes[drawn.time_ms] = shape
    rows = [
        row
        for row in range(first, len(edges) - 1)
        if int(edges[row]) in shapes and variance[row - HAR_WINDOWS[-1] : row + 1].min() > 0.0
    ]
    har = [[math.log(variance[row - back : row].mean()) for back in HAR_WINDOWS] for row in rows]
    seen = [_map_terms(shapes[int(edges[row])]) for row in rows]
    ewma = [[math.log(average[row - 1])] for row in rows]
    terms = {
        "EWMA": _columns(ewma, 1),
        "EWMA and map": np.hstack((_columns(ewma, 1), _columns(seen, 3))),
        "HAR": _columns(har, len(HAR_WINDOWS)),
        "HAR and map": np.hstack((_columns(har, len(HAR_WINDOWS)), _columns(seen, 3))),
    }
    return Windows(np.full(len(rows), contract), edges[rows], np.log(variance[rows]), terms)


def _realised(history: History, edges: Ints) -> Floats:
    """Sums of squared log returns between neighbouring edges, (len(edges) - 1,); 0 where bars are missing."""
    closes = history.open_ms + history.bar_ms
    squares = np.concatenate(((0.0,), np.diff(np.log(history.close)) ** 2)).cumsum()
    rows = np.searchsorted(closes, edges, side="right") - 1
    whole = np.diff(rows) == WINDOW_MS // history.bar_ms
    before = rows[:-1] >= 0
    found: Floats = np.where(whole & before, np.diff(squares[np.maximum(rows, 0)]), 0.0)
    return found


def _ewma(variance: Floats) -> Floats:
    """The forecast after each window, (n,): begun with the mean of the first day."""
    average, found = float(variance[: DAY_MS // WINDOW_MS].mean()) if len(variance) else 0.0, []
    for one in variance.tolist():
        average = DECAY * average + (1.0 - DECAY) * one
        found.append(average)
    return np.array(found)


def _map_terms(shape: Shape) -> list[float]:
    return [shape.concentration, math.log(max(shape.near[1], LEAST_SHARE)), abs(shape.imbalance)]


def _columns(rows: Sequence[Sequence[float]], width: int) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(-1, width)


def joined(parts: Sequence[Windows]) -> Windows:
    """The windows of several contracts, one under the other."""
    return Windows(
        np.concatenate([part.contract for part in parts]),
        np.concatenate([part.start_ms for part in parts]),
        np.concatenate([part.log_variance for part in parts]),
        {name: np.concatenate([part.terms[name] for part in parts]) for name in MODELS},
    )


def walk_forward(windows: Windows, terms: Floats) -> tuple[Floats, Floats]:
    """Mean of the log variance and mean of the variance as foretold, (n,) each; NaN where too little was known."""
    count = int(windows.contract.max(initial=0)) + 1
    design = np.hstack((np.eye(count)[windows.contract], terms))
    mean, variance = np.full(len(design), np.nan), np.full(len(design), np.nan)
    for day in np.unique(windows.start_ms // DAY_MS):
        known = windows.start_ms + WINDOW_MS <= day * DAY_MS
        enough = np.bincount(windows.contract[known], minlength=count) >= LEAST_FITTED
        asked = (windows.start_ms // DAY_MS == day) & enough[windows.contract]
        if not asked.any():
            continue
        slopes, *_ = np.linalg.lstsq(design[known], windows.log_variance[known], rcond=None)
        left = windows.log_variance[known] - design[known] @ slopes
        mean[asked] = design[asked] @ slopes
        variance[asked] = np.exp(mean[asked] + left.var() / 2.0)  # the mean of a log-normal variable
    return mean, variance


def _r2(windows: Windows, error: Floats, scored: np.ndarray) -> float:
    spread = 0.0
    for contract in np.unique(windows.contract[scored]):
        own = windows.log_variance[scored & (windows.contract == contract)]
        spread += float(((own - own.mean()) ** 2).sum())
    return 1.0 - float((error[scored] ** 2).sum()) / spread


def _beside(score: OutlookScore, error: Floats, base: Floats, windows: Windows, scored: np.ndarray) -> OutlookScore:
    """With what the map saves; all contracts of a day are resampled together, for they move together."""
    days, index = np.unique(windows.start_ms[scored] // DAY_MS, return_inverse=True)
    own = np.bincount(index, error[scored] ** 2, len(days))
    other = np.bincount(index, base[scored] ** 2, len(days))
    drawn = np.random.default_rng(7).integers(len(days), size=(RESAMPLES, len(days)))
    low, high = np.quantile(1.0 - own[drawn].sum(axis=1) / other[drawn].sum(axis=1), (0.05, 0.95)).tolist()
    by_contract = []
    for contract in np.unique(windows.contract[scored]):
        rows = scored & (windows.contract == contract)
        by_contract.append(1.0 - float((error[rows] ** 2).sum() / (base[rows] ** 2).sum()))
    gain = 1.0 - float(own.sum() / other.sum())
    return OutlookScore(score.model, score.r2, score.qlike, gain, low, high, tuple(by_contract))
