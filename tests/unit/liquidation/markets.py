"""Small markets for the tests of the position model: seeded random ones, and Hypothesis strategies."""

from dataclasses import fields
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bot.liquidation.bars import Bar
from bot.liquidation.types import Floats, History
from bot.liquidation.values import replace

START_MS = 1_764_547_200_000


def history_of(
    close: Floats,
    *,
    wick: Floats | float = 0.001,
    volume: Floats | float = 10.0,
    open_interest: Floats | float = np.nan,
    bar_ms: int = 300_000,
    skipped: Floats | int = 0,
) -> History:
    """Bars that open at the last close; `wick` is how far they reach beyond their body, `skipped` bars precede each."""
    count = len(close)
    opened = np.concatenate((close[:1], close[:-1]))
    steps = np.broadcast_to(np.asarray(skipped, dtype=np.int64) + 1, (count,))
    return History(
        bar_ms=bar_ms,
        open_ms=START_MS + bar_ms * np.cumsum(steps),
        open=opened,
        high=np.maximum(opened, close) * (1.0 + np.asarray(wick)),
        low=np.minimum(opened, close) / (1.0 + np.asarray(wick)),
        close=close,
        volume=np.broadcast_to(np.asarray(volume, dtype=np.float64), (count,)).copy(),
        quote_volume=np.full(count, np.nan),
        open_interest=np.broadcast_to(np.asarray(open_interest, dtype=np.float64), (count,)).copy(),
    )


def random_market(seed: int, count: int, *, volatility: float = 0.002, price: float = 100.0) -> History:
    """A random walk with volume and open interest that move."""
    chance = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(chance.normal(0.0, volatility, count)))
    interest = 1_000.0 * np.exp(np.cumsum(chance.normal(0.0, 0.003, count)))
    wick = np.abs(chance.normal(0.0, volatility, count))
    return history_of(close, wick=wick, volume=chance.exponential(7.0, count), open_interest=interest)


def part(history: History, first: int, end: int) -> History:
    """Bars first <= t < end."""
    columns = {field.name: getattr(history, field.name) for field in fields(history)}
    return replace(history, **{name: column[first:end] for name, column in columns.items() if name != "bar_ms"})


def bars_of(history: History) -> list[Bar]:
    """The rows of a history."""
    columns = [getattr(history, field.name).tolist() for field in fields(history) if field.name != "bar_ms"]
    return [Bar(*row) for row in zip(*columns, strict=True)]


@st.composite
def histories(draw: Any, *, most: int = 24) -> History:
    """Any market the model must survive: tiny and huge prices, gaps, shocks, open interest missing, stuck or absurd."""
    count = draw(st.integers(1, most))
    price = draw(st.sampled_from([1e-8, 0.3, 100.0, 1e6]))
    move = st.one_of(
        st.floats(-0.01, 0.01), st.floats(-0.2, 0.2), st.sampled_from([0.0, np.log(0.1), -np.log(0.1), 3.5, -3.5])
    )
    close = price * np.exp(np.cumsum(draw(_rows(move, count))))
    wick = draw(_rows(st.one_of(st.just(0.0), st.floats(0.0, 0.02), st.floats(0.0, 9.0)), count))
    coins = st.one_of(st.just(0.0), st.floats(1e-6, 1e9))
    interest = draw(
        st.one_of(
            _rows(st.one_of(st.floats(1.0, 1e9), st.sampled_from([np.nan, 0.0, 500.0])), count),
            _rows(st.sampled_from([500.0, 500.0, 501.0, np.nan]), count),
            st.just(np.full(count, np.nan)),
        )
    )
    history = history_of(
        close,
        wick=wick,
        volume=draw(_rows(coins, count)),
        open_interest=interest,
        bar_ms=draw(st.sampled_from([60_000, 300_000, 3_600_000, 86_400_000])),
        skipped=draw(_rows(st.sampled_from([0, 0, 0, 0, 1, 3, 4, 40]), count)),
    )
    if draw(st.booleans()):
        history = replace(history, quote_volume=history.volume * (history.high + history.low) / 2.0)
    return history


def _rows(values: st.SearchStrategy[Any], count: int) -> st.SearchStrategy[Any]:
    return st.lists(values, min_size=count, max_size=count).map(np.array)
