"""The closed form and the bar-by-bar path are one definition."""

import numpy as np
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
