"""Pictures made from a market's numbers."""

import numpy as np

from bot.liquidation import LiquidationMap
from bot.pictures import passed


def test_what_price_has_passed_since_the_map_is_not_drawn() -> None:
    edges = np.arange(95.0, 106.0)
    longs = np.where(edges[:-1] < 100.0, 1.0, 0.0)
    drawn = LiquidationMap(0, 100.0, edges[:-1], edges[1:], longs, 1.0 - longs, 5.0, 5.0, "measured")
    lower = passed(drawn, 97.5)
    assert lower.long_usd.tolist() == [1.0, 1.0, 1.0, 0, 0, 0, 0, 0, 0, 0]
    assert lower.short_usd.tolist() == drawn.short_usd.tolist()
    higher = passed(drawn, 103.0)
    assert higher.short_usd.tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 1.0, 1.0]
    assert higher.long_usd.tolist() == drawn.long_usd.tolist()
