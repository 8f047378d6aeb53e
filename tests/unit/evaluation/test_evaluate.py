"""A small evaluation: every row scored, the truth above the guesses, the same figures twice, and a readable table."""

import numpy as np
import pytest

from bot.evaluation.__main__ import main
from bot.evaluation.estimators import DISTANCE, ESTIMATORS, LEARNED, MONTH, ORACLE, estimates
from bot.evaluation.evaluate import PROFILE_SEED, ROWS, Scores, Task, play, tasks_of
from bot.evaluation.known_markets import NAMES, KnownMarket, known_market
from bot.evaluation.measures import Closeness, bin_coins, bin_truth, spearman
from bot.evaluation.peers import oracle, peer_without_path
from bot.evaluation.report import known_tables
from bot.evaluation.second_simulator import SECOND_PRESETS, SecondParameters, simulate_second
from bot.liquidation.book import REACH
from bot.liquidation.values import replace

SMALL = SecondParameters(days=2, warmup_days=1, arrivals=4.0)


@pytest.fixture(scope="module")
def base() -> KnownMarket:
    return known_market("base", seed=1, days=2)


def test_there_are_ten_variants_of_the_first_market_and_others_of_the_second() -> None:
    assert list(NAMES.values()).count("first") == 10
    assert list(NAMES.values()).count("second") == len(SECOND_PRESETS) >= 6


def test_every_estimator_gives_coins_that_stand(base: KnownMarket) -> None:
    found = estimates(base)
    assert set(found) == set(ESTIMATORS)
    for coins in found.values():
        assert coins.shape == (2, REACH)
        assert np.isfinite(coins).all()
        assert (coins >= 0).all()
        assert coins.sum(axis=1).all()


def test_the_oracle_is_above_the_peer_that_forgets_the_path(base: KnownMarket) -> None:
    truth = bin_truth(base.truth, base.price)
    best, peer = (bin_coins(one(base), base.price) for one in (oracle, peer_without_path))
    assert np.mean([spearman(best[side], truth[side]) for side in (0, 1)]) > 0.7
    assert np.mean([spearman(peer[side], truth[side]) for side in (0, 1)]) < 0.5


def test_the_oracles_totals_stay_within_the_open_interest(base: KnownMarket) -> None:
    held = base.history.open_interest[-1]
    assert (oracle(base).sum(axis=1) < 1.1 * held).all()


def test_a_third_of_the_liquidations_is_told_and_the_same_ones_again(base: KnownMarket) -> None:
    again = known_market("base", seed=1, days=2)
    np.testing.assert_array_equal(again.prints.usd, base.prints.usd)
    assert len(base.prints) > 50
    assert (np.diff(base.prints.time_ms) >= 0).all()


def test_the_second_market_keeps_its_books() -> None:
    market = simulate_second(SMALL)
    history = market.history
    assert len(history) == 2 * 288
    standing = [market.truth.usd[market.truth.is_long == side].sum() for side in (True, False)]
    assert max(standing) == pytest.approx(history.open_interest[-1] * history.close[-1], rel=0.01)
    longs = market.truth.is_long
    assert (market.truth.liquidation_price[longs] < history.close[-1]).all()
    assert (market.truth.liquidation_price[~longs] > history.close[-1]).all()
    bar = (market.prints.time_ms - history.open_ms[0]) // history.bar_ms
    assert (market.prints.price >= history.low[bar] * 0.99).all()
    assert (market.prints.price <= history.high[bar] * 1.01).all()
    np.testing.assert_allclose(market.kernels.sum(axis=2), 1.0)
    assert (market.opened.sum(axis=0) <= 3.0 * history.volume.sum()).all()


def test_the_second_market_is_the_same_again_and_another_by_another_seed() -> None:
    once, twice = simulate_second(SMALL), simulate_second(SMALL)
    np.testing.assert_array_equal(once.history.close, twice.history.close)
    np.testing.assert_array_equal(once.truth.usd, twice.truth.usd)
    other = simulate_second(replace(SMALL, seed=2))
    assert not np.array_equal(other.history.close, once.history.close)


def test_a_market_played_for_its_profile_alone_is_not_estimated() -> None:
    tasks = tasks_of(["base"], seeds=2, days=1, profiles=1)
    assert [task.seed for task in tasks] == [1, 2, PROFILE_SEED]
    played = play(Task("base", PROFILE_SEED, 1, profile_only=True))
    assert played.estimates == {}
    assert played.truth.sum() > 0


def test_the_table_names_every_row_and_says_which_promise_broke() -> None:
    names = ["base", "trend"]
    good, bad = Closeness(0.9, 1.8, 0.02), Closeness(0.7, 1.4, 0.08)
    by_row = {row: dict.fromkeys(names, good if row in (*LEARNED, ORACLE) else bad) for row in ROWS}
    text = known_tables(Scores(30, 3, by_row))
    for row in ROWS:
        assert f"|{row}|0." in text
    assert text.count("- kept:") == 10
    by_row[MONTH] = {"base": good, "trend": Closeness(0.5, 1.0, 0.1)}
    broken = known_tables(Scores(30, 3, by_row))
    assert "**not kept**: 0.20 below distance only at worst, in trend" in broken
    assert DISTANCE in broken


def test_a_folder_without_recordings_is_told_in_one_line(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "0", "--recordings", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert "holds no <exchange>" in told.err
    assert told.out == ""
