"""Open interest is laid to the end of the bar it belongs to, and to no other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.market.history import align, liquidations_by_symbol
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
