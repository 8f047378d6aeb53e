"""Live markets: fetched once, then only what is missing; outliving an exchange that is down and a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.clock import StepClock
from bot.history_store import LATE_ROWS_MS, SHORT_REACH_MS, NoMapError
from bot.liquidation.types import MapLimit
from bot.liquidation.values import replace
from bot.market.exchange import ExchangeUnavailableError
from bot.market.history import align
from bot.market.playback import RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS, Bars
from bot.markets import FRESH_MS, LEAST_BARS, LiveMarket, Markets
from bot.reading import read_history
from bot.storage.database import Database
from tests.unit.app.scenes import START_MS, CountedExchange, playing, tick

SIM = Market("simulated", "SIMUSDT")
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


class Rig:
    """A day of the small market behind it, on a database in memory."""

    def __init__(self, market: SimulatedMarket, db: Database, *, now_ms: int = START_MS) -> None:
        self.market = market
        self.db = db
        self.clock = StepClock(now_ms)
        self.exchange = playing(market, self.clock)
        self.markets = Markets(exchanges={"simulated": self.exchange}, db=db, history_days=1)

    async def begin(self) -> "Rig":
        await self.markets.refresh_instruments()
        self.exchange.asked.clear()
        return self

    async def advance_to(self, time_ms: int) -> LiveMarket:
        self.clock.step_to(time_ms)
        return await self.markets.advance(SIM)

    def as_recorded(self, live: LiveMarket) -> bool:
        """Whether the history is what the market itself says of that time."""
        whole = align(self.market.bars, self.market.open_interest)
        rows = np.isin(whole.open_ms, live.history.open_ms)
        same = all(
            np.array_equal(getattr(whole, name)[rows], getattr(live.history, name), equal_nan=True)
            for name in ("open_ms", "open", "high", "low", "close", "volume", "open_interest")
        )
        return same and rows.sum() == len(live.history)


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with await Database.open("sqlite://", inline=True) as opened:
        yield opened


@pytest.fixture
async def rig(market: SimulatedMarket, db: Database) -> Rig:
    return await Rig(market, db).begin()


async def test_a_market_is_opened_with_its_whole_history_in_one_question_each(rig: Rig) -> None:
    live = await rig.markets.open(SIM)
    assert rig.exchange.asked == [
        ("bars", START_MS - DAY_MS, START_MS),
        ("open interest", START_MS - DAY_MS, START_MS),
    ]
    assert len(live.history) == 288
    assert rig.as_recorded(live)
    assert (live.price, live.price_ms) == (float(live.history.close[-1]), START_MS)
    assert live.reading.map.time_ms == START_MS
    assert live.instrument.base == "SIM"
    assert rig.markets.get(SIM) is live
    assert await rig.markets.open(SIM) is live
    assert len(rig.exchange.asked) == 2


async def test_from_then_on_only_what_is_missing_is_asked_for(rig: Rig) -> None:
    await rig.markets.open(SIM)
    rig.exchange.asked.clear()
    live = await rig.advance_to(START_MS + 3 * BAR_MS + 75_000)
    assert rig.exchange.bars_asked() == [(START_MS, START_MS + 3 * BAR_MS)]
    [(since_ms, _)] = rig.exchange.open_interest_asked()
    assert since_ms >= START_MS - LATE_ROWS_MS
    assert live.history.end_ms == START_MS + 3 * BAR_MS
    assert rig.as_recorded(live)
    rig.exchange.asked.clear()
    await rig.advance_to(START_MS + 3 * BAR_MS + 80_000)
    assert rig.exchange.bars_asked() == []


async def test_the_history_begins_at_a_midnight_and_lets_old_days_go(rig: Rig) -> None:
    for late_ms in (0, HOUR_MS, DAY_MS - BAR_MS):
        live = await rig.advance_to(START_MS + late_ms)
        assert int(live.history.open_ms[0]) == START_MS - DAY_MS
        assert rig.as_recorded(live)
    later = await rig.advance_to(START_MS + DAY_MS)
    assert int(later.history.open_ms[0]) == START_MS
    assert rig.as_recorded(later)
    assert len(later.history) == 288


@pytest.mark.parametrize("days", [1, 2, 29, 30])
@pytest.mark.parametrize("late_ms", [0, BAR_MS, DAY_MS - 1])
async def test_a_history_is_as_long_as_set_but_no_longer_than_open_interest_is_kept(
    rig: Rig, days: int, late_ms: int
) -> None:
    rig.markets = Markets(exchanges={"simulated": rig.exchange}, db=rig.db, history_days=days)
    await rig.markets.refresh_instruments()
    rig.clock.step_to(START_MS + late_ms)
    await rig.markets.open(SIM)
    [(since_ms, until_ms)] = rig.exchange.open_interest_asked()
    assert since_ms % DAY_MS == 0
    assert min(days, 29) * DAY_MS <= until_ms - since_ms <= 30 * DAY_MS


async def test_a_reading_that_grew_step_by_step_is_that_of_the_whole_history(rig: Rig) -> None:
    await rig.markets.open(SIM)
    for step in range(1, 14):
        live = await rig.advance_to(START_MS - 60_000 + step * BAR_MS)
    whole = read_history(live.history, tiers=rig.market.tiers)
    assert np.array_equal(live.reading.map.long_usd, whole.map.long_usd)
    assert np.array_equal(live.reading.map.short_usd, whole.map.short_usd)


async def test_open_interest_that_comes_late_is_taken_up(rig: Rig) -> None:
    rig.exchange.withheld_from_ms = START_MS - 2 * BAR_MS
    early = await rig.markets.open(SIM)
    assert np.isnan(early.history.open_interest[-2:]).all()
    assert not np.isnan(early.history.open_interest[:-2]).any()
    rig.exchange.withheld_from_ms = None
    live = await rig.advance_to(START_MS + BAR_MS)
    assert not np.isnan(live.history.open_interest).any()
    assert rig.as_recorded(live)


async def test_open_interest_that_never_comes_is_asked_for_an_hour_long_and_no_longer(rig: Rig) -> None:
    rig.exchange.withheld_from_ms = START_MS - 2 * BAR_MS
    await rig.markets.open(SIM)
    await rig.advance_to(START_MS + 3 * HOUR_MS)
    rig.exchange.asked.clear()
    await rig.advance_to(START_MS + 3 * HOUR_MS + BAR_MS)
    [(since_ms, _)] = rig.exchange.open_interest_asked()
    assert since_ms == START_MS + 3 * HOUR_MS - LATE_ROWS_MS


async def test_without_history_an_exchange_that_is_down_is_said_to_be(rig: Rig) -> None:
    rig.exchange.goes_down()
    with pytest.raises(NoMapError) as caught:
        await rig.markets.open(SIM)
    assert (caught.value.reason, caught.value.market) == ("exchange_down", SIM)
    rig.exchange.comes_back()
    assert len((await rig.markets.open(SIM)).history) == 288


async def test_with_history_a_market_outlives_its_exchange_and_catches_up(rig: Rig) -> None:
    first = await rig.markets.open(SIM)
    rig.exchange.goes_down()
    still = await rig.advance_to(START_MS + 4 * BAR_MS)
    assert still.history.end_ms == START_MS
    assert np.array_equal(still.reading.map.long_usd, first.reading.map.long_usd)
    rig.exchange.comes_back()
    after = await rig.advance_to(START_MS + 6 * BAR_MS)
    assert after.history.end_ms == START_MS + 6 * BAR_MS
    assert rig.as_recorded(after)


async def test_an_outage_longer_than_what_is_read_again_leaves_no_hole(rig: Rig) -> None:
    await rig.markets.open(SIM)
    rig.exchange.goes_down()
    await rig.advance_to(START_MS + 2 * HOUR_MS)
    rig.exchange.comes_back()
    live = await rig.advance_to(START_MS + 5 * HOUR_MS)
    assert np.diff(live.history.open_ms).max() == BAR_MS
    assert rig.as_recorded(live)


async def test_a_young_contract_has_no_map_until_it_has_three_hours(market: SimulatedMarket, db: Database) -> None:
    rig = await Rig(market, db, now_ms=START_MS - DAY_MS + (LEAST_BARS - 1) * BAR_MS).begin()
    with pytest.raises(NoMapError) as caught:
        await rig.markets.open(SIM)
    assert caught.value.reason == "no_data"
    live = await rig.advance_to(START_MS - DAY_MS + LEAST_BARS * BAR_MS)
    assert len(live.history) == LEAST_BARS
    assert len(rig.exchange.bars_asked()) == 2
    assert rig.exchange.bars_asked()[1][1] - rig.exchange.bars_asked()[1][0] == BAR_MS


async def test_a_young_contract_is_not_asked_for_its_past_after_each_restart(
    market: SimulatedMarket, db: Database
) -> None:
    now_ms = START_MS - DAY_MS + 60 * BAR_MS
    first = await Rig(market, db, now_ms=now_ms).begin()
    await first.markets.open(SIM)
    second = await Rig(market, db, now_ms=now_ms + BAR_MS).begin()
    live = await second.markets.open(SIM)
    assert second.exchange.bars_asked() == [(now_ms, now_ms + BAR_MS)]
    assert len(live.history) == 61


async def test_after_a_restart_only_what_came_since_is_fetched(market: SimulatedMarket, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'liqwatch.db'}"
    async with await Database.open(url, inline=True) as db:
        first = await (await Rig(market, db).begin()).markets.open(SIM)
    async with await Database.open(url, inline=True) as db:
        rig = await Rig(market, db, now_ms=START_MS + 2 * BAR_MS).begin()
        live = await rig.markets.open(SIM)
        assert rig.exchange.bars_asked() == [(START_MS, START_MS + 2 * BAR_MS)]
        [(since_ms, _)] = rig.exchange.open_interest_asked()
        assert START_MS - LATE_ROWS_MS <= since_ms <= START_MS
        assert rig.as_recorded(live)
        assert live.history.end_ms == first.history.end_ms + 2 * BAR_MS


async def test_after_a_restart_with_the_exchange_down_the_last_history_is_there(
    market: SimulatedMarket, db: Database
) -> None:
    await (await Rig(market, db).begin()).markets.open(SIM)
    rig = await Rig(market, db, now_ms=START_MS + 2 * BAR_MS).begin()
    rig.exchange.goes_down()
    assert (await rig.markets.open(SIM)).history.end_ms == START_MS


async def test_a_hole_in_the_bars_stays_one_is_told_to_the_model_and_is_not_asked_for_again(
    market: SimulatedMarket, db: Database
) -> None:
    whole = RecordedMarket.simulated(market)
    from_ms, to_ms = START_MS - 5 * HOUR_MS, START_MS - 3 * HOUR_MS
    kept = (whole.bars.open_ms < from_ms) | (whole.bars.open_ms >= to_ms)
    bars = Bars(*(getattr(whole.bars, column)[kept] for column in Bars.__dataclass_fields__))
    clock = StepClock(START_MS)
    rig = await Rig(market, db).begin()
    for _ in range(2):  # and again as after a restart
        exchange = CountedExchange("simulated", [replace(whole, bars=bars)], clock)
        rig.markets = Markets(exchanges={"simulated": exchange}, db=db, history_days=1)
        await rig.markets.refresh_instruments()
        await rig.markets.histories.fill_bars(SIM, START_MS - 6 * BAR_MS, START_MS)
        live = await rig.markets.open(SIM)
        assert int(np.diff(live.history.open_ms).max()) == to_ms - from_ms + BAR_MS
        assert MapLimit.GAPS in live.reading.map.limits
        assert await rig.markets.histories.holes("bars", SIM, START_MS - DAY_MS, START_MS) == ((from_ms, to_ms),)
    assert exchange.bars_asked() == []
    clock.step_to(START_MS + DAY_MS)
    await rig.markets.advance(SIM)
    assert (from_ms, to_ms) not in exchange.bars_asked(), "out of the window"


async def test_after_an_outage_exactly_what_is_missing_is_asked_for_newest_first(rig: Rig) -> None:
    await rig.markets.open(SIM)
    rig.exchange.goes_down()
    await rig.advance_to(START_MS + 3 * HOUR_MS)
    rig.exchange.comes_back()
    await rig.markets.histories.fill_bars(SIM, START_MS + HOUR_MS, START_MS + 3 * HOUR_MS)
    rig.exchange.asked.clear()
    live = await rig.advance_to(START_MS + 4 * HOUR_MS)
    assert rig.exchange.bars_asked() == [
        (START_MS + 3 * HOUR_MS, START_MS + 4 * HOUR_MS),
        (START_MS, START_MS + HOUR_MS),
    ]
    assert rig.exchange.open_interest_asked() == [(START_MS, START_MS + 4 * HOUR_MS)]
    assert rig.as_recorded(live)


async def test_a_watched_market_does_not_wait_for_its_old_history_where_somebody_fills_it_in(rig: Rig) -> None:
    rig.markets = Markets(exchanges={"simulated": rig.exchange}, db=rig.db, history_days=1, first_ms=6 * HOUR_MS)
    await rig.markets.refresh_instruments()
    first = await rig.markets.advance(SIM)
    assert rig.exchange.bars_asked() == [(START_MS - 6 * HOUR_MS, START_MS)]
    assert (first.whole, len(first.history)) == (False, 72)
    await rig.markets.histories.fill(SIM, START_MS - DAY_MS, START_MS - 6 * HOUR_MS)
    later = await rig.advance_to(START_MS + BAR_MS)
    assert (later.whole, len(later.history)) == (True, 289)
    assert rig.as_recorded(later)


async def test_who_asks_for_a_map_gets_the_whole_history_at_once(rig: Rig) -> None:
    rig.markets = Markets(exchanges={"simulated": rig.exchange}, db=rig.db, history_days=1, first_ms=6 * HOUR_MS)
    await rig.markets.refresh_instruments()
    assert not (await rig.markets.advance(SIM)).whole
    live = await rig.markets.open(SIM)
    assert (live.whole, len(live.history)) == (True, 288)
    assert rig.as_recorded(live)


async def test_the_open_interest_of_now_stands_for_the_bar_that_has_just_closed(rig: Rig) -> None:
    await rig.markets.open(SIM)
    rig.exchange.asked.clear()
    rig.clock.step_to(START_MS + BAR_MS + 8_000)
    await rig.markets.fetch_newest(SIM)
    live = await rig.advance_to(START_MS + BAR_MS + 9_000)
    assert rig.exchange.open_interest_asked() == []
    assert live.open_interest_ms == START_MS + BAR_MS
    rig.clock.step_to(START_MS + 2 * BAR_MS + SHORT_REACH_MS)
    await rig.markets.fetch_newest(SIM)
    assert rig.exchange.asked[-1][0] == "bars", "too late for a figure that can be had exactly"


async def test_a_longer_history_is_fetched_where_less_was_kept(market: SimulatedMarket, db: Database) -> None:
    late = START_MS + DAY_MS
    short = await Rig(market, db, now_ms=late).begin()
    assert len((await short.markets.open(SIM)).history) == 288
    rig = await Rig(market, db, now_ms=late).begin()
    rig.markets = Markets(exchanges={"simulated": rig.exchange}, db=db, history_days=2)
    await rig.markets.refresh_instruments()
    live = await rig.markets.open(SIM)
    assert len(live.history) == 2 * 288
    assert rig.as_recorded(live)


async def test_a_market_that_nobody_watches_is_read_again_when_it_is_looked_at_later(rig: Rig) -> None:
    first = await rig.markets.open(SIM)
    rig.clock.step_to(START_MS + FRESH_MS)
    assert await rig.markets.open(SIM) is first
    rig.clock.step_to(START_MS + 6 * HOUR_MS)
    again = await rig.markets.open(SIM)
    assert again.history.end_ms == START_MS + 6 * HOUR_MS
    assert rig.as_recorded(again)


async def test_a_market_is_not_asked_for_at_each_look_while_its_exchange_is_down(rig: Rig) -> None:
    await rig.markets.open(SIM)
    rig.clock.step_to(START_MS + HOUR_MS)
    rig.exchange.goes_down()
    rig.exchange.asked.clear()
    for _ in range(5):
        assert (await rig.markets.open(SIM)).history.end_ms == START_MS
    assert len(rig.exchange.asked) == 1


async def test_markets_that_nobody_watches_are_let_go_and_come_back_from_the_database(rig: Rig) -> None:
    await rig.markets.open(SIM)
    rig.clock.step_to(START_MS + HOUR_MS)
    rig.markets.let_go(watched=[SIM])
    assert rig.markets.get(SIM) is not None
    rig.markets.let_go(watched=[])
    assert rig.markets.get(SIM) is None
    rig.exchange.asked.clear()
    live = await rig.markets.open(SIM)
    assert rig.exchange.bars_asked() == [(START_MS, START_MS + HOUR_MS)]
    assert rig.as_recorded(live)
    rig.markets.let_go(watched=[])
    assert rig.markets.get(SIM) is live, "somebody has just looked at it"


async def test_the_newest_price_is_kept_and_an_older_one_is_not_taken(rig: Rig) -> None:
    live = await rig.markets.open(SIM)
    for price, time_ms in ((1.5, START_MS + 2_000), (9.9, START_MS + 1_000)):
        rig.markets.take_prices(tick(price, time_ms, market=SIM))
    rig.markets.take_prices(tick(7.7, START_MS + 9_000, market=Market("binance", "SIMUSDT")))
    rig.markets.take_prices(tick(8.8, START_MS + 9_000, market=Market("simulated", "OTHERUSDT")))
    assert (live.price, live.price_ms) == (1.5, START_MS + 2_000)
    assert (await rig.advance_to(START_MS + 3_000)).price == 1.5
    later = await rig.advance_to(START_MS + BAR_MS)
    assert (later.price, later.price_ms) == (float(later.history.close[-1]), START_MS + BAR_MS)


async def test_a_range_counts_only_what_opened_within_it(rig: Rig) -> None:
    live = await rig.markets.open(SIM)
    within = await rig.markets.read_within(SIM, 6 * HOUR_MS)
    assert 0 < within.map.long_usd.sum() < live.reading.map.long_usd.sum()
    assert within.map.time_ms == live.reading.map.time_ms


async def test_the_last_list_of_contracts_is_kept_while_the_exchange_is_down(rig: Rig) -> None:
    rig.exchange.goes_down()
    await rig.markets.refresh_instruments()
    assert rig.markets.symbols() == ["SIMUSDT"]
    assert rig.markets.book.resolve("sim") is not None


async def test_a_contract_that_is_not_listed_has_no_map(rig: Rig) -> None:
    for unknown in (Market("simulated", "GONEUSDT"), Market("okx", "SIMUSDT")):
        with pytest.raises(NoMapError) as caught:
            await rig.markets.open(unknown)
        assert caught.value.reason == "no_data"
        assert rig.exchange.asked == []


async def test_before_an_exchange_has_told_its_contracts_it_counts_as_down(rig: Rig) -> None:
    fresh = Markets(exchanges={"simulated": rig.exchange}, db=rig.db, history_days=1)
    with pytest.raises(NoMapError) as caught:
        await fresh.open(SIM)
    assert caught.value.reason == "exchange_down"


async def test_a_rule_for_an_exchange_that_is_no_longer_set_asks_nobody(rig: Rig) -> None:
    assert list(rig.markets.parts(Market("okx", "BTCUSDT"))) == []
    assert list(rig.markets.parts(SIM)) == [SIM]


async def test_bars_are_fetched_ahead_of_the_map_and_not_twice(rig: Rig) -> None:
    await rig.markets.open(SIM)
    rig.exchange.asked.clear()
    rig.clock.step_to(START_MS + BAR_MS + 8_000)
    await rig.markets.fetch_newest(SIM)
    now_ms = rig.clock.now_ms()
    assert rig.exchange.asked == [("bars", START_MS, START_MS + BAR_MS), ("open interest now", now_ms, now_ms)]
    live = await rig.advance_to(START_MS + BAR_MS + 75_000)
    assert len(rig.exchange.asked) == 2, "the map needs nothing more"
    assert live.history.end_ms == START_MS + BAR_MS
    rig.exchange.goes_down()
    rig.clock.step_to(START_MS + 2 * BAR_MS)
    with pytest.raises(ExchangeUnavailableError):
        await rig.markets.fetch_newest(SIM)


async def test_extremes_are_of_the_bars_since(rig: Rig) -> None:
    live = await rig.markets.open(SIM)
    history = live.history
    assert live.extremes_since(START_MS - BAR_MS) == (history.low[-1], history.high[-1])
    assert live.extremes_since(START_MS - DAY_MS) == (history.low.min(), history.high.max())
    assert np.isnan(live.extremes_since(START_MS)).all()


async def test_a_contract_without_open_interest_has_a_map_of_volume(market: SimulatedMarket, db: Database) -> None:
    clock = StepClock(START_MS)
    recorded = RecordedMarket("SIMUSDT", market.bars, None, None, ())
    exchange = CountedExchange("simulated", [recorded], clock)
    markets = Markets(exchanges={"simulated": exchange}, db=db, history_days=1)
    await markets.refresh_instruments()
    live = await markets.open(SIM)
    assert live.reading.map.open_interest == "estimated"
    assert live.reading.map.long_usd.sum() > 0
