"""The fake Bot API server itself: what it refuses, in Telegram's words, and how it is driven from another process."""

import asyncio
import sys
from typing import Any

import aiohttp
import pytest

from tests.fakes.bot_api import FakeBotApi, Rates, Refusal
from tests.fakes.bot_api.checks import png_size, read_caption, read_keyboard, read_text
from tests.fakes.bot_api.html import Entity, parse
from tests.fakes.png import png

KEY = {"text": "k", "callback_data": "d"}


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("é<foo>x</foo>", 'Unsupported start tag "foo" at byte offset 2'),
        ("price < 5 and > 3", 'Unsupported start tag "" at byte offset 6'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
        ("<a ='x'>x</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<tg-time>x</tg-time>", 'Tag "tg-time" must have attribute "unix" at byte offset 0'),
        (
            '<tg-time unix="1" format="td">x</tg-time>',
            'Invalid date-time format specified in the tag "tg-time" at byte offset 0',
        ),
        (
            '<pre><tg-time unix="1" format="t">x</tg-time></pre>',
            'Tag "tg-time" would show no time inside of another such tag at byte offset 5',
        ),
        ("&#xd800;", "Text contains invalid Unicode characters after decoding HTML entities"),
    ],
)
def test_broken_markup_is_refused_in_the_servers_words(html: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(html)
    assert (refused.value.status, refused.value.description) == (400, f"Bad Request: can't parse entities: {reason}")


def test_markup_becomes_text_and_entities_counted_in_utf16() -> None:
    link, time = '<a href="https://x.io?a=1&amp;b=2">c</a>', '<tg-time unix="1" format="r">t</tg-time>'
    parsed = parse(f"𝟙 <b>a &lt; <i>b</i></b> {link} {time} &nbsp;")
    assert parsed.text == "𝟙 a < b c t &nbsp;"
    assert [(e.kind, e.offset, e.length) for e in parsed.entities] == [
        ("italic", 7, 1),
        ("bold", 3, 5),
        ("text_link", 9, 1),
        ("date_time", 11, 1),
    ]
    assert parse("<code></code>x").entities == ()
    assert parse("<pre>x</pre>").entities == (Entity("pre", 0, 1),)


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (lambda: read_text("x" * 4097, None), "message is too long"),
        (lambda: read_text("𝟙" * 2049, None), "message is too long"),
        (lambda: read_text(" <b> </b> ", "HTML"), "message text is empty"),
        (lambda: read_caption("x" * 1025, None), "message caption is too long"),
        (lambda: read_text("x", "Wiki"), "unsupported parse_mode"),
        (lambda: read_keyboard({"inline_keyboard": [[KEY] * 9]}), "reply markup is too long"),
        (lambda: read_keyboard({"inline_keyboard": [[KEY]] * 101}), "reply markup is too long"),
        (
            lambda: read_keyboard({"inline_keyboard": [[{"text": "k", "callback_data": "é" * 33}]]}),
            "BUTTON_DATA_INVALID",
        ),
        (lambda: read_keyboard({"inline_keyboard": [[{"text": "k"}]]}), "text buttons are unallowed"),
        (lambda: png_size(b"GIF89a"), "IMAGE_PROCESS_FAILED"),
        (lambda: png_size(png(9000, 1001)), "PHOTO_INVALID_DIMENSIONS"),
        (lambda: png_size(png(1, 21)), "PHOTO_INVALID_DIMENSIONS"),
        (lambda: png_size(bytes(10_485_761)), "too big for a photo"),
    ],
)
def test_every_limit_is_held(check: Any, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        check()


def test_what_is_just_within_the_limits_passes() -> None:
    assert read_text("<b>&lt;</b>" * 4096, "HTML").text == "<" * 4096
    assert len(read_keyboard({"inline_keyboard": [[KEY] * 8] * 12 + [[KEY] * 4]})) == 13
    assert png_size(png(9000, 1000)) == (9000, 1000)


def test_flood_limits_of_chat_group_and_token() -> None:
    rates = Rates()
    rates.count(1, 0.0)
    with pytest.raises(Refusal) as chat:
        rates.count(1, 0.5)
    assert chat.value.parameters == {"retry_after": 1}
    for second in range(20):
        rates.count(-5, float(second))
    with pytest.raises(Refusal) as group:
        rates.count(-5, 20.0)
    assert group.value.parameters == {"retry_after": 40}
    for number in range(30):
        rates.count(100 + number, 90.0)
    with pytest.raises(Refusal):
        rates.count(200, 90.9)
    rates.count(200, 91.0)


async def test_an_offset_confirms_and_a_second_poll_ends_the_first() -> None:
    async with FakeBotApi() as api:
        first = await api.say(1, "a")
        assert [u["update_id"] for u in await api.updates.get(offset=0, limit=9, timeout_s=0, allowed=None)] == [first]
        assert len(await api.updates.get(offset=first, limit=9, timeout_s=0, allowed=None)) == 1
        assert await api.updates.get(offset=first + 1, limit=9, timeout_s=0, allowed=None) == []
        poll = asyncio.create_task(api.updates.get(offset=0, limit=9, timeout_s=5, allowed=None))
        await asyncio.sleep(0)
        await api.updates.get(offset=0, limit=9, timeout_s=0, allowed=["message"])
        with pytest.raises(Refusal, match="terminated by other getUpdates"):
            await poll


async def test_the_fake_runs_as_a_process_and_is_driven_over_http() -> None:
    arguments = ["-m", "tests.fakes.bot_api", "--port", "0", "--token", "123456789:" + "x" * 35]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    bot = f"{url}/bot123456789:{'x' * 35}"
    async with aiohttp.ClientSession() as session:

        async def ask(address: str, **body: Any) -> Any:
            async with session.post(address, json=body) as reply:
                return await reply.json()

        await ask(f"{url}/control/say", chat_id=5, text="/start")
        updates = await ask(f"{bot}/getUpdates", timeout=1)
        assert updates["result"][0]["message"]["text"] == "/start"
        await ask(f"{url}/control/fault", kind="refuse", status=429, description="Too Many")
        keyboard = {"inline_keyboard": [[{"text": "Tap", "callback_data": "t"}]]}
        message = {"chat_id": 5, "text": "<b>hi</b>", "parse_mode": "HTML", "reply_markup": keyboard}
        assert (await ask(f"{bot}/sendMessage", **message))["error_code"] == 429
        assert (await ask(f"{bot}/sendMessage", **message))["ok"]
        assert (await ask(f"{url}/control/tap", chat_id=5, button="Tap"))["ok"]
        assert not (await ask(f"{url}/control/tap", chat_id=5, button="None"))["ok"]
        async with session.get(f"{url}/control/journal") as reply:
            journal = (await reply.json())["result"]
    assert [(entry["method"], entry["status"], entry["text"]) for entry in journal] == [("sendMessage", 200, "hi")]
    process.terminate()
    assert await process.wait() == 0
