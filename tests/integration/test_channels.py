"""A channel from the bot's arrival to its alerts being set up in private, over HTTP."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.database import Database
from bot.telegram.channels import LinkedChannels, posts_in
from bot.telegram.connection import open_line
from bot.telegram.conversation import Conversation
from tests.fakes.bot_api import FakeBotApi, Fault
from tests.fakes.desk import FakeDesk
from tests.integration.listening import ADA, BOB, CATALOGUE, Bot, listening

NEWS = -1001234567890


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        server.chat(NEWS, "channel", {ADA: "administrator", BOB: "member"}).username = "crypto_news"
        yield server


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.open(database_url) as opened:
        yield opened


@pytest.fixture
async def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
async def bot(api: FakeBotApi, database: Database, desk: FakeDesk) -> AsyncIterator[Bot]:
    line = open_line(api.token, api_url=api.url)
    conversation = Conversation(desk, CATALOGUE, LinkedChannels(line, database.links))
    async with listening(api, database, conversation.answer) as listens:
        yield listens
    await line.shutdown()


async def test_who_lets_the_bot_in_is_asked_in_private_to_set_it_up(api: FakeBotApi, bot: Bot, desk: FakeDesk) -> None:
    await api.say(ADA, "/start")
    await api.appoint(NEWS, user=ADA)
    await bot.all_handled()
    assert api.last(ADA).text.startswith(f"I can post in Chat {NEWS} now.")
    assert NEWS not in {entry.chat_id for entry in api.deliveries}, "nothing is said in the channel itself"
    await api.tap(ADA, f"Set up alerts for Chat {NEWS}")
    await api.say(ADA, "/watch BTC 1%")
    await bot.all_handled()
    assert [view.rule.chat for view in await desk.rules(NEWS)] == [NEWS]
    channel = await bot.database.chats.get(NEWS)
    assert channel is not None
    assert (channel.kind, channel.language, channel.active) == ("channel", "en", True)


async def test_the_right_to_speak_is_asked_at_each_word(api: FakeBotApi, bot: Bot, desk: FakeDesk) -> None:
    await api.appoint(NEWS, user=ADA)
    await api.say(ADA, "/channel @crypto_news")
    await api.say(ADA, "/watch BTC 1%")
    await bot.all_handled()
    api.state.chats[NEWS].members[ADA] = "member"
    await api.say(ADA, "/unwatch all")
    await bot.all_handled()
    assert "You can no longer speak for" in api.last(ADA).text
    assert len(await desk.rules(NEWS)) == 1


@pytest.mark.parametrize("named", ["@crypto_news", "https://t.me/crypto_news", str(NEWS), "crypto_news"])
async def test_another_admin_links_the_channel_by_its_name(api: FakeBotApi, bot: Bot, named: str) -> None:
    await api.appoint(NEWS, user=1)
    await bot.all_handled()
    await api.say(BOB, f"/channel {named}")
    await bot.all_handled()
    assert "I can't set up" in api.last(BOB).text, "who is no admin there may not"
    await api.say(ADA, f"/channel {named}")
    await bot.all_handled()
    assert "What you send from now on is for" in api.last(ADA).text


@pytest.mark.parametrize("named", ["@nobody", "-1005", "x", "@", "/", "-100999", "🙂"])
async def test_a_channel_that_cannot_be_found_is_explained(api: FakeBotApi, bot: Bot, named: str) -> None:
    await api.say(ADA, f"/channel {named}")
    await bot.all_handled()
    assert "I can't set up" in api.last(ADA).text


async def test_a_channel_without_the_right_to_post_is_no_channel_yet(api: FakeBotApi, bot: Bot) -> None:
    await api.appoint(NEWS, user=ADA, may_post=False)
    await api.say(ADA, "/channel @crypto_news")
    await bot.all_handled()
    assert "I can't set up" in api.last(ADA).text
    await api.appoint(NEWS, user=ADA)
    await bot.all_handled()
    assert api.last(ADA).text.startswith("I can post in")


async def test_a_subscriber_s_tap_in_the_channel_does_nothing_there(api: FakeBotApi, bot: Bot) -> None:
    await api.appoint(NEWS, user=1)
    await api.post(NEWS, "/map BTC")
    await bot.all_handled()
    before = len(api.deliveries)
    query = await api.tap(NEWS, "Refresh", user=BOB)
    await bot.all_handled()
    assert api.state.queries[query] == CATALOGUE.texts("en").label("toast.in_private")
    assert len(api.deliveries) == before


async def test_while_telegram_cannot_be_asked_nothing_is_changed(api: FakeBotApi, bot: Bot, desk: FakeDesk) -> None:
    await api.appoint(NEWS, user=ADA)
    await api.say(ADA, "/channel @crypto_news")
    await bot.all_handled()
    api.faults.add(Fault("refuse", "getChat", status=502, description="Bad Gateway"))
    await api.say(ADA, "/watch BTC 1%")
    await bot.all_handled()
    assert api.last(ADA).text == str(CATALOGUE.texts("en")("error.failed"))
    assert await desk.rules(NEWS) == []


async def test_where_the_bot_may_post_is_asked_of_the_server(api: FakeBotApi) -> None:
    async with open_line(api.token, api_url=api.url) as line:
        assert await posts_in(line, "@crypto_news") is None, "it is no admin there yet"
        api.state.chats[NEWS].members[line.id] = "administrator"
        assert await posts_in(line, "@crypto_news") == NEWS
        assert await posts_in(line, NEWS) == NEWS
        api.state.chats[NEWS].members[line.id] = "member"
        assert await posts_in(line, NEWS) is None
        assert await posts_in(line, "@no_such_channel") is None
        assert await posts_in(line, ADA) is None, "a person is no channel"
