"""Open interest is laid to the end of the bar it belongs to, and to no other."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.liquidation.margin import liquidation_price
from bot.liquidation.types import Side
from bot.market.history import align, liquidations_by_symbol, trigger_prices
from bot.market.tiers import with_amounts
from bot.market.types import BAR_MS, Bars, OpenInterest, Prints


def bars_at(*numbers: int) -> Bars:
    n = len(numbers)
    ones = np.ones(n)
    return Bars(
        open_ms=np.array(numbers, dtype=np.int64) * BAR_MS,
        open=ones,
        high=ones,
        low=ones,
        close=ones,
        volume=ones,
        quote_volume=np.full(n, np.nan),
        taker_buy_volume=ones,
    )


def samples_at(*times_ms: int) -> OpenInterest:
    return OpenInterest(time_ms=np.array(times_ms, dtype=np.int64), coins=np.arange(1.0, len(times_ms) + 1))


def test_a_sample_belongs_to_the_bar_that_ends_with_it() -> None:
    history = align(bars_at(0, 1, 2), samples_at(1 * BAR_MS, 2 * BAR_MS, 3 * BAR_MS))
    assert history.open_interest.tolist() == [1, 2, 3]
    assert history.bar_ms == BAR_MS
    assert history.end_ms == 3 * BAR_MS


def test_a_late_or_early_sample_counts_within_half_a_bar_only() -> None:
    half = BAR_MS // 2
    history = align(bars_at(0, 1, 2), samples_at(BAR_MS + half - 1, 2 * BAR_MS - half + 1, 3 * BAR_MS + half))
    assert history.open_interest[:2].tolist() == [1, 2]
    assert np.isnan(history.open_interest[2])


def test_the_nearest_of_two_samples_counts_and_of_two_as_near_the_earlier() -> None:
    assert align(bars_at(0), samples_at(BAR_MS - 9, BAR_MS + 8)).open_interest.tolist() == [2]
    assert align(bars_at(0), samples_at(BAR_MS - 8, BAR_MS + 9)).open_interest.tolist() == [1]
    assert align(bars_at(0), samples_at(BAR_MS - 8, BAR_MS + 8)).open_interest.tolist() == [1]


def test_no_open_interest_is_unknown_open_interest() -> None:
    assert np.isnan(align(bars_at(0, 1), None).open_interest).all()
    assert np.isnan(align(bars_at(0, 1), samples_at()).open_interest).all()


def test_hourly_samples_leave_the_bars_between_unknown() -> None:
    history = align(bars_at(*range(24)), samples_at(12 * BAR_MS, 24 * BAR_MS))
    assert np.flatnonzero(~np.isnan(history.open_interest)).tolist() == [11, 23]


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=20, unique=True),
    st.lists(st.integers(0, 60 * BAR_MS), max_size=20, unique=True),
)
def test_every_bar_has_what_a_plain_search_finds(numbers: list[int], times: list[int]) -> None:
    bars, samples = bars_at(*sorted(numbers)), samples_at(*sorted(times))
    found = align(bars, samples).open_interest
    for open_ms, value in zip(bars.open_ms.tolist(), found.tolist(), strict=True):
        near = [(abs(t - open_ms - BAR_MS), t, c) for t, c in zip(sorted(times), samples.coins, strict=True)]
        near = [sample for sample in near if sample[0] < BAR_MS / 2]
        assert (value == min(near)[2]) if near else np.isnan(value)


def test_prints_are_counted_in_usd_at_the_fill_by_contract() -> None:
    prints = Prints(
        time_ms=np.array([1, 2, 3], dtype=np.int64),
        symbol=("BTCUSDT", "ETHUSDT", "BTCUSDT"),
        is_long=np.array([True, False, False]),
        price=np.array([100.0, 10.0, 110.0]),
        coins=np.array([2.0, 5.0, 1.0]),
    )
    found = liquidations_by_symbol(prints, ("BTCUSDT", "SOLUSDT"))
    assert found["BTCUSDT"].usd.tolist() == [200.0, 110.0]
    assert found["BTCUSDT"].time_ms.tolist() == [1, 3]
    assert found["BTCUSDT"].is_long.tolist() == [True, False]
    assert len(found["SOLUSDT"]) == 0
    none = np.zeros(3, dtype=np.bool_)
    nothing = Prints(prints.time_ms[none], (), prints.is_long[none], prints.price[none], prints.coins[none])
    assert len(liquidations_by_symbol(nothing, ("BTCUSDT",))["BTCUSDT"]) == 0


TIERS = with_amounts([(100.0, 0.005, 1e5), (50.0, 0.01, 1e6), (20.0, 0.025, 1e8)])


def printed(price: float, coins: float, *, is_long: bool, at_bankruptcy: bool) -> Prints:
    kinds = np.array([at_bankruptcy])
    return Prints(np.array([1]), ("BTCUSDT",), np.array([is_long]), np.array([price]), np.array([coins]), kinds)


@given(
    st.booleans(),
    st.floats(0.01, 1e5),
    st.sampled_from([3e4, 5e5, 5e6]),
    st.floats(1, 50),
    st.sampled_from([0, 0.0005]),
)
def test_a_bankruptcy_price_is_moved_to_where_the_position_was_set_off(
    is_long: bool, entry: float, notional: float, leverage: float, fee_rate: float
) -> None:
    coins = notional / entry
    bankruptcy = entry * (1 - (1 if is_long else -1) / leverage)
    # Below a thousandth of the entry the difference of two near numbers has lost the digits that are compared here.
    assume(bankruptcy > entry / 1000)
    trigger = liquidation_price(
        side=Side.LONG if is_long else Side.SHORT,
        entry=entry,
        quantity=coins,
        wallet=notional / leverage,
        tiers=TIERS,
        fee_rate=fee_rate,
    )
    prints = printed(bankruptcy, coins, is_long=is_long, at_bankruptcy=True)
    [found] = trigger_prices(prints, TIERS, fee_rate=fee_rate)
    # At the edge of a tier B may lie in another one than P, with a rate that differs by 1.5 % of price at most.
    assert found == pytest.approx(trigger, rel=0.016)
    if len({int(np.searchsorted([1e5, 1e6], coins * price, side="right")) for price in (bankruptcy, found)}) == 1:
        assert found == pytest.approx(trigger, rel=1e-9)


def test_a_large_contracts_first_rate_stands_in_for_tiers_that_are_not_known() -> None:
    [found] = trigger_prices(printed(100.0, 1.0, is_long=True, at_bankruptcy=True), None, fee_rate=0.0005)
    assert found == pytest.approx(100 / (1 - 0.0045))


def test_a_fill_stays_where_it_was() -> None:
    assert trigger_prices(printed(100.0, 1.0, is_long=True, at_bankruptcy=False), TIERS).tolist() == [100.0]


def test_liquidations_of_a_contract_are_moved_by_its_own_tiers() -> None:
    prints = printed(100.0, 2.0, is_long=False, at_bankruptcy=True)
    found = liquidations_by_symbol(prints, ("BTCUSDT",), tiers={"BTCUSDT": TIERS})["BTCUSDT"]
    assert found.price.tolist() == pytest.approx([100 / 1.005])
    assert found.usd.tolist() == pytest.approx([200 / 1.005])
