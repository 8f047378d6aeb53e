"""Answering: from what a person typed or tapped to the reply in the chat, whoever may and whatever fails."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from bot.alerts.preferences import Preferences
from bot.delivery.messenger import Message
from bot.storage.database import Database
from bot.storage.leases import SENDER
from bot.telegram.asking import COMMANDS
from bot.telegram.connection import Line, open_line
from bot.telegram.menus import menus
from bot.telegram.profile import introduce
from bot.telegram.turn import Action, Edit, Inbound, Reply, Toast
from tests.fakes.bot_api import FakeBotApi, Fault
from tests.integration.listening import (
    ADA,
    BOB,
    CATALOGUE,
    CHANNEL,
    GROUP,
    Echo,
    eventually,
    listening,
)


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.open(database_url) as opened:
        yield opened


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


@pytest.mark.parametrize("writes", [True, False])
async def test_a_process_that_is_overtaken_in_mid_turn_leaves_the_answer_to_its_follower(
    api: FakeBotApi, database: Database, caplog: pytest.LogCaptureFixture, writes: bool
) -> None:
    epoch = await database.leases.take(SENDER, "first", valid_ms=0)
    assert epoch is not None

    async def overtaken(inbound: Inbound) -> Sequence[Action]:
        assert await database.leases.take(SENDER, "second", valid_ms=60_000)
        if writes:
            await database.chats.set_language(ADA, "tr")
        return [Reply(Message("too late"))]

    async with listening(api, database, overtaken):
        database.fence(epoch)
        await api.say(ADA, "hello")
        await eventually(lambda: "a turn is left to the process that has taken over" in caplog.messages)
        waiting = await database.updates.waiting()
    assert [update.chat for update in waiting] == [ADA]
    assert not api.deliveries
    assert not [record for record in caplog.records if record.exc_info]


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
        await api.say(GROUP, "/map BTC", user=1)
        await bot.all_handled()
        assert len(api.asked("getChatMember")) == asked, "who only looks is not asked for a rank"


async def test_a_demoted_admin_changes_nothing_from_that_moment_on(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    group = api.chat(GROUP, "supergroup", {2: "administrator"})
    async with listening(api, database, echo.answer) as bot:
        await api.say(GROUP, "/watch BTC", user=2)
        await bot.all_handled()
        group.members[2] = "member"
        await api.say(GROUP, "/unwatch all", user=2)
        await api.say(GROUP, "mute 8h, @liqwatch_test_bot", user=2)
        await bot.all_handled()
    assert [inbound.may_change for inbound in echo.heard] == [True, False, False]


async def test_where_ranks_cannot_be_asked_nothing_is_changed_and_it_is_said(
    api: FakeBotApi, database: Database
) -> None:
    echo = Echo()
    api.chat(GROUP, "supergroup", {1: "creator"})
    api.faults.add(Fault("refuse", "getChatMember", status=429, description="Too Many", parameters={"retry_after": 1}))
    async with listening(api, database, echo.answer) as bot:
        await api.say(GROUP, "/unwatch all", user=1)
        await bot.all_handled()
    assert echo.heard == []
    assert api.last(GROUP).text == str(CATALOGUE.texts("en")("error.failed"))


async def test_a_group_is_greeted_once_and_its_return_is_heard(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    api.chat(GROUP, "supergroup", {1: "creator"})
    async with listening(api, database, echo.answer) as bot:
        await api.invite(GROUP, user=1)
        await api.stand(GROUP, "member", "administrator", user=1)
        await api.stand(GROUP, "administrator", {"status": "restricted", "is_member": True}, user=1)
        await bot.all_handled()
        chat = await database.chats.get(GROUP)
        assert chat is not None
        assert (chat.active, chat.inactive_reason) == (False, "the bot was restricted")
        await api.kick(GROUP)
        await api.invite(GROUP, user=1)
        await bot.all_handled()
    assert [(inbound.occasion, inbound.chat_id) for inbound in echo.heard] == [("group_joined", GROUP)] * 2
    chat = await database.chats.get(GROUP)
    assert chat is not None
    assert (chat.active, chat.language) == (True, "en")


async def test_a_group_that_moved_is_not_greeted_as_a_new_one(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    api.chat(-500, "group", {1: "creator"})
    async with listening(api, database, echo.answer) as bot:
        await api.invite(-500, user=1)
        await bot.all_handled()
        await api.migrate(-500, GROUP)
        await bot.all_handled()
        await api.stand(GROUP, "left", "member", user=1)
        await bot.all_handled()
    assert [(inbound.occasion, inbound.chat_id) for inbound in echo.heard] == [("group_joined", -500)]


async def test_of_a_stranger_nothing_is_remembered(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    api.chat(GROUP, "supergroup", {BOB: "creator"})
    async with listening(api, database, echo.answer, is_open_to=lambda chat, user: ADA in (chat, user)) as bot:
        await api.say(BOB, "hello")
        await api.invite(GROUP, user=BOB)
        await api.appoint(CHANNEL, user=BOB)
        await api.say(ADA, "hello")
        await bot.all_handled()
    assert [await database.chats.get(chat) for chat in (BOB, GROUP, CHANNEL)] == [None, None, None]
    assert await database.chats.get(ADA) is not None
    assert sorted(inbound.chat_id for inbound in echo.heard) == [GROUP, ADA, BOB, BOB], "each is answered all the same"


async def test_nothing_is_said_to_what_nobody_typed(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    api.chat(GROUP, "supergroup", {1: "creator"})
    here, elsewhere = {"id": 123456789, "is_bot": True, "first_name": "Liqwatch"}, {"type": "hidden_user", "date": 1}
    async with listening(api, database, echo.answer) as bot:
        await api.push_message(GROUP, user=1, text="/unwatch all", forward_origin=elsewhere)
        await api.push_message(GROUP, user=777000, text="/unwatch all", is_automatic_forward=True)
        await api.push_message(GROUP, user=1, text="@liqwatch_test_bot BTC 96,620", via_bot=here)
        await api.push_message(ADA, text="BTC 96,620", via_bot=here)
        await api.push_message(ADA, text="BTC", forward_origin=elsewhere)
        await bot.all_handled()
    assert [inbound.text for inbound in echo.heard] == ["BTC"], "in private a forwarded text is read"


async def test_who_writes_as_their_channel_is_answered_and_may_not_change(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    api.chat(GROUP, "supergroup", {1: "creator"})
    channel = {"id": CHANNEL, "type": "channel", "title": "Mine"}
    async with listening(api, database, echo.answer) as bot:
        await api.push_message(GROUP, user=136817688, text="/watch BTC", sender_chat=channel)
        await bot.all_handled()
    assert [(inbound.user_id, inbound.may_change) for inbound in echo.heard] == [(None, False)]


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
    expected = ["/map@Liqwatch_Test_Bot BTC", "what is near,", "ETH", "/clusters"]
    assert sorted(inbound.text or "" for inbound in echo.heard) == sorted(expected)
    assert {inbound.text: inbound.to_bot for inbound in echo.heard if inbound.chat_id == GROUP}["ETH"] is False
    channel = next(inbound for inbound in echo.heard if inbound.chat_id == CHANNEL)
    assert (channel.chat_kind, channel.user_id, channel.may_change) == ("channel", None, True)


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


async def test_a_member_who_floods_a_group_does_not_silence_it_for_its_admin(
    api: FakeBotApi, database: Database
) -> None:
    echo = Echo()
    api.chat(GROUP, "supergroup", {1: "creator", 2: "member"})
    async with listening(api, database, echo.answer, per_minute=6) as bot:
        for number in range(12):
            await api.say(GROUP, f"/map {number}", user=2)
        await api.say(GROUP, "/unwatch all", user=1)
        await bot.all_handled()
    assert [inbound.user_id for inbound in echo.heard] == [2, 2, 2, 1]
    enough = str(CATALOGUE.texts("en")("error.flood"))
    assert [post.text for post in api.state.chats[GROUP].posts.values()].count(enough) == 1


async def test_taps_are_counted_like_words(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    async with listening(api, database, echo.answer, per_minute=3) as bot:
        await api.say(ADA, "hello")
        await bot.all_handled()
        queries = [await api.tap(ADA, "Tap", message=api.last(ADA)) for _ in range(6)]
        await bot.all_handled()
    enough = CATALOGUE.texts("en").label("error.flood")
    assert [api.state.queries[query] for query in queries] == ["", "", enough, None, None, None]
    assert len(echo.heard) == 3


async def test_the_bot_introduces_itself_once(api: FakeBotApi, line_to: "Callable[[], Line]") -> None:
    line = line_to()
    api.chat(ADA)
    for _ in range(2):
        await introduce(line, CATALOGUE, menus([ADA]), describe=True)
    shown = {scope: [command["command"] for command in menu] for (scope, _), menu in api.state.commands.items()}
    assert shown["default"] == list(COMMANDS)
    assert shown["all_group_chats"] == ["map", "clusters", "rules", "why", "help"]
    assert {"watch", "unwatch", "mute", "map"} < set(shown["all_chat_administrators"]) < set(COMMANDS)
    assert shown[f"chat {ADA}"] == [*COMMANDS, "admin"]
    assert api.state.descriptions["short", ""] == CATALOGUE.texts("en").label("profile.short")
    assert len(api.asked("setMyCommands")) == len(CATALOGUE.languages) * 4
    for scope in shown:
        languages = {language for kind, language in api.state.commands if kind == scope}
        assert len(languages) == len(CATALOGUE.languages), "each in every language"


async def test_an_operator_who_never_opened_the_bot_costs_nobody_else_the_menu(
    api: FakeBotApi, line_to: "Callable[[], Line]", caplog: pytest.LogCaptureFixture
) -> None:
    assert await introduce(line_to(), CATALOGUE, menus([BOB]), describe=True)
    assert ("default", "") in api.state.commands
    assert api.state.descriptions["short", ""]
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.fixture
async def line_to(api: FakeBotApi) -> AsyncIterator[Callable[[], Line]]:
    line = open_line(api.token, api_url=api.url)
    yield lambda: line
    await line.shutdown()


async def test_the_chosen_language_leads_the_client_s(api: FakeBotApi, database: Database) -> None:
    echo = Echo()
    await database.chats.prefer(ADA, Preferences(language="en"), now_ms=1)
    async with listening(api, database, echo.answer) as bot:
        await api.say(ADA, "hello", language="pt-br")
        await api.delivered()
        await bot.all_handled()
    assert [inbound.language for inbound in echo.heard] == ["en"]
    chat = await database.chats.get(ADA)
    assert chat is not None
    assert (chat.language, chat.spoken) == ("pt-br", "en")


async def test_a_turn_that_forgets_its_own_chat_is_answered_and_leaves_nothing(
    api: FakeBotApi, database: Database
) -> None:
    async def forgets(inbound: Inbound) -> Sequence[Action]:
        await database.whole_chat.forget(inbound.chat_id)
        return [Reply(Message("forgotten"))]

    async with listening(api, database, forgets) as bot:
        await api.say(ADA, "/forgetme")
        await api.delivered()
        await bot.all_handled()
    assert api.last(ADA).text == "forgotten"
    assert (await database.whole_chat.read(ADA)).rows == {}
