"""The watch with rules that end, tell once, or wait for liquidations or the clock; and all of it after a restart."""

from collections.abc import AsyncIterator

import pytest

from bot.alerts.engine import Engine
from bot.alerts.market_book import AFTER_MS
from bot.alerts.readings import Liquidation
from bot.alerts.types import EVERYWHERE, Kind, Repeat, Rule
from bot.liquidation import Side
from bot.liquidation.values import replace
from bot.market.types import BAR_MS
from bot.storage.errors import DiskFullError
from tests.unit.app.scenes import START_MS, XYZ, FillingDisk, live, near
from tests.unit.app.test_watch import LONGS, SHORTS, Scene

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        yield Scene(db)


async def restarted(scene: Scene) -> Scene:
    """Another process on the same database, as the app starts it."""
    known, now_ms = scene.db.alerts, scene.clock.now_ms()
    tracks = [*await known.open_tracks(), *await known.swept_tracks(since_ms=now_ms - AFTER_MS)]
    engine = Engine(await scene.db.rules.all(), tracks, await known.states(), pulses=await known.pulses())
    after = Scene(scene.db, engine)
    after.clock.step_to(now_ms)
    return after


async def test_a_rule_reminds_of_its_end_ends_and_is_renewed(scene: Scene) -> None:
    await scene.mapped()
    made_ms = scene.clock.now_ms()
    added = await scene.watch.add(replace(near(1.0), created_ms=made_ms, expires_ms=made_ms + 4 * HOUR_MS), limit=25)
    assert (await scene.watch.take_time()).events == ()
    scene.clock.step_to(made_ms + 3 * HOUR_MS)
    (reminder,) = (await scene.watch.take_time()).events
    assert (reminder.kind, reminder.figure("expires_ms")) == (Kind.EXPIRY, made_ms + 4.0 * HOUR_MS)
    assert (await scene.watch.take_time()).events == ()

    after = await restarted(scene)
    assert (await after.watch.take_time()).events == (), "a restart reminds of nothing twice"
    after.clock.step_to(made_ms + 5 * HOUR_MS)
    (end,) = (await after.watch.take_time()).events
    assert end.episode == 2
    (ended,) = await after.watch.rules_of(1)
    assert ended.paused_reason == "expired"
    await after.sees(101.0)
    assert (await after.sees(103.5)).events == ()

    renewed = await after.watch.snooze(1, added.rule.id, 0)
    assert renewed is not None
    assert (renewed.expires_ms - after.clock.now_ms(), renewed.paused_reason) == (4 * HOUR_MS, None)
    kept = await after.watch.renew(1, added.rule.id, 0)
    assert kept is not None
    assert kept.expires_ms == 0
    after.clock.step_to(made_ms + 50 * HOUR_MS)
    assert (await after.watch.take_time()).events == ()


async def test_an_end_that_could_not_be_stored_is_told_later(scene: Scene) -> None:
    await scene.mapped()
    now_ms = scene.clock.now_ms()
    await scene.watch.add(replace(near(1.0), created_ms=now_ms, expires_ms=now_ms + HOUR_MS), limit=25)
    scene.clock.step_to(now_ms + 2 * HOUR_MS)
    scene.db.full = True
    with pytest.raises(DiskFullError):
        await scene.watch.take_time()
    scene.db.full = False
    assert len((await scene.watch.take_time()).events) == 1


async def test_a_rule_that_tells_once_stops_and_starts_again_when_woken(scene: Scene) -> None:
    await scene.mapped()
    added = await scene.watch.add(replace(near(1.0), repeat=Repeat.ONCE), limit=25)
    await scene.sees(101.0)
    assert len((await scene.sees(103.5)).events) == 1
    (stopped,) = await scene.watch.rules_of(1)
    assert stopped.paused_reason == "once"
    await scene.sees(101.0, after_s=4000)
    assert (await scene.sees(103.5)).events == ()
    assert await scene.watch.snooze(1, added.rule.id, 0) is not None
    await scene.mapped(slot_ms=scene.clock.now_ms() // BAR_MS * BAR_MS)
    assert (await scene.sees(103.5)).events == (), "what is true on waking is no news"


async def test_the_same_rule_typed_again_renews_and_names_it(scene: Scene) -> None:
    await scene.mapped()
    now_ms = scene.clock.now_ms()
    first = await scene.watch.add(replace(near(1.0), expires_ms=now_ms + HOUR_MS, label="a"), limit=25)
    again = await scene.watch.add(replace(near(1.0), expires_ms=now_ms + 2 * HOUR_MS), limit=25)
    assert (again.existed, again.rule.id) == (True, first.rule.id)
    assert (again.rule.expires_ms, again.rule.label) == (now_ms + 2 * HOUR_MS, "a")
    assert scene.engine.rule(first.rule.id) == again.rule


async def test_digests_come_at_their_hour_and_a_late_start_sends_the_last_one_only(scene: Scene) -> None:
    now_ms = scene.clock.now_ms()
    rule = Rule(0, 1, EVERYWHERE, Kind.DIGEST, 0.0, DAY_MS, created_ms=now_ms)
    await scene.watch.add(rule, limit=25)
    assert scene.watch.markets() == []
    scene.clock.step_to(now_ms + 3 * DAY_MS)
    (event,) = (await scene.watch.take_time()).events
    assert (event.kind, event.time_ms % DAY_MS, event.episode) == (Kind.DIGEST, 8 * HOUR_MS, 1)
    assert now_ms + 2 * DAY_MS < event.time_ms <= now_ms + 3 * DAY_MS
    assert (await scene.watch.take_time()).events == ()
    after = await restarted(scene)
    assert (await after.watch.take_time()).events == ()


async def test_what_is_usual_and_what_was_swept_outlive_a_restart(scene: Scene) -> None:
    await scene.mapped()
    rule = Rule(0, 1, XYZ, Kind.BREAKOUT, 0.0, 2 * BAR_MS, created_ms=START_MS)
    await scene.watch.add(rule, limit=25)
    news = [Liquidation(START_MS + 1_000, XYZ.symbol, Side.SHORT, 105.0, 1e6)]
    await scene.watch.take_prints(XYZ.exchange, news, heard_ms=START_MS + 2_000)
    gone = live([LONGS], price=107.0, slot_ms=START_MS + BAR_MS)
    scene.clock.step_to(START_MS + BAR_MS)
    changes = await scene.watch.take_map(gone)
    assert [track.closed for track in changes.tracks if track.cluster.side is Side.SHORT] == ["swept"], SHORTS
    after = await restarted(scene)
    (pulse,) = await scene.db.alerts.pulses()
    assert (pulse.slot_ms, pulse.minutes.short_usd) == (START_MS + BAR_MS, 1e6)
    after.clock.step_to(START_MS + 2 * BAR_MS)
    told = await after.watch.take_map(live([LONGS], price=107.5, slot_ms=START_MS + 2 * BAR_MS))
    assert [event.kind for event in told.events] == [Kind.BREAKOUT]
