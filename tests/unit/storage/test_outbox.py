"""The outbox: claims, leases, fencing, outcomes."""

import asyncio

import pytest
from sqlalchemy import Connection, make_url

from bot.storage.access import Access
from bot.storage.database import Database
from bot.storage.engine import make_engine
from bot.storage.outbox import DUE_ROWS, MAX_UNSURE, Claimed, Fate, Outbox
from tests.postgres.kinds import sqlite_only
from tests.unit.storage.values import NOW, row

LEASE = 60_000


async def claim(db: Database, now_ms: int = NOW, owner: str = "me", limit: int = 100) -> list[Claimed]:
    return list(await db.outbox.claim(now_ms, owner, LEASE, limit))


async def sending(db: Database, key: str, chat: int = 1) -> Claimed:
    """A row whose call is being made."""
    await db.outbox.add([row(key, chat)])
    [claimed] = await claim(db)
    begun = await db.outbox.begin(claimed, now_ms=NOW, lease_ms=LEASE)
    assert begun is not None
    return begun


async def fate(db: Database, key: str) -> Fate:
    found = await db.outbox.fate(key)
    assert found is not None
    return found


async def test_a_key_is_queued_once_for_ever(db: Database) -> None:
    assert await db.outbox.add([row("a"), row("a"), row("b", 2)]) == 2
    assert await db.outbox.add([row("a")]) == 0
    done = (await claim(db))[0]
    begun = await db.outbox.begin(done, now_ms=NOW, lease_ms=LEASE)
    assert begun is not None
    await db.outbox.sent(begun, message_id=1, now_ms=NOW)
    assert await db.outbox.add([row("a")]) == 0


async def test_a_claim_takes_the_oldest_row_of_each_chat_and_no_more_than_asked(db: Database) -> None:
    await db.outbox.add([row("1a", 1), row("1b", 1), row("2a", 2), row("3a", 3), row("3b", 3)])
    assert [claimed.dedupe_key for claimed in await claim(db, limit=2)] == ["1a", "2a"]
    assert [claimed.dedupe_key for claimed in await claim(db)] == ["3a"]
    assert await claim(db) == []


async def test_a_row_is_not_claimed_before_it_is_due_and_holds_back_those_behind_it(db: Database) -> None:
    await db.outbox.add([row("first", due_ms=NOW + 10), row("second", due_ms=NOW)])
    assert await claim(db, NOW + 9) == []
    assert [claimed.dedupe_key for claimed in await claim(db, NOW + 10)] == ["first"]


async def test_order_in_a_chat_holds_across_a_retry(db: Database) -> None:
    first = await sending(db, "first")
    await db.outbox.add([row("second")])
    assert await claim(db) == []
    assert await db.outbox.put_back(first, due_ms=NOW + 5_000, error="no route")
    assert await claim(db, NOW + 4_999) == []
    [again] = await claim(db, NOW + 5_000)
    assert (again.dedupe_key, again.attempts, again.repeat) == ("first", 1, False)


async def test_what_is_claimed_carries_the_payload_and_not_in_its_repr(db: Database) -> None:
    await db.outbox.add([row("secret text")])
    [claimed] = await claim(db)
    assert claimed.payload == {"text": "secret text"}
    assert "payload" not in repr(claimed)


async def test_a_delivered_row_is_over(db: Database) -> None:
    begun = await sending(db, "a")
    assert await db.outbox.sent(begun, message_id=77, now_ms=NOW + 1)
    assert await fate(db, "a") == Fate("sent", 1, 77, 1, 0, None)
    assert not await db.outbox.sent(begun, message_id=78, now_ms=NOW + 2)
    assert await claim(db, NOW + 10**9) == []


async def test_an_unknown_outcome_makes_the_next_try_a_repeat(db: Database) -> None:
    begun = await sending(db, "a")
    assert await db.outbox.doubt(begun, due_ms=NOW + 7_000, error="no answer in 30 s")
    assert await fate(db, "a") == Fate("ambiguous", 1, None, 1, 1, "no answer in 30 s")
    assert await claim(db, NOW + 6_999) == []
    [again] = await claim(db, NOW + 7_000)
    assert again.repeat
    assert await db.outbox.put_back(again, due_ms=NOW + 8_000, error="no route")
    assert (await fate(db, "a")).state == "ambiguous"


async def test_a_dead_row_keeps_its_reason_short(db: Database) -> None:
    begun = await sending(db, "a")
    assert await db.outbox.bury(begun, error="message is too long " * 100, now_ms=NOW)
    dead = await fate(db, "a")
    assert dead.state == "dead"
    assert dead.last_error is not None
    assert len(dead.last_error) == 300


async def test_a_row_that_must_be_plain_stays_so(db: Database) -> None:
    begun = await sending(db, "a")
    await db.outbox.put_back(begun, due_ms=NOW, error="can't parse entities", plain=True)
    [again] = await claim(db)
    assert again.plain
    await db.outbox.put_back(again, due_ms=NOW)
    assert (await claim(db))[0].plain


class TestFencing:
    async def test_only_one_of_two_calls_for_one_claim_may_begin(self, db: Database) -> None:
        await db.outbox.add([row("a")])
        [claimed] = await claim(db)
        begun = [await db.outbox.begin(claimed, now_ms=NOW, lease_ms=LEASE) for _ in range(2)]
        assert [one is not None for one in begun] == [True, False]

    async def test_whoever_lost_the_lease_can_neither_begin_nor_report_a_failure(self, db: Database) -> None:
        await db.outbox.add([row("a")])
        [slow] = await claim(db, owner="slow")
        await db.outbox.recover(now_ms=NOW + LEASE + 1, resend_ms=NOW, every_lease=False)
        [quick] = await claim(db, owner="quick")
        assert await db.outbox.begin(slow, now_ms=NOW, lease_ms=LEASE) is None
        begun = await db.outbox.begin(quick, now_ms=NOW, lease_ms=LEASE)
        assert begun is not None
        assert not await db.outbox.put_back(slow, due_ms=NOW, error="late")
        assert not await db.outbox.doubt(slow, due_ms=NOW, error="late")
        assert not await db.outbox.bury(slow, error="late", now_ms=NOW)
        assert (await fate(db, "a")).state == "sending"

    async def test_a_stalled_call_cannot_begin_after_its_own_worker_has_tried_the_row_again(self, db: Database) -> None:
        await db.outbox.add([row("a")])
        [stalled] = await claim(db)
        await db.outbox.recover(now_ms=NOW + LEASE + 1, resend_ms=NOW, every_lease=False)
        [second] = await claim(db)
        begun = await db.outbox.begin(second, now_ms=NOW, lease_ms=LEASE)
        assert begun is not None
        await db.outbox.put_back(begun, due_ms=NOW, error="no route")
        [third] = await claim(db)
        assert await db.outbox.begin(stalled, now_ms=NOW, lease_ms=LEASE) is None
        assert await db.outbox.begin(third, now_ms=NOW, lease_ms=LEASE) is not None

    async def test_a_late_success_counts_as_long_as_no_later_attempt_began(self, db: Database) -> None:
        stalled = await sending(db, "a")
        await db.outbox.recover(now_ms=NOW + LEASE + 1, resend_ms=NOW, every_lease=False)
        [again] = await claim(db)
        assert await db.outbox.sent(stalled, message_id=5, now_ms=NOW)
        assert await db.outbox.begin(again, now_ms=NOW, lease_ms=LEASE) is None

    async def test_a_late_success_of_an_earlier_attempt_changes_nothing(self, db: Database) -> None:
        stalled = await sending(db, "a")
        await db.outbox.recover(now_ms=NOW + LEASE + 1, resend_ms=NOW, every_lease=False)
        [again] = await claim(db)
        assert await db.outbox.begin(again, now_ms=NOW, lease_ms=LEASE) is not None
        assert not await db.outbox.sent(stalled, message_id=5, now_ms=NOW)
        assert (await fate(db, "a")).state == "sending"

    async def test_two_senders_at_once_never_share_a_row(self, db: Database, url: str) -> None:
        parsed = make_url(url)
        access = Access(make_engine(parsed, writes=True), make_engine(parsed, writes=False), where="there")
        other = Outbox(access)
        await db.outbox.add([row(str(i), chat=i % 7) for i in range(50)])
        claims = await asyncio.gather(
            *(outbox.claim(NOW, f"o{i}", LEASE, 3) for i in range(5) for outbox in (db.outbox, other))
        )
        await access.close()
        taken = [claimed for claimed_rows in claims for claimed in claimed_rows]
        assert sorted(claimed.chat for claimed in taken) == list(range(7))
        assert sorted(int(claimed.dedupe_key) for claimed in taken) == list(range(7))


class TestRecovery:
    async def test_at_start_what_was_being_sent_is_a_repeat_and_what_was_claimed_is_free(self, db: Database) -> None:
        await sending(db, "sending", chat=1)
        await db.outbox.add([row("claimed", 2)])
        await claim(db)
        assert await db.outbox.recover(now_ms=NOW, resend_ms=NOW + 5_000, every_lease=True) == 1
        assert (await fate(db, "sending")).state == "ambiguous"
        assert (await fate(db, "claimed")).state == "ready"
        assert [(free.dedupe_key, free.repeat) for free in await claim(db)] == [("claimed", False)]
        assert [(free.dedupe_key, free.repeat) for free in await claim(db, NOW + 5_000)] == [("sending", True)]

    async def test_a_lease_that_still_runs_is_left_alone(self, db: Database) -> None:
        await sending(db, "a")
        assert await db.outbox.recover(now_ms=NOW + LEASE, resend_ms=NOW, every_lease=False) == 0
        assert (await fate(db, "a")).state == "sending"
        assert await db.outbox.recover(now_ms=NOW + LEASE + 1, resend_ms=NOW, every_lease=False) == 1

    async def test_a_row_that_ends_the_process_each_time_is_buried(self, db: Database) -> None:
        await sending(db, "a")
        for _ in range(MAX_UNSURE):
            assert await db.outbox.recover(now_ms=NOW, resend_ms=NOW, every_lease=True) == 1
            [again] = await claim(db)
            await db.outbox.begin(again, now_ms=NOW, lease_ms=LEASE)
        assert await db.outbox.recover(now_ms=NOW, resend_ms=NOW, every_lease=True) == 0
        dead = await fate(db, "a")
        assert (dead.state, dead.attempts) == ("dead", MAX_UNSURE + 1)
        assert dead.last_error == "the process ended at each attempt"


@sqlite_only
class TestPlans:
    """Queries that run per message stay on their indexes, whatever SQLite's planner knows about the data."""

    @pytest.fixture(params=["empty", "analysed"])
    def access(self, url: str, db: Database, request: pytest.FixtureRequest) -> Access:
        parsed = make_url(url)
        access = Access(make_engine(parsed, writes=True), make_engine(parsed, writes=False), where="there", inline=True)
        if request.param == "analysed":
            writer = make_engine(parsed, writes=True)
            with writer.begin() as connection:
                connection.exec_driver_sql(
                    "INSERT INTO outbox (dedupe_key, chat, payload, due_ms, created_ms)"
                    " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
                    " SELECT 'k' || i, i % 1000, '{}', i, i FROM n"
                )
                connection.exec_driver_sql("ANALYZE")
            writer.dispose()
        return access

    async def test_the_claim_is_served_by_its_three_partial_indexes(self, access: Access) -> None:
        def explain(connection: Connection) -> list[str]:
            compiled = DUE_ROWS.params(now_ms=NOW, limit=25).compile(dialect=connection.dialect)
            values = tuple(compiled.params[name] for name in compiled.positiontup or ())
            return [step.detail for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)]

        plan = await access.read(explain)
        await access.close()
        assert any("SEARCH outbox USING INDEX ix_outbox_due (due_ms<?)" in line for line in plan), plan
        assert any("ix_outbox_pending (chat=? AND id<?)" in line for line in plan), plan
        assert any("uq_outbox_in_flight (chat=?)" in line for line in plan), plan
        assert not any("SCAN" in line or "TEMP B-TREE" in line for line in plan), plan
