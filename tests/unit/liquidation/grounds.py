"""Random maps with their clusters, as grounds for levels of one's own."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from bot.liquidation.clusters import find_clusters
from bot.liquidation.ground import Ground
from bot.liquidation.margin import RiskTier
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Floats, LiquidationMap

CALM = 0.01
STEP = 0.001
VOLATILITY = Volatility(100.0, 0, (1e-6, 1e-6, 1e-6, 1e-6), (1.0, 1.0, 1.0, 1.0))
TIERS = (
    RiskTier(0.0, 10_000.0, 0.004, 0.0, 125.0),
    RiskTier(10_000.0, 100_000.0, 0.01, 60.0, 50.0),
    RiskTier(100_000.0, 1_000_000.0, 0.05, 4_060.0, 10.0),
    RiskTier(1_000_000.0, 10_000_000.0, 0.25, 204_060.0, 2.0),
)


def map_of(long: Floats, short: Floats, *, price: float = 100.0) -> LiquidationMap:
    """`long` and `short` (n,) from the price outwards, in bins of 0.1 %; one bin holds the price between them."""
    n = len(long)
    edges = price * np.exp((np.arange(2 * n + 2) - n - 0.5) * STEP)
    nothing = np.zeros(n + 1)
    below, above = np.concatenate((long[::-1], nothing)), np.concatenate((nothing, short))
    return LiquidationMap(
        0, price, edges[:-1], edges[1:], below, above, 2 * float(long.sum()), 2 * float(short.sum()), "measured"
    )


def ground_on(drawn: LiquidationMap) -> Ground:
    return Ground(drawn, find_clusters(drawn, day_volatility=CALM), day_volatility=CALM)


def hill(n: int, *specs: tuple[int, float, float]) -> Floats:
    """A floor of 1 with Gaussian hills on it, each (cell of the top, height, sd in cells), three sd wide."""
    usd = np.ones(n)
    for at, height, sd in specs:
        away = (np.arange(n) - at) / sd
        usd += np.where(np.abs(away) < 3.0, height * np.exp(-0.5 * away**2), 0.0)
    return usd


@st.composite
def grounds(draw: Any) -> Ground:
    """Any map: hills anywhere, swept stretches, nothing at all on a side."""
    n = draw(st.integers(30, 400))
    sides = []
    for _ in range(2):
        tops = st.tuples(st.integers(0, n - 1), st.floats(0.1, 50.0), st.floats(1.0, 30.0))
        usd = hill(n, *draw(st.lists(tops, max_size=5))) * draw(st.sampled_from([0.0, 1.0, 1e6]))
        swept = draw(st.integers(0, n))
        usd[:swept] = 0.0 if draw(st.booleans()) else usd[:swept]
        sides.append(usd)
    return ground_on(map_of(*sides, price=draw(st.sampled_from([1e-4, 0.24, 100.0, 97_000.0]))))
