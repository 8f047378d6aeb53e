"""A phone in the terminal: the chat as bubbles, for a first run without a token and for the demo."""

import asyncio
import re
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from bot.clock import Clock
from bot.delivery.messenger import BadMessageError, Button, Message
from bot.telegram.bubbles import SCREEN, Shown, bot_bubble, plain_bubble, tapped, toast, user_bubble
from bot.telegram.limits import bare, fit
from bot.telegram.texts import Texts
from bot.telegram.turn import Inbound

CHAT = 1
LAST_KEY = 99
MESSAGES_KEPT = 200
PICTURES_KEPT = 200

Handle = Callable[[Inbound], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Key:
    message_id: int
    button: Button


class TerminalPhone:
    """A Messenger that draws every chat on one console and saves pictures in a folder.

    Each button has a number; a line with that number taps it. Without a terminal it writes plain lines.
    """

    def __init__(self, *, folder: Path, clock: Clock, texts: Texts, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._folder = folder
        self._clock = clock
        self._texts = texts
        self._messages: OrderedDict[int, Message] = OrderedDict()
        self._keys: OrderedDict[int, _Key] = OrderedDict()
        self._pictures: deque[Path] = deque()
        self._last_id = 0
        self._last_key = 0
        self._highest_key = 0
        self._last_update = 0

    def greet(self, *, simulated: bool) -> None:
        """The top of the screen: whose chat this is, how to use it, and that the market is not real where it is not."""
        console, texts = self._console, self._texts
        console.print()
        if console.is_terminal:
            console.print(Rule(Text(texts.label("terminal.title"), style="bold"), style="blue"), width=self._screen)
            if simulated:
                banner = Text(texts.label("terminal.simulated"), justify="center")
                console.print(Panel(banner, style="black on yellow"), width=self._screen)
            console.print(Text(texts.label("terminal.hint"), style="dim"))
            console.print()
            return
        self._line(texts.label("terminal.title"))
        if simulated:
            self._line(texts.label("terminal.simulated"))

    async def send(self, chat_id: int, message: Message) -> int:
        """Draw a message and return its number."""
        self._last_id += 1
        self._draw(self._last_id, message)
        return self._last_id

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Draw the message as it reads now; one that already reads so is not drawn again."""
        before = self._messages.get(message_id)
        if before is None:
            raise BadMessageError("message to edit not found")
        if (before.text, before.buttons, before.photo) != (message.text, message.buttons, message.photo):
            self._draw(message_id, message, edited=True)

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        """Show a toast."""
        if text:
            self._notice(text)

    def type(self, text: str) -> Inbound:
        """Show a line as typed by the person, and give it as the bot receives it."""
        time = self._time()
        if self._console.is_terminal:
            self._console.print(user_bubble(text, time=time, screen=self._screen))
        else:
            self._line(f"{time} {self._texts.label('terminal.you')}: {text}")
        return self._inbound(text=text)

    def tap(self, number: int) -> Inbound | None:
        """Tap a key. None where it is the phone that answers (copying a text), or where there is no such key."""
        key = self._keys.get(number)
        if key is None:
            self._notice(self._texts.label("terminal.no_key"))
            return None
        if self._console.is_terminal:
            self._console.print(tapped(key.button.text, screen=self._screen))
        else:
            self._line(f"{self._time()} {self._texts.label('terminal.you')}: [{key.button.text}]")
        if key.button.data is None:
            self._notice(key.button.copy or key.button.url or "")
            return None
        has_photo = self._messages[key.message_id].photo is not None
        return self._inbound(data=key.button.data, message_id=key.message_id, has_photo=has_photo)

    async def run(self, handle: Handle, lines: AsyncIterator[str] | None = None) -> None:
        """Read lines until their end, each typed to the bot or, if it is a key's number, tapped."""
        typed_here = lines is None and self._console.is_terminal and sys.stdin.isatty()
        async for line in lines if lines is not None else read_lines(sys.stdin):
            text = line.strip()
            if typed_here:
                self._erase(line)
            if not text:
                continue
            number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0
            inbound = self.tap(number) if 0 < number <= self._highest_key else self.type(text)
            if inbound is not None:
                await handle(inbound)

    def _draw(self, message_id: int, message: Message, *, edited: bool = False) -> None:
        message = fit(message)
        quoted = self._messages.get(message.reply_to) if message.reply_to is not None else None
        self._messages[message_id] = message
        self._messages.move_to_end(message_id)
        while len(self._messages) > MESSAGES_KEPT:
            gone, _ = self._messages.popitem(last=False)
            self._forget_keys(gone)
        self._forget_keys(message_id)
        shown = Shown(
            markup=message.text,
            time=self._time(),
            keys=tuple(
                tuple((self._new_key(message_id, button), button.text) for button in row) for row in message.buttons
            ),
            picture=self._save(message_id, message),
            quote=bare(quoted.text).partition("\n")[0] if quoted is not None else None,
            edited=self._texts.label("terminal.edited") if edited else None,
        )
        if self._console.is_terminal:
            self._console.print(bot_bubble(shown, screen=self._screen))
        else:
            self._line(plain_bubble(shown, who=self._texts.label("terminal.title")))

    def _new_key(self, message_id: int, button: Button) -> int:
        self._last_key = self._last_key % LAST_KEY + 1
        self._highest_key = max(self._highest_key, self._last_key)
        self._keys[self._last_key] = _Key(message_id, button)
        return self._last_key

    def _forget_keys(self, message_id: int) -> None:
        for number in [number for number, key in self._keys.items() if key.message_id == message_id]:
            del self._keys[number]

    def _save(self, message_id: int, message: Message) -> str | None:
        """Save the picture under what it shows, or the file under its name; the oldest pictures go when there are too
        many.
        """
        if message.document is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            kept = self._folder / f"{message_id}-{file_stem(message.document.name)}"
            kept.write_bytes(message.document.data)
            return str(kept)
        if message.photo is None:
            return None
        path = self._folder / f"{file_stem(message.photo_name or f'picture-{message_id}')}.png"
        self._folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(message.photo)
        if path not in self._pictures:
            self._pictures.append(path)
        while len(self._pictures) > PICTURES_KEPT:
            self._pictures.popleft().unlink(missing_ok=True)
        return str(path)

    def _inbound(
        self,
        *,
        text: str | None = None,
        data: str | None = None,
        message_id: int | None = None,
        has_photo: bool = False,
    ) -> Inbound:
        self._last_update = max(self._last_update + 1, self._clock.now_ms())
        return Inbound(
            update_id=self._last_update,
            chat_id=CHAT,
            user_id=CHAT,
            language=self._texts.language,
            text=text,
            callback_data=data,
            callback_id=str(self._last_update) if data is not None else None,
            message_id=message_id,
            has_photo=has_photo,
        )

    def _notice(self, words: str) -> None:
        if self._console.is_terminal:
            self._console.print(toast(words, screen=self._screen))
        else:
            self._line(f"      ({words})")

    def _line(self, words: str) -> None:
        self._console.print(words, markup=False, highlight=False, soft_wrap=True)

    def _erase(self, line: str) -> None:
        """Take away the line that the terminal echoed, for it comes back as a bubble."""
        rows = max(1, -(-cell_len(line.rstrip("\n")) // max(1, self._console.width)))
        self._console.file.write(f"\x1b[{rows}A\x1b[J")

    @property
    def _screen(self) -> int:
        return min(SCREEN, self._console.width)

    def _time(self) -> str:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, tz=UTC).strftime("%H:%M")


def file_stem(name: str) -> str:
    """A picture's name as a file's: letters, digits, dashes and dots only."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:100] or "picture"


async def read_lines(stream: TextIO) -> AsyncIterator[str]:
    """The lines of a blocking stream until its end, without holding up the loop or the program's exit."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def put(line: str | None) -> bool:
        try:
            loop.call_soon_threadsafe(queue.put_nowait, line)
        except RuntimeError:
            return False
        return True

    def read() -> None:
        for line in stream:
            if not put(line):
                return
        put(None)

    threading.Thread(target=read, name="typed-lines", daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line
