"""What the evaluation of volatility tells: a planted hint is found, noise is not, and nothing is known beforehand."""

import numpy as np
import pytest

from bot.evaluation.outlook import (
    LEAST_FITTED,
    MODELS,
    WINDOW_MS,
    Windows,
    joined,
    outlook_score,
    score_windows,
    walk_forward,
    windows_of,
)
from bot.evaluation.report import outlook_table
from bot.liquidation.types import Floats
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import random_market

DAY_WINDOWS = 6


def planted(contract: int, seed: int, *, weight: float, windows: int = 240) -> Windows:
    """A slow volatility that EWMA knows, a hint of the map's that is worth `weight`, and noise."""
    dice = np.random.default_rng(seed)
    slow, hint = np.sin(np.arange(windows) / 25.0), dice.normal(size=windows)
    told = slow + weight * hint + dice.normal(0.0, 0.5, windows)

    def terms(*columns: Floats) -> Floats:
        return np.column_stack(columns)

    return Windows(
        np.full(windows, contract),
        WINDOW_MS * np.arange(windows, dtype=np.int64),
        told,
        {
            "EWMA": terms(slow),
            "EWMA and map": terms(slow, hint, hint**2, dice.normal(size=windows)),
            "HAR": terms(slow, slow**2, slow**3),
            "HAR and map": terms(slow, slow**2, slow**3, hint, hint**2, dice.normal(size=windows)),
        },
    )


def test_a_hint_that_is_there_is_found_in_every_contract() -> None:
    outlook = score_windows(("A", "B"), joined([planted(0, 1, weight=0.6), planted(1, 2, weight=0.6)]))
    assert outlook is not None
    by_name = {score.model: score for score in outlook.scores}
    for name in ("EWMA and map", "HAR and map"):
        score = by_name[name]
        assert score.gain is not None
        assert score.low is not None
        assert 0.0 < score.low < score.gain
        assert len(score.by_contract) == 2
        assert min(score.by_contract) > 0.3
        assert score.qlike < by_name[name.removesuffix(" and map")].qlike
    assert by_name["EWMA"].gain is None


def test_noise_saves_nothing() -> None:
    outlook = score_windows(("A", "B"), joined([planted(0, 3, weight=0.0), planted(1, 4, weight=0.0)]))
    assert outlook is not None
    gains = [score.gain for score in outlook.scores if score.gain is not None]
    assert max(gains) < 0.02


def test_windows_are_counted_once_they_are_foretold_and_times_once_for_all_contracts() -> None:
    outlook = score_windows(("A", "B"), joined([planted(0, 1, weight=0.1), planted(1, 2, weight=0.1)]))
    assert outlook is not None
    assert (outlook.times, outlook.windows) == (240 - LEAST_FITTED, 2 * (240 - LEAST_FITTED))
    assert outlook.days == 35
    assert f"{outlook.windows} windows at {outlook.times} times" in outlook_table(outlook)


@pytest.mark.parametrize("model", MODELS)
def test_a_forecast_is_the_same_whatever_comes_after_it(model: str) -> None:
    whole = planted(0, 5, weight=0.3)
    changed = replace(whole, log_variance=np.where(np.arange(240) < 120, whole.log_variance, 9.0))
    before, after = (walk_forward(each, each.terms[model])[0] for each in (whole, changed))
    assert np.array_equal(before[:120], after[:120], equal_nan=True)
    assert not np.allclose(before[126:], after[126:])


def test_terms_of_a_window_rest_on_bars_before_it() -> None:
    history = random_market(4, 9 * 288)
    cut = history.rows(0, 8 * 288 + 100)
    whole, part = windows_of(0, history), windows_of(0, cut)
    assert 0 < len(part.start_ms) < len(whole.start_ms)
    shared = slice(0, len(part.start_ms))
    for name in MODELS:
        assert whole.terms[name][shared] == pytest.approx(part.terms[name], rel=1e-9)
    assert whole.log_variance[shared] == pytest.approx(part.log_variance)


def test_realised_variance_is_that_of_the_bars_of_the_window() -> None:
    history = random_market(6, 9 * 288)
    found = windows_of(0, history)
    start_ms = int(found.start_ms[0])
    inside = history.within(start_ms - history.bar_ms, start_ms + WINDOW_MS)
    assert len(inside) == WINDOW_MS // history.bar_ms + 1
    assert found.log_variance[0] == pytest.approx(np.log((np.diff(np.log(inside.close)) ** 2).sum()))


def test_too_short_recordings_are_not_scored() -> None:
    assert outlook_score({}) is None
    assert outlook_score({"AUSDT": random_market(1, 300)}) is None
