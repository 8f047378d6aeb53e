"""An answer that the end of a process cuts short: done once, and what may have arrived says that it is a repeat."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.alerts.types import Kind, Market, Rule
from bot.delivery.messenger import Button, Message
from bot.storage.database import Database
from bot.telegram.turn import Action, Edit, Inbound, Reply, Toast
from bot.telegram.turn_codec import actions_from_json, actions_to_json
from tests.fakes.bot_api import FakeBotApi, Fault
from tests.fakes.png import png
from tests.integration.listening import ADA, GROUP, eventually, listening


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.open(database_url) as opened:
        yield opened


class Clerk:
    """Makes or removes one rule and says what it did: asked a second time it would say something else."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.heard: list[str | None] = []

    async def answer(self, inbound: Inbound) -> Sequence[Action]:
        self.heard.append(inbound.text or inbound.callback_data)
        rule = Rule(0, inbound.chat_id, Market("binance", "BTCUSDT"), Kind.PROXIMITY, 1.0)
        if inbound.callback_data is not None and inbound.message_id is not None:
            _, existed = await self.database.rules.add(rule)
            return [Toast(), Edit(inbound.message_id, Message("found it" if existed else "made it"))]
        if inbound.text == "picture":
            return [Reply(Message("a map", photo=png(40, 30), photo_name="map"))]
        _, existed = await self.database.rules.add(rule)
        keys = ((Button("Again", data="again"),),)
        return [Reply(Message("you <b>have</b> it" if existed else "watching", keys)), Reply(Message("and more"))]


def read(api: FakeBotApi, chat: int = ADA) -> list[tuple[str | None, bool]]:
    return [(entry.text, entry.silent) for entry in api.deliveries if entry.chat_id == chat]


async def test_a_reply_that_may_have_arrived_is_repeated_once_marked_and_its_command_is_not_done_again(
    api: FakeBotApi, database: Database
) -> None:
    clerk = Clerk(database)
    api.faults.add(Fault("never", "sendMessage"))
    async with listening(api, database, clerk.answer) as bot:
        await api.say(ADA, "/watch BTC 1%")
        await api.delivered()
        await bot.die()
    async with listening(api, database, clerk.answer) as bot:
        await bot.all_handled()
    assert clerk.heard == ["/watch BTC 1%"]
    assert read(api) == [("watching", False), ("Repeat: watching", True), ("and more", False)]
    assert api.deliveries[1].buttons == api.deliveries[0].buttons


async def test_what_was_delivered_before_the_end_is_not_sent_again(api: FakeBotApi, database: Database) -> None:
    clerk = Clerk(database)
    async with listening(api, database, clerk.answer) as bot:
        api.faults.add(Fault("stall_after", "sendMessage", seconds=0.0), Fault("never", "sendMessage"))
        await api.say(ADA, "/watch BTC 1%")
        await api.delivered(2)
        await bot.die()
    async with listening(api, database, clerk.answer) as bot:
        await bot.all_handled()
    assert read(api) == [("watching", False), ("and more", False), ("Repeat: and more", True)]


async def test_a_reply_that_surely_did_not_go_out_is_no_repeat(api: FakeBotApi, database: Database) -> None:
    clerk = Clerk(database)
    refusal = Fault(
        "refuse", "sendMessage", times=1000, status=429, description="Too Many", parameters={"retry_after": 50}
    )
    api.faults.add(refusal)
    async with listening(api, database, clerk.answer) as bot:
        await api.say(ADA, "/watch BTC 1%")
        await eventually(lambda: api.asked("sendMessage") or refusal.times < 1000)
        await asyncio.sleep(0.2)
        await bot.die()
    api.faults.clear()
    async with listening(api, database, clerk.answer) as bot:
        await bot.all_handled()
    assert read(api) == [("watching", False), ("and more", False)]


async def test_a_repeat_that_did_not_go_out_is_still_a_repeat_after_another_end(
    api: FakeBotApi, database: Database
) -> None:
    clerk = Clerk(database)
    api.faults.add(Fault("never", "sendMessage"))
    async with listening(api, database, clerk.answer) as bot:
        await api.say(ADA, "/watch BTC 1%")
        await api.delivered()
        await bot.die()
    api.faults.add(Fault("refuse", "sendMessage", times=1000, status=429, parameters={"retry_after": 50}))
    async with listening(api, database, clerk.answer) as bot:
        await eventually(lambda: len(api.faults.plan) == 1 and api.faults.plan[0].times < 1000)
        await asyncio.sleep(0.2)
        await bot.die()
    api.faults.clear()
    async with listening(api, database, clerk.answer) as bot:
        await bot.all_handled()
    assert read(api) == [("watching", False), ("Repeat: watching", True), ("and more", False)]


async def test_an_edit_is_simply_made_again(api: FakeBotApi, database: Database) -> None:
    clerk = Clerk(database)
    async with listening(api, database, clerk.answer) as bot:
        await api.say(ADA, "hello")
        await bot.all_handled()
        await database.rules.remove(ADA, 1, now_ms=1)
        api.faults.add(Fault("never", "editMessageText"))
        await api.tap(ADA, "Again")
        await eventually(lambda: api.asked("editMessageText"))
        await bot.die()
    async with listening(api, database, clerk.answer) as bot:
        await bot.all_handled()
    assert clerk.heard == ["hello", "again"]
    assert [post.text for post in api.state.chats[ADA].posts.values()] == ["made it", "and more"]


async def test_a_picture_that_may_have_arrived_is_made_anew_and_marked(api: FakeBotApi, database: Database) -> None:
    clerk = Clerk(database)
    api.faults.add(Fault("never", "sendPhoto"))
    async with listening(api, database, clerk.answer) as bot:
        await api.say(ADA, "picture")
        await api.delivered()
        await bot.die()
    async with listening(api, database, clerk.answer) as bot:
        await bot.all_handled()
    assert clerk.heard == ["picture", "picture"]
    assert read(api) == [("a map", False), ("Repeat: a map", True)]


async def test_a_forum_is_answered_in_its_topic_and_alerts_follow_the_last_rule(
    api: FakeBotApi, database: Database
) -> None:
    forum = api.chat(GROUP, "supergroup", {ADA: "creator"})
    api.state.chats[forum.id].topics.update({5, 6})
    async with listening(api, database, Clerk(database).answer) as bot:
        for topic, text in ((5, "/watch BTC 1%"), (6, "/rules")):
            await api.push_message(GROUP, user=ADA, text=text, message_thread_id=topic, is_topic_message=True)
            await bot.all_handled()
        chat = await database.chats.get(GROUP)
        assert chat is not None
        assert chat.topic == 5
        assert {post.thread for post in api.state.chats[GROUP].posts.values()} == {5, 6}
        await api.push_message(GROUP, user=ADA, text="/rules", message_thread_id=99, is_topic_message=True)
        await bot.all_handled()
        assert [post.thread for post in api.state.chats[GROUP].posts.values()][-2:] == [None, None]


def test_actions_come_back_as_they_were() -> None:
    actions: list[Action] = [
        Toast("ok"),
        Edit(3, Message("<b>x</b>", ((Button("a", data="b"), Button("c", copy="d")), (Button("e", url="f"),)))),
        Reply(Message("y", silent=True, reply_to=4, topic=2)),
    ]
    kept = actions_to_json(actions)
    assert kept is not None
    assert actions_from_json(kept) == actions
    assert actions_to_json([Reply(Message("y", photo=b"png"))]) is None
    sample = Reply(Message("y", photo=b"png", photo_name="y", silent=True))
    text_first = actions_to_json([Reply(Message("x")), sample])
    assert text_first is not None
    assert actions_from_json(text_first) == [Reply(Message("x")), Reply(Message("y", silent=True))]
