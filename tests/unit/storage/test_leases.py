"""The sender's lease and the fence of its epoch; signs of life."""

import asyncio
import threading

import pytest
from sqlalchemy import Connection

from bot.storage.database import Database
from bot.storage.errors import LostLeaseError
from bot.storage.leases import SENDER
from bot.storage.outbox import Claimed
from tests.postgres.kinds import postgresql_only
from tests.unit.storage.values import NOW, row

LONG_MS = 3_600_000
OVER_MS = -1
"""A lease that has run out as soon as it is given: no test waits for a database's clock."""


async def claim(db: Database, owner: str = "me") -> Claimed:
    [claimed] = await db.outbox.claim(NOW, owner, 60_000, 10)
    return claimed


async def overtaken(db: Database) -> None:
    """This process held the lease; another has it now."""
    epoch = await db.leases.take(SENDER, "me", valid_ms=OVER_MS)
    assert epoch is not None
    db.fence(epoch)
    assert await db.leases.take(SENDER, "another", valid_ms=LONG_MS) == epoch + 1


async def test_one_alone_takes_a_lease_that_is_free(db: Database) -> None:
    assert await db.leases.take(SENDER, "first", valid_ms=LONG_MS) == 1
    assert await db.leases.take(SENDER, "second", valid_ms=LONG_MS) is None
    assert await db.leases.take(SENDER, "first", valid_ms=LONG_MS) is None, "not even its holder takes it twice"
    assert await db.leases.take("another lease", "second", valid_ms=LONG_MS) == 1


async def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_epoch(db: Database) -> None:
    assert await db.leases.take(SENDER, "first", valid_ms=OVER_MS) == 1
    assert await db.leases.take(SENDER, "second", valid_ms=LONG_MS) == 2
    assert not await db.leases.renew(SENDER, 1, valid_ms=LONG_MS)
    assert await db.leases.renew(SENDER, 2, valid_ms=LONG_MS)


async def test_a_lease_that_ran_out_and_that_nobody_took_can_be_renewed(db: Database) -> None:
    assert await db.leases.take(SENDER, "first", valid_ms=OVER_MS) == 1
    assert await db.leases.renew(SENDER, 1, valid_ms=LONG_MS)
    assert await db.leases.take(SENDER, "second", valid_ms=LONG_MS) is None


async def test_a_lease_that_is_given_back_is_free_at_once_and_by_its_holder_alone(db: Database) -> None:
    assert await db.leases.take(SENDER, "first", valid_ms=LONG_MS) == 1
    await db.leases.release(SENDER, 7)
    assert await db.leases.take(SENDER, "second", valid_ms=LONG_MS) is None
    await db.leases.release(SENDER, 1)
    assert await db.leases.take(SENDER, "second", valid_ms=LONG_MS) == 2


async def test_a_look_tells_who_holds_it_and_for_how_long(db: Database) -> None:
    assert await db.leases.look(SENDER) is None
    await db.leases.take(SENDER, "first", valid_ms=LONG_MS)
    held = await db.leases.look(SENDER)
    assert held is not None
    assert (held.epoch, held.holder) == (1, "first")
    assert LONG_MS - 60_000 < held.left_ms <= LONG_MS
    await db.leases.release(SENDER, 1)
    free = await db.leases.look(SENDER)
    assert free is not None
    assert free.left_ms == 0


async def test_whoever_was_overtaken_writes_nothing_more(db: Database) -> None:
    await db.outbox.add([row("a")])
    await overtaken(db)
    with pytest.raises(LostLeaseError):
        await db.outbox.add([row("b", 2)])
    with pytest.raises(LostLeaseError):
        await claim(db)
    with pytest.raises(LostLeaseError):
        await db.kv.set("key", 1)
    assert await db.outbox.fate("b") is None
    assert await db.outbox.counts() == {"ready": 1}


async def test_whoever_was_overtaken_begins_no_call(db: Database) -> None:
    await db.outbox.add([row("a")])
    claimed = await claim(db)
    await overtaken(db)
    with pytest.raises(LostLeaseError):
        await db.outbox.begin(claimed, now_ms=NOW, lease_ms=60_000)
    assert await db.outbox.counts() == {"ready": 1}


async def test_that_a_message_arrived_is_a_fact_whoever_tells_it(db: Database) -> None:
    await db.outbox.add([row("a")])
    begun = await db.outbox.begin(await claim(db), now_ms=NOW, lease_ms=60_000)
    assert begun is not None
    await overtaken(db)
    with pytest.raises(LostLeaseError):
        await db.outbox.doubt(begun, due_ms=NOW, error="what it does not know is no fact")
    assert await db.outbox.sent(begun, message_id=7, now_ms=NOW)
    assert await db.outbox.counts() == {"sent": 1}


async def test_signs_of_life_are_told_with_what_a_process_is(db: Database) -> None:
    assert await db.nodes.living() == []
    await db.nodes.beat("a", "standby")
    await db.nodes.beat("b", "worker")
    await db.nodes.beat("a", "sender")
    assert {node.id: node.role for node in await db.nodes.living()} == {"a": "sender", "b": "worker"}
    await db.nodes.leave("b")
    assert [node.id for node in await db.nodes.living()] == ["a"]


@postgresql_only
async def test_a_lease_is_renewed_beside_a_long_write_and_taken_only_after_it(db: Database, url: str) -> None:
    epoch = await db.leases.take(SENDER, "me", valid_ms=OVER_MS)
    assert epoch is not None
    db.fence(epoch)
    order: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def write(connection: Connection) -> None:
        began.set()
        go_on.wait(10)
        order.append("written")

    async def take(other: Database) -> None:
        assert await other.leases.take(SENDER, "another", valid_ms=LONG_MS) == epoch + 1
        order.append("taken")

    async with await Database.open(url) as other:
        writing = asyncio.create_task(db._access.write(write))
        await asyncio.to_thread(began.wait, 10)
        assert await db.leases.renew(SENDER, epoch, valid_ms=OVER_MS), "it does not wait"
        taking = asyncio.create_task(take(other))
        await asyncio.sleep(0.2)
        assert order == []
        go_on.set()
        await asyncio.gather(writing, taking)
    assert order == ["written", "taken"]
