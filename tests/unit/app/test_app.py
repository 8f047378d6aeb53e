"""The wired app: its periodic work, and what it does when an exchange or the disk fails."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from bot.alerts.types import Market
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.guest_book import GuestBook
from bot.market.exchange import RateLimitedError
from bot.market.line import LineStatus
from bot.market.playback import RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS, Tick
from bot.reachability import Reachability, ban_key
from bot.run import Door, limits_of
from bot.settings import Settings
from bot.telegram.limits import bare
from bot.telegram.turn import Inbound, Reply
from tests.unit.app.scenes import START_MS, CountedExchange, FillingDisk, Inbox, near, playing

SIM = Market("simulated", "SIMUSDT")
HOUR_MS = 3_600_000


class Rig:
    """An app on the small market."""

    def __init__(self, app: App, exchange: CountedExchange, clock: StepClock, db: FillingDisk) -> None:
        self.app = app
        self.exchange = exchange
        self.clock = clock
        self.db = db

    def later(self, ms: int) -> None:
        self.clock.step_to(self.clock.now_ms() + ms)


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    clock = StepClock(START_MS)
    exchange = playing(market, clock)
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        world = World({"simulated": exchange}, db, Inbox(), clock, frozenset({"simulated"}))
        app = await App.build(world, Limits(history_days=1, tick_s=75.0))
        await app.refresh_instruments()
        yield Rig(app, exchange, clock, db)


async def watching(rig: Rig) -> None:
    await rig.app.desk.add_rule(near(1.0, market=SIM))


async def test_contracts_and_volumes_are_read_together(rig: Rig) -> None:
    assert [what for what, _, _ in rig.exchange.asked] == ["instruments", "volumes"]
    assert rig.app.desk.popular() == ["SIMUSDT"]


async def test_only_watched_markets_are_recomputed_and_each_slot_once(rig: Rig) -> None:
    await rig.app.desk.view(SIM)
    rig.exchange.asked.clear()
    await rig.app.recompute()
    assert rig.exchange.asked == []
    await watching(rig)
    rig.later(BAR_MS)
    await rig.app.recompute()
    tracks = rig.app.watch.tracks(SIM)
    assert {track.seen_ms for track in tracks if not track.missed} == {START_MS + BAR_MS}
    await rig.app.recompute()
    assert rig.app.watch.tracks(SIM) == tracks


async def test_a_map_that_somebody_looked_at_is_let_go_when_nobody_watches_it(rig: Rig) -> None:
    await rig.app.desk.view(SIM)
    rig.later(3 * BAR_MS)
    await rig.app.recompute()
    assert rig.app.markets.get(SIM) is None


async def test_an_exchange_that_is_down_is_named_once_and_once_when_it_is_back(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.exchange.goes_down()
    with caplog.at_level(logging.WARNING, "bot.reachability"):
        for _ in range(5):
            await rig.app.read_prices()
        rig.exchange.comes_back()
        for _ in range(5):
            await rig.app.read_prices()
    assert [record.getMessage() for record in caplog.records if record.name == "bot.reachability"] == [
        "simulated is not heard: The exchange is down.",
        "simulated is heard again",
    ]


async def test_an_exchange_that_was_down_at_the_start_is_listed_at_the_next_recompute(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    late, early = playing(market, clock), playing(market, clock)
    late.goes_down()
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        world = World({"first": late, "simulated": early}, db, Inbox(), clock, frozenset({"simulated"}))
        app = await App.build(world, Limits(history_days=1, tick_s=75.0))
        await app.refresh_instruments()
        assert app.markets.symbols() == ["SIMUSDT"]
        late.comes_back()
        await app.recompute()
        assert app.markets.symbols() == ["SIMUSDT", "SIMUSDT"]
        early.asked.clear()
        await app.recompute()
        assert early.asked == []


async def test_a_slow_exchange_does_not_hold_up_the_prices_of_another(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    asked = asyncio.Event()

    class Slow(CountedExchange):
        async def mark_prices(self) -> Tick:
            await asked.wait()
            return await super().mark_prices()

    class Quick(CountedExchange):
        async def mark_prices(self) -> Tick:
            asked.set()
            return await super().mark_prices()

    markets = [RecordedMarket.simulated(market)]
    exchanges = {"slow": Slow("slow", markets, clock), "quick": Quick("quick", markets, clock)}
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        app = await App.build(World(exchanges, db, Inbox(), clock), Limits(history_days=1, tick_s=75.0))
        async with asyncio.timeout(5):
            await app.read_prices()


async def test_a_silence_is_told_once_however_its_seconds_run(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    reach = Reachability({}, rig.db)
    with caplog.at_level(logging.WARNING, "bot.reachability"):
        for left in (90, 80, 70):
            await reach.failed("simulated", RateLimitedError(f"{left} s are left.", until_ms=START_MS + 90_000))
        await reach.failed("simulated", RateLimitedError("Again.", until_ms=START_MS + 900_000))
    assert [record.getMessage() for record in caplog.records] == [
        "simulated is not heard: 90 s are left.",
        "simulated is not heard: Again.",
    ]


async def test_a_ban_is_kept_for_the_next_start_also_where_the_disk_fails(rig: Rig) -> None:
    rig.exchange.failure = RateLimitedError("Banned for a while.", until_ms=START_MS + 90_000)
    await rig.app.read_prices()
    assert await rig.db.kv.get(ban_key("simulated")) == START_MS + 90_000


async def test_a_ban_that_a_request_for_history_met_is_kept_too(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)

    class Banned(CountedExchange):
        def status(self) -> LineStatus:
            return LineStatus({}, 1, 0, None, None, START_MS + 60_000, None, {})

    async with await FillingDisk.open("sqlite://", inline=True) as db:
        world = World({"simulated": Banned("simulated", [RecordedMarket.simulated(market)], clock)}, db, Inbox(), clock)
        app = await App.build(world, Limits(history_days=1, tick_s=75.0))
        await app.read_prices()
        assert await db.kv.get(ban_key("simulated")) == START_MS + 60_000


async def test_while_the_disk_is_full_the_work_goes_on_and_alerts_come_when_it_is_not(rig: Rig) -> None:
    await rig.app.desk.add_rule(near(2.0, market=SIM, min_strength=1))
    told: list[int] = []
    rig.app.listen(lambda events: told.extend(event.time_ms for event in events))
    full_from_ms, full_to_ms = START_MS + 2 * HOUR_MS, START_MS + 3 * HOUR_MS
    while rig.clock.now_ms() < START_MS + 8 * HOUR_MS:
        rig.later(BAR_MS // 4)
        rig.db.full = full_from_ms <= rig.clock.now_ms() < full_to_ms
        if rig.clock.now_ms() % BAR_MS == 0:
            await rig.app.recompute()
        await rig.app.read_prices()
    assert any(time_ms >= full_to_ms for time_ms in told)
    assert not any(full_from_ms <= time_ms < full_to_ms for time_ms in told)
    assert sum((await rig.db.outbox.counts()).values()) == len(told)
    assert {track.seen_ms for track in rig.app.watch.tracks(SIM) if not track.missed} == {START_MS + 8 * HOUR_MS}


async def test_a_disk_that_fails_is_told_in_one_line_each_time(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await watching(rig)
    rig.db.full = True
    rig.later(BAR_MS)
    await rig.app.recompute()
    [record] = [record for record in caplog.records if record.name == "bot.map_round"]
    assert record.exc_info is None
    assert record.getMessage().endswith("the disk is full.")


async def test_the_clean_up_says_what_it_did_and_survives_a_closed_database(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bot.app"):
        await rig.app.clean_up()
        await rig.db.close()
        await rig.app.clean_up()
        await rig.app.recompute()
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "cleaned up: -"
    assert messages[1].startswith("cleaning up failed and is tried again: ")
    assert messages[2].startswith("the rules could not be read and stay as they were: ")


class TestDoor:
    """Whom the settings let in."""

    @staticmethod
    def settings(**values: object) -> Settings:
        return Settings(_env_file=None, **values)  # type: ignore[arg-type]

    def door(self, rig: Rig, **values: object) -> Door:
        chosen = limits_of(self.settings(**values))
        rig.app.guests = GuestBook(
            rig.db.guests,
            rig.clock,
            allowlist=chosen.allowlist,
            allowed=chosen.allowed_ids,
            operators=chosen.admin_ids,
            changed=lambda: None,
        )
        return Door(rig.app, self.settings(**values))

    async def test_an_open_bot_answers_everybody(self, rig: Rig) -> None:
        door = self.door(rig, access="open", allowed_ids=(5,))
        assert await self.said(door, chat=99) != self.refusal(99)

    @pytest.mark.parametrize(
        ("chat", "user", "let_in"),
        [(5, 5, True), (7, 7, True), (-100, 5, True), (-200, 99, True), (99, 99, False), (-300, 99, False)],
    )
    async def test_an_allowlist_lets_in_chats_and_people_on_it_and_admins(
        self, rig: Rig, chat: int, user: int, let_in: bool
    ) -> None:
        door = self.door(rig, access="allowlist", allowed_ids=(5, -200), admin_ids=(7,))
        assert (await self.said(door, chat=chat, user=user) != self.refusal(chat)) is let_in

    async def test_an_empty_allowlist_lets_nobody_in(self, rig: Rig) -> None:
        assert await self.said(self.door(rig, access="allowlist"), chat=1) == self.refusal(1)

    async def test_a_stranger_leaves_no_trace(self, rig: Rig) -> None:
        await self.door(rig, access="allowlist").answer(Inbound(1, 1, user_id=1, text="/watch SIM 1%"))
        assert await rig.db.rules.all() == []

    async def test_a_stranger_is_told_whom_to_ask(self, rig: Rig) -> None:
        door = self.door(rig, access="allowlist", access_contact="@ada")
        asked = "This bot is private. Ask @ada to let this chat in; its id is 9."
        assert await self.said(door, chat=9) == asked

    async def test_operators_let_in_and_turn_away_and_it_outlives_a_restart(self, rig: Rig) -> None:
        door = self.door(rig, access="allowlist", allowed_ids=(5,), admin_ids=(7,))
        guests = rig.app.guests
        assert await guests.decide(9, allowed=True)
        assert await guests.decide(5, allowed=False)
        assert not await guests.decide(7, allowed=False), "an operator is turned away by nobody"
        for chat, let_in in ((9, True), (5, False), (7, True), (99, False)):
            assert (await self.said(door, chat=chat) != self.refusal(chat)) is let_in
        assert await self.said(door, chat=-100, user=5) == self.refusal(-100), "nor where others speak"
        assert (guests.let_in, guests.turned_away) == (1, 1)
        again = self.door(rig, access="open", admin_ids=(7,))
        await rig.app.guests.restore()
        assert await self.said(again, chat=5) == self.refusal(5)
        assert await self.said(again, chat=99) != self.refusal(99)

    @staticmethod
    async def said(door: Door, *, chat: int, user: int | None = None) -> str:
        inbound = Inbound(1, chat, user_id=user or chat, language="en", text="/help")
        [reply] = await door.answer(inbound)
        assert isinstance(reply, Reply)
        return bare(reply.message.text)

    @staticmethod
    def refusal(chat: int) -> str:
        return f"This bot is private. Whoever runs it can let this chat in; its id is {chat}."
