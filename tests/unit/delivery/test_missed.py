"""Alerts that could not be told in time: one summary a chat, nothing without a trace."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bot.delivery.messenger import NotSentError, TopicGoneError, UnknownOutcomeError
from bot.delivery.worker import OutboxWorker
from bot.storage.database import Database
from bot.storage.outbox import OutboxRow
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.delivery.desk import Desk, running

FRESH_MS = 900_000


class Sums:
    """Folds every text that is no `urgent` one into `a + b + c`."""

    fresh_ms = FRESH_MS

    def takes(self, payload: Mapping[str, Any]) -> bool:
        return not payload["text"].startswith("urgent")

    def is_summary(self, payload: Mapping[str, Any]) -> bool:
        return "+" in payload["text"]

    def sum_up(self, payloads: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        return {"text": " + ".join(payload["text"] for payload in payloads) + (" +" if len(payloads) == 1 else "")}


async def away(desk: Desk, *keys: str, chat: int = 1, minutes: float = 60) -> None:
    """Messages decided while nobody could send them."""
    created_ms = desk.clock.now_ms() - round(minutes * 60_000)
    await desk.db.outbox.add([OutboxRow(key, chat, {"text": key}, created_ms=created_ms) for key in keys])


def folding(desk: Desk) -> OutboxWorker:
    return OutboxWorker(
        db=desk.db, messenger=desk.messenger, compose=desk.compose, clock=desk.clock, folding=Sums(), admins=(99,)
    )


async def sent_by(desk: Desk) -> None:
    """Let a worker that folds see everything through."""
    worker = folding(desk)
    task = asyncio.create_task(worker.run())
    await desk.settled()
    await worker.stop()
    await task


@in_virtual_time
async def test_old_alerts_of_a_chat_go_out_as_one_and_each_says_where_it_is_told(outbox_url: str) -> None:
    async with await Database.open(outbox_url, inline=True) as db:
        desk = Desk(db)
        await away(desk, "a", "b", "c")
        await away(desk, "d", chat=2)
        await away(desk, "urgent")
        await away(desk, "fresh", minutes=1)
        await sent_by(desk)
        assert desk.messenger.texts(1) == ["<b>a + b + c</b>", "<b>urgent</b>", "<b>fresh</b>"]
        assert desk.messenger.texts(2) == ["<b>d +</b>"]
        assert (await desk.fate("a")).state == "sent"
        for key in ("b", "c"):
            told = await desk.fate(key)
            assert (told.state, told.last_error) == ("dead", "expired: told in the summary that message 1 is")


@in_virtual_time
async def test_what_may_have_arrived_is_repeated_by_itself_and_never_told_as_missed(outbox_url: str) -> None:
    async with await Database.open(outbox_url, inline=True) as db:
        desk = Desk(db)
        await away(desk, "a", minutes=1)
        desk.messenger.lose_answer(UnknownOutcomeError("no reply"))
        await away(desk, "b", "c", minutes=16)
        await sent_by(desk)
        assert desk.messenger.texts(1) == ["<b>a</b>", "<b>again: a</b>", "<b>b + c</b>"]


@in_virtual_time
async def test_a_summary_that_could_not_go_out_takes_up_what_was_missed_since(outbox_url: str) -> None:
    async with await Database.open(outbox_url, inline=True) as db:
        desk = Desk(db)
        await away(desk, "a", "b")
        desk.messenger.refuse(NotSentError("no route"), times=3)
        worker = folding(desk)
        task = asyncio.create_task(worker.run())
        await desk.clock.sleep(0.5)
        await away(desk, "c")
        while set(await db.outbox.counts()) - {"sent", "dead"}:
            await desk.clock.sleep(1.0)
        await worker.stop()
        await task
        assert desk.messenger.texts() == ["<b>a + b + c</b>"]


@in_virtual_time
async def test_a_topic_that_is_gone_is_forgotten_and_the_admin_told_once(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        db = desk.db
        await db.chats.seen(-5, kind="supergroup", now_ms=0)
        await db.chats.set_topic(-5, 77)
        known = await db.chats.get(-5)
        assert known is not None
        assert known.topic == 77
        await desk.worker.stop()
        desk.messenger.refuse(TopicGoneError("Bad Request: message thread not found"), chat=-5)
        await desk.db.outbox.add([OutboxRow(key, -5, {"text": key}, created_ms=desk.clock.now_ms()) for key in "ab"])
        await sent_by(desk)
        assert desk.messenger.texts(-5)[:2] == ["<b>a</b>", "<b>b</b>"]
        known = await db.chats.get(-5)
        assert known is not None
        assert known.topic is None
        for chat in (-5, 99):
            told = await db.outbox.fate(f"notice:topic:1:{chat}")
            assert told is not None, "the group itself and the admin"
            assert told.chat == chat


@in_virtual_time
async def test_a_chat_without_a_topic_that_refuses_one_ends_the_message_with_the_reason(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.refuse(TopicGoneError("Bad Request: TOPIC_CLOSED"))
        await desk.queue("a")
        await desk.settled()
        assert (await desk.fate("a")).last_error == "Bad Request: TOPIC_CLOSED"


@pytest.mark.parametrize("minutes", [0.0, 14.9])
@in_virtual_time
async def test_an_alert_in_time_is_sent_as_it_is(outbox_url: str, minutes: float) -> None:
    async with await Database.open(outbox_url, inline=True) as db:
        desk = Desk(db)
        await away(desk, "a", minutes=minutes)
        await sent_by(desk)
        assert desk.messenger.texts() == ["<b>a</b>"]


@in_virtual_time
async def test_a_group_is_summed_up_whole_and_what_waits_on_purpose_is_left_to_wait(outbox_url: str) -> None:
    async with await Database.open(outbox_url, inline=True) as db:
        desk = Desk(db)
        now_ms = desk.clock.now_ms()
        old_ms, due_ms = now_ms - FRESH_MS - 1, now_ms + 3_600_000
        await desk.db.outbox.add(
            [
                OutboxRow("a", 1, {"text": "a"}, created_ms=old_ms),
                OutboxRow("b", 1, {"text": "b"}, created_ms=old_ms + 4_000, due_ms=old_ms, lead="a"),
                OutboxRow("h", 1, {"text": "h"}, created_ms=old_ms, due_ms=due_ms, held=True),
                OutboxRow("i", 1, {"text": "i"}, created_ms=old_ms, due_ms=due_ms, lead="h", held=True),
            ]
        )
        [claimed] = await desk.db.outbox.claim(now_ms, "me", 60_000, 10)
        folded = await desk.db.outbox.fold(claimed, Sums(), now_ms=now_ms)
        assert (folded.payload["text"], folded.others) == ("a + b", ())
        fates = [await desk.db.outbox.fate(key) for key in "abhi"]
        assert [fate.state for fate in fates if fate is not None] == ["ready", "dead", "ready", "ready"]
        held = await desk.db.told.held(1)
        assert held is not None
        assert held.events == 2


@in_virtual_time
async def test_a_message_that_waited_on_purpose_is_not_taken_for_one_that_came_too_late(outbox_url: str) -> None:
    async with await Database.open(outbox_url, inline=True) as db:
        desk = Desk(db)
        now_ms = desk.clock.now_ms()
        await desk.db.outbox.add([OutboxRow("h", 1, {"text": "h"}, now_ms - 8 * 3_600_000, now_ms, held=True)])
        await sent_by(desk)
        fate = await desk.db.outbox.fate("h")
        assert fate is not None
        assert fate.state == "sent"
        payload = await desk.db.told.payload(1, "h")
        assert payload == {"text": "h"}
