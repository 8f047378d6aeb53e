"""The score of the live bot: maps in brief against what was liquidated in the hour after each, off the event loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from bot.alerts.types import Market
from bot.liquidation import (
    DEFAULT,
    History,
    LiquidationPrints,
    ModelParameters,
    PositionModel,
    RiskTier,
    SweepLog,
    Turnover,
)
from bot.liquidation.expected import Capture, capture_of, learn_kappas
from bot.liquidation.score import HOUR_MS, MODELS, MOMENT_MS, WINDOW, constant_flow
from bot.liquidation.skill import ModelSkill, Skill, Verdict, measure_skill
from bot.liquidation.skill_sample import Brief, Reached, brief, join, reached_cells
from bot.liquidation.turnover import WINDOW_MS, effective_size
from bot.liquidation.types import Floats
from bot.market.feed import Stretch
from bot.storage.briefs import StoredBrief

PATH_ONLY, PRIOR, TUNED, LEARNED = MODELS
MOST_POOLED = 12
"""Contracts in the pooled score: those with the most liquidations, which decide it anyway."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one market's last week: the maps, the path, and the prints."""

    market: Market
    history: History
    briefs: Sequence[StoredBrief]
    prints: LiquidationPrints


@dataclass(frozen=True, slots=True)
class WeekScore:
    """The scores of one exchange: each market's, all together, and each market's kappa by the shipped model."""

    each: Mapping[Market, Skill]
    pooled: Skill
    captures: Mapping[str, Mapping[str, Capture]]
    """By model, then by symbol."""

    def kappas(self, model: str) -> dict[str, float]:
        """kappa by symbol, for the maps of one model."""
        return learn_kappas(self.captures[model])


def briefs_at(
    market: Market,
    history: History,
    tiers: Sequence[RiskTier] | None,
    times: Sequence[int],
    *,
    turnover: Floats | None = None,
    parameters: ModelParameters = DEFAULT,
) -> list[StoredBrief]:
    """The maps of all MODELS at these closes of bars, ascending, in brief.

    `turnover` are the weights learned for the prior's positions, `parameters` the learned positions.
    """
    ends = history.open_ms + history.bar_ms
    bar = [max(1, int(np.searchsorted(ends, time_ms, side="right"))) for time_ms in times]
    if not bar:
        return []
    model = PositionModel.rebuild(history.rows(0, bar[0]), tiers=tiers)
    learned = PositionModel.rebuild(history.rows(0, bar[0]), tiers=tiers, parameters=parameters)
    path = PositionModel.rebuild(constant_flow(history.rows(0, bar[0])), tiers=tiers)
    prior = np.array(DEFAULT.turnover_prior)
    found = []
    for before, after in zip([bar[0], *bar], bar, strict=False):
        fresh = history.rows(before, after)
        model.extend(fresh)
        learned.extend(fresh)
        path.extend(constant_flow(fresh))
        maps = {
            PATH_ONLY: path.map(window=WINDOW),
            PRIOR: model.map(window=WINDOW, weights=prior),
            TUNED: model.map(window=WINDOW, weights=prior if turnover is None else turnover),
            LEARNED: learned.map(window=WINDOW),
        }
        drawn = maps[LEARNED]
        known = drawn.open_interest == "measured"
        totals = (drawn.long_total_usd, drawn.short_total_usd) if known else (nan, nan)
        usd = {name: brief(read).usd for name, read in maps.items()}
        found.append(StoredBrief(market, drawn.time_ms, drawn.price, totals, usd))
    return found


def score_week(records: Sequence[Record], cover: Sequence[Stretch]) -> WeekScore:
    """Score one exchange's markets on the hours in which its feed was listened to."""
    overlap = HOUR_MS / MOMENT_MS
    each: dict[Market, Skill] = {}
    samples: list[tuple[float, Reached]] = []
    captures: dict[str, dict[str, Capture]] = {name: {} for name in MODELS}
    for number, record in enumerate(records):
        event_usd = effective_size(record.prints.usd)
        cells, total_usd = _cells(record, cover, number, event_usd)
        for index, name in enumerate(MODELS):
            captures[name][record.market.symbol] = capture_of(
                cells, model=index, total_usd=total_usd, event_usd=event_usd
            )
        each[record.market] = measure_skill(cells, MODELS, overlap=overlap)
        samples.append((float(cells.events.sum()), cells))
    samples.sort(key=lambda sample: -sample[0])
    whole = join([cells for _, cells in samples[:MOST_POOLED] if len(cells)], models=len(MODELS))
    return WeekScore(each, measure_skill(whole, MODELS, overlap=overlap), captures)


def learn_week(
    history: History, tiers: Sequence[RiskTier] | None, prints: LiquidationPrints, cover: Sequence[Stretch]
) -> Turnover:
    """Turnover weights from the last week's prints, held against the sweeps of the bars that were listened to."""
    ends = history.open_ms + history.bar_ms
    start = max(1, int(np.searchsorted(ends, history.end_ms - WINDOW_MS)))
    model = PositionModel.rebuild(history.rows(0, start), tiers=tiers)
    fresh = history.rows(start, len(history))
    log = SweepLog(history.bar_ms)
    for swept, price in zip(model.extend(fresh), fresh.close.tolist(), strict=True):
        if _covered(swept.time_ms - history.bar_ms, swept.time_ms, cover):
            log.add(swept, price)
    return log.learn(prints)


def skill_from_plain(plain: Mapping[str, Any]) -> Skill:
    """The Skill whose `plain()` this is."""
    fields = _numbers(plain)
    fields["models"] = tuple(
        ModelSkill(**{**_numbers(one), "verdict": Verdict(one["verdict"])}) for one in plain["models"]
    )
    return Skill(**fields)


def _numbers(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: nan if value is None else value for name, value in plain.items()}


def _cells(record: Record, cover: Sequence[Stretch], number: int, event_usd: float) -> tuple[Reached, Floats]:
    """The reached cells of one market, and for each the notional of its whole side."""
    last_ms = record.history.end_ms
    kept = [
        one
        for one in record.briefs
        if one.time_ms + HOUR_MS <= last_ms
        and _covered(one.time_ms, one.time_ms + HOUR_MS, cover)
        and all(name in one.usd for name in MODELS)
    ]
    moments = [tuple(Brief(one.time_ms, one.price, one.usd[name]) for name in MODELS) for one in kept]
    cells = reached_cells(
        moments, record.history, record.prints, symbol=number, event_usd=event_usd, horizon_ms=HOUR_MS
    )
    if not kept:
        return join([], models=len(MODELS)), np.zeros(0)
    times, totals = np.array([one.time_ms for one in kept]), np.array([one.totals for one in kept])
    return cells, totals[np.searchsorted(times, cells.time_ms), cells.side]


def _covered(start_ms: int, end_ms: int, cover: Sequence[Stretch]) -> bool:
    return any(start <= start_ms and end_ms <= end for start, end in cover)
