"""A tick of all symbols at once finds what each symbol by itself would."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.front import Band
from bot.alerts.tick_board import Look, TickBoard

SYMBOLS = ("A", "B", "C", "D")
MAX_AGE_MS = 6
prices = st.sampled_from([math.nan, math.inf, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0])
ticks = st.lists(
    st.tuples(st.lists(prices, min_size=4, max_size=4), st.lists(st.integers(-9, 3), min_size=4, max_size=4)),
    min_size=1,
    max_size=6,
)
bands = st.builds(
    Band, st.sampled_from([0.0, 1.5]), st.sampled_from([2.5, math.inf]), st.integers(0, 60), st.booleans(), st.just(0)
)


def tell(board: TickBoard, told: list[float], times: list[int], now_ms: int) -> Look:
    return board.look(SYMBOLS, np.array(told), np.array(times, dtype=np.int64), now_ms=now_ms)


@given(ticks=ticks, bands=st.lists(st.one_of(st.none(), bands), min_size=4, max_size=4))
def test_a_tick_stirs_the_symbols_whose_news_leave_their_bands(
    ticks: list[tuple[list[float], list[int]]], bands: list[Band | None]
) -> None:
    board = TickBoard(max_age_ms=MAX_AGE_MS)
    known = dict.fromkeys(SYMBOLS, (math.nan, 0))
    seen = dict.fromkeys(SYMBOLS, 0)
    for symbol, band in zip(SYMBOLS, bands, strict=True):
        if band is not None:
            board.put_band(symbol, band)
    for number, (told, ages) in enumerate(ticks, start=1):
        now_ms = 10 * number
        look = tell(board, told, [now_ms + age for age in ages], now_ms)
        news, stirred = {}, []
        for symbol, band, price, age in zip(SYMBOLS, bands, told, ages, strict=True):
            time_ms, last_ms = now_ms + age, known[symbol][1]
            if not (math.isfinite(price) and price > 0.0 and age >= -MAX_AGE_MS and time_ms > last_ms):
                continue
            news[symbol] = (price, time_ms)
            calm = band is None or (band.low < price < band.high and time_ms < band.due_ms)
            if calm and band is not None and band.waits and time_ms - seen[symbol] > MAX_AGE_MS:
                calm = False
            if not calm:
                stirred.append(symbol)
        assert [stir.symbol for stir in look.stirred] == stirred
        assert all((stir.price, stir.time_ms) == news[stir.symbol] for stir in look.stirred)
        assert all(stir.last_ms == known[stir.symbol][1] for stir in look.stirred)
        board.keep(look)
        known |= news
        seen |= {symbol: time_ms for symbol, (_, time_ms) in news.items() if symbol not in stirred}
        assert [board.price(symbol) for symbol in SYMBOLS] == [known[s] if known[s][1] else None for s in SYMBOLS]
        assert [board.seen_ms(symbol) for symbol in SYMBOLS] == list(seen.values())
