"""What the position model refuses, and how it says so; what it survives without a warning."""

from typing import Any

import numpy as np
import pytest

from bot.liquidation.bars import Bar
from bot.liquidation.model import PositionModel
from bot.liquidation.types import History
from bot.liquidation.values import replace
from tests.unit.liquidation.markets import history_of, random_market

PLAIN = random_market(3, 6)


def with_value(name: str, index: int, value: float) -> History:
    column = getattr(PLAIN, name).copy()
    column[index] = value
    return replace(PLAIN, **{name: column})


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0])
def test_a_price_that_is_none_is_refused_by_its_bar(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"bar 3 has a {name} that is not a positive number"):
        PositionModel.rebuild(with_value(name, 3, value))


@pytest.mark.parametrize(
    ("name", "index", "value", "says"),
    [
        ("high", 2, 1.0, "bar 2 has its high below its low"),
        ("close", 4, 999.0, "bar 4 opens or closes outside its low and high"),
        ("volume", 1, np.nan, "bar 1 has a volume"),
        ("volume", 1, -1.0, "bar 1 has a volume"),
        ("open_interest", 5, -1.0, "bar 5 has a negative or infinite open_interest"),
        ("quote_volume", 0, np.inf, "bar 0 has a negative or infinite quote_volume"),
        ("open_ms", 2, 0, "bar 2 is not later than the bar before it"),
    ],
)
def test_a_broken_figure_is_refused_by_its_bar(name: str, index: int, value: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PositionModel.rebuild(with_value(name, index, value))


def test_repeated_bars_are_refused() -> None:
    repeated = replace(PLAIN, open_ms=np.concatenate((PLAIN.open_ms[:3], PLAIN.open_ms[2:5])))
    with pytest.raises(ValueError, match="bar 3 is not later than the bar before it"):
        PositionModel.rebuild(repeated)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"volume": np.ones(5)}, r"volume must have the shape \(6,\), not \(5,\)"),
        ({"close": np.ones((6, 1))}, r"close must have the shape \(6,\), not \(6, 1\)"),
        ({"bar_ms": 0}, "bar_ms must be positive"),
    ],
)
def test_wrong_shapes_are_refused_by_name(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PositionModel.rebuild(replace(PLAIN, **change))


def test_an_empty_history_is_refused() -> None:
    with pytest.raises(ValueError, match="no bar"):
        PositionModel.rebuild(empty())


def empty() -> History:
    nothing = np.zeros(0)
    return History(300_000, np.zeros(0, dtype=np.int64), *(nothing for _ in range(7)))


GOOD = Bar(open_ms=int(PLAIN.open_ms[-1]) + 300_000, open=100.0, high=101.0, low=99.0, close=100.0, volume=1.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"open_ms": int(PLAIN.open_ms[-1])}, "is not later than the bar before it"),
        ({"low": 0.0}, "has a price that is not a positive number"),
        ({"close": np.nan}, "has a price that is not a positive number"),
        ({"high": 98.0}, "has its high below its low"),
        ({"open": 102.0}, "opens or closes outside its low and high"),
        ({"volume": np.inf}, "has a volume"),
        ({"open_interest": -5.0}, "negative or infinite quote volume or open interest"),
    ],
)
def test_a_broken_next_bar_is_refused_and_changes_nothing(change: dict[str, Any], says: str) -> None:
    model = PositionModel.rebuild(PLAIN)
    before = model.state()
    with pytest.raises(ValueError, match=says):
        model.update(replace(GOOD, **change))
    assert model.state() == before


@pytest.mark.parametrize("interest", [0.0, np.nan, 1e-12])
def test_zero_open_interest_is_unknown(interest: float) -> None:
    model = PositionModel.rebuild(history_of(np.full(5, 2.0), open_interest=interest))
    assert model.map().open_interest == "estimated"
    assert model.map().long_total_usd > 0


@pytest.mark.parametrize("price", [1e-8, 1.0, 1e6])
@pytest.mark.parametrize("volume", [0.0, 1e-30, 1e30])
@pytest.mark.parametrize("interest", [np.nan, 1e-8, 1e20])
def test_extreme_figures_give_a_finite_map(price: float, volume: float, interest: float) -> None:
    history = history_of(price * np.array([1.0, 0.1, 1.0, 3.0]), volume=volume, open_interest=interest)
    read = PositionModel.rebuild(history).map()
    assert np.isfinite(read.long_usd).all()
    assert np.isfinite(read.short_usd).all()
    assert len(read.low) == 241


def test_one_bar_is_a_history() -> None:
    read = PositionModel.rebuild(history_of(np.array([100.0]), open_interest=50.0)).map(window=1.6)
    assert read.long_total_usd == pytest.approx(5_000.0)
    assert read.long_usd.sum() == pytest.approx(5_000.0)
    assert read.short_usd.sum() == pytest.approx(5_000.0)
    assert read.open_interest == "measured"
