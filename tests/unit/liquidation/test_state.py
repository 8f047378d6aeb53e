"""A model stored and taken back goes on as if nothing had happened."""

import numpy as np
import pytest
from hypothesis import given, settings

from bot.liquidation.kernel import DEFAULT_TIERS
from bot.liquidation.model import PositionModel
from bot.liquidation.parameters import MODEL_VERSION, ModelParameters
from bot.liquidation.state import MAGIC, pack
from bot.liquidation.types import History
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import bars_of, histories, part, random_market


@settings(max_examples=40, deadline=None)
@given(histories())
def test_a_restored_model_goes_on_exactly_as_the_first(history: History) -> None:
    half = (len(history) + 1) // 2
    first = PositionModel.rebuild(part(history, 0, half))
    second = PositionModel.restore(first.state())
    assert second.state() == first.state()
    for bar in bars_of(part(history, half, len(history))):
        assert first.update(bar).coins.tolist() == second.update(bar).coins.tolist()
        assert first.state() == second.state()
    assert first.map().long_usd.tolist() == second.map().long_usd.tolist()


def test_tiers_parameters_and_weights_come_back() -> None:
    parameters = ModelParameters(turnover_hours=(10.0, 100.0), turnover_prior=(0.5, 0.5))
    model = PositionModel.rebuild(random_market(1, 50), tiers=DEFAULT_TIERS[2:], parameters=parameters)
    model.weights[:] = (0.2, 0.8)
    again = PositionModel.restore(model.state())
    assert (again.tiers, again.parameters) == (model.tiers, parameters)
    assert again.weights.tolist() == [0.2, 0.8]
    assert again.map().short_usd.tolist() == model.map().short_usd.tolist()


def test_a_state_is_at_most_three_hundred_kilobytes() -> None:
    assert len(PositionModel.rebuild(random_market(2, 500)).state()) <= 300_000


@pytest.mark.parametrize("garbage", [b"", b"PK\x03\x04", MAGIC, MAGIC + b"12345678"])
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(ValueError, match="stored position model"):
        PositionModel.restore(garbage)


@pytest.mark.parametrize("at", [30, 500, 60_000, -1])
def test_a_flipped_byte_is_refused(at: int) -> None:
    state = bytearray(PositionModel.rebuild(random_market(1, 5)).state())
    state[at] ^= 1
    with pytest.raises(ValueError, match="stored position model"):
        PositionModel.restore(bytes(state))


def test_a_truncated_state_is_refused() -> None:
    with pytest.raises(ValueError, match="stored position model is broken"):
        PositionModel.restore(PositionModel.rebuild(random_market(1, 5)).state()[:-8])


def test_another_version_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=f"is of version other-9, this is {MODEL_VERSION}"):
        PositionModel.restore(pack({}, (), version="other-9"))


def test_a_sound_file_of_other_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="not a state of this position model"):
        PositionModel.restore(pack({"bar_ms": 1}, (np.zeros(5), np.zeros(5))))


def test_a_model_of_late_positions_has_no_state() -> None:
    history = random_market(1, 5)
    late = PositionModel.rebuild(replace(history), since_ms=int(history.open_ms[2]))
    with pytest.raises(ValueError, match="no state to keep"):
        late.state()
