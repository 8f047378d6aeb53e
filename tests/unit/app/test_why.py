"""Held, muted, told together: what becomes of alerts in the whole bot, and that /why knows each reason."""

from collections.abc import AsyncIterator

import pytest

from bot.alerts.engine import Engine
from bot.alerts.manners import QuietHours
from bot.alerts.reasons import Reason
from bot.alerts.types import Event, Rule
from bot.clock import StepClock
from bot.doorbell import Doorbell
from bot.liquidation import Side
from bot.liquidation.values import replace
from bot.market.types import BAR_MS
from bot.storage.outbox import Claimed
from bot.telegram.desk import WhyView
from bot.telegram.headlines import Contract
from bot.telegram.limits import bare
from bot.telegram.notices import notice_message
from bot.telegram.texts import Catalogue
from bot.watch import Watch
from bot.why import Why
from tests.unit.app.scenes import START_MS, FillingDisk, live, near, tick, zone

MINUTE, HOUR = 60_000, 3_600_000
SHORTS = zone(Side.SHORT, 104.0, 106.0)
WEAK = zone(Side.LONG, 98.0, 99.0, strength=48)
LONGS = zone(Side.LONG, 94.0, 96.0)


class Scene:
    """A watch with its gate, and who answers /why, on a database in memory."""

    def __init__(self, db: FillingDisk, *, per_hour: int = 12, tick_ms: int = 2_000) -> None:
        self.db = db
        self.clock = StepClock(START_MS)
        self.per_hour = per_hour
        self.engine = Engine(tick_ms=tick_ms)
        self.wire()

    def wire(self) -> None:
        self.bell = Doorbell(self.db, per_hour=self.per_hour)
        self.watch = Watch(
            db=self.db, clock=self.clock, engine=self.engine, on_events=lambda events: None, bell=self.bell
        )
        self.why = Why(
            db=self.db,
            clock=self.clock,
            watch=self.watch,
            exchanges={},
            contract_of=lambda market: Contract("XYZ", 0.01),
        )

    async def restart(self) -> None:
        db = self.db
        self.engine = Engine(await db.rules.all(), await db.alerts.open_tracks(), await db.alerts.states())
        self.wire()
        await self.bell.restore(now_ms=self.clock.now_ms())

    async def watching(self, *percents: float) -> list[Rule]:
        await self.db.chats.seen(1, kind="private", now_ms=START_MS)
        await self.mapped()
        return [(await self.watch.add(near(percent), limit=25)).rule for percent in percents]

    async def mapped(self, slot_ms: int = START_MS, price: float = 100.0) -> None:
        await self.watch.take_map(live([SHORTS, WEAK, LONGS], price=price, slot_ms=slot_ms))

    async def sees(self, price: float, *, after_ms: int = 2_000) -> list[Event]:
        self.clock.step_to(self.clock.now_ms() + after_ms)
        now_ms = self.clock.now_ms()
        return list((await self.watch.take_prices(tick(price, now_ms), now_ms=now_ms)).events)

    async def touched(self) -> list[Event]:
        """Price comes from afar to half a percent below the shorts."""
        await self.sees(101.0)
        return await self.sees(103.5)

    async def sent(self, *, after_ms: int = 0) -> list[Claimed]:
        """Every message that is due by then, sent with ids counting up from 100."""
        found: list[Claimed] = []
        now_ms = self.clock.now_ms() + after_ms
        while rows := await self.db.outbox.claim(now_ms, "test", 1_000, 10):
            for row in rows:
                begun = await self.db.outbox.begin(row, now_ms=now_ms, lease_ms=1)
                assert begun is not None
                await self.db.outbox.sent(begun, message_id=100 + len(found), now_ms=now_ms)
                found.append(row)
        return found

    async def explained(self, rule: Rule) -> WhyView:
        view = await self.why.silent(1, rule.id)
        assert view is not None
        return view


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        yield Scene(db)


async def test_rules_that_fire_at_one_tick_are_one_message_and_each_is_explained(scene: Scene) -> None:
    await scene.watching(1.0, 2.0)
    await scene.sees(101.0)
    assert len(await scene.sees(103.5)) == 2
    assert await scene.sent(after_ms=4_999) == []
    [message] = await scene.sent(after_ms=5_000)
    assert len(message.others) == 1
    views = await scene.why.told(1, 100)
    assert [(view.event.rule_id, view.path[-1].reason) for view in views] == [(1, Reason.TOLD), (2, Reason.GROUPED)]
    assert await scene.why.told(2, 100) == [], "another chat's"
    assert await scene.why.told(1, 999) == []


async def test_over_the_budget_alerts_wait_for_each_other_and_come_as_one(scene: Scene) -> None:
    scene = Scene(scene.db, per_hour=1)
    rules = await scene.watching(0.5, 2.0, 3.0)
    await scene.sees(100.0)
    assert [event.rule_id for event in await scene.sees(101.0)] == [rules[2].id]
    [first] = await scene.sent(after_ms=5_000)
    assert (first.payload["budget"], first.payload["budget_free_ms"]) == (1, scene.clock.now_ms() + HOUR)
    await scene.sees(102.0, after_ms=10_000)
    await scene.sees(103.6, after_ms=10_000)
    assert await scene.sent(after_ms=30 * MINUTE) == []
    await scene.restart()
    hold = scene.bell.hold_of(1, now_ms=scene.clock.now_ms())
    assert hold is not None
    assert (hold.events, hold.reason) == (2, Reason.HELD_BUDGET)
    [later] = await scene.sent(after_ms=HOUR)
    assert (later.held, len(later.others)) == (True, 1)
    assert [entry.reason for entry in await scene.why.lately(1)] == ["held_budget", "held_budget", "told"]


async def test_mute_holds_all_of_a_chat_and_its_end_lets_all_go(scene: Scene) -> None:
    [rule] = await scene.watching(1.0)
    await scene.watch.mute(1, START_MS + 8 * HOUR)
    assert len(await scene.touched()) == 1
    assert await scene.sent(after_ms=HOUR) == []
    assert [entry.reason for entry in (await scene.explained(rule)).log] == [Reason.HELD_MUTED]
    await scene.watch.mute(1, 0)
    [message] = await scene.sent()
    assert message.held
    assert scene.bell.hold_of(1, now_ms=scene.clock.now_ms()) is None


async def test_quiet_hours_hold_until_they_end_also_over_a_restart(scene: Scene) -> None:
    await scene.watching(1.0)
    await scene.watch.set_quiet(1, QuietHours(23 * 60, 7 * 60, "utc+0"))
    await scene.touched()
    await scene.restart()
    assert scene.bell.quiet_hours(1) == QuietHours(23 * 60, 7 * 60, "utc+0")
    assert await scene.sent(after_ms=7 * HOUR - MINUTE) == []
    assert [row.held for row in await scene.sent(after_ms=7 * HOUR)] == [True]


async def test_an_alert_that_could_not_be_stored_is_held_once_it_can(scene: Scene) -> None:
    await scene.watching(1.0)
    await scene.watch.mute(1, START_MS + HOUR)
    await scene.sees(101.0)
    scene.db.full = True
    with pytest.raises(Exception, match="disk is full"):
        await scene.sees(103.5)
    assert scene.bell.hold_of(1, now_ms=scene.clock.now_ms()) is None
    scene.db.full = False
    await scene.sees(103.5)
    hold = scene.bell.hold_of(1, now_ms=scene.clock.now_ms())
    assert hold is not None
    assert hold.events == 1


class TestWhyNot:
    async def reasons(self, scene: Scene, rule: Rule) -> list[Reason]:
        return [silence.reason for silence in (await scene.explained(rule)).now]

    async def test_price_is_too_far_and_a_nearer_cluster_too_weak(self, scene: Scene) -> None:
        [rule] = await scene.watching(1.2)
        await scene.sees(100.0)
        far, weak = (await scene.explained(rule)).now
        assert (far.reason, far.cluster, far.asked) == (Reason.TOO_FAR, SHORTS, 1.2)
        assert far.measured == pytest.approx(3.92, abs=0.01)
        assert (weak.reason, weak.cluster, weak.measured, weak.asked) == (Reason.TOO_WEAK, WEAK, 48.0, 60.0)
        assert weak.distance_pct == pytest.approx(1.005, abs=0.01)

    async def test_it_told_and_waits_until_price_has_left_and_then_cools(self, scene: Scene) -> None:
        [rule] = await scene.watching(1.0)
        await scene.touched()
        told_ms = scene.clock.now_ms()
        [silence] = (await scene.explained(rule)).now
        assert (silence.reason, silence.since_ms) == (Reason.TOLD_ALREADY, told_ms)
        await scene.sees(101.0)
        [silence, *_] = (await scene.explained(rule)).now
        assert (silence.reason, silence.until_ms) == (Reason.COOLING, told_ms + 30 * MINUTE)

    async def test_it_was_true_when_it_was_made(self, scene: Scene) -> None:
        [rule] = await scene.watching(5.0)
        assert (await self.reasons(scene, rule))[0] is Reason.TRUE_WHEN_MADE
        log = await scene.db.decisions.of_rule(rule.id, since_ms=0)
        assert {entry.reason for entry in log} == {Reason.TRUE_WHEN_MADE}

    async def test_it_is_snoozed_and_price_is_stale(self, scene: Scene) -> None:
        [rule] = await scene.watching(1.0)
        await scene.sees(100.0)
        await scene.watch.snooze(1, rule.id, START_MS + HOUR)
        scene.clock.step_to(START_MS + 10 * MINUTE)
        assert (await self.reasons(scene, rule))[:2] == [Reason.SNOOZED, Reason.STALE]
        assert (await scene.explained(rule)).now[0].until_ms == START_MS + HOUR

    async def test_there_is_no_map_or_no_such_rule(self, scene: Scene) -> None:
        rule = (await scene.watch.add(near(1.0), limit=25)).rule
        assert await self.reasons(scene, rule) == [Reason.NO_MAP]
        assert await scene.why.silent(2, rule.id) is None, "another chat's"
        assert await scene.why.silent(1, 99) is None

    async def test_a_cluster_that_was_swept_and_never_told_of_has_its_reason(self, scene: Scene) -> None:
        [rule] = await scene.watching(1.0)
        await scene.watch.snooze(1, rule.id, START_MS + HOUR)
        await scene.sees(101.0)
        await scene.sees(103.5)
        swept = live([LONGS], price=107.0, slot_ms=START_MS + BAR_MS)
        history = replace(swept.history, high=swept.history.close * 1.01)
        scene.clock.step_to(START_MS + BAR_MS)
        await scene.watch.take_map(replace(swept, history=history))
        [passed] = (await scene.explained(rule)).passed
        assert (passed.cluster, passed.silence.reason) == (SHORTS, Reason.SNOOZED)


async def test_a_rule_that_the_breaker_stops_says_so_once_and_to_whoever_asks(scene: Scene) -> None:
    scene.engine = Engine(breaker_firings=1)
    scene.wire()
    [rule] = await scene.watching(1.0)
    await scene.touched()
    alert, notice = await scene.sent(after_ms=5_000)
    assert (alert.payload["kind"], notice.payload["notice"], notice.payload["rule"]) == (
        "proximity",
        "breaker",
        rule.id,
    )
    assert (await scene.explained(rule)).now[0].reason is Reason.PAUSED
    await scene.sees(101.0)
    await scene.sees(103.6)
    assert await scene.sent(after_ms=HOUR) == []
    message = notice_message(notice.payload, Catalogue.load().texts("en"), chat=notice.chat, now_ms=START_MS)
    assert bare(message.text).startswith("Rule #1 for XYZ is paused: it alerted 15 times within 3 minutes.")
    assert [button.data for button in message.buttons[0]] == ["zw|1", "rn"]


async def test_the_log_goes_with_a_group_to_its_new_id(scene: Scene) -> None:
    await scene.watching(1.0)
    await scene.touched()
    await scene.db.chats.migrate(1, -100, now_ms=scene.clock.now_ms())
    assert [entry.reason for entry in await scene.why.lately(-100)] == [Reason.TOLD]


async def test_the_path_of_an_alert_tells_each_step_before_it(scene: Scene) -> None:
    scene = Scene(scene.db, tick_ms=BAR_MS)
    await scene.watching(1.0)
    await scene.touched()
    await scene.sees(101.0)
    for slot in range(1, 8):
        await scene.mapped(START_MS + slot * BAR_MS, price=101.0)
        await scene.sees(101.0, after_ms=BAR_MS)
    assert len(await scene.sees(103.5)) == 1
    first, second = await scene.sent(after_ms=5_000)
    views = await scene.why.told(1, 101)
    assert first.dedupe_key != second.dedupe_key
    assert [entry.reason for entry in views[0].path] == ["told", "left", "rearmed", "told"]


async def test_old_lines_of_the_log_are_swept_away(scene: Scene) -> None:
    await scene.watching(1.0)
    await scene.touched()
    gone = await scene.db.clean(now_ms=scene.clock.now_ms() + 15 * 24 * HOUR)
    assert gone["decisions"] == 1
    assert await scene.why.lately(1) == []
