"""A recording played back tells what was known at the clock's now, and nothing of what came after."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.margin import RiskTier
from bot.liquidation.values import replace
from bot.market.bar_path import market_ticks, path_ticks, price_at
from bot.market.exchange import Exchange, ExchangeUnavailableError, NotGivenError, UnknownSymbolError
from bot.market.playback import PlaybackExchange, RecordedMarket
from bot.market.recording import Recording
from bot.market.simulator import simulate
from bot.market.simulator_parameters import PRESETS
from bot.market.tick_size import tick_size
from bot.market.types import BAR_MS, Bars, OpenInterest, Prices, Prints
from tests.shared import SHARED, needs_shared

START = 1_000 * BAR_MS
QUARTER = BAR_MS // 4


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return self.now / 1000

    async def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


def bars(*rows: tuple[int, float, float, float, float]) -> Bars:
    number, open_, high, low, close = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return Bars(
        open_ms=START + number.astype(np.int64) * BAR_MS,
        open=open_.astype(np.float64),
        high=high.astype(np.float64),
        low=low.astype(np.float64),
        close=close.astype(np.float64),
        volume=np.ones(n),
        quote_volume=np.full(n, np.nan),
        taker_buy_volume=np.full(n, np.nan),
    )


def series(
    *rows: tuple[int, float],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return START + np.array([t for t, _ in rows], dtype=np.int64), np.array(
        [value for _, value in rows], dtype=np.float64
    )


RISING_THEN_FALLING = bars((0, 10, 14, 9, 13), (1, 13, 13.5, 11, 12), (3, 12, 12.5, 11.5, 12.5))


def exchange(clock: SetClock, *, prices: Prices | None = None) -> PlaybackExchange:
    time_ms, coins = series((BAR_MS, 100), (2 * BAR_MS, 110))
    markets = [
        RecordedMarket(
            "AUSDT", RISING_THEN_FALLING, OpenInterest(time_ms, coins), prices, (RiskTier(0, 1e6, 0.01, 0, 50),)
        ),
        RecordedMarket("BUSDT", bars((2, 0.051, 0.06, 0.05, 0.0525)), None, None, ()),
    ]
    at, price = series((5, 1.5), (BAR_MS, 2.5))
    prints = Prints(at, ("AUSDT", "BUSDT"), np.array([True, False]), price, np.array([3.0, 4.0]))
    return PlaybackExchange("simulated", markets, clock, prints=prints)


class TestWhatIsKnown:
    async def test_only_closed_bars_are_given(self) -> None:
        clock = SetClock(START + 2 * BAR_MS - 1)
        venue: Exchange = exchange(clock)
        assert (await venue.bars("AUSDT", start_ms=0, end_ms=START + 99 * BAR_MS)).close.tolist() == [13]
        clock.now += 1
        assert (await venue.bars("AUSDT", start_ms=0, end_ms=START + 99 * BAR_MS)).close.tolist() == [13, 12]
        assert (await venue.bars("AUSDT", start_ms=START + 1, end_ms=START + 99 * BAR_MS)).close.tolist() == [12]
        assert (await venue.bars("AUSDT", start_ms=START, end_ms=START + BAR_MS)).close.tolist() == [13]
        assert len(await venue.bars("AUSDT", start_ms=START + BAR_MS, end_ms=START)) == 0

    async def test_only_past_open_interest_is_given(self) -> None:
        clock = SetClock(START + BAR_MS - 1)
        venue = exchange(clock)
        with pytest.raises(ExchangeUnavailableError, match="no open interest of AUSDT"):
            await venue.open_interest("AUSDT")
        clock.now += 1
        assert (await venue.open_interest("AUSDT")).coins.tolist() == [100]
        clock.now += 10 * BAR_MS
        assert (await venue.open_interest("AUSDT")).coins.tolist() == [110]
        later = await venue.open_interest_history("AUSDT", start_ms=START + BAR_MS, end_ms=clock.now)
        assert later.coins.tolist() == [110]
        assert len(await venue.open_interest_history("BUSDT", start_ms=0, end_ms=clock.now)) == 0

    async def test_only_past_prints_are_given(self) -> None:
        clock = SetClock(START + 5)
        venue = exchange(clock)
        known = await venue.prints(start_ms=0, end_ms=START + 99 * BAR_MS)
        assert known.symbol == ("AUSDT",)
        clock.now = START + BAR_MS
        assert len(await venue.prints(start_ms=START + 6, end_ms=START + 99 * BAR_MS)) == 1
        assert len(await PlaybackExchange("x", [], clock).prints(start_ms=0, end_ms=clock.now)) == 0

    async def test_a_symbol_that_was_not_recorded_is_unknown(self) -> None:
        venue = exchange(SetClock(START))
        with pytest.raises(UnknownSymbolError, match="simulated does not list ZUSDT"):
            await venue.bars("ZUSDT", start_ms=0, end_ms=1)
        with pytest.raises(UnknownSymbolError):
            await venue.open_interest_history("ZUSDT", start_ms=0, end_ms=1)

    async def test_instruments_and_tiers_are_those_of_the_recording(self) -> None:
        venue = exchange(SetClock(START))
        first, second = await venue.instruments()
        assert (first.symbol, first.base, first.quote) == ("AUSDT", "A", "USDT")
        assert (first.tick_size, first.max_leverage, first.onboard_ms) == (0.1, 50, START)
        assert (second.tick_size, second.max_leverage, second.onboard_ms) == (0.0001, None, START + 2 * BAR_MS)
        assert set(await venue.risk_tiers()) == {"AUSDT"}
        assert list(await venue.risk_tiers_of("AUSDT")) == list((await venue.risk_tiers())["AUSDT"])
        assert len(await venue.risk_tiers_of(second.symbol)) == 0
        assert (venue.start_ms, venue.end_ms) == (START, START + 4 * BAR_MS)
        await venue.aclose()


class TestPrices:
    @pytest.mark.parametrize(
        ("after_ms", "price", "age_ms"),
        [
            (0, 10, 0),
            (QUARTER // 2, 9.5, 0),
            (QUARTER, 9, 0),  # a rising bar falls first
            (2 * QUARTER, 14, 0),
            (3 * QUARTER, 13, 0),
            (BAR_MS - 1, 13, 0),
            (BAR_MS, 13, 0),
            (BAR_MS + QUARTER, 13.5, 0),  # a falling bar rises first
            (BAR_MS + 2 * QUARTER, 11, 0),
            (2 * BAR_MS + 7, 12, 7),  # a gap: the close stands, and ages
            (3 * BAR_MS, 12, 0),
            (9 * BAR_MS, 12.5, 5 * BAR_MS),
        ],
    )
    async def test_price_follows_the_path_of_each_bar(self, after_ms: int, price: float, age_ms: int) -> None:
        clock = SetClock(START + after_ms)
        tick = await exchange(clock).mark_prices()
        row = tick.symbols.index("AUSDT")
        assert tick.price[row] == pytest.approx(price)
        assert tick.time_ms[row] == clock.now - age_ms
        assert tick.exchange == "simulated"

    async def test_a_market_that_has_not_begun_has_no_price(self) -> None:
        assert (await exchange(SetClock(START)).mark_prices()).symbols == ("AUSDT",)
        assert (await exchange(SetClock(START - 1)).mark_prices()).symbols == ()
        assert (await exchange(SetClock(START + 2 * BAR_MS)).mark_prices()).symbols == ("AUSDT", "BUSDT")

    async def test_recorded_prices_go_before_the_path(self) -> None:
        prices = Prices(*series((BAR_MS + 1000, 12.75), (BAR_MS + 2000, 12.25)))
        clock = SetClock(START + BAR_MS + 1999)
        venue = exchange(clock, prices=prices)
        tick = await venue.mark_prices()
        assert (tick.price[0], tick.time_ms[0]) == (12.75, START + BAR_MS + 1000)
        clock.now = START + QUARTER
        assert (await venue.mark_prices()).price[0] == 9


class TestTicks:
    def test_a_bar_has_four_ticks_at_its_quarters(self) -> None:
        ticks = path_ticks(RISING_THEN_FALLING)
        assert ticks.price.tolist() == [10, 9, 14, 13, 13, 13.5, 11, 12, 12, 11.5, 12.5, 12.5]
        assert (ticks.time_ms[:5] - START).tolist() == [0, QUARTER, 2 * QUARTER, 3 * QUARTER, BAR_MS]

    def test_recorded_prices_take_the_place_of_their_bars_path_only(self) -> None:
        prices = Prices(*series((-5, 1), (BAR_MS, 12.9), (BAR_MS + 9, 12.8), (2 * BAR_MS + 1, 2), (9 * BAR_MS, 3)))
        ticks = market_ticks(RISING_THEN_FALLING, prices)
        assert ticks.price.tolist() == [10, 9, 14, 13, 12.9, 12.8, 12, 11.5, 12.5, 12.5]
        assert (np.diff(ticks.time_ms) > 0).all()
        assert market_ticks(RISING_THEN_FALLING, None).price.tolist() == path_ticks(RISING_THEN_FALLING).price.tolist()

    @given(
        st.lists(st.tuples(st.floats(1, 9), st.floats(1, 9), st.floats(1, 9), st.floats(1, 9)), min_size=1, max_size=9)
    )
    def test_the_ticks_of_a_bar_reach_its_extremes_and_nothing_beyond(
        self, rows: list[tuple[float, float, float, float]]
    ) -> None:
        made = bars(*[(i, a, max(a, b, c, d), min(a, b, c, d), b) for i, (a, b, c, d) in enumerate(rows)])
        by_bar = path_ticks(made).price.reshape(-1, 4)
        assert np.array_equal(by_bar.max(axis=1), made.high)
        assert np.array_equal(by_bar.min(axis=1), made.low)
        assert np.array_equal(by_bar[:, 0], made.open)
        assert np.array_equal(by_bar[:, 3], made.close)

    @given(st.integers(-BAR_MS, 6 * BAR_MS))
    def test_the_price_at_any_moment_lies_within_its_bar(self, after_ms: int) -> None:
        found = price_at(RISING_THEN_FALLING, None, START + after_ms)
        if found is None:
            assert after_ms < 0
            return
        time_ms, price = found
        assert time_ms <= START + after_ms
        assert 9 <= price <= 14


async def test_a_simulated_market_is_played_as_it_was_simulated() -> None:
    market = simulate(replace(PRESETS["base"], days=1, warmup_days=0, price_days=1))
    clock = SetClock(market.parameters.start_ms + 100 * BAR_MS + 7_000)
    venue = PlaybackExchange.of_simulation([market], clock)
    known = await venue.bars("SIMUSDT", start_ms=0, end_ms=clock.now)
    assert len(known) == 100
    assert np.array_equal(known.volume, market.bars.volume[:100])
    tick = await venue.mark_prices()
    row = int(np.searchsorted(market.prices.time_ms, clock.now, side="right")) - 1
    assert tick.price[0] == market.prices.price[row]
    assert (await venue.open_interest("SIMUSDT")).coins[0] == market.open_interest.coins[99]
    book = await venue.depth("SIMUSDT", levels=20)
    assert (book.time_ms, len(book.bid_price)) == (clock.now, 20)
    assert book.bid_price[0] < tick.price[0] < book.ask_price[0]
    assert venue.name == "simulated"
    (instrument,) = await venue.instruments()
    assert (instrument.base, instrument.tick_size, instrument.max_leverage) == ("SIM", 0.01, 125)


async def test_a_market_whose_book_was_not_recorded_has_none() -> None:
    venue = exchange(SetClock(START))
    with pytest.raises(NotGivenError, match="no order book of AUSDT"):
        await venue.depth("AUSDT")


@pytest.mark.parametrize(
    ("price", "size"), [([89771.4, 90000.0], 0.1), ([0.1484, 0.2], 1e-4), ([5.0, 7.0], 1.0), ([1e-8], 1e-8)]
)
def test_the_tick_is_read_from_the_prices(price: list[float], size: float) -> None:
    assert tick_size(np.array(price)) == size


@needs_shared
async def test_the_real_december_is_played() -> None:
    clock = SetClock(1766188800000)
    venue = PlaybackExchange.of_recording(Recording(SHARED / "recordings"), "binance", clock)
    tick = await venue.mark_prices()
    assert len(tick.symbols) == 8
    known = await venue.bars("BTCUSDT", start_ms=0, end_ms=clock.now)
    assert known.open_ms[-1] == clock.now - BAR_MS
    assert tick.price[tick.symbols.index("BTCUSDT")] == pytest.approx(known.close[-1], rel=0.001)
