"""The closed form and the bar-by-bar path are one definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.model import PositionModel
from bot.liquidation.types import Floats, History
from tests.unit.liquidation.markets import bars_of, histories, part, random_market


def stepped(history: History, first: int) -> PositionModel:
    """The model rebuilt from the first bars and updated with the others."""
    model = PositionModel.rebuild(part(history, 0, first))
    for bar in bars_of(part(history, first, len(history))):
        model.update(bar)
    return model


def figures(model: PositionModel) -> Floats:
    """Everything a reader sees, in one row, each side over its own total."""
    whole = model.map(window=1.5)
    sides = ((whole.long_usd, whole.long_total_usd), (whole.short_usd, whole.short_total_usd))
    return np.concatenate([np.append(usd, total) / (total or 1.0) for usd, total in sides])


@settings(max_examples=80, deadline=None)
@given(histories(), st.data())
def test_rebuilt_and_updated_models_agree_on_any_market(history: History, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(history)))
    rebuilt, updated = PositionModel.rebuild(history), stepped(history, first)
    np.testing.assert_allclose(figures(rebuilt), figures(updated), rtol=1e-9, atol=1e-12)
    for side in ("long_total_usd", "short_total_usd"):
        assert np.isclose(getattr(rebuilt.map(), side), getattr(updated.map(), side), rtol=1e-9)


def test_they_agree_after_a_thousand_bars_of_a_plain_market() -> None:
    history = random_market(1, 1_200)
    np.testing.assert_allclose(figures(PositionModel.rebuild(history)), figures(stepped(history, 1)), rtol=1e-9)


@settings(max_examples=80, deadline=None)
@given(histories().filter(lambda history: len(history) > 1), st.data())
def test_maps_drawn_at_once_are_those_after_each_bar(history: History, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(history) - 1))
    model, late = PositionModel.rebuild(part(history, 0, first)), part(history, first, len(history))
    at_once = PositionModel.restore(model.state()).draw(late)
    for moment, bar in enumerate(bars_of(late)):
        model.update(bar)
        drawn, expected = at_once.at(moment), model.map()
        assert (drawn.time_ms, drawn.price) == (expected.time_ms, expected.price)
        assert (drawn.open_interest, drawn.limits) == (expected.open_interest, expected.limits)
        np.testing.assert_array_equal(drawn.low, expected.low)
        np.testing.assert_array_equal(drawn.high, expected.high)
        for side in ("long", "short"):
            total = getattr(expected, f"{side}_total_usd")
            assert np.isclose(getattr(drawn, f"{side}_total_usd"), total, rtol=1e-9)
            usd, of_bar = getattr(drawn, f"{side}_usd"), getattr(expected, f"{side}_usd")
            np.testing.assert_allclose(usd, of_bar, rtol=1e-9, atol=1e-12 * total)


def test_what_is_swept_over_many_bars_is_what_each_sweeps() -> None:
    history = random_market(2, 400)
    model = PositionModel.rebuild(part(history, 0, 50))
    other = PositionModel.restore(model.state())
    one_by_one = np.array([model.update(bar).coins for bar in bars_of(part(history, 50, 400))])
    np.testing.assert_allclose([swept.coins for swept in other.extend(history)], one_by_one, rtol=1e-9, atol=1e-12)


def test_a_history_without_newer_bars_draws_no_map() -> None:
    history = random_market(3, 20)
    with pytest.raises(ValueError, match="no bar newer"):
        PositionModel.rebuild(history).draw(history)
