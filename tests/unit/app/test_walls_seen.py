"""The walls of order books, seen where somebody asks what else stands at a cluster."""

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.liquidation.depth import Depth
from bot.liquidation.types import Cluster, Feature, Side
from bot.order_books import OrderBooks
from bot.walls_seen import look_for_walls
from tests.fakes.clock import VirtualClock
from tests.unit.app.scenes import live

SHORTS = Cluster(Side.SHORT, 101.5, 103.0, 102.0, 40e6, 0.1, 80)


class Walled:
    """An exchange whose book has a wall 1.5 % above its price."""

    name = "binance"

    def __init__(self, price: float) -> None:
        self.price = price

    async def depth(self, symbol: str, *, levels: int = 100) -> Depth:
        away = np.arange(1, 201) * 0.0002
        coins = np.where(np.abs(away - np.log(1.015)) < 0.0001, 500.0, 10.0)
        return Depth(0, self.price * np.exp(-away), np.full(200, 10.0), self.price * np.exp(away), coins)


@pytest.mark.parametrize("price", [100.0, 0.1])
async def test_a_wall_is_seen_where_it_stands_whatever_a_venue_counts_by(price: float) -> None:
    market = live([SHORTS], price=100.0, slot_ms=1_764_547_200_000)
    assert market.surroundings.marks(SHORTS) == ()
    books = OrderBooks({"binance": Walled(price)}, VirtualClock(0))  # type: ignore[dict-item]
    await look_for_walls(market, [Market("binance", "XYZUSDT"), Market("okx", "XYZUSDT")], books)
    (mark,) = market.surroundings.marks(SHORTS)
    assert mark.feature is Feature.WALL
    assert mark.price == pytest.approx(101.5, rel=0.0003)
