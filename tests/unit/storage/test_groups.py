"""Rows that go out in another's message: one claim, one end, and nothing lost on the way."""

import pytest

from bot.storage.database import Database
from bot.storage.outbox import Claimed, OutboxRow
from tests.unit.storage.values import NOW

LEASE = 60_000


def alert(key: str, *, lead: str = "", chat: int = 1, due_ms: int = NOW + 5_000, held: bool = False) -> OutboxRow:
    return OutboxRow(key, chat, {"text": key}, created_ms=NOW, due_ms=due_ms, lead=lead, held=held)


async def claim(db: Database, now_ms: int) -> list[Claimed]:
    return list(await db.outbox.claim(now_ms, "me", LEASE, 100))


async def begun(db: Database, now_ms: int = NOW + 5_000) -> Claimed:
    [claimed] = await claim(db, now_ms)
    row = await db.outbox.begin(claimed, now_ms=now_ms, lease_ms=LEASE)
    assert row is not None
    return row


async def states(db: Database, *keys: str) -> list[str]:
    return [fate.state for key in keys if (fate := await db.outbox.fate(key)) is not None]


async def test_those_of_a_group_are_claimed_as_one_in_order(db: Database) -> None:
    await db.outbox.add([alert("a"), alert("b", lead="a"), alert("c", lead="a")])
    [claimed] = await claim(db, NOW + 5_000)
    assert claimed.dedupe_key == "a"
    assert [payload["text"] for payload in claimed.others] == ["b", "c"]
    assert "others" not in repr(claimed)


async def test_one_joins_until_the_message_is_claimed_and_then_goes_by_itself(db: Database) -> None:
    await db.outbox.add([alert("a")])
    assert (await claim(db, NOW + 4_999)) == []
    await db.outbox.add([alert("b", lead="a")])
    [first] = await claim(db, NOW + 5_000)
    await db.outbox.add([alert("late", lead="a")])
    assert [payload["text"] for payload in first.others] == ["b"]
    row = await db.outbox.begin(first, now_ms=NOW, lease_ms=LEASE)
    assert row is not None
    await db.outbox.sent(row, message_id=5, now_ms=NOW + 5_001)
    [after] = await claim(db, NOW + 5_002)
    assert (after.dedupe_key, after.others) == ("late", ())


async def test_none_joins_what_may_have_gone_out_already(db: Database) -> None:
    await db.outbox.add([alert("a")])
    row = await begun(db)
    await db.outbox.doubt(row, due_ms=NOW + 9_000, error="no answer")
    await db.outbox.add([alert("b", lead="a")])
    [again] = await claim(db, NOW + 9_000)
    assert (again.dedupe_key, again.repeat, again.others) == ("a", True, ())


async def test_an_urgent_one_brings_the_message_forward(db: Database) -> None:
    await db.outbox.add([alert("a")])
    await db.outbox.add([alert("b", lead="a", due_ms=NOW + 1_000)])
    [claimed] = await claim(db, NOW + 1_000)
    assert len(claimed.others) == 1


async def test_a_message_delivered_is_the_delivery_of_all_its_events(db: Database) -> None:
    await db.outbox.add([alert("a"), alert("b", lead="a")])
    row = await begun(db)
    assert await states(db, "a", "b") == ["sending", "ready"]
    await db.outbox.sent(row, message_id=77, now_ms=NOW + 6_000)
    for key in ("a", "b"):
        fate = await db.outbox.fate(key)
        assert fate is not None
        assert (fate.state, fate.message_id) == ("sent", 77)
    assert await db.told.keys_of(1, 77) == ["a", "b"]
    assert await db.told.keys_of(2, 77) == []
    assert await db.told.payload(1, "b") == {"text": "b"}
    assert await db.told.payload(2, "b") is None
    assert not await db.outbox.waiting(now_ms=NOW + 10**9)


async def test_a_repeat_tells_of_the_same_events_again(db: Database) -> None:
    await db.outbox.add([alert("a"), alert("b", lead="a")])
    row = await begun(db)
    await db.outbox.doubt(row, due_ms=NOW + 9_000, error="no answer")
    [again] = await claim(db, NOW + 9_000)
    assert again.repeat
    assert [payload["text"] for payload in again.others] == ["b"]


async def test_what_ends_a_message_ends_all_its_events_with_the_reason(db: Database) -> None:
    await db.outbox.add([alert("a"), alert("b", lead="a")])
    await db.outbox.bury(await begun(db), error="chat not found", now_ms=NOW)
    assert await states(db, "a", "b") == ["dead", "dead"]


async def test_a_chat_that_left_takes_its_group_along(db: Database) -> None:
    await db.chats.seen(1, kind="private", now_ms=NOW)
    await db.outbox.add([alert("a"), alert("b", lead="a")])
    assert await db.chats.deactivate(1, "blocked", now_ms=NOW) == 2
    assert await states(db, "a", "b") == ["dead", "dead"]


async def test_a_group_moves_with_its_chat(db: Database) -> None:
    await db.chats.seen(1, kind="group", now_ms=NOW)
    await db.outbox.add([alert("a"), alert("b", lead="a")])
    await db.chats.migrate(1, 2, now_ms=NOW)
    [claimed] = await claim(db, NOW + 5_000)
    assert (claimed.chat, len(claimed.others)) == (2, 1)


async def test_a_group_of_another_chat_is_not_joined(db: Database) -> None:
    await db.outbox.add([alert("a"), alert("b", lead="a", chat=2)])
    assert [(row.dedupe_key, row.others) for row in await claim(db, NOW + 5_000)] == [("a", ()), ("b", ())]


async def test_the_same_event_again_joins_nothing_twice(db: Database) -> None:
    assert await db.outbox.add([alert("a"), alert("b", lead="a")]) == 2
    assert await db.outbox.add([alert("a"), alert("b", lead="a"), alert("b", lead="a")]) == 0
    [claimed] = await claim(db, NOW + 5_000)
    assert len(claimed.others) == 1


async def test_a_dead_letter_of_a_group_gets_its_second_chance_by_itself(db: Database) -> None:
    await db.outbox.add([alert("a"), alert("b", lead="a")])
    await db.outbox.bury(await begun(db), error="chat not found", now_ms=NOW)
    assert len(await db.outbox_desk.requeue(await db.outbox_desk.dead(), now_ms=NOW)) == 2
    [first] = await claim(db, NOW)
    assert (first.dedupe_key, first.others) == ("a", ())
    await db.outbox.bury(first, error="chat not found", now_ms=NOW)
    assert [(row.dedupe_key, row.others) for row in await claim(db, NOW)] == [("b", ())]


async def test_an_operator_who_drops_a_message_drops_all_its_events(db: Database) -> None:
    await db.outbox.add([alert("a"), alert("b", lead="a"), alert("c")])
    assert await db.outbox_desk.drop([1], now_ms=NOW) == [1, 2]
    assert [row.dedupe_key for row in await claim(db, NOW + 5_000)] == ["c"]


async def test_what_is_being_sent_is_not_dropped_nor_is_any_event_in_it(db: Database) -> None:
    await db.outbox.add([alert("a"), alert("b", lead="a")])
    await begun(db)
    assert await db.outbox_desk.drop([1, 2], now_ms=NOW) == []


class TestHeld:
    async def test_what_waits_on_purpose_keeps_nobody_back_until_it_is_due(self, db: Database) -> None:
        await db.outbox.add([alert("h", due_ms=NOW + 60_000, held=True)])
        await db.outbox.add([alert("i", lead="h", due_ms=NOW + 60_000, held=True), alert("a")])
        await db.outbox.sent(await begun(db), message_id=1, now_ms=NOW + 5_000)
        assert await states(db, "a", "h", "i") == ["sent", "ready", "ready"]
        [claimed] = await claim(db, NOW + 60_000)
        assert (claimed.dedupe_key, claimed.held, len(claimed.others)) == ("h", True, 1)

    async def test_once_due_it_goes_before_those_behind_it(self, db: Database) -> None:
        await db.outbox.add([alert("h", due_ms=NOW + 60_000, held=True), alert("a", due_ms=NOW + 60_000)])
        assert [row.dedupe_key for row in await claim(db, NOW + 60_000)] == ["h"]

    async def test_it_is_known_how_many_wait_since_when_and_until_when(self, db: Database) -> None:
        await db.outbox.add([alert("h", due_ms=NOW + 60_000, held=True)])
        await db.outbox.add([alert("i", lead="h", due_ms=NOW + 60_000, held=True), alert("a", chat=2)])
        held = await db.told.held(1)
        assert held is not None
        assert (held.dedupe_key, held.since_ms, held.due_ms, held.events) == ("h", NOW, NOW + 60_000, 2)
        assert await db.told.holds() == [held]
        assert await db.told.held(2) is None

    async def test_it_can_be_let_go_early_but_not_once_it_is_on_its_way(self, db: Database) -> None:
        await db.outbox.add([alert("h", due_ms=NOW + 60_000, held=True)])
        assert not await db.told.reschedule(2, "h", due_ms=NOW)
        assert await db.told.reschedule(1, "h", due_ms=NOW + 1)
        await begun(db, NOW + 1)
        assert not await db.told.reschedule(1, "h", due_ms=NOW + 60_000)
        assert await db.told.held(1) is None

    @pytest.mark.parametrize("held", [True, False])
    async def test_an_event_never_joins_what_waits_otherwise_than_it(self, db: Database, held: bool) -> None:
        await db.outbox.add([alert("a", held=held), alert("b", lead="a", held=not held)])
        assert await db.outbox.fate("b") is not None
        claimed = await claim(db, NOW + 5_000)
        assert [row.others for row in claimed] == [()]
