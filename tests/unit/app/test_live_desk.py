"""The desk of the live bot: what a conversation asks, answered from a market that is played."""

from collections.abc import AsyncIterator

import pytest

from bot.alerts.types import EVERYWHERE, Kind, Market, Phase, Rule
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.liquidation.values import replace
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.storage.database import Database
from bot.telegram.desk import Desk, Look, MarketUnavailableError, TooManyRulesError
from bot.telegram.texts import Catalogue
from bot.telegram.wording import state_words
from tests.unit.app.scenes import START_MS, CountedExchange, Inbox, near, playing

DARK = Look(Catalogue.load().texts("en"), "dark")

SIM = Market("simulated", "SIMUSDT")
HOUR_MS = 3_600_000


class Rig:
    """An app on the small market, with a limit of two rules a chat."""

    def __init__(self, app: App, exchange: CountedExchange, clock: StepClock, db: Database) -> None:
        self.app = app
        self.desk: Desk = app.desk
        self.exchange = exchange
        self.clock = clock
        self.db = db

    async def learns_the_contracts(self) -> "Rig":
        await self.app.refresh_instruments()
        return self


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    clock = StepClock(START_MS)
    exchange = playing(market, clock)
    async with await Database.open("sqlite://", inline=True) as db:
        world = World({"simulated": exchange}, db, Inbox(), clock, frozenset({"simulated"}))
        app = await App.build(world, Limits(rules_per_chat=2, history_days=1, tick_s=75.0))
        yield await Rig(app, exchange, clock, db).learns_the_contracts()


def rule(percent: float, **changes: object) -> Rule:
    return replace(near(percent, market=SIM), **changes)  # type: ignore[arg-type]


async def test_a_symbol_is_found_or_the_nearest_are_named(rig: Rig) -> None:
    assert rig.desk.resolve("sim-usdt-swap").market == SIM
    unknown = rig.desk.resolve("SOM")
    assert (unknown.market, unknown.nearest) == (None, ("SIMUSDT",))


async def test_before_any_exchange_has_answered_no_symbol_is_called_unknown(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    async with await Database.open("sqlite://", inline=True) as db:
        app = await App.build(World({"simulated": playing(market, clock)}, db, Inbox(), clock), Limits())
        with pytest.raises(MarketUnavailableError) as caught:
            app.desk.resolve("binance:btcusdt")
        assert (caught.value.market.symbol, caught.value.reason) == ("BTCUSDT", "exchange_down")
        assert app.desk.popular() == []


async def test_the_most_traded_are_offered_first_and_never_what_is_not_listed(rig: Rig) -> None:
    rig.app.desk.rank_by_volume({"GONEUSDT": 9e9, "SIMUSDT": 1e6})
    assert rig.desk.popular() == ["SIMUSDT"]


async def test_a_view_is_of_now_and_says_that_the_market_is_simulated(rig: Rig) -> None:
    view = await rig.desk.view(SIM)
    assert (view.market, view.base, view.simulated) == (SIM, "SIM", True)
    assert (view.price_ms, view.map.time_ms) == (START_MS, START_MS)
    assert view.daily_move_pct is not None
    assert 0.5 < view.daily_move_pct < 20
    strengths = [(each.cluster.strength, each.cluster.usd) for each in view.clusters]
    assert strengths
    assert strengths == sorted(strengths, reverse=True), "strongest first"
    for each in view.clusters:
        assert (each.distance_pct < 0) == (each.cluster.high < view.price)
        assert [hours for hours, _ in each.touch] == [1, 4, 24]


async def test_distances_follow_the_price_between_maps(rig: Rig) -> None:
    await rig.desk.add_rule(rule(1.0))
    before = await rig.desk.view(SIM)
    rig.clock.step_to(START_MS + BAR_MS // 2)
    await rig.app.read_prices()
    after = await rig.desk.view(SIM)
    assert after.map.time_ms == before.map.time_ms
    assert after.price != before.price
    assert after.price_ms == START_MS + BAR_MS // 2
    moved = {each.track_id: each.distance_pct for each in after.clusters}
    assert all(moved[each.track_id] != each.distance_pct for each in before.clusters)


async def test_a_range_has_zones_of_its_own_and_a_smaller_map(rig: Rig) -> None:
    whole, part = await rig.desk.view(SIM), await rig.desk.view(SIM, range_ms=6 * HOUR_MS)
    assert part.map.long_usd.sum() < whole.map.long_usd.sum()
    assert {each.track_id for each in part.clusters} == {""}
    pictures = [
        await rig.desk.picture(whole, look=DARK),
        await rig.desk.picture(part, look=DARK, range_ms=6 * HOUR_MS),
    ]
    names = {picture[1] for picture in pictures if picture is not None}
    assert len(names) == 2
    assert all(picture is not None and picture[0].startswith(b"\x89PNG") for picture in pictures)
    assert await rig.desk.picture(whole, look=DARK) == pictures[0]


async def test_a_market_that_cannot_be_had_is_unavailable_for_its_reason(rig: Rig) -> None:
    rig.exchange.goes_down()
    for ask in (rig.desk.view(SIM), rig.desk.view(SIM, range_ms=HOUR_MS)):
        with pytest.raises(MarketUnavailableError) as caught:
            await ask
        assert (caught.value.market, caught.value.reason) == (SIM, "exchange_down")
    gone = Market("simulated", "GONEUSDT")
    with pytest.raises(MarketUnavailableError) as caught:
        await rig.desk.view(gone)
    assert caught.value.reason == "no_data"
    with pytest.raises(MarketUnavailableError) as refused:
        await rig.desk.add_rule(near(1.0, market=gone))
    assert refused.value.reason == "no_data"
    assert await rig.desk.rules(1) == []


async def test_a_rule_made_while_the_exchange_is_down_is_judged_once_it_is_back(rig: Rig) -> None:
    rig.exchange.goes_down()
    added = await rig.desk.add_rule(rule(20.0, min_strength=1))
    assert (added.blind, added.already, added.first) == (True, None, True)
    [listed] = await rig.desk.rules(1)
    assert (listed.rule, listed.phase) == (added.rule, None)
    rig.exchange.comes_back()
    rig.clock.step_to(START_MS + BAR_MS)
    await rig.app.fetch_bars()
    await rig.app.recompute()
    await rig.app.read_prices()
    [listed] = await rig.desk.rules(1)
    assert listed.phase is Phase.FIRED
    again = await rig.desk.add_rule(rule(20.0, min_strength=1))
    assert (again.existed, again.blind, again.rule) == (True, False, added.rule)


async def test_a_rule_is_stored_judged_and_listed_with_its_standing(rig: Rig) -> None:
    added = await rig.desk.add_rule(rule(0.1))
    assert (added.existed, added.already) == (False, None)
    [listed] = await rig.desk.rules(1)
    assert listed.rule == added.rule
    assert listed.phase is Phase.ARMED
    assert listed.distance_pct is not None
    assert listed.distance_pct > 0.1
    assert rig.app.watch.markets() == [SIM]
    assert await rig.desk.rules(2) == []


async def test_what_is_true_already_is_said_with_the_rule(rig: Rig) -> None:
    added = await rig.desk.add_rule(rule(20.0, min_strength=1))
    assert added.already is not None
    view = await rig.desk.view(SIM)
    assert added.already in view.clusters
    [listed] = await rig.desk.rules(1)
    assert (listed.phase, listed.told) == (Phase.FIRED, False)
    words = state_words(listed, Catalogue.load().texts("en"), now_ms=rig.desk.now_ms())
    assert words == "true already, tells when it comes true again", "nobody was told, so it has not alerted"


async def test_the_same_rule_again_is_found_and_one_too_many_is_refused(rig: Rig) -> None:
    first = await rig.desk.add_rule(rule(1.0))
    again = await rig.desk.add_rule(rule(1.0))
    assert (again.existed, again.rule) == (True, first.rule)
    await rig.desk.add_rule(replace(rule(25.0), kind=Kind.GROWTH, window_ms=HOUR_MS))
    with pytest.raises(TooManyRulesError) as caught:
        await rig.desk.add_rule(rule(3.0))
    assert caught.value.limit == 2
    assert (await rig.desk.add_rule(rule(1.0))).existed, "one of the two is no third"
    assert len(await rig.desk.rules(1)) == 2


async def test_a_removal_is_undone_within_a_day_and_not_after(rig: Rig) -> None:
    stored = (await rig.desk.add_rule(rule(1.0))).rule
    assert await rig.desk.remove_rule(2, stored.id) is None
    assert await rig.desk.remove_rule(1, stored.id) == stored
    assert await rig.desk.rules(1) == []
    rig.clock.step_to(START_MS + 20 * HOUR_MS)
    assert await rig.desk.restore_rule(1, stored.id) == stored
    await rig.desk.remove_rule(1, stored.id)
    rig.clock.step_to(START_MS + 45 * HOUR_MS)
    assert await rig.desk.restore_rule(1, stored.id) is None


async def test_a_snooze_is_kept_and_ended(rig: Rig) -> None:
    stored = (await rig.desk.add_rule(rule(1.0))).rule
    for until_ms in (START_MS + HOUR_MS, 0):
        assert await rig.desk.snooze_rule(1, stored.id, until_ms) == replace(stored, snoozed_until_ms=until_ms)
        assert (await rig.desk.rules(1))[0].rule.snoozed_until_ms == until_ms
    assert await rig.desk.snooze_rule(2, stored.id, START_MS) is None


async def test_a_rule_whose_market_is_not_read_has_no_standing(rig: Rig) -> None:
    await rig.db.rules.add(replace(near(1.0), market=Market("simulated", "LATERUSDT")))
    await rig.app.watch.follow_stored_rules()
    [listed] = await rig.desk.rules(1)
    assert (listed.phase, listed.distance_pct) == (None, None)


async def test_rules_that_watch_no_cluster_are_listed_and_kept_too(rig: Rig) -> None:
    digest = Rule(0, 1, EVERYWHERE, Kind.DIGEST, 0.0, 24 * HOUR_MS, created_ms=START_MS)
    assert (await rig.desk.add_rule(digest)).already is None
    cascade = await rig.desk.add_rule(rule(99.0, kind=Kind.CASCADE, min_usd=100e3))
    assert not cascade.hears, "the played market tells no liquidations"
    views = await rig.desk.rules(1)
    assert [(view.rule.kind, view.phase, view.distance_pct) for view in views] == [
        (Kind.DIGEST, Phase.ARMED, None),
        (Kind.CASCADE, Phase.ARMED, None),
    ]
    renewed = await rig.desk.renew_rule(1, cascade.rule.id, START_MS + HOUR_MS)
    assert renewed is not None
    assert renewed.expires_ms == START_MS + HOUR_MS
    assert await rig.desk.renew_rule(2, cascade.rule.id, 0) is None, "of another chat"
    assert len((await rig.desk.status(1)).exchanges) == 1


async def test_the_ground_reaches_as_far_as_positions_with_the_clusters_that_the_map_shows(rig: Rig) -> None:
    view, place = await rig.desk.view(SIM), await rig.desk.ground(SIM)
    assert place.ground.price == view.price
    assert {each.cluster for each in view.clusters} <= set(place.ground.clusters)
    assert place.ground.reach_pct > 65
    assert place.tiers_from == SIM
    assert place.tiers
    level = 0.6 * view.price
    drawn = place.ground.around(0.6)
    assert drawn.low[0] < level < drawn.high[-1]
    assert place.ground.crowding(level) is not None


async def test_without_a_map_there_is_no_ground(rig: Rig) -> None:
    with pytest.raises(MarketUnavailableError):
        await rig.desk.ground(Market("simulated", "GONEUSDT"))


async def test_a_marked_picture_is_another_than_the_plain_one(rig: Rig) -> None:
    view = await rig.desk.view(SIM)
    plain, marked = [await rig.desk.picture(view, look=DARK, level=level) for level in (None, 0.97 * view.price)]
    assert plain is not None
    assert marked is not None
    assert plain[0] != marked[0]
    assert plain[1] != marked[1]


async def test_the_order_book_is_that_of_the_moment_and_an_unknown_market_has_none(rig: Rig) -> None:
    view = await rig.desk.view(SIM)
    books = await rig.desk.books([*view.joined, Market("simulated", "NONEUSDT")])
    assert list(books) == [SIM]
    assert books[SIM].middle == pytest.approx(view.price, rel=1e-3)
    assert not books[SIM].is_thin
