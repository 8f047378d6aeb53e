"""What a stranger can send, and what a broken server can say: answered or ignored, never executed, never leaked."""

import logging
import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.liquidation.values import replace
from bot.logs import JsonFormatter, TextFormatter
from bot.storage.database import Database
from bot.telegram.alerts_text import alert_message
from bot.telegram.conversation import Conversation
from bot.telegram.headlines import Contract
from bot.telegram.limits import bare
from tests.fakes.bot_api import FakeBotApi, Fault
from tests.fakes.desk import FakeDesk
from tests.integration.listening import ADA, BOB, CATALOGUE, listening
from tests.unit.storage.full_tables import stored
from tests.unit.storage.values import event

SQL = "'; DROP TABLE rules; DELETE FROM chats; --"
BIDI = "\u202eBTC\u2066 1%\u200b\u200d\ufeff"


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.open(database_url) as opened:
        yield opened


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(FakeDesk(), CATALOGUE)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "/watch " + "BTC " * 250_000,
        f"/watch {SQL} 1%",
        f"/map {SQL}",
        f"/unwatch {SQL}",
        SQL,
        f"/start {SQL}",
        "/watch <b>BTC</b> <script>alert(1)</script> 1%",
        "</b></i><a href='tg://user?id=1'>x</a>",
        f"/watch {BIDI}",
        f"/map {BIDI}",
        "\u200b",
        "/\u202ehctaw",
        "/watch \U0001d401\U0001d413\U0001d402 1%",
        "/watch BTC 1%\x00\x1b[31m",
        "\ud83d",
        "%s %n {0} {symbol} {{}}",
    ],
    ids=lambda text: ascii(text[:24]),
)
async def test_any_text_gets_one_answer_that_the_strict_server_takes(
    api: FakeBotApi, database: Database, conversation: Conversation, text: str
) -> None:
    async with listening(api, database, conversation.answer) as bot:
        await api.say(ADA, text)
        await bot.all_handled()
        await api.say(ADA, "/rules")
        await bot.all_handled()
    answers = [entry for entry in api.deliveries if entry.chat_id == ADA]
    assert len(answers) == 2, [entry.description for entry in api.journal]
    assert [entry.description for entry in api.journal if entry.status != 200] == []
    said = answers[0].text or ""
    assert len(said) <= 4096
    assert not {unicodedata.category(c) for c in said.replace("\n", "")} & {"Cc", "Cf", "Cs"}
    assert "<script" not in (answers[0].html or "")
    assert "tg://user" not in (answers[0].html or "")


@pytest.mark.parametrize(
    "content",
    [
        {"photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}], "caption": "/watch BTC 1%"},
        {"poll": {"id": "1", "question": "up?", "options": []}, "forward_origin": {"type": "user"}},
        {"sticker": {"file_id": "a"}},
        {"location": {"latitude": 0.0, "longitude": 0.0}},
        {"contact": {"phone_number": SQL, "first_name": SQL}},
    ],
    ids=lambda content: next(iter(content)),
)
async def test_what_is_no_text_is_told_so_and_does_nothing(
    api: FakeBotApi, database: Database, conversation: Conversation, content: dict[str, Any]
) -> None:
    async with listening(api, database, conversation.answer) as bot:
        await api.push_message(ADA, **content)
        await bot.all_handled()
    assert [entry.text for entry in api.deliveries] == [bare(CATALOGUE.texts("en")("error.no_text"))]


async def test_an_edited_command_is_no_second_command(
    api: FakeBotApi, database: Database, conversation: Conversation
) -> None:
    async with listening(api, database, conversation.answer) as bot:
        await api.push_message(ADA, kind="edited_message", text="/watch BTC 1%")
        await api.say(ADA, "/rules")
        await bot.all_handled()
    assert len(api.deliveries) == 1


async def test_sql_in_every_field_is_only_text(
    api: FakeBotApi, database: Database, conversation: Conversation, database_url: str
) -> None:
    stranger = {"id": BOB, "is_bot": False, "first_name": SQL, "username": SQL, "language_code": SQL}
    chat = {"id": BOB, "type": "private", "first_name": SQL, "title": SQL, "username": SQL}
    message = {"message_id": 5, "date": 1, "chat": chat, "from": stranger}
    api.chat(BOB)
    async with listening(api, database, conversation.answer) as bot:
        await api.push({"message": message | {"text": SQL, "author_signature": SQL}})
        query = {"id": SQL, "from": stranger, "message": message, "data": SQL, "chat_instance": SQL}
        await api.push({"callback_query": query})
        await api.push({"my_chat_member": {"chat": chat, "from": stranger, "new_chat_member": {"status": SQL}}})
        await bot.all_handled()
    held = stored(database_url)
    assert {"rules", "chats", "outbox"} <= set(held)
    assert len(held["chats"]) == 1


def test_a_label_is_text_in_an_alert() -> None:
    label = "<b>x</b> & \u202e<a href='http://evil.example'>win</a>"
    named = replace(event(), label=label)
    message = alert_message(named, Contract("ZRX", 0.0001), texts=CATALOGUE.texts("en"), sent_ms=named.time_ms)
    assert "&lt;b&gt;x&lt;/b&gt; &amp; &lt;a href=" in message.text
    assert "\u202e" not in message.text
    assert "<a " not in message.text


async def test_the_token_is_in_no_log_and_not_in_the_database_whatever_the_server_says(
    api: FakeBotApi, database: Database, conversation: Conversation, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"Bad Request: https://api.telegram.org/bot{api.token}/sendMessage is wrong, {api.token}"
    api.faults.add(
        Fault("refuse", "sendMessage", status=400, description=said, times=3),
        Fault("refuse", "sendMessage", status=403, description=f"Forbidden: {said}"),
        Fault("refuse", "sendMessage", status=500, description=said),
        Fault("refuse", "getUpdates", status=500, description=said),
        Fault("page_after", "sendMessage", status=502),
        Fault("broken_json", "sendMessage"),
        Fault("reset", "sendMessage"),
    )
    with caplog.at_level(logging.DEBUG, "bot"):
        async with listening(api, database, conversation.answer) as bot:
            for text in (api.token, f"/watch {api.token}", *["/rules"] * 8):
                await api.say(ADA, text)
            await bot.all_handled()
    secret = api.token.partition(":")[2]
    assert caplog.records
    for record in caplog.records:
        for formatter in (TextFormatter(), JsonFormatter()):
            assert secret not in formatter.format(record)
    await database.close()
    held = stored(database_url)
    assert held["updates"]
    assert secret not in repr(held)
