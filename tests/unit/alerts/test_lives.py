"""The lives of clusters: born, grown, ended, and counted honestly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.lives import Life, biggest, count_lives, lives_of, median_life_ms
from bot.alerts.types import CloseReason, Market
from bot.liquidation.types import Cluster, Floats, History, LiquidationMap, Side
from bot.liquidation.values import replace

BAR_MS = 300_000
BTC = Market("binance", "BTCUSDT")


def bars(low: Floats, high: Floats) -> History:
    n = len(low)
    price = np.full(n, 100.0)
    return History(BAR_MS, np.arange(n, dtype=np.int64) * BAR_MS, price, high, low, price, price, price, price)


def a_map(slot: int, heights: dict[int, float], price: float = 100.0) -> LiquidationMap:
    """Bins of 0.1 % with a hill of longs or shorts some bins away from the price; the key's sign is the side."""
    edges = 100.0 * np.exp(np.arange(-120, 122) * 0.001 - 0.0005)
    at = np.arange(241) - 120
    long, short = np.zeros(241), np.zeros(241)
    for away, height in heights.items():
        (long if away < 0 else short)[:] += height * np.exp(-0.5 * ((at - away) / 3.0) ** 2)
    long[edges[1:] > price] = 0.0
    short[edges[:-1] < price] = 0.0
    return LiquidationMap(slot * BAR_MS, price, edges[:-1], edges[1:], long, short, long.sum(), short.sum(), "measured")


def calm(time_ms: int) -> float:
    return 0.01


def flat(n: int) -> History:
    return bars(np.full(n, 99.9), np.full(n, 100.1))


def test_a_cluster_that_grows_and_is_swept_has_its_life_told() -> None:
    path = flat(12)
    path.high[8] = 104.0
    maps = [a_map(slot, {-50: 1.0} | ({30: slot} if 3 <= slot <= 8 else {})) for slot in range(1, 13)]
    old, new = lives_of(maps, path, market=BTC, day_volatility=calm)
    assert (old.side, old.witnessed, old.end) == (Side.LONG, False, None)
    assert (new.side, new.witnessed, new.end) == (Side.SHORT, True, CloseReason.SWEPT)
    assert (new.born_ms, new.best_ms, new.ended_ms) == (3 * BAR_MS, 8 * BAR_MS, 9 * BAR_MS)
    assert new.best.usd == pytest.approx(new.bodies[0].usd * 8 / 3, rel=0.01)
    assert len(old.times_ms) == 12


def test_a_cluster_that_faded_ended_when_it_was_last_seen() -> None:
    maps = [a_map(slot, {-50: 1.0} | ({30: 1.0} if slot <= 4 else {})) for slot in range(1, 16)]
    faded = next(life for life in lives_of(maps, flat(16), market=BTC, day_volatility=calm) if life.end)
    assert faded.end is CloseReason.FADED
    assert faded.ended_ms == 4 * BAR_MS


def test_no_maps_have_no_lives() -> None:
    assert lives_of([], flat(3), market=BTC, day_volatility=calm) == ()


def life(lasted: int, end: CloseReason | None, *, usd: float = 1.0, witnessed: bool = True) -> Life:
    body = Cluster(Side.LONG, 1.0, 2.0, 1.5, usd, 0.1, 50)
    return Life("L", Side.LONG, witnessed, (0,), (body,), ended_ms=lasted if end else 0, end=end)


def test_the_median_is_that_of_those_that_ended_where_all_have() -> None:
    lives = [life(lasted, CloseReason.FADED) for lasted in (10, 20, 30, 40, 50)]
    assert median_life_ms(lives, 60) == 30


def test_those_that_stand_count_as_having_lived_so_long_at_least() -> None:
    lives = [life(10, CloseReason.SWEPT), life(20, CloseReason.FADED), *[life(0, None)] * 3]
    assert median_life_ms(lives, 60) is None
    assert median_life_ms([*lives, life(30, CloseReason.FADED), life(40, CloseReason.FADED)], 60) == 40
    assert median_life_ms([], 60) is None


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from([*CloseReason, None])), max_size=30))
def test_every_cluster_is_counted_once(ends: list[tuple[int, CloseReason | None]]) -> None:
    lives = [life(lasted, end) for lasted, end in ends]
    count = count_lives(lives, 60)
    assert count.swept + count.faded + count.merged + count.standing == count.total == len(lives)
    if count.median_ms is not None:
        longer = sum(each.lasted_ms(60) > count.median_ms for each in lives)
        assert longer <= len(lives) / 2 + 1e-9


def test_the_median_leaves_out_those_that_are_older_than_they_look() -> None:
    lives = [life(10, CloseReason.FADED), replace(life(50, CloseReason.FADED), witnessed=False)]
    assert count_lives(lives, 60).median_ms == 10


def test_the_biggest_are_those_that_were_largest_at_their_best() -> None:
    lives = [life(10, None, usd=usd) for usd in (3.0, 9.0, 1.0, 5.0)]
    assert [each.best.usd for each in biggest(lives, 3)] == [9.0, 5.0, 3.0]
