"""What real recordings can tell: touch odds, the life of cluster identities, falls of open interest, and the score."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import log

import numpy as np

from bot.alerts.tracks import match
from bot.alerts.types import CloseReason, Market, Track
from bot.liquidation.bars import Bar
from bot.liquidation.clusters import find_clusters
from bot.liquidation.learning import Exposures, PositionLearner, adopted, expose, learn_from
from bot.liquidation.margin import RiskTier
from bot.liquidation.model import PositionModel
from bot.liquidation.parameters import DEFAULT, ModelParameters
from bot.liquidation.score import Score, score_histories
from bot.liquidation.touch import Volatility, touch_probability
from bot.liquidation.traces import Falls, Unknowns, falls_of
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Floats, History
from bot.liquidation.values import replace
from bot.market.history import FEE_IN_REQUIREMENT, align, liquidations_by_symbol
from bot.market.recording import Recording

DAY_MS = 86_400_000
HOURS = (1, 4, 24)
DISTANCES = np.array([0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08])
DECILES = np.linspace(0.0, 1.0, 11)
WARM_UP_BARS = RELEARN_BARS = 7 * 288
INSIDE = 0.115
"""A track nearer than this that fades is lost: farther ones may have left the map's window of 12 %."""
NO_PRINTS = LiquidationPrints(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True)
class TouchScore:
    """Odds at `hours` (0: at all of them) against what happened: `calibration_error` is the mean absolute gap over
    tenths of probability, weighted by their counts."""

    hours: int
    calibration_error: float
    brier: float
    samples: int


@dataclass(frozen=True, slots=True)
class Identities:
    """The life of one contract's clusters: days lived by all together, and identities that ended without a sweep."""

    symbol: str
    cluster_days: float
    lost: int


@dataclass(frozen=True, slots=True)
class FallsScore:
    """How well one contract's falls of open interest are foreseen in halves that were not learned from: the gain in
    log-likelihood over volume, range and move alone, by the prior's sweeps and by the learned ones."""

    symbol: str
    bars: int
    prior: float
    learned: float


def histories_of(recording: Recording, exchange: str) -> dict[str, History]:
    """Every contract's bars with its open interest."""
    return {
        symbol: align(recording.bars(exchange, symbol), recording.open_interest(exchange, symbol))
        for symbol in recording.symbols(exchange)
    }


def touch_scores(histories: Sequence[History]) -> list[TouchScore]:
    """Calibration on the second half of each history, every second hour, ten distances, both sides."""
    odds: dict[int, list[Floats]] = {hours: [] for hours in HOURS}
    happened: dict[int, list[Floats]] = {hours: [] for hours in HOURS}
    for history in histories:
        for row in range(len(history) // 2, len(history) - 1, 24):
            first = max(0, row - 30 * 288)
            ends = history.open_ms[first : row + 1] + history.bar_ms
            now = Volatility.from_closes(ends, history.close[first : row + 1])
            levels = now.close * np.concatenate((1.0 - DISTANCES, 1.0 + DISTANCES))
            for hours in HOURS:
                until = int(np.searchsorted(history.open_ms, history.open_ms[row] + hours * 3_600_000, side="right"))
                if history.open_ms[-1] < history.open_ms[row] + hours * 3_600_000:
                    continue
                low, high = history.low[row + 1 : until].min(), history.high[row + 1 : until].max()
                odds[hours].append(touch_probability(now.close, levels, hours, now))
                happened[hours].append(np.where(levels < now.close, low <= levels, high >= levels).astype(float))
    scores = [_touch_score(hours, np.concatenate(odds[hours]), np.concatenate(happened[hours])) for hours in HOURS]
    everything = [np.concatenate([one for hours in HOURS for one in parts[hours]]) for parts in (odds, happened)]
    return [*scores, _touch_score(0, everything[0], everything[1])]


def _touch_score(hours: int, odds: Floats, happened: Floats) -> TouchScore:
    tenth = np.clip(np.searchsorted(DECILES, odds, side="right") - 1, 0, 9)
    count = np.bincount(tenth, minlength=10)
    gap = np.abs(np.bincount(tenth, odds, 10) - np.bincount(tenth, happened, 10))
    return TouchScore(hours, float(gap.sum() / count.sum()), float(np.mean((odds - happened) ** 2)), len(odds))


def identities(
    symbol: str, history: History, *, tiers: Sequence[RiskTier] | None = None, warm_up: int = WARM_UP_BARS
) -> Identities:
    """Follow clusters bar by bar after a warm-up, positions learned from falls of open interest once a week."""
    learner = PositionLearner(history, tiers=tiers)
    parameters = learner.learn(warm_up, NO_PRINTS, cover=()).parameters
    model = PositionModel.rebuild(history.rows(0, warm_up), tiers=tiers, parameters=parameters)
    volatility = Volatility.from_closes(history.open_ms[:warm_up] + history.bar_ms, history.close[:warm_up])
    market, tracks, lost, lived = Market("recorded", symbol), (), 0, 0.0
    open_tracks: tuple[Track, ...] = tracks
    late = history.rows(warm_up, len(history))
    columns = [getattr(late, field.name).tolist() for field in fields(History) if field.name != "bar_ms"]
    for bars, row in enumerate(zip(*columns, strict=True), start=warm_up + 1):
        bar = Bar(*row)
        if (bars - warm_up) % RELEARN_BARS == 0:
            parameters = adopted(parameters, learner.learn(bars, NO_PRINTS, cover=()), tiers)
            model = PositionModel.rebuild(history.rows(0, bars), tiers=tiers, parameters=parameters)
        else:
            model.update(bar)
        volatility = volatility.updated(bar.open_ms + history.bar_ms, bar.close)
        clusters = find_clusters(model.map(), day_volatility=volatility.day)
        found = match(
            open_tracks, clusters, market=market, slot_ms=bar.open_ms + history.bar_ms, low=bar.low, high=bar.high
        )
        ended = [track for track in found if track.closed is CloseReason.FADED]
        lost += sum(abs(log(track.cluster.peak / bar.close)) < INSIDE for track in ended)
        open_tracks = tuple(track for track in found if track.closed is None)
        lived += len(clusters) * history.bar_ms / DAY_MS
    return Identities(symbol, lived, lost)


def falls_score(symbol: str, history: History) -> FallsScore | None:
    """Learn leverage from one half's falls and foresee the other's; None without finely known open interest."""
    exposures = expose(history)
    falls = falls_of(exposures, history, DEFAULT)
    if falls is None:
        return None
    half = len(history) // 2
    gains = np.zeros(2)
    for first, end in ((0, half), (half, len(history))):
        learned = _learned_without(exposures, history, first, end)
        inside = np.arange(len(history))
        held = (inside >= first) & (inside < end)
        gains += _held_out_gain(falls, held, (DEFAULT, learned))
    return FallsScore(symbol, falls.bars, float(gains[0]), float(gains[1]))


def _learned_without(exposures: Exposures, history: History, first: int, end: int) -> ModelParameters:
    """Leverage learned from the falls outside first <= bar < end; the path and the flow are known throughout."""
    hidden = history.open_interest.copy()
    hidden[first:end] = np.nan
    return learn_from(exposures, replace(history, open_interest=hidden), NO_PRINTS, cover=()).parameters


def _held_out_gain(falls: Falls, held: np.ndarray, candidates: Sequence[ModelParameters]) -> Floats:
    """For each candidate: log-likelihood of the held bars over that of the terms alone, all fitted elsewhere."""
    known, held = (falls.weight > 0) & ~held, (falls.weight > 0) & held
    likelihoods = [_student(falls.terms, falls.fall, known, held)]
    for parameters in candidates:
        unknowns = Unknowns(len(parameters.turnover_hours), len(parameters.leverage_weights) + 1)
        tilts = np.array([*parameters.long_tilt, *parameters.short_tilt] or np.ones(2 * unknowns.kind_count))
        swept = falls.coins @ tilts
        likelihoods.append(_student(np.column_stack((falls.terms, swept)), falls.fall, known, held))
    return np.array(likelihoods[1:]) - likelihoods[0]


def _student(design: Floats, fall: Floats, known: np.ndarray, held: np.ndarray, degrees: float = 4.0) -> float:
    """Student-t regression by reweighting on the known rows; log-likelihood of the held ones, up to a constant."""
    weight, spread = np.ones(int(known.sum())), 1.0
    coefficients = np.zeros(design.shape[1])
    for _ in range(50):
        root = np.sqrt(weight)
        coefficients, *_rest = np.linalg.lstsq(design[known] * root[:, None], fall[known] * root, rcond=None)
        error = (fall[known] - design[known] @ coefficients) ** 2
        spread = float((weight * error).mean())
        weight = (degrees + 1.0) / (degrees + error / spread)
    error = (fall[held] - design[held] @ coefficients) ** 2
    return float((-0.5 * (degrees + 1.0) * np.log1p(error / (degrees * spread)) - 0.5 * np.log(spread)).sum())


def recorded_score(recording: Recording, exchange: str, histories: dict[str, History]) -> Score | None:
    """What `bot.liquidation.score` gives; None without prints."""
    told = recording.prints(exchange)
    if told is None:
        return None
    tiers, fee_rate = recording.tiers(exchange), FEE_IN_REQUIREMENT.get(exchange, 0.0)
    prints = liquidations_by_symbol(told, histories, tiers=tiers, fee_rate=fee_rate)
    every, _ = score_histories(histories, prints, tiers=tiers, cover=recording.heard(exchange, told))
    return every
