"""A map by leverage: the classes add up to the map, and each stands where its leverage is liquidated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.liquidation.kernel import liquidation_distance
from bot.liquidation.leverage import CLASSES, by_leverage, coins_by_leverage
from bot.liquidation.model import PositionModel
from bot.liquidation.types import History, Side
from tests.unit.liquidation.markets import histories, random_market


@settings(max_examples=25, deadline=None)
@given(histories(), st.floats(-0.05, 0.05), st.booleans())
def test_the_classes_add_up_to_the_map(history: History, moved: float, late: bool) -> None:
    since_ms = int(history.open_ms[len(history) // 2]) if late else None
    price = float(history.close[-1]) * float(np.exp(moved))
    drawn = PositionModel.rebuild(history, since_ms=since_ms).map(price=price)
    parts = by_leverage(drawn, history, since_ms=since_ms)
    assert len(parts) == CLASSES
    for name in ("long_usd", "short_usd"):
        together = np.sum([getattr(part, name) for part in parts], axis=0)
        assert together == pytest.approx(getattr(drawn, name), rel=1e-9)
        assert all((getattr(part, name) >= 0.0).all() for part in parts)


@settings(max_examples=25, deadline=None)
@given(histories(), st.booleans())
def test_carried_through_the_parts_of_the_kernel_the_same_coins_stand(history: History, late: bool) -> None:
    since_ms = int(history.open_ms[len(history) // 2]) if late else None
    coins = coins_by_leverage(history, since_ms=since_ms)
    model = PositionModel.rebuild(history, since_ms=since_ms)
    for side, book in zip(coins, model.books, strict=True):
        assert side.sum(axis=0) == pytest.approx(
            book.coins(), rel=1e-6, abs=1e-9 * float(book.coins().max(initial=1.0))
        )


def test_near_the_price_stands_high_leverage_and_far_from_it_low() -> None:
    history = random_market(3, 600, volatility=0.0003)
    drawn = PositionModel.rebuild(history).map(window=0.4)
    low, _, _, high, _ = by_leverage(drawn, history)
    near = (drawn.low >= drawn.price * 0.985) & (drawn.high <= drawn.price)
    far = drawn.high <= drawn.price * 0.84
    assert high.long_usd[near].sum() > low.long_usd[near].sum()
    assert high.long_usd[far].sum() < low.long_usd[far].sum()


def test_no_position_stands_nearer_to_its_entry_than_its_leverage_lets_it() -> None:
    history = random_market(5, 400)
    # At most 6 % above price at the start (the first stock's spread), and maintained by 10 % in the dearest bracket.
    highest = float(history.high.max()) * 1.062
    nearest = liquidation_distance(Side.LONG, 5.0, 0.10)
    drawn = PositionModel.rebuild(history).map()
    low = by_leverage(drawn, history)[0]
    gone = drawn.low > highest * (1.0 - nearest) * 1.002
    assert gone.any()
    assert not low.long_usd[gone].any()
