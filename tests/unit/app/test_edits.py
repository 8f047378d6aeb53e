"""An edited rule keeps its number and what it has told: no alert comes twice of it, and none gets lost by it."""

from collections.abc import AsyncIterator

import pytest

from bot.alerts.reasons import Reason
from bot.alerts.types import Phase, Repeat, Rule
from bot.liquidation import Side
from bot.liquidation.values import replace
from bot.market.types import BAR_MS
from bot.storage.errors import DiskFullError
from tests.unit.app.scenes import START_MS, FillingDisk, near
from tests.unit.app.test_watch import Scene, restarted


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        yield Scene(db)


async def told_at_one_percent(scene: Scene) -> Rule:
    """A rule of 1 % that has just told of the shorts at 104, price being 0.48 % away."""
    rule = (await scene.watching(1.0)).rule
    await scene.sees(101.0)
    assert len((await scene.sees(103.5)).events) == 1
    return rule


async def stays(scene: Scene, price: float, *, minutes: int) -> None:
    """Price stands still so long, at two ticks a minute, with a map at each slot."""
    for half in range(2 * minutes):
        assert (await scene.sees(price, after_s=30.0)).events == ()
        if half % 10 == 9:
            await scene.mapped(price=price, slot_ms=scene.clock.now_ms() // BAR_MS * BAR_MS)


async def edited(scene: Scene, rule: Rule, **changes: object) -> Rule:
    done = await scene.watch.edit(replace(rule, **changes))  # type: ignore[arg-type]
    assert done is not None
    assert not done.existed
    assert done.rule.id == rule.id
    return done.rule


@pytest.mark.parametrize("changes", [{"threshold_pct": 2.0}, {"min_usd": 1e6}, {"side": Side.SHORT}, {"label": "mine"}])
async def test_what_was_told_is_not_told_again_after_an_edit(scene: Scene, changes: dict[str, object]) -> None:
    rule = await edited(scene, await told_at_one_percent(scene), **changes)
    for price in (103.5, 103.6, 103.4):
        assert (await scene.sees(price)).events == ()
    assert await scene.watch.rules_of(1) == [rule]
    after = await restarted(scene)
    assert after.watch.rules() == (rule,)


async def test_a_nearer_distance_is_told_of_at_once_when_price_gets_there(scene: Scene) -> None:
    await edited(scene, await told_at_one_percent(scene), threshold_pct=0.3)
    assert (await scene.sees(103.5)).events == ()
    assert len((await scene.sees(103.8)).events) == 1
    assert await scene.queued() == 2


async def test_a_wider_distance_that_is_true_already_is_the_answer_and_no_alert(scene: Scene) -> None:
    rule = (await scene.watching(1.0)).rule
    await scene.sees(102.0)
    done = await scene.watch.edit(replace(rule, threshold_pct=3.0))
    assert done is not None
    assert done.look.already is not None
    assert (await scene.sees(102.1)).events == ()
    [entry] = await scene.db.decisions.of_rule(rule.id, since_ms=0)
    assert entry.reason is Reason.TRUE_WHEN_MADE


async def test_an_edit_neither_ends_a_cooldown_nor_forgets_that_price_left(scene: Scene) -> None:
    rule = await told_at_one_percent(scene)
    await scene.sees(101.0)
    await edited(scene, rule, threshold_pct=1.2)
    assert (await scene.sees(103.5)).events == (), "told of two minutes ago"
    await scene.sees(101.0)
    await stays(scene, 101.0, minutes=60)
    assert len((await scene.sees(103.5)).events) == 1


async def test_what_was_kept_back_by_a_snooze_is_told_after_it_in_spite_of_an_edit(scene: Scene) -> None:
    rule = (await scene.watching(1.0)).rule
    await scene.sees(101.0)
    await scene.watch.snooze(1, rule.id, START_MS + 60_000)
    assert (await scene.sees(103.5)).events == ()
    changed = await edited(scene, rule, label="mine")
    assert changed.snoozed_until_ms == START_MS + 60_000, "the snooze that came after the page was read stays"
    assert len((await scene.sees(103.5, after_s=61)).events) == 1


async def test_a_rule_that_told_once_runs_again_when_it_shall_tell_more_than_once(scene: Scene) -> None:
    await scene.mapped()
    await scene.watch.add(near(1.0, repeat=Repeat.ONCE), limit=25)
    await scene.sees(101.0)
    assert len((await scene.sees(103.5)).events) == 1
    [told] = await scene.watch.rules_of(1)
    assert told.paused_reason == "once"
    nearer = await edited(scene, told, threshold_pct=0.2)
    assert nearer.paused_reason == "once", "another distance does not start it"
    again = await edited(scene, nearer, repeat=Repeat.EPISODE, threshold_pct=1.0)
    assert again.paused_reason is None
    assert (await scene.sees(103.6)).events == (), "what is true then is no news"
    await scene.sees(101.0)
    await stays(scene, 101.0, minutes=60)
    assert len((await scene.sees(103.5)).events) == 1


async def test_an_edit_into_a_rule_that_is_there_already_changes_nothing(scene: Scene) -> None:
    one = (await scene.watching(1.0)).rule
    two = (await scene.watch.add(near(2.0), limit=25)).rule
    done = await scene.watch.edit(replace(two, threshold_pct=1.0))
    assert done is not None
    assert (done.existed, done.rule) == (True, one)
    assert await scene.watch.rules_of(1) == [one, two]


async def test_no_chat_edits_or_stops_the_rule_of_another(scene: Scene) -> None:
    rule = (await scene.watching(1.0)).rule
    assert await scene.watch.edit(replace(rule, chat=2, threshold_pct=5.0)) is None
    assert await scene.watch.stop(2, rule.id, "by_hand") is None
    assert await scene.watch.rules_of(1) == [rule]


async def test_an_edit_that_cannot_be_stored_leaves_the_rule_as_it_was(scene: Scene) -> None:
    rule = (await scene.watching(1.0)).rule
    scene.db.full = True
    with pytest.raises(DiskFullError):
        await scene.watch.edit(replace(rule, threshold_pct=5.0))
    scene.db.full = False
    assert scene.watch.rules() == (rule,)
    assert await scene.watch.rules_of(1) == [rule]


async def test_a_rule_stopped_by_hand_says_nothing_until_it_is_woken(scene: Scene) -> None:
    rule = (await scene.watching(1.0)).rule
    await scene.sees(101.0)
    stopped = await scene.watch.stop(1, rule.id, "by_hand")
    assert stopped == replace(rule, paused_reason="by_hand")
    assert (await scene.sees(103.5)).events == ()
    assert await scene.watch.snooze(1, rule.id, 0) == rule
    assert len((await scene.sees(103.5)).events) == 1


async def test_an_edit_of_the_measure_starts_as_a_new_rule_does(scene: Scene) -> None:
    rule = await told_at_one_percent(scene)
    grew = replace(rule, kind=near(1.0).kind.GROWTH, threshold_pct=10.0, window_ms=4 * 3_600_000)
    assert (await edited(scene, rule, kind=grew.kind, threshold_pct=10.0, window_ms=grew.window_ms)) == grew
    states = await scene.db.alerts.states_of(rule.id)
    assert {state.phase for state in states} <= {Phase.ARMED, Phase.FIRED}
