"""Slots, updates, single facts, and the broom."""

from bot.alerts.types import Changes, CloseReason, Phase
from bot.storage.database import Database
from bot.storage.series import DAY_MS
from bot.storage.slots import Slot
from bot.storage.updates import Update
from tests.unit.storage.values import BTC, NOW, ZRX, row, rule, state, track


async def test_a_slot_is_done_once(db: Database) -> None:
    slot = Slot("recompute", NOW, ZRX)
    assert not await db.slots.is_done(slot)
    assert await db.slots.mark(slot, now_ms=NOW)
    assert not await db.slots.mark(slot, now_ms=NOW)
    assert await db.slots.is_done(slot)
    for other in (Slot("digest", NOW), slot._replace(market=BTC), slot._replace(slot_ms=NOW + 1)):
        assert not await db.slots.is_done(other)


async def test_an_update_waits_until_it_is_handled_and_is_not_taken_twice(db: Database) -> None:
    first, second = Update(11, 1, '{"text":"/rules"}'), Update(12, None, "{}")
    assert await db.updates.store([first, second], now_ms=NOW) == [11, 12]
    assert await db.updates.store([second, Update(13, 1, "{}")], now_ms=NOW) == [13]
    await db.updates.handled(12, now_ms=NOW)
    assert await db.updates.waiting() == [first, Update(13, 1, "{}")]
    assert await db.updates.store([second], now_ms=NOW) == []


async def test_a_single_fact_is_kept_replaced_and_removed(db: Database) -> None:
    assert await db.kv.get("binance.banned_until_ms", 0) == 0
    for value in (NOW, [1, "二"], None):
        await db.kv.set("binance.banned_until_ms", value)
        assert await db.kv.get("binance.banned_until_ms") == value
    await db.kv.remove("binance.banned_until_ms")
    assert await db.kv.get("binance.banned_until_ms", 5) == 5


async def test_the_broom_takes_what_is_over_and_nothing_else(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    old, _ = await db.rules.add(rule(market=BTC))
    states = (
        state(kept.id, phase=Phase.CLOSED, last_ms=NOW),
        state(kept.id, "t2", last_ms=1),
        state(old.id, phase=Phase.FIRED),
    )
    tracks = (track("t1", closed=CloseReason.FADED), track("t2"))
    await db.commit_changes(
        Changes(states=states, tracks=tracks), [row("waiting")], slots=[Slot("digest", NOW)], now_ms=NOW
    )
    await db.outbox.add([row(f"gone {i}", chat=9) for i in range(1200)])
    await db.chats.deactivate(9, "blocked", now_ms=NOW)
    await db.updates.store([Update(1, 1, "{}"), Update(2, 1, "{}")], now_ms=NOW)
    await db.updates.handled(1, now_ms=NOW)
    await db.rules.remove(1, old.id, now_ms=NOW)
    await db.broadcasts.draft("hello", now_ms=NOW)
    assert not any((await db.clean(now_ms=NOW)).values())
    gone = await db.clean(now_ms=NOW + 400 * DAY_MS)
    assert {name: count for name, count in gone.items() if count} == {
        "broadcasts": 1,
        "outbox": 1200,
        "rule_states": 1,
        "rules": 1,
        "slots": 1,
        "tracks": 1,
        "updates": 1,
    }
    assert await db.outbox.counts() == {"ready": 1}
    assert await db.alerts.states() == [state(kept.id, "t2", last_ms=1)]
    assert await db.alerts.open_tracks() == [track("t2")]
    assert [update.id for update in await db.updates.waiting()] == [2]


async def test_a_chat_speaks_for_one_of_its_channels_at_most(db: Database) -> None:
    for channel in (-1001, -1002):
        await db.chats.seen(channel, kind="channel", now_ms=NOW)
        assert await db.links.add(7, channel)
    assert not await db.links.add(7, -1001)
    assert not await db.links.add(7, -1003), "a channel that the bot is not in"
    assert await db.links.of(7) == [-1002, -1001]
    assert await db.links.speaks_for(7) is None
    for channel in (-1001, -1002):
        assert await db.links.speak_for(7, channel)
        assert await db.links.speaks_for(7) == channel
    assert not await db.links.speak_for(7, -1003)
    assert await db.links.speaks_for(7) is None
    await db.links.speak_for(7, -1001)
    await db.chats.deactivate(-1001, "the bot was kicked", now_ms=NOW)
    assert await db.links.of(7) == [-1002]
    await db.links.remove(7, -1001)
    assert await db.links.speaks_for(7) is None


async def test_who_is_turned_away_hears_nothing_more_until_let_in_again(db: Database) -> None:
    made, _ = await db.rules.add(rule(chat=7))
    await db.outbox.add([row("waits", 7)])
    await db.guests.decide(7, allowed=False, now_ms=NOW)
    assert await db.guests.all() == {7: False}
    assert await db.rules.all() == []
    assert [kept.id for kept in await db.rules.of_chat(7)] == [made.id]
    fate = await db.outbox.fate("waits")
    assert fate is not None
    assert (fate.state, fate.last_error) == ("dead", "turned away by an operator")
    await db.guests.decide(7, allowed=True, now_ms=NOW)
    assert [kept.id for kept in await db.rules.all()] == [made.id]


async def test_chats_that_spoke_lately_are_counted_once_each(db: Database) -> None:
    for number, chat in enumerate((7, 7, 8, 9)):
        await db.updates.store([Update(number, chat, "{}")], now_ms=NOW - number * 1000)
    assert await db.updates.speakers(since_ms=NOW - 2000) == 2
    assert await db.updates.speakers(since_ms=NOW - 3000) == 3


async def test_a_broadcast_reaches_each_chat_once_and_no_channel_nor_who_left_or_was_turned_away(db: Database) -> None:
    for chat, kind in (
        (-5, "group"),
        (-1001, "channel"),
        (3, "private"),
        (4, "private"),
        (5, "private"),
        (6, "private"),
    ):
        await db.chats.seen(chat, kind=kind, now_ms=NOW)
    await db.chats.deactivate(4, "blocked", now_ms=NOW)
    await db.guests.decide(6, allowed=False, now_ms=NOW)
    old = await db.broadcasts.draft("forgotten", now_ms=NOW)
    draft = await db.broadcasts.draft("hello", now_ms=NOW)
    assert (draft.stage, draft.chats, draft.told) == ("draft", 3, 0)
    assert await db.broadcasts.queue_next(10, now_ms=NOW) == 0, "nothing goes out unconfirmed"
    assert await db.broadcasts.confirm(old.id) is None
    assert await db.broadcasts.confirm(draft.id) is not None
    assert await db.broadcasts.confirm(draft.id) is None, "nor twice"
    assert [await db.broadcasts.queue_next(2, now_ms=NOW) for _ in range(3)] == [2, 1, 0]
    known = await db.broadcasts.newest()
    assert known is not None
    assert (known.stage, known.waiting) == ("queued", 3)
    claimed = await db.outbox.claim(NOW, "me", 60_000, 10)
    assert sorted(one.chat for one in claimed) == [-5, 3, 5]
    assert {one.payload["text"] for one in claimed} == {"hello"}


async def test_a_cancelled_broadcast_takes_back_what_was_not_tried_and_counts_who_has_it(db: Database) -> None:
    for chat in (1, 2, 3, 4):
        await db.chats.seen(chat, kind="private", now_ms=NOW)
    draft = await db.broadcasts.draft("hello", now_ms=NOW)
    await db.broadcasts.confirm(draft.id)
    await db.broadcasts.queue_next(3, now_ms=NOW)
    first, second = await db.outbox.claim(NOW, "me", 60_000, 2)
    begun = await db.outbox.begin(first, now_ms=NOW, lease_ms=60_000)
    assert begun is not None
    await db.outbox.sent(begun, message_id=9, now_ms=NOW)
    stopped = await db.broadcasts.cancel(draft.id)
    assert stopped is not None
    assert (stopped.stage, stopped.told, stopped.waiting) == ("cancelled", 1, 1), "one is in a sender's hands"
    assert second.chat == 2
    assert await db.broadcasts.queue_next(3, now_ms=NOW) == 0
    assert await db.broadcasts.cancel(draft.id) is None
