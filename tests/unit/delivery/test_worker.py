"""The outbox worker against a scripted messenger, in virtual time."""

import asyncio

import pytest

from bot.delivery.messenger import (
    BadMessageError,
    ChatGoneError,
    ChatMigratedError,
    Message,
    MessengerDownError,
    NotSentError,
    UnknownOutcomeError,
)
from bot.delivery.worker import DRAIN_S, LEASE_MS, RECOVER_EVERY_S
from bot.storage.database import Database
from bot.storage.outbox import MAX_UNSURE, Fate, OutboxRow
from tests.fakes.messenger import Step
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.delivery.desk import Desk, running


@in_virtual_time
async def test_a_new_row_goes_out_at_once(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        await asyncio.sleep(100.5)
        await desk.queue("a")
        await desk.settled()
        assert desk.messenger.texts() == ["<b>a</b>"]
        assert desk.messenger.calls[0][0] - desk.clock.offset_ms == 100_500
        assert await desk.fate("a") == Fate("sent", 1, 1, 1, 0, None)


@in_virtual_time
async def test_rows_that_nobody_announces_are_found_within_a_second(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        await asyncio.sleep(10.5)
        await desk.db.outbox.add([OutboxRow("a", 1, {"text": "a"}, created_ms=desk.clock.now_ms())])
        await asyncio.sleep(1.0)
        assert desk.messenger.texts() == ["<b>a</b>"]


@in_virtual_time
async def test_sending_is_committed_before_the_call(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.delay(2.0)
        await desk.queue("a")
        await asyncio.sleep(1.0)
        assert (await desk.fate("a")).state == "sending"
        await asyncio.sleep(1.5)
        assert (await desk.fate("a")).state == "sent"


@in_virtual_time
async def test_a_chat_gets_its_messages_in_order_one_at_a_time(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.delay(3.0, chat=1).refuse(NotSentError("no route"), chat=1)
        await desk.queue(*"abcde")
        await desk.settled()
        assert desk.messenger.texts() == [f"<b>{key}</b>" for key in "abcde"]


@in_virtual_time
async def test_a_slow_chat_does_not_hold_up_the_others(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.delay(60.0, chat=1)
        await desk.queue("slow", chat=1)
        for chat in range(2, 12):
            await desk.queue(f"quick {chat}", chat=chat)
        await asyncio.sleep(1.0)
        assert len(desk.messenger.delivered) == 10


@in_virtual_time
async def test_what_was_not_sent_is_tried_until_it_is_without_a_mark(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.refuse(NotSentError("no route"), times=12)
        await desk.queue("a")
        await desk.settled()
        assert desk.messenger.texts() == ["<b>a</b>"]
        assert not desk.messenger.delivered[0].message.silent
        assert await desk.fate("a") == Fate("sent", 1, 1, 13, 0, None)


@in_virtual_time
async def test_an_unknown_outcome_brings_one_silent_marked_repeat_after_5_to_30_s(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.lose_answer(UnknownOutcomeError("no answer"))
        await desk.queue("a")
        await desk.settled()
        first, again = desk.messenger.delivered
        assert (first.message.text, first.message.silent) == ("<b>a</b>", False)
        assert (again.message.text, again.message.silent) == ("<b>again: a</b>", True)
        assert 5_000 <= again.time_ms - first.time_ms <= 31_000
        assert await desk.fate("a") == Fate("sent", 1, 2, 2, 1, None)


@in_virtual_time
async def test_a_repeat_that_is_unconfirmed_too_ends_there_when_other_messages_get_through(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.lose_answer(UnknownOutcomeError("no answer"), chat=1, times=5)
        await desk.queue("a", chat=1)
        for i in range(40):
            await desk.queue(f"other {i}", chat=2)
            await asyncio.sleep(1.0)
        await desk.settled()
        assert desk.messenger.texts(1) == ["<b>a</b>", "<b>again: a</b>"]
        dead = await desk.fate("a")
        assert (dead.state, dead.last_error) == ("dead", "unconfirmed again after a repeat: no answer")


@in_virtual_time
async def test_an_outage_that_answers_nothing_loses_nothing(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        ends_s = 300.0
        desk.messenger.whenever(
            lambda chat, message: Step(UnknownOutcomeError("502")) if desk.clock.monotonic() < ends_s else None
        )
        for chat in range(1, 51):
            await desk.queue(f"k{chat}", chat=chat)
        await desk.settled()
        assert len(desk.messenger.delivered) == 50
        assert await desk.db.outbox.counts() == {"sent": 50}
        tries_meanwhile = [time_ms for time_ms, _ in desk.messenger.calls if time_ms < desk.clock.offset_ms + 300_000]
        assert len(tries_meanwhile) <= 25
        fates = [await desk.fate(f"k{chat}") for chat in range(1, 51)]
        assert {item.chat for item in desk.messenger.delivered if item.message.silent} == {
            fate.chat for fate in fates if fate.unsure
        }


@in_virtual_time
async def test_a_message_alone_in_a_line_that_loses_every_answer_is_not_repeated_for_ever(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.whenever(lambda chat, message: Step(UnknownOutcomeError("no answer"), delivers=True))
        await desk.queue("a")
        await desk.settled()
        assert len(desk.messenger.delivered) == 1 + MAX_UNSURE
        assert all(item.message.silent for item in desk.messenger.delivered[1:])


@in_virtual_time
async def test_an_unreachable_messenger_is_tried_with_one_message_at_a_time(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.refuse(NotSentError("no route"), times=60)
        for chat in range(1, 201):
            await desk.queue(f"k{chat}", chat=chat)
        await asyncio.sleep(120.0)
        early = [time_ms for time_ms, _ in desk.messenger.calls if time_ms < desk.clock.offset_ms + 10_000]
        late = len(desk.messenger.calls) - len(early)
        assert late <= 10
        await desk.settled()
        assert len(desk.messenger.delivered) == 200


@in_virtual_time
async def test_too_many_requests_pauses_the_chat_as_long_as_the_server_says(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.refuse(NotSentError("slow down", retry_after_s=40.0), chat=1)
        await desk.queue("a", "b", chat=1)
        await desk.queue("c", chat=2)
        await asyncio.sleep(39.9)
        assert desk.messenger.texts() == ["<b>c</b>"]
        await asyncio.sleep(4.0)
        assert desk.messenger.texts(1) == ["<b>a</b>", "<b>b</b>"]
        assert not any(item.message.silent for item in desk.messenger.delivered)


@in_virtual_time
async def test_a_refused_message_goes_once_as_plain_text(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.refuse(BadMessageError("can't parse entities"))
        await desk.queue("<i>1 & 2")
        await desk.settled()
        [sent] = desk.messenger.delivered
        assert sent.message == Message("1 &amp; 2")


@in_virtual_time
async def test_a_message_refused_as_plain_text_too_is_dead_with_the_reason_and_the_next_one_goes(
    outbox_url: str,
) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.refuse(BadMessageError("message is too long"), times=2)
        await desk.queue("a", "b")
        await desk.settled()
        assert desk.messenger.texts() == ["<b>b</b>"]
        dead = await desk.fate("a")
        assert (dead.state, dead.last_error, dead.attempts) == ("dead", "message is too long", 2)


@in_virtual_time
async def test_a_chat_that_blocked_the_bot_is_left_alone_and_said_once(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        await desk.db.chats.seen(1, kind="private", now_ms=0)
        desk.messenger.refuse(ChatGoneError("bot was blocked by the user"), chat=1)
        await desk.queue("a", "b", chat=1)
        await desk.settled()
        assert desk.gone == [(1, "bot was blocked by the user")]
        assert len(desk.messenger.calls) == 1
        chat = await desk.db.chats.get(1)
        assert chat is not None
        assert (chat.active, chat.inactive_reason) == (False, "bot was blocked by the user")


@in_virtual_time
async def test_a_migrated_group_gets_its_messages_under_the_new_id_once(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.refuse(ChatMigratedError("upgraded", new_chat_id=-1005), chat=-5)
        await desk.queue("a", "b", chat=-5)
        await desk.settled()
        assert desk.moved == [(-5, -1005)]
        assert [(item.chat, item.message.text) for item in desk.messenger.delivered] == [
            (-1005, "<b>a</b>"),
            (-1005, "<b>b</b>"),
        ]


@in_virtual_time
async def test_a_messenger_that_cannot_work_stops_the_worker_loudly_and_loses_nothing(outbox_url: str) -> None:
    async with await Database.open(outbox_url, inline=True) as db:
        desk = Desk(db)
        desk.messenger.refuse(MessengerDownError("the token is wrong"))
        await desk.queue("a")
        await desk.queue("b", chat=2)
        with pytest.raises(MessengerDownError, match="the token is wrong"):
            await desk.worker.run()
        await desk.worker.stop()
        assert (await desk.fate("a")).state == "ready"
        again = asyncio.create_task(desk.make_worker().run())
        await desk.settled()
        assert sorted(desk.messenger.texts()) == ["<b>a</b>", "<b>b</b>"]
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)


@in_virtual_time
async def test_a_text_that_cannot_be_made_at_first_is_made_later(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.compose_errors = [RuntimeError("no map yet")] * 4
        await desk.queue("a")
        await desk.settled()
        assert desk.messenger.texts() == ["<b>a</b>"]


@in_virtual_time
async def test_a_text_that_can_never_be_made_is_dead_with_the_reason_and_the_next_one_goes(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.compose_errors = [KeyError("touch")] * 5
        await desk.queue("a", "b")
        await desk.settled()
        dead = await desk.fate("a")
        assert (dead.state, dead.last_error) == ("dead", "could not be composed: KeyError('touch')")
        assert desk.messenger.texts() == ["<b>b</b>"]


@in_virtual_time
async def test_a_call_that_never_ends_counts_as_unknown(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.delay(10_000.0)
        await desk.queue("a")
        await desk.settled()
        assert desk.messenger.texts() == ["<b>again: a</b>"]


@in_virtual_time
async def test_stopping_waits_for_what_is_being_sent_and_claims_nothing_more(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.delay(DRAIN_S - 1)
        await desk.queue("a", "b")
        await asyncio.sleep(0.5)
        await desk.worker.stop()
        assert desk.messenger.texts() == ["<b>a</b>"]
        assert await desk.db.outbox.counts() == {"sent": 1, "ready": 1}


@in_virtual_time
async def test_what_does_not_end_in_time_is_repeated_by_the_next_start(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        desk.messenger.delay(DRAIN_S + 50)
        await desk.queue("a")
        await asyncio.sleep(0.5)
        began_s = desk.clock.monotonic()
        await desk.worker.stop()
        assert desk.clock.monotonic() - began_s == pytest.approx(DRAIN_S)
        assert (await desk.fate("a")).state == "sending"
        again = desk.make_worker()
        task = asyncio.create_task(again.run())
        restarted_s = desk.clock.monotonic()
        await desk.settled()
        # Where others may be sending, what was cut off is known by its lease alone.
        lease_s = 0 if desk.db.exclusive else LEASE_MS / 1000 + RECOVER_EVERY_S
        assert desk.clock.monotonic() - restarted_s < 10.0 + lease_s
        await again.stop()
        await task
        assert desk.messenger.texts() == ["<b>again: a</b>"]


@in_virtual_time
async def test_messages_waiting_for_their_turn_are_free_again_after_a_stop(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        for chat in range(1, 101):
            await desk.queue(f"k{chat}", chat=chat)
        await asyncio.sleep(0.5)
        await desk.worker.stop()
        counts = await desk.db.outbox.counts()
        assert counts["ready"] + counts["sent"] == 100
        assert counts["sent"] < 30
        assert len(await desk.db.outbox.claim(desk.clock.now_ms(), "next", 1_000, 200)) == counts["ready"]


@in_virtual_time
async def test_a_thousand_rows_of_one_chat_do_not_delay_another_and_the_rate_is_used(outbox_url: str) -> None:
    async with running(outbox_url) as desk:
        await desk.queue(*(f"flood {i}" for i in range(1000)), chat=1)
        for chat in range(2, 502):
            await desk.queue(f"k{chat}", chat=chat)
        await asyncio.sleep(500 / 25 * 1.1)
        assert sum(item.chat != 1 for item in desk.messenger.delivered) == 500
        assert 5 <= sum(item.chat == 1 for item in desk.messenger.delivered) <= 24
