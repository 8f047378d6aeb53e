"""Calm, Normal and Fast, fitted to a market."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.lexicon import PROXIMITY_PCT
from bot.telegram.sensitivity import Sensitivity, sensitivity


@pytest.mark.parametrize(
    ("daily_move_pct", "steps"),
    [
        (2.4, Sensitivity(0.5, 1.0, 2.0)),
        (6.2, Sensitivity(1.5, 2.5, 5.0)),
        (None, Sensitivity(0.5, 1.0, 2.0)),
        (0.0, Sensitivity(0.5, 1.0, 2.0)),
        (0.01, Sensitivity(0.1, 0.2, 0.3)),
        (900.0, Sensitivity(10.0, 15.0, 20.0)),
    ],
)
def test_the_distances_follow_a_typical_days_move(daily_move_pct: float | None, steps: Sensitivity) -> None:
    assert sensitivity(daily_move_pct) == steps


@given(st.none() | st.floats(0, 1e4))
def test_the_three_always_differ_and_the_grammar_takes_each(daily_move_pct: float | None) -> None:
    steps = sensitivity(daily_move_pct)
    assert PROXIMITY_PCT[0] <= steps.calm_pct < steps.normal_pct < steps.fast_pct <= PROXIMITY_PCT[1]
