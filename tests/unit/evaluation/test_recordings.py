"""Scores that need no truth, on markets made for the test."""

import numpy as np

from bot.evaluation.known_markets import known_market
from bot.evaluation.recordings import HOURS, falls_score, identities, touch_scores
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import random_market


def test_touch_odds_of_a_random_walk_are_nearly_right() -> None:
    scores = touch_scores([random_market(seed, 1_500, volatility=0.002) for seed in (1, 2)])
    assert [score.hours for score in scores] == [*HOURS, 0]
    assert scores[-1].samples == sum(score.samples for score in scores[:-1])
    for score in scores:
        assert 0.0 < score.calibration_error < 0.2
        assert 0.0 < score.brier < 0.25


def test_identities_live_and_few_are_lost() -> None:
    lived = identities("SIMUSDT", random_market(3, 500, volatility=0.001), warm_up=300)
    assert lived.cluster_days > 1.0
    assert 0 <= lived.lost < 10 * lived.cluster_days


def test_falls_of_a_known_market_are_foreseen_better_once_learned() -> None:
    market = known_market("base", seed=1, days=5)
    score = falls_score("SIMUSDT", market.history)
    assert score is not None
    assert score.bars > 1_000
    assert score.learned > score.prior + 10.0


def test_without_open_interest_no_falls_are_scored() -> None:
    market = random_market(5, 600)
    assert falls_score("SIMUSDT", replace(market, open_interest=np.full(600, np.nan))) is None
