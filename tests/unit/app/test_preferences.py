"""What a chat has chosen, where it takes effect: in alerts, notices, pictures, digests and what a symbol means."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.alerts.manners import QuietHours
from bot.alerts.preferences import THEMES, Preferences, Sound, Units
from bot.alerts.types import EVERYWHERE, Kind, Market, Rule, Severity
from bot.app import App, Limits, World
from bot.charts.themes import THEMES as DRAWN
from bot.clock import StepClock
from bot.delivery.messenger import Message
from bot.liquidation.values import replace
from bot.market.simulator import SimulatedMarket
from bot.storage.codec import event_to_plain
from bot.storage.database import Database
from bot.storage.outbox import Claimed
from bot.telegram.limits import bare
from bot.telegram.texts.zones import UnknownZoneError
from tests.fakes.desk import NOON_MS
from tests.unit.app.scenes import START_MS, XYZ, CountedExchange, Inbox, drawn, near, playing
from tests.unit.app.test_compose import SHORTS, event

SIM = Market("simulated", "SIMUSDT")
CHAT = 1
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Rig:
    """An app on the small market, and what its composer makes of events."""

    def __init__(self, app: App, exchange: CountedExchange, clock: StepClock, db: Database) -> None:
        self.app = app
        self.exchange = exchange
        self.clock = clock
        self.db = db

    async def prefers(self, **chosen: Any) -> None:
        before = await self.app.desk.preferences(CHAT)
        await self.app.desk.prefer(CHAT, replace(before, **chosen))

    async def alert(self, **changes: Any) -> Message:
        one = event(**changes)
        return await self.composed(event_to_plain(one), created_ms=one.time_ms)

    async def composed(self, payload: dict[str, object], *, created_ms: int = START_MS, unsure: int = 0) -> Message:
        row = Claimed(1, "key", CHAT, payload, created_ms, 0, 1 + unsure, unsure, plain=False, owner="test")
        return await self.app.composer.compose(row)


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    clock = StepClock(START_MS)
    exchange = playing(market, clock)
    async with await Database.open("sqlite://", inline=True) as db:
        world = World({"simulated": exchange}, db, Inbox(), clock, frozenset({"simulated"}))
        app = await App.build(world, Limits(history_days=1, tick_s=75.0))
        await app.refresh_instruments()
        yield Rig(app, exchange, clock, db)


async def again(rig: Rig) -> App:
    """The app after a restart."""
    world = World({"simulated": rig.exchange}, rig.db, Inbox(), rig.clock, frozenset({"simulated"}))
    return await App.build(world, Limits(history_days=1, tick_s=75.0))


@pytest.mark.parametrize(
    ("sound", "rings"),
    [
        (Sound.ALL, {Severity.INFO, Severity.WARNING, Severity.CRITICAL}),
        (Sound.WARNINGS, {Severity.WARNING, Severity.CRITICAL}),
        (Sound.CRITICAL, {Severity.CRITICAL}),
        (Sound.NONE, set()),
    ],
)
async def test_only_what_the_chat_wants_to_hear_rings(rig: Rig, sound: Sound, rings: set[Severity]) -> None:
    await rig.prefers(sound=sound)
    heard = {severity for severity in Severity if not (await rig.alert(severity=severity)).silent}
    assert heard == rings
    notice = await rig.composed({"notice": "stale", "exchange": "binance", "since_ms": START_MS})
    assert notice.silent == (Severity.WARNING not in rings)


async def test_a_repeat_never_rings(rig: Rig) -> None:
    await rig.prefers(sound=Sound.ALL)
    one = event_to_plain(event(severity=Severity.CRITICAL))
    assert (await rig.composed(one, unsure=1)).silent
    assert not (await rig.composed(one)).silent


async def test_times_in_what_the_worker_sends_are_those_of_the_chat_s_clock(rig: Rig) -> None:
    stale = {"notice": "stale", "exchange": "binance", "since_ms": NOON_MS}
    rig.clock.step_to(NOON_MS + 60_000)
    assert "12:00 UTC" in bare((await rig.composed(stale)).text)
    await rig.prefers(zone="asia/tokyo")
    text = bare((await rig.composed(stale)).text)
    assert "21:00" in text
    assert "UTC" not in text


async def test_members_of_a_group_read_each_their_own_clock_whatever_zone_the_group_chose(rig: Rig) -> None:
    stale = {"notice": "stale", "exchange": "binance", "since_ms": NOON_MS}
    rig.clock.step_to(NOON_MS + 60_000)
    await rig.prefers(zone="asia/tokyo")
    await rig.db.chats.seen(CHAT, kind="supergroup", now_ms=START_MS)
    text = (await rig.composed(stale)).text
    assert f'<tg-time unix="{NOON_MS // 1000}"' in text
    assert "21:00 UTC+9</tg-time>" in text


async def test_sizes_in_alerts_are_shares_where_the_chat_wants_them(rig: Rig) -> None:
    named = bare((await rig.alert(proven=True)).text)
    await rig.prefers(units=Units.SHARE)
    shared = bare((await rig.alert(proven=True)).text)
    assert "$" in named
    assert "$" not in shared
    assert f"{100 * SHORTS.share:.2g}%" in shared


async def test_pictures_differ_by_theme_and_are_shared_by_those_who_chose_alike(rig: Rig) -> None:
    await rig.db.maps.save(XYZ, drawn([SHORTS], price=103.0, time_ms=START_MS))
    dark = await rig.alert()
    await rig.prefers(theme="light")
    light = await rig.alert()
    assert dark.photo is not None
    assert light.photo is not None
    assert (dark.photo_name != light.photo_name, dark.photo != light.photo) == (True, True)
    await rig.prefers(theme="a theme of a later version")
    assert (await rig.alert()).photo == dark.photo


def test_every_theme_that_can_be_chosen_can_be_drawn() -> None:
    assert set(THEMES) <= set(DRAWN)


@pytest.mark.parametrize(("client", "chosen", "spoken"), [("en", "ru", "ru"), ("ru", "en", "en"), ("ru-RU", "", "ru")])
async def test_alerts_and_notices_speak_the_chosen_language_else_the_client_s(
    rig: Rig, client: str, chosen: str, spoken: str
) -> None:
    await rig.prefers(language=chosen)
    await rig.db.chats.set_language(CHAT, client)
    notice = await rig.composed({"notice": "back", "exchange": "binance", "since_ms": START_MS})
    for message in (await rig.alert(), notice):
        assert (re.search("[а-я]{3}", bare(message.text)) is not None) == (spoken == "ru")


async def test_one_zone_serves_the_clock_and_the_quiet_hours_and_survives_a_restart(rig: Rig) -> None:
    desk = rig.app.desk
    await desk.set_quiet(CHAT, QuietHours(23 * 60, 7 * 60, "berlin"))
    assert (await desk.preferences(CHAT)).zone == "Europe/Berlin"
    await rig.prefers(zone="tokyo")
    view = await desk.quiet(CHAT)
    assert view.hours is not None
    assert view.hours.zone == "Asia/Tokyo"
    app = await again(rig)
    assert (await app.desk.preferences(CHAT)).zone == "Asia/Tokyo"
    with pytest.raises(UnknownZoneError):
        await rig.prefers(zone="Narnia")
    assert (await desk.preferences(CHAT)).zone == "Asia/Tokyo"


async def test_a_digest_comes_at_the_chat_s_hour_and_follows_a_change(rig: Rig) -> None:
    added = await rig.app.desk.add_rule(
        Rule(0, CHAT, EVERYWHERE, Kind.DIGEST, 0.0, window_ms=DAY_MS, created_ms=START_MS)
    )
    await rig.prefers(zone="UTC", digest_hour=21)
    (view,) = await rig.app.desk.rules(CHAT)
    assert view.due_ms % DAY_MS == 21 * HOUR_MS
    assert START_MS < view.due_ms <= START_MS + DAY_MS
    await rig.prefers(zone="Asia/Tokyo")
    (view,) = await rig.app.desk.rules(CHAT)
    assert view.due_ms % DAY_MS == 12 * HOUR_MS
    app = await again(rig)
    (view,) = await app.desk.rules(CHAT)
    assert view.due_ms % DAY_MS == 12 * HOUR_MS
    why = await app.desk.why_silent(CHAT, added.rule.id)
    assert why is not None
    assert [one.until_ms for one in why.now] == [view.due_ms]


async def test_a_symbol_alone_means_the_preferred_exchange_where_that_lists_it(rig: Rig) -> None:
    desk = rig.app.desk
    assert list(desk.exchanges()) == ["simulated"]
    assert desk.resolve("SIM", exchange="simulated").market == SIM
    assert desk.resolve("SIM", exchange="okx").market == SIM


async def test_the_file_of_a_chat_is_everything_of_it(rig: Rig) -> None:
    await rig.prefers(zone="tokyo")
    await rig.app.desk.add_rule(near(1.0, market=SIM))
    stored = await rig.app.desk.export(CHAT)
    document = json.loads(stored.document)
    assert (document["chat"], document["left_out"], stored.left_out) == (CHAT, 0, 0)
    assert document["stored"]["preferences"][0]["zone"] == "Asia/Tokyo"
    assert [rule["symbol"] for rule in document["stored"]["rules"]] == ["SIMUSDT"]
    assert json.loads((await rig.app.desk.export(99)).document)["stored"] == {}


async def test_a_forgotten_chat_is_judged_and_followed_no_more(rig: Rig) -> None:
    desk, watch = rig.app.desk, rig.app.watch
    await rig.prefers(zone="tokyo", language="en")
    await desk.set_quiet(CHAT, QuietHours(0, 60, "Asia/Tokyo"))
    await desk.add_rule(near(1.0, market=SIM))
    await desk.add_rule(near(1.0, market=SIM, chat=2))
    await desk.forget(CHAT)
    assert [rule.chat for rule in watch.rules()] == [2]
    assert await desk.rules(CHAT) == []
    assert await desk.preferences(CHAT) == Preferences()
    assert (await desk.quiet(CHAT)).hours is None
    assert await rig.db.chats.get(CHAT) is None
    await watch.follow_stored_rules()
    assert [rule.chat for rule in watch.rules()] == [2]
    assert (await rig.db.whole_chat.read(CHAT)).rows == {}
    await desk.add_rule(near(2.0, market=SIM))
    assert len(await desk.rules(CHAT)) == 1, "whoever comes back begins anew"


async def test_what_a_new_chat_wishes_is_kept_before_it_has_any_rule(rig: Rig) -> None:
    await rig.app.desk.set_quiet(CHAT, QuietHours(0, 60, "UTC"))
    await rig.app.desk.mute(2, START_MS + HOUR_MS)
    app = await again(rig)
    assert (await app.desk.quiet(CHAT)).hours == QuietHours(0, 60, "UTC")
    assert (await app.desk.quiet(2)).muted_until_ms == START_MS + HOUR_MS
