"""What an operator does to messages that tell of several alerts: none is left behind."""

from bot.storage.database import Database
from bot.storage.outbox import Claimed, OutboxRow
from tests.unit.storage.values import NOW

LEASE = 60_000


async def three_in_one(db: Database) -> None:
    """#1 leads #2 and #3."""
    lead = OutboxRow("lead", 1, {"n": 1}, NOW)
    await db.outbox.add([lead, *(OutboxRow(key, 1, {"n": n}, NOW, lead="lead") for n, key in ((2, "b"), (3, "c")))])


async def claimed(db: Database) -> list[Claimed]:
    return list(await db.outbox.claim(NOW, "me", LEASE, 10))


async def begun(db: Database) -> Claimed:
    [row] = await claimed(db)
    sending = await db.outbox.begin(row, now_ms=NOW, lease_ms=LEASE)
    assert sending is not None
    return sending


async def test_of_a_dead_message_every_alert_gets_its_second_chance_by_itself(db: Database) -> None:
    await three_in_one(db)
    await db.outbox.bury(await begun(db), error="refused", now_ms=NOW)
    assert await db.outbox_desk.requeue([1], now_ms=NOW) == [1, 2, 3]
    for expected in (1, 2, 3):
        row = await begun(db)
        assert (row.id, row.others) == (expected, ())
        await db.outbox.sent(row, message_id=expected, now_ms=NOW)


async def test_an_alert_out_of_a_dead_message_goes_by_itself(db: Database) -> None:
    await three_in_one(db)
    await db.outbox.bury(await begun(db), error="refused", now_ms=NOW)
    assert await db.outbox_desk.requeue([2], now_ms=NOW) == [2]
    [row] = await claimed(db)
    assert (row.id, row.others) == (2, ())


async def test_a_message_is_dropped_whole_and_one_alert_of_it_alone(db: Database) -> None:
    await three_in_one(db)
    assert await db.outbox_desk.drop([3], now_ms=NOW) == [3]
    assert await db.outbox_desk.drop([1], now_ms=NOW) == [1, 2]
    assert await claimed(db) == []


async def test_what_is_being_sent_is_left_alone_with_all_it_tells_of(db: Database) -> None:
    await three_in_one(db)
    await begun(db)
    assert await db.outbox_desk.drop([1, 2, 3], now_ms=NOW) == []
