"""The desk looks back: heatmaps, the lives of clusters, a map by leverage, and pictures that chats share."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from bot.alerts.outcomes import Ending, Outcome
from bot.alerts.types import Kind, Market
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.hindsight import COLUMNS, Part, heat_step_ms, parted, play, warm_bars
from bot.liquidation import PositionModel
from bot.liquidation.past import past_maps
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.market.feed import Heard, Print
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.receipt_pictures import APART_MS, ReceiptPictures
from bot.storage.database import Database
from bot.telegram.desk import Look, MarketUnavailableError
from bot.telegram.headlines import Contract
from bot.telegram.texts import Catalogue
from tests.unit.app.scenes import START_MS, CountedExchange, Inbox, flat_history, playing
from tests.unit.liquidation.markets import random_market

SIM = Market("simulated", "SIMUSDT")
HOUR_MS = 3_600_000
TEXTS = Catalogue.load().texts("en")
DARK, LIGHT = Look(TEXTS, "dark"), Look(TEXTS, "light")
PNG = b"\x89PNG"


class Rig:
    def __init__(self, app: App, exchange: CountedExchange, clock: StepClock, db: Database) -> None:
        self.app, self.desk = app, app.desk
        self.exchange, self.clock, self.db = exchange, clock, db


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    clock = StepClock(START_MS)
    exchange = playing(market, clock)
    async with await Database.open("sqlite://", inline=True) as db:
        world = World({"simulated": exchange}, db, Inbox(), clock, frozenset({"simulated"}))
        app = await App.build(world, Limits(rules_per_chat=2, history_days=1, tick_s=75.0))
        await app.refresh_instruments()
        yield Rig(app, exchange, clock, db)


async def test_a_heatmap_is_drawn_once_for_all_who_want_the_same(rig: Rig) -> None:
    view = await rig.desk.view(SIM)
    first, second = await asyncio.gather(
        rig.desk.heatmap(view, look=DARK, range_ms=12 * HOUR_MS),
        rig.desk.heatmap(view, look=DARK, range_ms=12 * HOUR_MS),
    )
    assert first is not None
    assert second is not None
    assert first[0] is second[0]
    assert first[0].startswith(PNG)


@pytest.mark.parametrize("how", ["range", "look"])
async def test_another_range_or_look_is_another_picture(rig: Rig, how: str) -> None:
    view = await rig.desk.view(SIM)
    one = await rig.desk.heatmap(view, look=DARK, range_ms=6 * HOUR_MS)
    other = await rig.desk.heatmap(
        view,
        look=LIGHT if how == "look" else DARK,
        range_ms=(6 if how == "look" else 3) * HOUR_MS,
    )
    assert one is not None
    assert other is not None
    assert one[1] != other[1]


async def test_within_a_minute_a_map_is_the_same_picture_while_price_hardly_moves(rig: Rig) -> None:
    view = await rig.desk.view(SIM)
    first = await rig.desk.picture(view, look=DARK)
    rig.clock.step_to(START_MS + 20_000)
    second = await rig.desk.picture(replace(view, price=view.price * 1.00001), look=DARK)
    assert first is not None
    assert second == first
    moved = await rig.desk.picture(replace(view, price=view.price * 1.01), look=DARK)
    rig.clock.step_to(START_MS + 60_000)
    later = await rig.desk.picture(view, look=DARK)
    assert len({picture[1] for picture in (first, moved, later) if picture is not None}) == 3


async def test_a_map_by_leverage_is_a_picture_of_its_own(rig: Rig) -> None:
    view = await rig.desk.view(SIM)
    whole = await rig.desk.picture(view, look=DARK)
    parts = await rig.desk.picture(view, look=DARK, by_leverage=True)
    assert whole is not None
    assert parts is not None
    assert whole[1] != parts[1]
    assert whole[0] != parts[0]


async def test_the_lives_of_clusters_are_counted_and_drawn(rig: Rig) -> None:
    view = await rig.desk.lives(SIM, range_ms=12 * HOUR_MS)
    count = view.count
    assert count.total == count.swept + count.faded + count.merged + count.standing > 0
    assert len(view.biggest) == min(5, count.total)
    assert view.end_ms == START_MS
    assert 0 < view.end_ms - view.from_ms <= 12 * HOUR_MS + BAR_MS
    drawn = await rig.desk.lives_picture(view, look=DARK)
    assert drawn is not None
    assert drawn[0].startswith(PNG)


async def test_the_clusters_that_stand_at_the_end_are_those_of_the_map(rig: Rig) -> None:
    lives, _ = await rig.app.hindsight.lives(SIM, 12 * HOUR_MS)
    live = await rig.app.markets.open(SIM)
    standing = sorted(life.bodies[-1].low for life in lives if life.end is None and life.times_ms[-1] == START_MS)
    assert standing == pytest.approx(sorted(cluster.low for cluster in live.reading.clusters))


async def test_what_cannot_be_had_is_said_for_its_reason(rig: Rig) -> None:
    rig.exchange.goes_down()
    with pytest.raises(MarketUnavailableError) as caught:
        await rig.desk.lives(SIM, range_ms=HOUR_MS)
    assert caught.value.reason == "exchange_down"


async def test_a_heatmap_knows_the_liquidations_that_were_heard(rig: Rig) -> None:
    live = await rig.app.markets.open(SIM)
    price, then = live.price, START_MS - HOUR_MS
    heard = Heard((Print(then, "SIMUSDT", True, price, 3.0, False),), ((START_MS - 2 * HOUR_MS, START_MS),))
    await rig.db.prints.save("simulated", heard)
    past = await rig.app.hindsight.past(SIM, 6 * HOUR_MS)
    assert past.prints.time_ms.tolist() == [then]
    assert past.prints.usd == pytest.approx([3.0 * price], rel=0.05)
    times = [drawn.time_ms for drawn in past.maps]
    assert times[-1] == START_MS
    assert len(set(np.diff(times).tolist())) == 1


def test_a_heatmap_has_at_most_as_many_moments_as_columns_of_whole_bars() -> None:
    for range_ms in (12 * HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS, 30 * 24 * HOUR_MS):
        step_ms = heat_step_ms(range_ms)
        assert step_ms % BAR_MS == 0
        assert range_ms // step_ms <= COLUMNS


def test_a_young_market_gets_a_quarter_of_its_history_before_its_past_is_shown() -> None:
    assert warm_bars(flat_history(price=1.0, end_ms=START_MS, bars=400)) == 100
    assert warm_bars(flat_history(price=1.0, end_ms=START_MS, bars=40)) == 36


def test_the_past_of_two_venues_is_the_sum_of_both_at_the_leads_price() -> None:
    history = random_market(3, 200)
    twice = [Part(venue, history, None, PositionModel.rebuild(history).parameters) for venue in ("one", "two")]
    times = history.open_ms[[120, 199]] + history.bar_ms
    for alone, both in zip(play(twice[:1], history, times), play(twice, history, times), strict=True):
        assert both.price == alone.price
        assert both.long_usd == pytest.approx(2.0 * alone.long_usd, abs=1e-6)
        assert both.short_total_usd == pytest.approx(2.0 * alone.short_total_usd)


def test_a_combined_map_by_leverage_adds_up_to_the_map() -> None:
    history = random_market(3, 200)
    parts = [Part(venue, history, None, PositionModel.rebuild(history).parameters) for venue in ("one", "two")]
    (drawn,) = past_maps(history, np.array([history.end_ms]))
    classes = parted(parts, drawn, None)
    assert sum(one.long_usd for one in classes) == pytest.approx(drawn.long_usd, abs=1e-6)
    assert classes[0].short_usd == pytest.approx(parted(parts[:1], drawn, None)[0].short_usd, abs=1e-6)


def outcome(alert_ms: int, price: float, **changes: object) -> Outcome:
    told = Outcome(
        alert="a",
        chat=1,
        rule_id=1,
        kind=Kind.PROXIMITY,
        market=SIM,
        track_id="S1",
        side=Side.SHORT,
        time_ms=alert_ms,
        until_ms=alert_ms + 4 * HOUR_MS,
        price=price,
        low=price * 1.002,
        high=price * 1.004,
        reach=price * 1.005,
        touched_ms=alert_ms + HOUR_MS // 2,
        ended_ms=alert_ms + HOUR_MS,
        ending=Ending.SWEPT,
    )
    return replace(told, **changes)  # type: ignore[arg-type]


async def test_a_receipt_has_a_picture_where_price_came_and_one_in_a_while(rig: Rig) -> None:
    live = await rig.app.markets.open(SIM)
    pictures = ReceiptPictures(markets=rig.app.markets, pictures=rig.app.pictures, clock=rig.clock)
    contract, told = Contract("SIM", 0.01, True), outcome(START_MS - 2 * HOUR_MS, live.price)
    first = await pictures.of(7, told, contract, DARK)
    assert first is not None
    assert first[0].startswith(PNG)
    assert await pictures.of(7, told, contract, DARK) == first, "the same message sent again"
    assert await pictures.of(8, told, contract, DARK) is None, "another receipt of the same move"
    assert await pictures.of(9, replace(told, chat=2), contract, DARK) == first, "another chat shares it"
    rig.clock.step_to(START_MS + APART_MS)
    assert await pictures.of(8, told, contract, DARK) is not None


async def test_a_receipt_of_a_zone_not_reached_or_of_a_market_let_go_has_none(rig: Rig) -> None:
    live = await rig.app.markets.open(SIM)
    pictures = ReceiptPictures(markets=rig.app.markets, pictures=rig.app.pictures, clock=rig.clock)
    contract, told = Contract("SIM", 0.01, True), outcome(START_MS - 2 * HOUR_MS, live.price)
    assert await pictures.of(7, replace(told, touched_ms=0), contract, DARK) is None
    gone = replace(told, market=Market("simulated", "GONEUSDT"))
    assert await pictures.of(7, gone, contract, DARK) is None
