"""Score the map on history: replay contracts bar by bar, read maps, and hold them against the prints that followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.liquidation.learning import PositionLearner
from bot.liquidation.margin import RiskTier
from bot.liquidation.model import PositionModel
from bot.liquidation.parameters import DEFAULT, ModelParameters
from bot.liquidation.skill import BLOCK_MS, LEAST_BLOCKS, Skill, measure_skill
from bot.liquidation.skill_sample import Brief, Reached, brief, join, reached_cells
from bot.liquidation.turnover import WINDOW_MS, LiquidationPrints, SweepLog, effective_size
from bot.liquidation.types import History, Ints
from bot.liquidation.values import replace

MODELS = ("path_only", "prior", "tuned", "learned")
"""The path with constant flow; the model with nothing learned; with turnover learned from the timing of earlier prints;
with leverage and turnover learned from earlier prints by place and falls of open interest (see `learning`)."""
HOUR_MS = 3_600_000
MOMENT_MS = 900_000
DAY_MS = 86_400_000
SHORT_COVER_MS = DAY_MS
LEAST_HISTORY_MS = DAY_MS
WINDOW = 0.06

Cover = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SymbolSample:
    """What one contract gave to the score."""

    symbol: str
    moments: int
    cells: int
    prints: int
    effective_events: float


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a set of contracts. `cover` are the stretches in which prints were listened to, in ms."""

    skill: Skill
    samples: tuple[SymbolSample, ...]
    cover: Cover
    horizon_ms: int

    def plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **self.skill.plain(),
            "horizon_ms": self.horizon_ms,
            "cover": [list(stretch) for stretch in self.cover],
            "samples": [
                {
                    "symbol": sample.symbol,
                    "moments": sample.moments,
                    "cells": sample.cells,
                    "prints": sample.prints,
                    "effective_events": sample.effective_events,
                }
                for sample in self.samples
            ],
        }


def listened(time_ms: Ints) -> Cover:
    """Stretches in which a feed was listened to, from the times of all its prints, (n,) ascending.

    A silence ends a stretch when it is longer than ten minutes and than twenty times the 95th percentile of silences.
    Give every contract's prints of the feed: one contract's own silence says nothing.
    """
    if len(time_ms) < 2:
        return ()
    silences = np.diff(time_ms)
    longest = max(600_000.0, 20.0 * float(np.quantile(silences, 0.95)))
    breaks = np.flatnonzero(silences > longest)
    first = np.concatenate(([0], breaks + 1))
    last = np.concatenate((breaks, [len(time_ms) - 1]))
    return tuple(zip(time_ms[first].tolist(), time_ms[last].tolist(), strict=True))


def score_histories(
    histories: Mapping[str, History],
    prints: Mapping[str, LiquidationPrints],
    *,
    tiers: Mapping[str, Sequence[RiskTier]],
    cover: Cover,
    horizon_ms: int | None = None,
    parameters: ModelParameters = DEFAULT,
) -> tuple[Score, dict[str, Score]]:
    """Score the model on the contracts of `histories` against their prints: on all together, and on each alone.

    `cover` are the stretches in which the feed was listened to (see `listened`). Maps are read every 15 minutes (every
    bar where the horizon is that short) and hold for `horizon_ms`: an hour, or 15 minutes where less than a day is
    covered. Blocks of the interval are two hours, or contracts where there are fewer than 8 blocks of time.
    """
    covered = sum(end - start for start, end in cover)
    horizon = horizon_ms or (HOUR_MS if covered >= SHORT_COVER_MS else MOMENT_MS)
    found: list[tuple[SymbolSample, Reached]] = []
    overlaps = []
    for number, (symbol, history) in enumerate(histories.items()):
        seen = prints.get(symbol, nothing_printed())
        heard = np.concatenate([np.zeros(0), *(seen.between(start - 1, end).usd for start, end in cover)])
        step = MOMENT_MS if horizon > MOMENT_MS else history.bar_ms
        overlaps.append(max(1.0, horizon / max(step, history.bar_ms)))
        times = moments(history, cover, horizon, step)
        briefs = _briefs(history, seen, tiers.get(symbol), times, cover, parameters)
        cells = reached_cells(briefs, history, seen, symbol=number, event_usd=effective_size(heard), horizon_ms=horizon)
        found.append((SymbolSample(symbol, len(briefs), len(cells), len(heard), float(cells.events.sum())), cells))
    overlap = max(overlaps, default=1.0)
    found = [(replace(one, effective_events=one.effective_events / overlap), cells) for one, cells in found]
    each = {one.symbol: _scored([(one, cells)], cover, horizon, overlap) for one, cells in found}
    return _scored(found, cover, horizon, overlap), each


def _scored(found: Sequence[tuple[SymbolSample, Reached]], cover: Cover, horizon: int, overlap: float) -> Score:
    whole = join([cells for _, cells in found if len(cells)], models=len(MODELS))
    by_symbol = len(np.unique(whole.time_ms // BLOCK_MS)) < LEAST_BLOCKS
    skill = measure_skill(whole, MODELS, overlap=overlap, by_symbol=by_symbol)
    return Score(skill, tuple(sample for sample, _ in found), cover, horizon)


def moments(history: History, cover: Cover, horizon_ms: int, step_ms: int) -> list[int]:
    """Bar closes, `step_ms` apart, after a day of history, whose horizon is covered by prints and bars."""
    ends = history.open_ms + history.bar_ms
    ready = (ends % step_ms == 0) & (ends >= ends[0] + LEAST_HISTORY_MS) & (ends + horizon_ms <= ends[-1])
    inside = np.zeros(len(ends), dtype=bool)
    for start, end in cover:
        inside |= (ends >= start) & (ends + horizon_ms <= end)
    times: list[int] = ends[ready & inside].tolist()
    return times


def constant_flow(history: History) -> History:
    """The history as a path alone: the same flow in every bar, no open interest."""
    unknown = np.full(len(history), np.nan)
    return replace(history, volume=np.ones(len(history)), quote_volume=unknown, open_interest=unknown)


def nothing_printed() -> LiquidationPrints:
    """No prints."""
    return LiquidationPrints(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0))


def _briefs(
    history: History,
    prints: LiquidationPrints,
    tiers: Sequence[RiskTier] | None,
    times: list[int],
    cover: Cover,
    parameters: ModelParameters,
) -> list[tuple[Brief, ...]]:
    """The maps of all MODELS at `times`, which are closes of bars. Everything is learned from what came earlier."""
    if not times:
        return []
    ends = history.open_ms + history.bar_ms
    start = max(1, int(np.searchsorted(ends, times[0] - WINDOW_MS)))
    path = PositionModel.rebuild(constant_flow(history.rows(0, start)), tiers=tiers, parameters=parameters)
    model = PositionModel.rebuild(history.rows(0, start), tiers=tiers, parameters=parameters)
    log, weights, learned_ms = SweepLog(history.bar_ms), model.weights, 0
    learner = PositionLearner(history, tiers=tiers, parameters=parameters)
    learned: PositionModel | None = None
    found = []
    for time_ms in times:
        end = int(np.searchsorted(ends, time_ms, side="right"))
        fresh = history.rows(int(np.searchsorted(ends, model.time_ms, side="right")), end)
        log.extend(model.extend(fresh), fresh.close.tolist())
        path.extend(constant_flow(fresh))
        if time_ms - learned_ms >= DAY_MS or learned is None:
            weights, learned_ms = log.learn(prints.between(-1, time_ms), parameters).weights, time_ms
            taught = learner.learn(end, prints, cover=cover).parameters
            learned = PositionModel.rebuild(history.rows(0, end), tiers=tiers, parameters=taught)
        else:
            learned.extend(fresh)
        maps = (
            path.map(window=WINDOW),
            model.map(window=WINDOW),
            model.map(window=WINDOW, weights=weights),
            learned.map(window=WINDOW),
        )
        found.append(tuple(brief(read) for read in maps))
    return found
