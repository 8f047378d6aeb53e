"""Run every estimator on every known market, several seeds, in parallel; the same seeds give the same scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from bot.evaluation.estimators import DISTANCE, ESTIMATORS, ORACLE, estimates
from bot.evaluation.known_markets import known_market
from bot.evaluation.measures import Closeness, bin_coins, bin_truth, closeness
from bot.liquidation.types import Floats

ROWS = (DISTANCE, *ESTIMATORS)
PROFILE_SEED = 9_001
"""Seeds from here on are played for nothing but the distance profile of a variant."""


@dataclass(frozen=True, slots=True)
class Task:
    """One market to play; with `profile_only` no estimator looks at it."""

    name: str
    seed: int
    days: int
    profile_only: bool


@dataclass(frozen=True, slots=True)
class Played:
    """One market's truth and estimates in bins, (2, bins) each."""

    task: Task
    truth: Floats
    estimates: dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Scores:
    """Mean closeness by row and variant; every number is a mean over seeds and sides."""

    days: int
    seeds: int
    by_row: dict[str, dict[str, Closeness]]

    def mean(self, row: str, names: Sequence[str]) -> Closeness:
        """One row's mean over variants."""
        return _mean([self.by_row[row][name] for name in names])


def play(task: Task) -> Played:
    """Play one market and look at it."""
    market = known_market(task.name, seed=task.seed, days=task.days)
    truth = bin_truth(market.truth, market.price)
    found = {} if task.profile_only else estimates(market)
    return Played(task, truth, {name: bin_coins(coins, market.price) for name, coins in found.items()})


def evaluate(
    names: Sequence[str],
    *,
    seeds: int,
    days: int,
    profiles: int = 4,
    workers: int = 2,
    told: Callable[[], object] = lambda: None,
) -> Scores:
    """Score every row on every variant. `told` is called after each market played.

    The row `distance only` is the mean truth of the variant's other markets, `profiles` of which are played for that
    alone: no one could know it of a real market.
    """
    tasks = tasks_of(names, seeds=seeds, days=days, profiles=profiles)
    played = []
    with get_context("spawn").Pool(workers) as pool:
        for one in pool.imap(play, tasks):
            played.append(one)
            told()
    by_row: dict[str, dict[str, Closeness]] = {row: {} for row in ROWS}
    for name in names:
        mine = [one for one in played if one.task.name == name]
        for row in ROWS:
            by_row[row][name] = _mean(_closeness_of(row, mine))
    return Scores(days, seeds, by_row)


def tasks_of(names: Sequence[str], *, seeds: int, days: int, profiles: int) -> list[Task]:
    """All markets to play, in a fixed order."""
    return [
        Task(name, seed, days, seed >= PROFILE_SEED)
        for name in names
        for seed in (*range(1, seeds + 1), *range(PROFILE_SEED, PROFILE_SEED + profiles))
    ]


def _closeness_of(row: str, played: Sequence[Played]) -> list[Closeness]:
    found = []
    for one in played:
        if one.task.profile_only:
            continue
        others = [_shares(other.truth) for other in played if other is not one]
        estimate = np.mean(others, axis=0) if row == DISTANCE else one.estimates[row]
        found += [closeness(estimate[side], one.truth[side]) for side in (0, 1)]
    return found


def _shares(truth: Floats) -> Floats:
    total = truth.sum(axis=1, keepdims=True)
    shares: Floats = truth / np.where(total > 0, total, 1.0)
    return shares


def _mean(scores: Sequence[Closeness]) -> Closeness:
    columns = np.array([(one.spearman, one.lift, one.cdf_error) for one in scores]).mean(axis=0).tolist()
    return Closeness(*columns)


__all__ = ["DISTANCE", "ORACLE", "ROWS", "Scores", "Task", "evaluate", "play", "tasks_of"]
