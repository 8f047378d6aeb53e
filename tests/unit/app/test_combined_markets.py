"""One coin on three exchanges as one market: what each weighs, who is left out, and whose price it has."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.history_store import NoMapError
from bot.liquidation.combining import COMBINED, LeftOut
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.markets import LiveMarket
from bot.reading import Calibration
from bot.storage.database import Database
from tests.unit.app.scenes import START_MS
from tests.unit.app.several import ALL, BINANCE, BYBIT, OKX, SIZES, Several, Trio

HOUR_MS = 3_600_000


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with await Database.open("sqlite://", inline=True) as opened:
        yield opened


@pytest.fixture
async def several(market: SimulatedMarket, db: Database) -> Several:
    return await Several.begin(market, db)


def left_out(live: LiveMarket) -> dict[str, LeftOut]:
    return {part.venue: part.left_out for part in live.reading.parts if part.left_out is not None}


async def test_a_coin_on_several_exchanges_is_a_market_of_its_own(several: Several) -> None:
    for text in ("SIM", "okx SIM", "1000SIM", "combined:1000SIMUSDT"):
        found = several.markets.book.resolve(text)
        assert found is not None
        assert several.markets.combined(found) == ALL
    live = await several.markets.open(ALL)
    assert (live.market, live.instrument.exchange, live.instrument.base) == (ALL, COMBINED, "1000SIM")
    assert several.markets.get(ALL) is live


async def test_every_venue_weighs_what_it_holds(several: Several) -> None:
    live = await several.markets.open(ALL)
    assert [(part.venue, part.left_out) for part in live.reading.parts] == [(name, None) for name in SIZES]
    for part in live.reading.parts:
        assert part.share == pytest.approx(SIZES[part.venue], rel=0.01)
        assert part.time_ms == START_MS
    singles = [await several.markets.open(market) for market in (BINANCE, BYBIT, OKX)]
    for side in ("long_usd", "short_usd"):
        added = sum(getattr(one.reading.map, side).sum() for one in singles)
        assert getattr(live.reading.map, side).sum() == pytest.approx(added, rel=1e-3)
    total = sum(one.reading.map.long_total_usd for one in singles)
    assert live.reading.map.long_total_usd == pytest.approx(total)


async def test_positions_of_single_coins_stand_where_those_of_thousands_do(several: Several) -> None:
    """OKX's prices are a thousandth, and 0.07 % above: laid over by both, its map has Binance's shape."""
    combined, binance = (await several.markets.open(ALL)).reading.map, (await several.markets.open(BINANCE)).reading.map
    assert np.array_equal(combined.low, binance.low)
    for side in ("long_usd", "short_usd"):
        shape, own = getattr(combined, side), getattr(binance, side)
        assert np.abs(shape / shape.sum() - own / own.sum()).sum() < 0.06


async def test_the_price_is_the_first_exchanges_and_follows_it(several: Several) -> None:
    live = await several.markets.open(ALL)
    assert live.price == (await several.markets.open(BINANCE)).price
    await several.step_to(START_MS + BAR_MS // 2)
    again = await several.markets.open(ALL)
    binance = several.markets.get(BINANCE)
    assert binance is not None
    assert again.price == binance.price != live.price
    assert again.reading.map.time_ms == live.reading.map.time_ms


async def test_without_the_first_exchange_the_next_one_leads_in_the_units_of_the_first(several: Several) -> None:
    for name in ("binance", "bybit"):
        several.exchanges[name].goes_down()
    live = await several.markets.open(ALL)
    okx = await several.markets.open(OKX)
    assert live.price == pytest.approx(okx.price * 1000)
    assert live.history.close[-1] == pytest.approx(okx.history.close[-1] * 1000)
    assert live.history.volume[-1] == pytest.approx(okx.history.volume[-1] / 1000)
    assert left_out(live) == {"binance": LeftOut.EXCHANGE_DOWN, "bybit": LeftOut.EXCHANGE_DOWN}
    assert live.reading.parts[0].share == 1.0


async def test_a_venue_whose_prices_stop_is_left_out_until_they_come_again(several: Several) -> None:
    await several.markets.open(ALL)
    several.exchanges["bybit"].goes_down()
    await several.step_to(START_MS + BAR_MS)
    assert left_out(await several.markets.advance(ALL)) == {}, "a bar late is not stale"
    await several.step_to(START_MS + 3 * BAR_MS)
    live = await several.markets.advance(ALL)
    assert left_out(live) == {"bybit": LeftOut.STALE}
    assert sum(part.share for part in live.reading.parts) == pytest.approx(1.0)
    several.exchanges["bybit"].comes_back()
    await several.step_to(START_MS + 4 * BAR_MS)
    assert left_out(await several.markets.advance(ALL)) == {}


async def test_a_venue_that_is_a_bar_behind_is_swept_by_the_path_of_the_lead(several: Several) -> None:
    await several.markets.open(ALL)
    several.exchanges["okx"].goes_down()
    late_ms = START_MS + 3 * BAR_MS
    several.clock.step_to(late_ms)
    for name in ("binance", "bybit"):
        several.markets.take_prices(await several.exchanges[name].mark_prices())
    several.markets.freshness.take("okx", late_ms)  # its prices still come, its bars do not
    live = await several.markets.advance(ALL)
    part = next(part for part in live.reading.parts if part.venue == "okx")
    assert (part.left_out, part.time_ms) == (None, START_MS)
    low, high = live.extremes_since(START_MS)
    drawn = live.reading.map
    assert not drawn.long_usd[drawn.low >= drawn.price].any()
    assert not drawn.short_usd[drawn.high <= drawn.price].any()
    assert low <= drawn.price <= high


async def test_where_all_are_stale_all_are_shown_with_their_age(several: Several) -> None:
    await several.markets.open(ALL)
    for exchange in several.exchanges.values():
        exchange.goes_down()
    await several.step_to(START_MS + HOUR_MS)
    live = await several.markets.open(ALL)
    assert left_out(live) == {}
    assert {part.time_ms for part in live.reading.parts} == {START_MS}


async def test_a_venue_without_open_interest_has_no_size_to_add(market: SimulatedMarket, db: Database) -> None:
    several = await Several.begin(market, db, Trio(without_interest=frozenset({"bybit"})))
    live = await several.markets.open(ALL)
    assert left_out(live) == {"bybit": LeftOut.NO_OPEN_INTEREST}
    assert live.reading.map.open_interest == "measured"
    others = [await several.markets.open(one) for one in (BINANCE, OKX)]
    assert live.reading.map.long_total_usd == pytest.approx(sum(one.reading.map.long_total_usd for one in others))


async def test_where_none_tells_open_interest_all_join_by_their_volume(market: SimulatedMarket, db: Database) -> None:
    several = await Several.begin(market, db, Trio(without_interest=frozenset(SIZES)))
    live = await several.markets.open(ALL)
    assert live.reading.map.open_interest == "estimated"
    for part in live.reading.parts:
        assert part.share == pytest.approx(SIZES[part.venue], rel=0.02)


async def test_another_coin_of_the_same_name_is_not_added(market: SimulatedMarket, db: Database) -> None:
    several = await Several.begin(market, db, Trio(okx_basis=1.4))
    assert left_out(await several.markets.open(ALL)) == {"okx": LeftOut.OTHER_PRICE}


async def test_no_venue_at_all_is_no_map_for_the_first_ones_reason(several: Several) -> None:
    for exchange in several.exchanges.values():
        exchange.goes_down()
    with pytest.raises(NoMapError) as caught:
        await several.markets.open(ALL)
    assert caught.value.reason == "exchange_down"
    with pytest.raises(NoMapError) as caught:
        await several.markets.open(Market(COMBINED, "GONEUSDT"))
    assert caught.value.reason == "no_data"


async def test_a_slow_venue_keeps_nobody_waiting_and_joins_the_next_map(market: SimulatedMarket, db: Database) -> None:
    several = await Several.begin(market, db, patience_s=0.5)
    for market_there in (BINANCE, BYBIT):
        await several.markets.open(market_there)
    okx = several.exchanges["okx"]
    okx.ready.clear()
    for _ in range(2):
        assert left_out(await several.markets.open(ALL)) == {"okx": LeftOut.LOADING}
    okx.ready.set()
    await several.markets.open(OKX)
    assert left_out(await several.markets.open(ALL)) == {}
    assert len(okx.bars_asked()) == 1, "waited for, not asked again"


async def test_a_venue_that_is_slow_now_is_taken_as_it_was_last_read(market: SimulatedMarket, db: Database) -> None:
    several = await Several.begin(market, db, patience_s=2.0)
    for market_there in (BINANCE, BYBIT, OKX):
        await several.markets.open(market_there)
    several.exchanges["okx"].ready.clear()
    await several.step_to(START_MS + BAR_MS)
    live = await several.markets.advance(ALL)
    ends = {part.venue: part.time_ms for part in live.reading.parts if part.left_out is None}
    assert ends == {"binance": START_MS + BAR_MS, "bybit": START_MS + BAR_MS, "okx": START_MS}
    await several.markets.aclose()


async def test_what_still_loads_at_the_end_is_given_up(market: SimulatedMarket, db: Database) -> None:
    several = await Several.begin(market, db, patience_s=2.0)
    for market_there in (BINANCE, BYBIT):
        await several.markets.open(market_there)
    several.exchanges["okx"].ready.clear()
    await several.markets.open(ALL)
    await several.markets.aclose()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_a_part_that_its_own_rule_brought_up_to_date_is_not_read_twice(several: Several) -> None:
    await several.markets.open(ALL)
    await several.step_to(START_MS + BAR_MS)
    await several.markets.advance(BINANCE)
    read = several.markets.get(BINANCE)
    await several.markets.advance(ALL)
    assert several.markets.get(BINANCE) is read
    assert several.markets.get(OKX) is not None
    await several.step_to(START_MS + 2 * BAR_MS)
    await several.markets.advance(ALL)
    assert several.markets.get(BINANCE) is not read


async def test_an_exchange_that_never_told_its_contracts_is_named(market: SimulatedMarket, db: Database) -> None:
    several = await Several.begin(market, db, down=("bybit",))
    live = await several.markets.open(ALL)
    assert left_out(live) == {"bybit": LeftOut.EXCHANGE_DOWN}
    assert [part.venue for part in live.reading.parts if part.left_out is None] == ["binance", "okx"]


async def test_a_range_is_added_up_too_and_is_a_part_of_the_whole(several: Several) -> None:
    whole = await several.markets.open(ALL)
    part = await several.markets.read_within(ALL, 6 * HOUR_MS)
    assert [one.venue for one in part.parts] == list(SIZES)
    assert 0 < part.map.long_usd.sum() < whole.reading.map.long_usd.sum()
    assert part.map.price == whole.price


@pytest.mark.parametrize(("share", "proven"), [(0.1, False), (0.01, True)])
async def test_proven_is_what_every_venue_that_weighs_is_proven_for(
    market: SimulatedMarket, db: Database, share: float, proven: bool
) -> None:
    several = await Several.begin(
        market,
        db,
        Trio(sizes={"binance": 0.7, "bybit": 0.3 - share, "okx": share}),
        calibration=lambda one: Calibration(proven=one.exchange != "okx"),
    )
    assert (await several.markets.open(ALL)).reading.proven is proven


async def test_a_combination_nobody_watches_is_forgotten_with_its_parts(several: Several) -> None:
    await several.markets.open(ALL)
    await several.step_to(START_MS + HOUR_MS)
    several.markets.let_go(watched=[ALL])
    assert several.markets.get(ALL) is not None
    assert several.markets.get(BINANCE) is not None
    several.markets.let_go(watched=[])
    assert several.markets.get(ALL) is None
    assert several.markets.get(BINANCE) is None
