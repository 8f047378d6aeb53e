"""Bars whose prices cannot have been traded, and tick sizes that change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.market.bad_rows import BadRows
from bot.market.ticks import on_tick
from bot.market.types import BAR_MS, Bars


def bars(closes: list[float]) -> Bars:
    close = np.array(closes)
    ones = np.ones(len(closes))
    return Bars(BAR_MS * np.arange(len(closes), dtype=np.int64), close, close, close, close, ones, ones, ones)


def test_a_few_bars_between_two_ticks_are_dropped_and_counted() -> None:
    bad = BadRows("Binance")
    kept = on_tick(bars([87_654.1, 87_654.12345, 87_654.3]), 0.1, bad)
    assert kept.close.tolist() == [87_654.1, 87_654.3]
    assert kept.open_ms.tolist() == [0, 2 * BAR_MS]
    assert bad.counts == {"bars: a price between two ticks": 1}


def test_where_many_are_off_the_tick_size_has_changed_and_all_are_kept() -> None:
    bad = BadRows("Binance")
    before = bars([1.01, 1.03, 1.04, 1.1, 1.2])
    assert len(on_tick(before, 0.1, bad)) == 5
    assert bad.counts == {}


@pytest.mark.parametrize("tick_size", [None, 0.0, float("nan")])
def test_without_a_tick_size_nothing_can_be_told(tick_size: float | None) -> None:
    assert len(on_tick(bars([1.23456]), tick_size, BadRows("Binance"))) == 1
    assert len(on_tick(bars([]), 0.1, BadRows("Binance"))) == 0


@given(st.integers(0, 9), st.lists(st.integers(1, 10**8), min_size=1, max_size=40))
def test_every_price_that_a_venue_can_write_is_on_its_tick(decimals: int, ticks: list[int]) -> None:
    tick_size = float(f"1e-{decimals}")
    bad = BadRows("Binance")
    written = [float(f"{number}e-{decimals}") for number in ticks]
    assert len(on_tick(bars(written), tick_size, bad)) == len(ticks)
    assert bad.counts == {}
