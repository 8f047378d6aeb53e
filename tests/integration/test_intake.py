"""Hearing: each update stored before it is confirmed, handled once and in its chat's order, through failures."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from bot.storage.database import Database
from bot.telegram.connection import open_line
from bot.telegram.errors import TokenRefusedError
from bot.telegram.intake import Intake
from tests.fakes.bot_api import FakeBotApi
from tests.integration.listening import (
    ADA,
    BOB,
    GROUP,
    Echo,
    HastyClock,
    eventually,
    listening,
)
from tests.unit.storage.full_tables import stored


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.open(database_url) as opened:
        yield opened


async def test_messages_of_one_chat_are_answered_one_after_the_other(api: FakeBotApi, database: Database) -> None:
    api.latency_s = 0.01
    echo = Echo()
    async with listening(api, database, echo.answer):
        for number in range(12):
            await api.say(ADA, str(number))
            await api.say(BOB, str(number))
        await api.delivered(24)
    for chat in (ADA, BOB):
        assert [post.text for post in api.state.chats[chat].posts.values()] == [str(number) for number in range(12)]
    assert api.overlaps == []


async def test_a_chat_that_waits_does_not_hold_up_another(api: FakeBotApi, database: Database) -> None:
    gate = asyncio.Event()
    echo = Echo(holds={ADA: gate})
    async with listening(api, database, echo.answer):
        await api.say(ADA, "slow")
        await api.say(ADA, "after slow")
        await api.say(BOB, "fast")
        await api.delivered()
        assert [entry.chat_id for entry in api.deliveries] == [BOB]
        gate.set()
        await api.delivered(3)
    assert [post.text for post in api.state.chats[ADA].posts.values()] == ["slow", "after slow"]


async def test_a_crash_between_storing_and_handling_loses_no_command(api: FakeBotApi, database: Database) -> None:
    stuck = Echo(holds={ADA: asyncio.Event()})
    async with listening(api, database, stuck.answer) as bot:
        for text in ("/watch BTC 1%", "/watch ETH 2%"):
            await api.say(ADA, text)
        await stuck.begun.wait()
        await api.until(lambda: not api.updates.waiting or api.requests["getUpdates"] > 2)
        await bot.die()
    assert api.deliveries == []
    echo = Echo()
    async with listening(api, database, echo.answer) as bot:
        await api.delivered(2)
        await bot.all_handled()
    assert [inbound.text for inbound in echo.heard] == ["/watch BTC 1%", "/watch ETH 2%"]


async def test_an_update_the_server_hands_out_again_is_handled_once(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    async with listening(api, database, echo.answer) as bot:
        await api.say(ADA, "once")
        await api.delivered()
        await bot.all_handled()
    repeated = {"update_id": echo.heard[0].update_id, "message": message(ADA, "once")}
    await api.push(repeated)
    async with listening(api, database, echo.answer) as bot:
        await api.say(ADA, "twice")
        await api.delivered(2)
    assert [inbound.text for inbound in echo.heard] == ["once", "twice"]


async def test_no_update_is_confirmed_before_it_is_stored(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    stored: list[bool] = []
    store = database.updates.store

    async def watched_store(*args: object, **kwargs: object) -> object:
        stored.append(bool(api.updates.confirmed))
        return await store(*args, **kwargs)  # type: ignore[arg-type]

    database.updates.store = watched_store  # type: ignore[assignment,method-assign]
    async with listening(api, database, echo.answer) as bot:
        await api.say(ADA, "hello")
        await bot.all_handled()
    assert stored == [False]
    assert api.updates.confirmed == [echo.heard[0].update_id]


async def test_an_outage_is_sat_out_and_said_once(
    api: FakeBotApi, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "bot")
    echo = Echo()
    async with listening(api, database, echo.answer) as bot:
        await api.say(ADA, "before")
        await api.delivered()
        await api.close_port()
        await eventually(lambda: bot.intake.hearing.failures >= 4)
        await bot.feels("unreachable")
        await api.open_port()
        await api.say(ADA, "after")
        await api.delivered(2)
        await bot.feels("listening")
    assert [record.message for record in caplog.records].count("Telegram cannot be reached, trying again") == 1
    assert "hearing Telegram again" in caplog.messages


async def test_a_bot_started_during_an_outage_waits_for_its_end(api: FakeBotApi, database: Database) -> None:
    await api.close_port()
    echo = Echo()
    async with listening(api, database, echo.answer):
        await api.say(ADA, "hello")
        await asyncio.sleep(0.05)
        await api.open_port()
        await api.delivered()


async def test_a_second_poller_is_said_loudly_and_outlasted(
    api: FakeBotApi, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    echo = Echo()
    async with listening(api, database, echo.answer) as bot:
        await eventually(lambda: api.updates.polls)
        await api.updates.get(offset=0, limit=1, timeout_s=0.01, allowed=None)
        await bot.feels("conflict")
        await api.say(ADA, "hello")
        await api.delivered()
        await bot.all_handled()
    assert [record.levelname for record in caplog.records if "another program polls" in record.message] == ["ERROR"]


async def test_a_webhook_left_over_is_taken_away_and_no_waiting_update_dropped(
    api: FakeBotApi, database: Database
) -> None:
    api.updates.webhook = "https://old.example"
    await api.say(ADA, "I waited")
    async with listening(api, database, Echo().answer):
        await api.delivered()


async def test_a_refused_token_ends_the_intake(api: FakeBotApi, database: Database) -> None:
    api.token = "987654321:" + "B" * 35
    line = open_line("123456789:" + "A" * 35, api_url=api.url)
    intake = Intake(line, database.updates, None, HastyClock())  # type: ignore[arg-type]
    with pytest.raises(TokenRefusedError):
        await intake.run()
    assert intake.hearing.health == "token refused"
    await line.shutdown()


async def test_odd_updates_are_answered_or_passed_over_and_never_stop_the_bot(
    api: FakeBotApi, database: Database
) -> None:
    echo = Echo()
    async with listening(api, database, echo.answer) as bot:
        await api.push_message(ADA, photo=[{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}])
        await api.push_message(ADA, poll={"id": "1", "question": "?"}, forward_origin={"type": "hidden_user"})
        await api.push_message(ADA, kind="edited_message", text="edited")
        await api.push_message(GROUP, user=1, new_chat_members=[{"id": 5, "is_bot": False, "first_name": "x"}])
        await api.push({"message": {"message_id": 1}})
        await api.push({"callback_query": {"id": "1", "from": {"id": ADA}, "inline_message_id": "5"}})
        await api.push({"message": "not even an object"})
        await api.say(ADA, "\u202e\u200b \ud83d '; DROP TABLE chats; --")
        await api.say(ADA, "x" * 100_000)
        await api.say(ADA, "end")
        await api.until(lambda: api.deliveries and api.deliveries[-1].text == "end")
        await bot.all_handled()
    texts = [inbound.text for inbound in echo.heard]
    assert texts == [None, None, "\u202e\u200b \ud83d '; DROP TABLE chats; --", "x" * 100_000, "end"]


async def test_nothing_of_a_handled_update_stays_but_its_id(
    api: FakeBotApi, database: Database, database_url: str
) -> None:
    gate = asyncio.Event()
    echo = Echo(holds={ADA: gate})
    async with listening(api, database, echo.answer) as bot:
        await api.say(ADA, "my secret")
        await echo.begun.wait()
        waiting = await database.updates.waiting()
        assert "Ada" not in waiting[0].payload, "no name is stored, not even for a moment"
        assert json.loads(waiting[0].payload)["inbound"]["text"] == "my secret"
        gate.set()
        await bot.all_handled()
    [kept] = stored(database_url)["updates"]
    assert (kept["payload"], kept["handled_ms"] is not None) == (None, True)


async def test_what_is_begun_at_the_end_is_finished(api: FakeBotApi, database: Database) -> None:
    gate = asyncio.Event()
    echo = Echo(holds={ADA: gate})
    async with listening(api, database, echo.answer) as bot:
        await api.say(ADA, "begun")
        await api.say(ADA, "not begun")
        await echo.begun.wait()
        bot.task.cancel()
        asyncio.get_running_loop().call_later(0.05, gate.set)
        await bot.turns.drain(5)
    assert [entry.text for entry in api.deliveries] == ["begun"]
    assert [json.loads(left.payload)["inbound"]["text"] for left in await database.updates.waiting()] == ["not begun"]


def message(chat: int, text: str) -> dict[str, object]:
    person = {"id": chat, "is_bot": False, "first_name": "Ada"}
    return {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "private"}, "from": person, "text": text}
