"""The watch: judge and memory in step, whatever fails between them."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.alerts.engine import Engine
from bot.alerts.types import Changes, Event, Phase
from bot.clock import StepClock
from bot.liquidation import Side
from bot.market.types import BAR_MS
from bot.storage.errors import DiskFullError, RuleLimitError
from bot.storage.slots import Slot
from bot.watch import RECOMPUTE, Added, Watch
from tests.unit.app.scenes import START_MS, XYZ, FillingDisk, live, near, tick, zone

SHORTS = zone(Side.SHORT, 104.0, 106.0)
LONGS = zone(Side.LONG, 94.0, 96.0)


class Scene:
    """A watch on a database in memory, with a clock that each price moves."""

    def __init__(self, db: FillingDisk, engine: Engine | None = None) -> None:
        self.db = db
        self.clock = StepClock(START_MS)
        self.told: list[Event] = []
        self.engine = engine or Engine()
        self.watch = Watch(db=db, clock=self.clock, engine=self.engine, on_events=self._hear)

    def _hear(self, events: Sequence[Event]) -> None:
        self.told.extend(events)

    async def sees(self, price: float, *, after_s: float = 2.0) -> Changes:
        """The next tick."""
        self.clock.step_to(self.clock.now_ms() + int(after_s * 1000))
        now_ms = self.clock.now_ms()
        return await self.watch.take_prices(tick(price, now_ms), now_ms=now_ms)

    async def mapped(self, *, price: float = 100.0, slot_ms: int = START_MS) -> Changes:
        return await self.watch.take_map(live([SHORTS, LONGS], price=price, slot_ms=slot_ms))

    async def watching(self, percent: float = 1.0) -> Added:
        """A first map and one rule."""
        await self.mapped()
        return await self.watch.add(near(percent), limit=25)

    async def queued(self) -> int:
        return sum((await self.db.outbox.counts()).values())


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        yield Scene(db)


async def restarted(scene: Scene) -> Scene:
    """Another process on the same database."""
    db = scene.db
    engine = Engine(await db.rules.all(), await db.alerts.open_tracks(), await db.alerts.states())
    after = Scene(db, engine)
    after.clock.step_to(scene.clock.now_ms())
    return after


async def test_an_alert_is_stored_with_its_state_and_told_once(scene: Scene) -> None:
    added = await scene.watching()
    assert await scene.sees(101.0) == Changes()
    changes = await scene.sees(103.5)
    [event] = changes.events
    assert (event.rule_id, event.market, event.price, event.episode) == (added.rule.id, XYZ, 103.5, 1)
    assert event.cluster is not None
    assert event.cluster.side is Side.SHORT
    assert scene.told == [event]
    assert await scene.queued() == 1
    [state] = await scene.db.alerts.states_of(added.rule.id)
    assert (state.phase, state.fired_ms) == (Phase.FIRED, scene.clock.now_ms())
    assert (await scene.sees(103.6)).events == ()
    assert await scene.queued() == 1


async def test_a_commit_that_fails_leaves_all_as_it_was_and_the_next_tick_tells_once(scene: Scene) -> None:
    added = await scene.watching()
    await scene.sees(101.0)
    scene.db.full = True
    for price in (103.5, 103.6):
        with pytest.raises(DiskFullError):
            await scene.sees(price)
    assert scene.told == []
    assert await scene.queued() == 0
    assert (await scene.db.alerts.states_of(added.rule.id)) == []
    scene.db.full = False
    assert len((await scene.sees(103.7)).events) == 1
    assert (await scene.sees(103.8)).events == ()
    assert [event.price for event in scene.told] == [103.7]
    assert await scene.queued() == 1


async def test_a_map_that_could_not_be_stored_is_judged_again_whole(scene: Scene) -> None:
    scene.db.full = True
    with pytest.raises(DiskFullError):
        await scene.mapped()
    assert scene.watch.tracks(XYZ) == ()
    scene.db.full = False
    changes = await scene.mapped()
    assert len(changes.tracks) == 2
    assert scene.watch.tracks(XYZ) == tuple(changes.tracks)


async def test_the_same_slot_twice_changes_nothing(scene: Scene) -> None:
    await scene.watching()
    slot = Slot(RECOMPUTE, START_MS, XYZ)
    assert await scene.db.slots.is_done(slot)
    before = scene.watch.tracks(XYZ)
    assert await scene.mapped(price=99.0) == Changes()
    assert scene.watch.tracks(XYZ) == before
    assert await scene.db.slots.is_done(slot)
    later = await scene.mapped(slot_ms=START_MS + BAR_MS)
    assert {track.id for track in later.tracks} == {track.id for track in before}


async def test_a_restart_goes_on_where_the_last_process_stopped(scene: Scene) -> None:
    await scene.watching()
    await scene.sees(101.0)
    assert len((await scene.sees(103.5)).events) == 1
    after = await restarted(scene)
    assert after.watch.markets() == [XYZ]
    assert {track.id for track in after.watch.tracks(XYZ)} == {track.id for track in scene.watch.tracks(XYZ)}
    await after.mapped(slot_ms=START_MS + BAR_MS)
    for price in (103.5, 103.4):
        assert (await after.sees(price)).events == ()
    assert await after.queued() == 1


async def test_what_a_new_rule_finds_true_already_is_its_answer_and_no_alert(scene: Scene) -> None:
    await scene.mapped()
    added = await scene.watch.add(near(5.0), limit=25)
    assert not added.existed
    assert added.look.already is not None
    assert added.look.already.cluster == SHORTS
    assert (await scene.sees(100.1)).events == ()
    assert await scene.queued() == 0


async def test_the_same_rule_again_is_found_and_judged_once(scene: Scene) -> None:
    first = await scene.watching()
    again = await scene.watch.add(near(1.0), limit=25)
    assert (again.existed, again.rule) == (True, first.rule)
    await scene.sees(101.0)
    assert len((await scene.sees(103.5)).events) == 1


async def test_a_rule_whose_first_state_could_not_be_stored_is_judged_when_it_is_asked_for_again(scene: Scene) -> None:
    await scene.mapped()
    scene.db.full = True
    with pytest.raises(DiskFullError):
        await scene.watch.add(near(1.0), limit=25)
    assert scene.watch.markets() == []
    scene.db.full = False
    again = await scene.watch.add(near(1.0), limit=25)
    assert again.existed
    assert scene.watch.markets() == [XYZ]
    await scene.sees(101.0)
    assert len((await scene.sees(103.5)).events) == 1


async def test_beyond_its_limit_a_chat_gets_no_rule(scene: Scene) -> None:
    await scene.mapped()
    for percent in (1.0, 2.0):
        await scene.watch.add(near(percent), limit=2)
    with pytest.raises(RuleLimitError):
        await scene.watch.add(near(3.0), limit=2)
    assert len(await scene.watch.rules_of(1)) == 2
    await scene.watch.add(near(3.0, chat=2), limit=2)


async def test_a_removed_rule_is_silent_and_comes_back_without_news(scene: Scene) -> None:
    rule = (await scene.watching()).rule
    assert await scene.watch.remove(2, rule.id) is None, "another chat's"
    assert await scene.watch.remove(1, rule.id) == rule
    await scene.sees(101.0)
    assert (await scene.sees(103.5)).events == ()
    assert await scene.watch.restore(1, rule.id, removed_since_ms=START_MS) == rule
    assert (await scene.sees(103.6)).events == ()
    assert scene.watch.markets() == [XYZ]
    assert await scene.queued() == 0


async def test_a_rule_removed_too_long_ago_does_not_come_back(scene: Scene) -> None:
    rule = (await scene.watching()).rule
    await scene.watch.remove(1, rule.id)
    assert await scene.watch.restore(1, rule.id, removed_since_ms=START_MS + 1) is None
    assert scene.watch.markets() == []


async def test_a_snoozed_rule_waits(scene: Scene) -> None:
    rule = (await scene.watching()).rule
    await scene.sees(101.0)
    snoozed = await scene.watch.snooze(1, rule.id, START_MS + 60_000)
    assert snoozed is not None
    assert (await scene.sees(103.5)).events == ()
    assert len((await scene.sees(103.5, after_s=61)).events) == 1


async def test_stored_rules_are_followed_wherever_they_changed(scene: Scene) -> None:
    kept, gone = (await scene.watching()).rule, (await scene.watch.add(near(2.0, chat=2), limit=25)).rule
    await scene.db.rules.remove(2, gone.id, now_ms=START_MS)
    new, _ = await scene.db.rules.add(near(1.0, chat=3))
    await scene.db.rules.snooze(1, kept.id, START_MS + 3_600_000)
    await scene.watch.follow_stored_rules()
    assert scene.engine.rule_ids() == {kept.id, new.id}
    await scene.sees(101.0)
    assert [event.chat for event in (await scene.sees(103.5)).events] == [3]


async def test_the_rules_of_a_chat_that_left_are_followed_no_more_and_again_when_it_is_back(scene: Scene) -> None:
    rule = (await scene.watching()).rule
    await scene.db.chats.deactivate(1, "blocked", now_ms=scene.clock.now_ms())
    await scene.watch.follow_stored_rules()
    assert scene.engine.rule_ids() == frozenset()
    await scene.sees(101.0)
    assert (await scene.sees(103.5)).events == ()
    await scene.db.chats.seen(1, kind="private", now_ms=scene.clock.now_ms())
    await scene.watch.follow_stored_rules()
    assert scene.engine.rule_ids() == {rule.id}
    assert (await scene.sees(103.6)).events == (), "what is true on return is not news"
