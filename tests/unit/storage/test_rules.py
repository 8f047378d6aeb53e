"""Rules of chats."""

import pytest

from bot.alerts.types import Changes, Kind
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.storage.database import Database
from bot.storage.errors import RuleLimitError
from tests.unit.storage.values import BTC, NOW, rule


async def test_a_rule_comes_back_as_it_was_stored(db: Database) -> None:
    asked = rule(kind=Kind.GROWTH, threshold_pct=20, window_ms=3_600_000, side=Side.SHORT, min_usd=5e6, min_strength=40)
    stored, existed = await db.rules.add(asked)
    assert not existed
    assert stored == replace(asked, id=stored.id)
    assert await db.rules.get(1, stored.id) == stored
    assert await db.rules.of_chat(1) == [stored]
    assert isinstance(stored.threshold_pct, float)


async def test_the_same_rule_again_is_found_not_doubled(db: Database) -> None:
    first, _ = await db.rules.add(rule(min_usd=None))
    again, existed = await db.rules.add(rule(min_usd=None, created_ms=NOW + 5))
    assert (again, existed) == (first, True)
    _, existed = await db.rules.add(rule(min_usd=1.0))
    assert not existed


async def test_a_chat_may_have_so_many_rules_and_no_more(db: Database) -> None:
    await db.rules.add(rule(threshold_pct=1), limit=2)
    await db.rules.add(rule(threshold_pct=2), limit=2)
    with pytest.raises(RuleLimitError) as refused:
        await db.rules.add(rule(threshold_pct=3), limit=2)
    assert refused.value.limit == 2
    _, existed = await db.rules.add(rule(threshold_pct=2), limit=2)
    assert existed
    await db.rules.add(rule(chat=2, threshold_pct=3), limit=2)


async def test_a_rule_of_another_chat_is_never_found(db: Database) -> None:
    mine, _ = await db.rules.add(rule(chat=1))
    assert await db.rules.get(2, mine.id) is None
    assert await db.rules.remove(2, mine.id, now_ms=NOW) is None
    assert await db.rules.snooze(2, mine.id, NOW) is None
    assert await db.rules.restore(2, mine.id, removed_since_ms=0) is None
    assert await db.rules.of_chat(1) == [mine]


async def test_a_removed_rule_can_be_restored_for_a_while(db: Database) -> None:
    made, _ = await db.rules.add(rule())
    assert await db.rules.remove(1, made.id, now_ms=NOW) == made
    assert await db.rules.remove(1, made.id, now_ms=NOW) is None
    assert await db.rules.all() == []
    assert await db.rules.restore(1, made.id, removed_since_ms=NOW + 1) is None
    assert await db.rules.restore(1, made.id, removed_since_ms=NOW) == made
    assert await db.rules.all() == [made]


async def test_an_id_is_never_given_twice(db: Database) -> None:
    first, _ = await db.rules.add(rule())
    await db.rules.remove(1, first.id, now_ms=NOW)
    await db.clean(now_ms=NOW + 10 * 86_400_000)
    assert await db.rules.restore(1, first.id, removed_since_ms=0) is None
    second, _ = await db.rules.add(rule())
    assert second.id > first.id


async def test_zero_wakes_a_snoozed_or_paused_rule(db: Database) -> None:
    made, _ = await db.rules.add(rule(paused_reason="too_often"))
    snoozed = await db.rules.snooze(1, made.id, NOW)
    assert snoozed == replace(made, snoozed_until_ms=NOW)
    assert await db.rules.snooze(1, made.id, 0) == replace(made, paused_reason=None)


async def test_rules_of_chats_that_are_away_are_kept_but_not_listed(db: Database) -> None:
    mine, _ = await db.rules.add(rule(chat=1))
    other, _ = await db.rules.add(rule(chat=2, market=BTC))
    await db.chats.deactivate(1, "blocked", now_ms=NOW)
    assert await db.rules.all() == [other]
    assert await db.rules.of_chat(1) == [mine]
    await db.chats.seen(1, kind="private", now_ms=NOW)
    assert await db.rules.all() == [mine, other]


async def test_sql_in_a_symbol_is_just_a_symbol(db: Database) -> None:
    made, _ = await db.rules.add(rule(market=BTC._replace(symbol="x'); DROP TABLE rules; --")))
    assert await db.rules.all() == [made]


async def test_an_edited_rule_is_rewritten_but_for_its_chat(db: Database) -> None:
    made, _ = await db.rules.add(rule())
    wanted = replace(made, threshold_pct=3.5, label="mine", min_usd=None, side=Side.LONG, snoozed_until_ms=NOW + 1)
    await db.commit_changes(Changes(), edited=(replace(wanted, chat=99),))
    assert await db.rules.of_chat(1) == [wanted]


async def test_a_twin_is_another_living_rule_of_the_chat_that_asks_for_the_same(db: Database) -> None:
    one, _ = await db.rules.add(rule(threshold_pct=1))
    two, _ = await db.rules.add(rule(threshold_pct=2))
    await db.rules.add(rule(chat=2, threshold_pct=3))
    assert await db.rules.twin(one) is None
    assert await db.rules.twin(replace(two, threshold_pct=1, label="other")) == one
    assert await db.rules.twin(replace(two, threshold_pct=3)) is None
    await db.rules.remove(1, one.id, now_ms=NOW)
    assert await db.rules.twin(replace(two, threshold_pct=1)) is None


async def test_a_chat_that_removed_its_only_rule_has_had_one(db: Database) -> None:
    assert await db.rules.none_ever(1)
    made, _ = await db.rules.add(rule())
    await db.rules.remove(1, made.id, now_ms=NOW)
    assert not await db.rules.none_ever(1)
    assert await db.rules.none_ever(2)
