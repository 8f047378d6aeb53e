"""A recording's ticks: each price once, what one venue shows at one time together, in order."""

from collections.abc import Mapping

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.types import Market
from bot.market.types import Prices
from bot.recorded_ticks import RecordedTicks

MARKETS = [Market("okx", "A"), Market("binance", "B"), Market("binance", "A")]
ROWS = st.lists(st.tuples(st.integers(0, 30), st.floats(1.0, 9.0)), max_size=12, unique_by=lambda row: row[0])

Seen = list[tuple[int, str, tuple[str, ...], list[float]]]


def plainly(rows: Mapping[Market, list[tuple[int, float]]]) -> Seen:
    """The same by looking for each time and venue at every market."""
    moments = sorted({(time_ms, market.exchange) for market, of in rows.items() for time_ms, _ in of})
    ticks: Seen = []
    for time_ms, exchange in moments:
        here = {market.symbol: dict(of) for market, of in rows.items() if market.exchange == exchange}
        shown = {symbol: of[time_ms] for symbol, of in here.items() if time_ms in of}
        ticks.append((time_ms, exchange, tuple(shown), list(shown.values())))
    return ticks


@given(rows=st.fixed_dictionaries(dict.fromkeys(MARKETS, ROWS)), stops=st.lists(st.integers(0, 40)))
def test_each_time_of_a_venue_is_one_tick_of_all_that_it_shows(
    rows: dict[Market, list[tuple[int, float]]], stops: list[int]
) -> None:
    rows = {market: sorted(of) for market, of in rows.items()}
    prices = {
        market: Prices(np.array([t for t, _ in of], dtype=np.int64), np.array([price for _, price in of]))
        for market, of in rows.items()
    }
    ticks = RecordedTicks(prices)
    seen: Seen = []
    for stop in sorted([*stops, 40]):
        for tick in ticks.before(stop):
            assert set(tick.time_ms.tolist()) == {int(tick.time_ms[0])}
            seen.append((int(tick.time_ms[0]), tick.exchange, tick.symbols, tick.price.tolist()))
        assert seen == [one for one in plainly(rows) if one[0] < stop]


def test_without_markets_there_are_no_ticks() -> None:
    assert list(RecordedTicks({}).before(10**15)) == []
