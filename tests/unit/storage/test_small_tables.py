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
    assert not any((await db.clean(now_ms=NOW)).values())
    gone = await db.clean(now_ms=NOW + 400 * DAY_MS)
    assert {name: count for name, count in gone.items() if count} == {
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
