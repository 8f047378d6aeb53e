"""Hearing and answering, from a tap at the server to the reply in the chat: in order, once, and through failures."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.delivery.messenger import Button, Message
from bot.storage.database import Database
from bot.telegram.admins import Admins
from bot.telegram.connection import Line, open_line
from bot.telegram.errors import TokenRefusedError
from bot.telegram.intake import Health, Intake
from bot.telegram.messenger import TelegramMessenger
from bot.telegram.profile import introduce
from bot.telegram.replies import Replies
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Action, Edit, Inbound, Reply, Toast
from bot.telegram.turns import House, Turns
from tests.fakes.bot_api import FakeBotApi, Fault

ADA, BOB, GROUP, CHANNEL = 42, 43, -1001, -1002
CATALOGUE = Catalogue.load()
Answer = Callable[[Inbound], Awaitable[Sequence[Action]]]


class HastyClock(SystemClock):
    """A clock on which a pause is over a hundred times sooner."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


@dataclass(slots=True)
class Echo:
    """A conversation that repeats what it hears; `holds` keeps a chat waiting until its event is set."""

    heard: list[Inbound] = field(default_factory=list)
    holds: dict[int, asyncio.Event] = field(default_factory=dict)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, inbound: Inbound) -> Sequence[Action]:
        self.heard.append(inbound)
        self.begun.set()
        if inbound.chat_id in self.holds:
            await self.holds[inbound.chat_id].wait()
        words = inbound.callback_data or inbound.text or "?"
        return [Reply(Message(words, ((Button("Tap", data="tapped"),),)))]


@dataclass(slots=True)
class Bot:
    """A bot that listens, and what it listens with."""

    api: FakeBotApi
    database: Database
    intake: Intake
    turns: Turns
    task: "asyncio.Task[None]"

    async def die(self) -> None:
        """End as a kill would: nothing is finished, nothing noted."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.turns.drain(0)

    async def all_handled(self) -> None:
        await eventually(lambda: not self.api.updates.waiting)
        async with asyncio.timeout(5):
            while await self.database.updates.waiting():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def feels(self, health: Health) -> None:
        await eventually(lambda: self.intake.hearing.health == health)


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for what no event tells of."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(f"sqlite:///{tmp_path / 'bot.db'}") as opened:
        yield opened


@asynccontextmanager
async def listening(
    api: FakeBotApi, database: Database, answer: Answer, *, parallel: int = 16, per_minute: int = 1000
) -> AsyncIterator[Bot]:
    clock = HastyClock()
    line = open_line(api.token, api_url=api.url, read_timeout_s=2.0)
    replies = Replies(TelegramMessenger(line), database.chats, clock)
    house = House(database, CATALOGUE, Admins(line, clock), clock)
    turns = Turns(answer, replies, house, parallel=parallel, per_minute=per_minute)
    intake = Intake(line, database.updates, turns, clock, poll_s=2)
    bot = Bot(api, database, intake, turns, asyncio.create_task(intake.run()))
    try:
        yield bot
    finally:
        bot.task.cancel()
        await asyncio.gather(bot.task, return_exceptions=True)
        await turns.drain(0)
        await line.shutdown()


async def test_a_message_is_answered_and_forgotten(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    async with listening(api, database, echo.answer) as bot:
        update = await api.say(ADA, "/watch BTC 1%", language="pt-br")
        await api.delivered()
        await bot.all_handled()
    assert echo.heard == [Inbound(update, ADA, user_id=ADA, language="pt-br", text="/watch BTC 1%")]
    assert api.last(ADA).text == "/watch BTC 1%"
    chat = await database.chats.get(ADA)
    assert chat is not None
    assert (chat.kind, chat.language, chat.active) == ("private", "pt-br", True)


async def test_a_tap_is_answered_even_where_the_conversation_forgets(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    async with listening(api, database, echo.answer):
        await api.say(ADA, "hello")
        await api.delivered()
        query = await api.tap(ADA, "Tap")
        await api.delivered(2)
    assert api.state.queries[query] == ""
    tapped = echo.heard[1]
    assert (tapped.callback_data, tapped.has_photo) == ("tapped", False)
    assert tapped.message_id in api.state.chats[ADA].posts
    methods = [entry.method for entry in api.journal]
    assert methods.index("answerCallbackQuery") < len(methods) - 1, "the spinner stops before the reply is sent"


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


async def test_a_failed_turn_gives_one_sentence_and_the_next_turn_goes_on(
    api: FakeBotApi, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def fragile(inbound: Inbound) -> Sequence[Action]:
        if inbound.text == "break":
            raise RuntimeError("the map is gone")
        return [Reply(Message("fine"))]

    async with listening(api, database, fragile) as bot:
        await api.say(ADA, "break")
        await api.say(ADA, "go on")
        await api.delivered(2)
        await bot.all_handled()
    sorry = str(CATALOGUE.texts("en")("error.failed"))
    assert [post.text for post in api.state.chats[ADA].posts.values()] == [sorry, "fine"]
    assert any(record.exc_info and "the map is gone" in str(record.exc_info[1]) for record in caplog.records)


async def test_an_edit_that_cannot_be_made_becomes_a_new_message(api: FakeBotApi, database: Database) -> None:
    async def edits(inbound: Inbound) -> Sequence[Action]:
        return [Edit(9999, Message("here")), Toast("done")]

    async with listening(api, database, edits):
        await api.say(ADA, "x")
        await api.delivered()
    assert api.last(ADA).text == "here"


async def test_replies_wait_out_floods_and_outages(api: FakeBotApi, database: Database) -> None:
    wait = Fault("refuse", "sendMessage", status=429, description="Too Many", parameters={"retry_after": 2})
    api.faults.add(wait, Fault("refuse", "sendMessage", status=429, description="Too Many Requests"))
    async with listening(api, database, Echo().answer):
        await api.say(ADA, "patience")
        await api.delivered()
    assert [entry.text for entry in api.deliveries] == ["patience"]


async def test_a_reply_that_may_have_arrived_is_not_repeated(api: FakeBotApi, database: Database) -> None:
    api.faults.add(Fault("reset_after", "sendMessage"))
    async with listening(api, database, Echo().answer) as bot:
        await api.say(ADA, "one")
        await bot.all_handled()
        await api.say(ADA, "two")
        await bot.all_handled()
    assert [entry.text for entry in api.deliveries] == ["one", "two"]


async def test_blocking_silences_a_chat_and_unblocking_wakes_it(api: FakeBotApi, database: Database) -> None:
    async with listening(api, database, Echo().answer) as bot:
        await api.say(ADA, "hello")
        await api.block(ADA)
        await bot.all_handled()
        chat = await database.chats.get(ADA)
        assert chat is not None
        assert (chat.active, chat.inactive_reason) == (False, "the bot was kicked")
        await api.unblock(ADA)
        await bot.all_handled()
        chat = await database.chats.get(ADA)
        assert chat is not None
        assert chat.active


async def test_a_chat_found_gone_while_answering_is_inactive(api: FakeBotApi, database: Database) -> None:
    api.faults.add(Fault("refuse", "sendMessage", status=403, description="Forbidden: bot was blocked by the user"))
    async with listening(api, database, Echo().answer) as bot:
        await api.say(ADA, "hello")
        await bot.all_handled()
    chat = await database.chats.get(ADA)
    assert chat is not None
    assert (chat.active, chat.inactive_reason) == (False, "Forbidden: bot was blocked by the user")


async def test_a_group_that_migrates_keeps_its_chat_and_its_answer(api: FakeBotApi, database: Database) -> None:
    api.chat(-500, "group", {ADA: "creator"})
    gate = asyncio.Event()
    async with listening(api, database, Echo(holds={-500: gate}).answer) as bot:
        await api.say(-500, "/rules", user=ADA)
        await api.migrate(-500, GROUP)
        gate.set()
        await bot.all_handled()
    assert await database.chats.get(-500) is None
    moved = await database.chats.get(GROUP)
    assert moved is not None
    assert moved.kind == "supergroup"
    assert [(entry.chat_id, entry.text) for entry in api.deliveries] == [(GROUP, "/rules")]


async def test_only_admins_may_change_a_group(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    api.chat(GROUP, "supergroup", {1: "creator", 2: "administrator", 3: "member"})
    async with listening(api, database, echo.answer) as bot:
        for user in (1, 2, 3, 4):
            await api.say(GROUP, f"/watch {user}", user=user)
        await api.say_anonymously(GROUP, "/watch anonymous")
        await bot.all_handled()
        assert [inbound.may_change for inbound in echo.heard] == [True, True, False, False, True]
        assert echo.heard[4].user_id is None
        asked = len(api.asked("getChatMember"))
        await api.say(GROUP, "/unwatch", user=1)
        await bot.all_handled()
        assert len(api.asked("getChatMember")) == asked, "a rank is remembered for a while"


async def test_groups_are_heard_only_where_the_bot_is_meant(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    api.chat(GROUP, "supergroup", {1: "member"})
    async with listening(api, database, echo.answer) as bot:
        await api.say(GROUP, "BTC to the moon", user=1)
        await api.say(GROUP, "/rules@another_bot", user=1)
        await api.say(GROUP, "/map@Liqwatch_Test_Bot BTC", user=1)
        await api.say(GROUP, "what is near, @liqwatch_test_bot", user=1)
        answered = {"from": {"id": 123456789, "is_bot": True, "first_name": "x"}}
        await api.push_message(GROUP, user=1, text="ETH", reply_to_message=answered)
        await api.post(CHANNEL, "/clusters")
        await bot.all_handled()
    expected = ["/map@Liqwatch_Test_Bot BTC", "what is near, @liqwatch_test_bot", "ETH", "/clusters"]
    assert sorted(inbound.text or "" for inbound in echo.heard) == sorted(expected)
    channel = next(inbound for inbound in echo.heard if inbound.chat_id == CHANNEL)
    assert (channel.chat_kind, channel.user_id, channel.may_change) == ("channel", None, True)


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


async def test_a_flood_is_told_so_once_and_then_passed_over(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    async with listening(api, database, echo.answer, per_minute=3) as bot:
        for number in range(10):
            await api.say(ADA, str(number))
        await api.say(BOB, "hello")
        await bot.all_handled()
    enough = str(CATALOGUE.texts("en")("error.flood"))
    assert [post.text for post in api.state.chats[ADA].posts.values()] == ["0", "1", "2", enough]
    assert api.last(BOB).text == "hello"


async def test_nothing_of_a_handled_update_stays_but_its_id(
    api: FakeBotApi, database: Database, tmp_path: Path
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
    with sqlite3.connect(tmp_path / "bot.db") as connection:
        rows = connection.execute("SELECT payload, handled_ms IS NOT NULL FROM updates").fetchall()
    connection.close()
    assert rows == [(None, 1)]


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


async def test_the_bot_introduces_itself_once(api: FakeBotApi, line_to: "Callable[[], Line]") -> None:
    line = line_to()
    commands = ("watch", "rules", "map", "clusters", "unwatch", "help")
    for _ in range(2):
        await introduce(line, CATALOGUE, commands, describe=True)
    assert [command["command"] for command in api.state.commands["default", ""]] == list(commands)
    assert api.state.descriptions["short", ""] == CATALOGUE.texts("en").label("profile.short")
    assert len(api.asked("setMyCommands")) == len(CATALOGUE.languages)


@pytest.fixture
async def line_to(api: FakeBotApi) -> AsyncIterator[Callable[[], Line]]:
    line = open_line(api.token, api_url=api.url)
    yield lambda: line
    await line.shutdown()


def message(chat: int, text: str) -> dict[str, object]:
    person = {"id": chat, "is_bot": False, "first_name": "Ada"}
    return {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "private"}, "from": person, "text": text}
