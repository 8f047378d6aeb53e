"""The Telegram messenger against a strict Bot API server: what arrives, what is refused, what is sent twice."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.delivery.messenger import (
    BadMessageError,
    Button,
    ChatGoneError,
    Document,
    Message,
    Messenger,
    NotSentError,
    UnknownOutcomeError,
)
from bot.telegram.connection import Line, open_line
from bot.telegram.messenger import TelegramMessenger
from tests.fakes.bot_api import FakeBotApi, Fault, Rates
from tests.fakes.png import png

CHAT = 42
PICTURE = png(64, 40)


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        server.chat(CHAT)
        yield server


@pytest.fixture
async def line(api: FakeBotApi) -> AsyncIterator[Line]:
    opened = open_line(api.token, api_url=api.url, read_timeout_s=0.5)
    yield opened
    await opened.shutdown()


@pytest.fixture
def messenger(line: Line) -> Messenger:
    return TelegramMessenger(line)


async def test_a_text_arrives_with_its_markup_buttons_and_silence(api: FakeBotApi, messenger: Messenger) -> None:
    buttons = (
        (Button("Snooze", data="z|1"), Button("Copy 97400", copy="97400")),
        (Button("Site", url="https://x.io"),),
    )
    first = await messenger.send(CHAT, Message("first"))
    number = await messenger.send(CHAT, Message("<b>BTC</b> 1% &lt; 2%", buttons, silent=True, reply_to=first))
    posted = api.last(CHAT)
    assert (posted.message_id, posted.text, posted.silent, posted.reply_to) == (number, "BTC 1% < 2%", True, first)
    assert posted.buttons == [
        [{"text": "Snooze", "callback_data": "z|1"}, {"text": "Copy 97400", "copy_text": {"text": "97400"}}],
        [{"text": "Site", "url": "https://x.io"}],
    ]


async def test_previews_are_off_where_a_text_has_an_address_and_not_mentioned_elsewhere(
    api: FakeBotApi, messenger: Messenger
) -> None:
    await messenger.send(CHAT, Message('see <a href="https://example.org">this</a>'))
    await messenger.send(CHAT, Message("BTC 97,400.5 within 1.25%"))
    linked, bare = (entry.fields for entry in api.deliveries)
    assert '"is_disabled": true' in linked["link_preview_options"]
    assert "link_preview_options" not in bare


async def test_a_picture_is_uploaded_once_and_then_sent_by_its_id(api: FakeBotApi, messenger: Messenger) -> None:
    for chat in (CHAT, 43, 44):
        api.chat(chat)
        await messenger.send(chat, Message("BTC near", photo=PICTURE, photo_name="BTC 12:00"))
    assert [bool(entry.uploaded) for entry in api.deliveries] == [True, False, False]
    assert len({entry.photo for entry in api.deliveries}) == 1


async def test_equal_pictures_sent_at_once_are_uploaded_once(api: FakeBotApi, messenger: Messenger) -> None:
    api.latency_s = 0.05
    chats = range(100, 110)
    for chat in chats:
        api.chat(chat)
    message = Message("BTC near", photo=PICTURE, photo_name="BTC 12:00")
    await asyncio.gather(*(messenger.send(chat, message) for chat in chats))
    assert sum(bool(entry.uploaded) for entry in api.deliveries) == 1


async def test_a_picture_whose_id_the_server_forgot_is_uploaded_again(api: FakeBotApi, messenger: Messenger) -> None:
    message = Message("BTC near", photo=PICTURE, photo_name="BTC 12:00")
    await messenger.send(CHAT, message)
    api.state.pictures.clear()
    await messenger.send(CHAT, message)
    await messenger.send(CHAT, message)
    assert [bool(entry.uploaded) for entry in api.deliveries] == [True, True, False]
    assert all(entry.photo for entry in api.deliveries)


async def test_pictures_without_a_name_are_never_reused(api: FakeBotApi, messenger: Messenger) -> None:
    for _ in range(2):
        await messenger.send(CHAT, Message("x", photo=PICTURE))
    assert all(entry.uploaded for entry in api.deliveries)


@pytest.mark.parametrize(
    "photo", [b"no picture", png(9000, 1001), png(8, 8) + bytes(11_000_000)], ids=["no picture", "too wide", "too big"]
)
async def test_a_refused_picture_lets_its_text_go_alone(api: FakeBotApi, messenger: Messenger, photo: bytes) -> None:
    await messenger.send(CHAT, Message("<b>BTC</b> near", ((Button("Map", data="m"),),), photo=photo))
    assert [(entry.text, entry.photo) for entry in api.deliveries] == [("BTC near", None)]
    assert api.last(CHAT).button("Map")


async def test_a_text_that_fits_no_caption_goes_first_and_its_picture_follows_silently(
    api: FakeBotApi, messenger: Messenger
) -> None:
    number = await messenger.send(CHAT, Message("long " * 300, ((Button("Map", data="m"),),), photo=PICTURE))
    text, picture = api.deliveries
    assert (text.message_id, text.silent, bool(text.buttons), text.photo) == (number, False, True, None)
    assert picture.photo is not None
    assert (picture.silent, picture.reply_to, picture.buttons) == (True, number, [])


async def test_a_text_is_delivered_although_the_picture_after_it_fails(api: FakeBotApi, messenger: Messenger) -> None:
    api.faults.add(Fault("page", method="sendPhoto"))
    number = await messenger.send(CHAT, Message("long " * 300, photo=PICTURE))
    assert [entry.message_id for entry in api.deliveries] == [number]


async def test_a_caption_is_counted_after_parsing(api: FakeBotApi, messenger: Messenger) -> None:
    text = "<b>&lt;</b>" * 100 + "x" * 924
    await messenger.send(CHAT, Message(text, photo=PICTURE))
    assert len(api.deliveries) == 1
    assert api.deliveries[0].photo is not None


async def test_a_text_over_the_limit_is_shortened_and_its_tags_are_closed(
    api: FakeBotApi, messenger: Messenger
) -> None:
    await messenger.send(CHAT, Message("<b>" + "𝟙" * 5000 + "</b>"))
    text = api.deliveries[0].text or ""
    assert len(text.encode("utf-16-le")) // 2 <= 4096
    assert text.endswith("…")


async def test_markup_the_server_cannot_read_goes_once_more_as_plain_text(
    api: FakeBotApi, messenger: Messenger
) -> None:
    await messenger.send(CHAT, Message("1 <blink>BTC</blink> a & b", ((Button("Map", data="m"),),)))
    assert [entry.status for entry in api.asked("sendMessage")] == [400, 200]
    assert api.last(CHAT).text == "1 BTC a & b"
    assert api.last(CHAT).button("Map")


async def test_buttons_the_server_refuses_are_left_out(api: FakeBotApi, messenger: Messenger) -> None:
    await messenger.send(CHAT, Message("BTC near", ((Button("Copy", copy="9" * 300),),)))
    assert api.last(CHAT).text == "BTC near"
    assert api.last(CHAT).buttons == []


async def test_a_message_refused_even_as_plain_text_is_a_bad_message(api: FakeBotApi, messenger: Messenger) -> None:
    with pytest.raises(BadMessageError):
        await messenger.send(CHAT, Message(" "))
    assert len(api.asked("sendMessage")) == 2


async def test_half_a_surrogate_does_not_stop_a_message(api: FakeBotApi, messenger: Messenger) -> None:
    await messenger.send(CHAT, Message("BTC \ud83d near"))
    assert api.last(CHAT).text == "BTC ? near"


async def test_a_reply_to_a_deleted_message_arrives_all_the_same(api: FakeBotApi, messenger: Messenger) -> None:
    await messenger.send(CHAT, Message("receipt", reply_to=9999))
    assert api.last(CHAT).reply_to is None


async def test_what_may_have_arrived_is_never_sent_again_by_itself(api: FakeBotApi, messenger: Messenger) -> None:
    api.faults.add(Fault("reset_after"), Fault("never"), Fault("page_after"), Fault("broken_json"))
    for _ in range(4):
        with pytest.raises(UnknownOutcomeError):
            await messenger.send(CHAT, Message("x", photo=PICTURE, photo_name="p"))
    assert len(api.deliveries) == 4


async def test_refusals_of_a_chat_and_flood_waits_come_out_as_they_are(api: FakeBotApi, messenger: Messenger) -> None:
    api.rates = Rates()
    await messenger.send(CHAT, Message("one"))
    with pytest.raises(NotSentError) as wait:
        await messenger.send(CHAT, Message("two"))
    assert wait.value.retry_after_s == 1.0
    await api.block(CHAT)
    api.rates = None
    with pytest.raises(ChatGoneError, match="blocked"):
        await messenger.send(CHAT, Message("three"))


async def test_an_edit_replaces_text_and_buttons_and_takes_sameness_for_success(
    api: FakeBotApi, messenger: Messenger
) -> None:
    number = await messenger.send(CHAT, Message("old", ((Button("A", data="a"),),)))
    for _ in range(2):
        await messenger.edit(CHAT, number, Message("<i>new</i>", ((Button("B", data="b"),),)))
    assert (api.last(CHAT).text, api.last(CHAT).edits) == ("new", 1)
    assert api.last(CHAT).button("B")


async def test_an_edit_of_a_picture_without_a_new_one_changes_the_caption(
    api: FakeBotApi, messenger: Messenger
) -> None:
    number = await messenger.send(CHAT, Message("old", photo=PICTURE))
    await messenger.edit(CHAT, number, Message("snoozed"))
    await messenger.edit(CHAT, number, Message("snoozed"))
    assert api.last(CHAT).text == "snoozed"
    assert api.last(CHAT).photo is not None


async def test_an_edit_can_turn_a_text_into_a_picture_and_change_a_picture(
    api: FakeBotApi, messenger: Messenger
) -> None:
    number = await messenger.send(CHAT, Message("loading"))
    await messenger.edit(CHAT, number, Message("map", photo=PICTURE, photo_name="one"))
    first = api.last(CHAT).photo
    await messenger.edit(CHAT, number, Message("map", photo=png(80, 40), photo_name="two"))
    await messenger.send(CHAT, Message("again", photo=PICTURE, photo_name="one"))
    assert first is not None
    assert api.state.chats[CHAT].posts[number].photo not in (None, first)
    assert api.last(CHAT).photo == first


async def test_where_a_server_cannot_replace_pictures_the_caption_changes(
    api: FakeBotApi, messenger: Messenger
) -> None:
    number = await messenger.send(CHAT, Message("old", photo=PICTURE))
    api.faults.add(Fault("refuse", "editMessageMedia", status=501, description="Method not implemented"))
    await messenger.edit(CHAT, number, Message("new", photo=png(80, 40)))
    assert api.last(CHAT).text == "new"


async def test_an_edit_of_a_deleted_message_is_a_bad_message(messenger: Messenger) -> None:
    with pytest.raises(BadMessageError, match="not found"):
        await messenger.edit(CHAT, 9999, Message("x"))


async def test_a_tap_is_answered_and_one_too_old_is_no_error(api: FakeBotApi, messenger: Messenger) -> None:
    await messenger.send(CHAT, Message("x", ((Button("A", data="a"),),)))
    query = await api.tap(CHAT, "A")
    await messenger.answer_callback(query, "s" * 300)
    assert len(api.state.queries[query] or "") == 200
    await messenger.answer_callback("long ago")


async def test_the_server_comes_back_on_the_same_line(api: FakeBotApi, messenger: Messenger) -> None:
    await messenger.send(CHAT, Message("one"))
    await api.close_port()
    with pytest.raises(NotSentError):
        await messenger.send(CHAT, Message("two"))
    await api.open_port()
    await messenger.send(CHAT, Message("two"))
    assert [entry.text for entry in api.deliveries] == ["one", "two"]


OLD_SERVER = 'Bad Request: can\'t parse entities: Unsupported start tag "tg-time" at byte offset 6'
TIMED = Message('<b>until <tg-time unix="1766926800" format="t">13:00 UTC</tg-time></b>', ((Button("Map", data="m"),),))


async def test_a_server_that_knows_no_times_gets_them_written_and_is_not_asked_again(
    api: FakeBotApi, messenger: Messenger
) -> None:
    api.faults.add(Fault("refuse", status=400, description=OLD_SERVER))
    number = await messenger.send(CHAT, TIMED)
    await messenger.send(CHAT, TIMED)
    first, second = api.deliveries
    assert (first.message_id, first.text) == (number, "until 13:00 UTC")
    assert "<b>" in first.fields["text"], "the other markup is kept"
    assert first.buttons == [[{"text": "Map", "callback_data": "m"}]]
    assert "tg-time" not in first.fields["text"] + second.fields["text"]


async def test_an_edit_that_is_refused_for_its_times_is_made_without(api: FakeBotApi, messenger: Messenger) -> None:
    number = await messenger.send(CHAT, Message("before"))
    api.faults.add(Fault("refuse", method="editMessageText", status=400, description=OLD_SERVER))
    await messenger.edit(CHAT, number, TIMED)
    assert api.last(CHAT).text == "until 13:00 UTC"


async def test_times_go_to_a_server_that_knows_them(api: FakeBotApi, messenger: Messenger) -> None:
    await messenger.send(CHAT, TIMED)
    assert "tg-time" in api.deliveries[-1].fields["text"]
    assert api.last(CHAT).text == "until 13:00 UTC"


async def test_a_file_arrives_whole_under_its_name_with_its_text(api: FakeBotApi, messenger: Messenger) -> None:
    file = Document("liqwatch.json", '{"zone": "Asia/Tokyo", "label": "我的"}'.encode())
    number = await messenger.send(CHAT, Message("<b>Everything</b> I keep", document=file, silent=True))
    posted = api.last(CHAT)
    assert (posted.message_id, posted.document, posted.text) == (number, file.data, "Everything I keep")
    assert posted.silent
    assert api.deliveries[-1].method == "sendDocument"


async def test_a_file_that_is_refused_is_not_spoken_of_as_if_it_were_there(
    api: FakeBotApi, messenger: Messenger
) -> None:
    with pytest.raises(BadMessageError):
        await messenger.send(CHAT, Message("Everything I keep", document=Document("liqwatch.json", b"")))
    assert api.deliveries == []
