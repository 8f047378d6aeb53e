"""The phone in the terminal: bubbles, keys with numbers, pictures in a folder, plain lines without a terminal."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from bot.delivery.messenger import BadMessageError, Button, Message, Messenger
from bot.telegram.conversation import Conversation, Edit, Inbound, Reply, Toast
from bot.telegram.terminal import CHAT, TerminalPhone, file_stem, read_lines
from bot.telegram.texts import Catalogue
from tests.fakes.desk import NOON_MS, PNG, FakeDesk

CATALOGUE = Catalogue.load()


class Noon:
    """It is always noon."""

    def now_ms(self) -> int:
        return NOON_MS

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Screen:
    """A phone with what it wrote, and with the conversation behind it."""

    def __init__(self, folder: Path, *, terminal: bool = False, width: int = 80) -> None:
        self.file = io.StringIO()
        console = Console(file=self.file, force_terminal=terminal, width=width, color_system=None, highlight=False)
        self.phone = TerminalPhone(folder=folder, clock=Noon(), texts=CATALOGUE.texts("en"), console=console)
        self.conversation = Conversation(FakeDesk(), CATALOGUE)
        self.heard: list[Inbound] = []

    @property
    def text(self) -> str:
        return self.file.getvalue()

    async def handle(self, inbound: Inbound) -> None:
        self.heard.append(inbound)
        for action in await self.conversation.answer(inbound):
            match action:
                case Toast(text):
                    await self.phone.answer_callback(inbound.callback_id or "", text)
                case Edit(message_id, message):
                    await self.phone.edit(inbound.chat_id, message_id, message)
                case Reply(message):
                    await self.phone.send(inbound.chat_id, message)

    async def run(self, *lines: str) -> None:
        async def typed() -> AsyncIterator[str]:
            for line in lines:
                yield line

        await self.phone.run(self.handle, typed())


def test_the_phone_is_a_messenger(tmp_path: Path) -> None:
    messenger: Messenger = Screen(tmp_path).phone
    assert messenger


async def test_without_a_terminal_a_chat_is_plain_lines(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    await screen.run("/watch BTC 1%\n", "\n", "/rules\n")
    assert "\x1b" not in screen.text
    assert "12:00 You: /watch BTC 1%\n12:00 Liqwatch: Watching BTC:" in screen.text
    assert "      [1 Calm 0.5%] [2 ✓ Normal 1%] [3 Fast 2%]\n" in screen.text
    assert len(screen.heard) == 2


async def test_in_a_terminal_the_bot_is_on_the_left_and_the_person_on_the_right(tmp_path: Path) -> None:
    screen = Screen(tmp_path, terminal=True)
    await screen.run("/rules")
    lines = screen.text.splitlines()
    typed = next(line for line in lines if "/rules" in line)
    answer = next(line for line in lines if "No rules yet" in line)
    assert typed.startswith(" " * 40)
    assert answer.startswith("│ No rules yet")


async def test_a_number_taps_the_key_that_bears_it(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    await screen.run("/start", "1", "10")
    assert [inbound.callback_data for inbound in screen.heard[1:]] == ["w|BTCUSDT", "wp|binance:BTCUSDT|1"]
    assert screen.heard[2].message_id == 1
    assert "Watching BTC" in screen.text


async def test_the_number_of_a_key_that_is_gone_is_told_and_not_typed(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    await screen.run("/start", "1", "2")
    assert len(screen.heard) == 2
    assert "no longer on the screen" in screen.text


async def test_a_number_that_never_was_a_key_is_typed(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    await screen.run("42")
    assert screen.heard[0].text == "42"


async def test_keys_start_again_at_one_after_ninety_nine(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    keys = tuple((Button(f"key {number}", data=f"d|{number}"),) for number in range(60))
    await screen.phone.send(CHAT, Message("first", keys))
    await screen.phone.send(CHAT, Message("second", keys))
    first, second = screen.phone.tap(50), screen.phone.tap(1)
    assert first is not None
    assert second is not None
    assert (first.message_id, first.callback_data) == (1, "d|49")
    assert (second.message_id, second.callback_data) == (2, "d|39")


async def test_a_copy_key_shows_what_it_copies_and_asks_nobody(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    await screen.phone.send(CHAT, Message("alert", ((Button("Copy 97,430", copy="97430.0"),),)))
    await screen.run("1")
    assert screen.heard == []
    assert "(97430.0)" in screen.text


async def test_a_picture_is_saved_and_its_file_named_in_the_bubble(tmp_path: Path) -> None:
    screen = Screen(tmp_path / "charts")
    await screen.phone.send(CHAT, Message("map", photo=PNG, photo_name="map:binance:BTCUSDT:1"))
    saved = tmp_path / "charts" / "map-binance-BTCUSDT-1.png"
    assert saved.read_bytes() == PNG
    assert str(saved) in screen.text


async def test_a_file_is_saved_and_the_bubble_says_where(tmp_path: Path) -> None:
    screen = Screen(tmp_path / "charts")
    await screen.run("/mydata")
    (saved,) = (tmp_path / "charts").iterdir()
    assert saved.name.endswith("liqwatch.json")
    assert saved.read_bytes() == b'{"rules": []}'
    assert str(saved) in screen.text


async def test_the_tap_under_a_picture_says_that_there_is_one(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    await screen.run("BTC", "1")
    assert screen.heard[1].has_photo


async def test_the_oldest_pictures_go_when_there_are_too_many(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    for number in range(205):
        await screen.phone.send(CHAT, Message("map", photo=PNG, photo_name=f"p{number}"))
    assert set(os.listdir(tmp_path)) == {f"p{number}.png" for number in range(5, 205)}  # noqa: PTH208


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("map:a/b", "map-a-b"),
        ("../../etc/passwd", "etc-passwd"),
        ("我踏马来了", "我踏马来了"),
        ("///", "picture"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_pictures_name_becomes_a_safe_file_name(name: str, stem: str) -> None:
    assert file_stem(name) == stem


async def test_an_edit_is_drawn_anew_and_marked_unless_nothing_changed(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    message_id = await screen.phone.send(CHAT, Message("one"))
    await screen.phone.edit(CHAT, message_id, Message("one"))
    assert screen.text.count("one") == 1
    await screen.phone.edit(CHAT, message_id, Message("two"))
    assert "Liqwatch: edited two" in screen.text


async def test_a_message_that_never_was_can_not_be_edited(tmp_path: Path) -> None:
    with pytest.raises(BadMessageError):
        await Screen(tmp_path).phone.edit(CHAT, 9, Message("text"))


async def test_a_reply_quotes_what_it_answers(tmp_path: Path) -> None:
    screen = Screen(tmp_path, terminal=True)
    message_id = await screen.phone.send(CHAT, Message("<b>BTC 0.8% below</b>\nmore"))
    await screen.phone.send(CHAT, Message("Snoozed", reply_to=message_id))
    assert "││ BTC 0.8% below" in screen.text.replace("│ │", "││")


async def test_markup_of_rich_in_a_message_stays_text(tmp_path: Path) -> None:
    screen = Screen(tmp_path, terminal=True)
    await screen.phone.send(CHAT, Message("[bold red]no[/] &lt;b&gt; [link=x]"))
    assert "[bold red]no[/] <b> [link=x]" in screen.text


@pytest.mark.parametrize("width", [20, 40, 62, 200])
async def test_nothing_is_wider_than_the_terminal(tmp_path: Path, width: int) -> None:
    screen = Screen(tmp_path, terminal=True, width=width)
    screen.phone.greet(simulated=True)
    await screen.run("/start", "1", "/help", "x" * 150, "/clusters BTC", "BTC")
    assert max(cell_len(line) for line in screen.text.splitlines()) <= width


def test_the_top_of_the_screen_says_simulated_only_where_it_is(tmp_path: Path) -> None:
    for terminal in (True, False):
        real, simulated = Screen(tmp_path, terminal=terminal), Screen(tmp_path, terminal=terminal)
        real.phone.greet(simulated=False)
        simulated.phone.greet(simulated=True)
        assert "SIMULATED" not in real.text
        assert "SIMULATED MARKET: prices and positions are made up" in simulated.text


async def test_updates_have_numbers_that_grow_across_restarts(tmp_path: Path) -> None:
    phone = Screen(tmp_path).phone
    ids = [phone.type("a").update_id, phone.type("b").update_id]
    assert ids == [NOON_MS, NOON_MS + 1]


async def test_lines_are_read_to_the_end_of_a_pipe() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream:
        with os.fdopen(writing, "w") as pipe:
            pipe.write("one\ntwo")
        assert [line async for line in read_lines(stream)] == ["one\n", "two"]


async def test_waiting_for_a_line_does_not_hold_up_the_loop() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream, os.fdopen(writing, "w") as pipe:
        lines = read_lines(stream)
        waiting = asyncio.ensure_future(anext(lines))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        pipe.write("now\n")
        pipe.flush()
        assert await asyncio.wait_for(waiting, 5) == "now\n"
        pipe.close()
        assert [line async for line in lines] == []
