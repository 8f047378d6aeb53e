"""A message drawn as a bubble of a phone's chat: Telegram's HTML as rich text, buttons as keys with numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.telegram.limits import bare

WIDTH = 52
"""Columns of a bubble: what a phone's screen holds, and the widest table of /clusters."""

SCREEN = WIDTH + 10
"""Columns of the chat: a person's bubbles end at its right edge."""

STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strike",
    "del": "strike",
    "code": "cyan",
    "pre": "bright_white",
    "a": "underline cyan",
    "blockquote": "dim",
    "tg-spoiler": "dim",
}


class _Reader(HTMLParser):
    """Reads Telegram's few tags into one styled text; an unknown tag keeps its words and loses its style."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = Text()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.text.append(data, style=" ".join(STYLES.get(tag, "") for tag in self._open))


def rich_text(markup: str) -> Text:
    """Telegram's HTML as a rich text; what a person typed can not become markup of either kind."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.text


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it stands on the screen: its keys carry the numbers that tap them, `quote` is what it replies to."""

    markup: str
    time: str
    keys: tuple[tuple[tuple[int, str], ...], ...] = ()
    picture: str | None = None
    quote: str | None = None
    edited: str | None = None


def bot_bubble(shown: Shown, *, screen: int = SCREEN) -> RenderableType:
    """The bot's message on the left, with its picture's file named first and its keys underneath."""
    limit = min(WIDTH, screen)
    body: list[Text] = []
    if shown.quote is not None:
        body.append(Text(f"│ {shown.quote}", style="dim", no_wrap=True, overflow="ellipsis"))
    if shown.picture is not None:
        body.append(Text(f"▣ {shown.picture}", style="cyan", overflow="fold"))
    body.append(rich_text(shown.markup))
    stamp = Text(" ".join(filter(None, (shown.edited, shown.time))), style="dim", justify="right")
    widest = max(cell_len(line) for text in (*body, stamp) for line in text.plain.splitlines() or [""])
    width = min(limit, widest + 4)
    panel = Panel(Group(*body, stamp), box=box.ROUNDED, border_style="blue", width=width, padding=(0, 1))
    return Group(panel, *key_lines(shown.keys, limit))


def user_bubble(typed: str, *, time: str, screen: int = SCREEN) -> RenderableType:
    """What the person typed, on the right."""
    widest = max((cell_len(line) for line in (*typed.splitlines(), time)), default=0)
    body = Group(Text(typed, overflow="fold"), Text(time, style="dim", justify="right"))
    width = min(WIDTH, screen, widest + 4)
    panel = Panel(body, box=box.ROUNDED, border_style="green", width=width, padding=(0, 1))
    return Padding(panel, (0, 0, 0, screen - width))


def tapped(label: str, *, screen: int = SCREEN) -> RenderableType:
    """The key that the person tapped, on the right."""
    words = Text(f" {label} ", style="green on grey23")
    return Padding(words, (0, 0, 0, max(0, screen - words.cell_len)))


def toast(words: str, *, screen: int = SCREEN) -> RenderableType:
    """A short notice in the middle."""
    text = Text(f" {words} ", style="reverse")
    return Padding(text, (0, 0, 0, max(0, (screen - text.cell_len) // 2)))


def key_lines(keys: Sequence[Sequence[tuple[int, str]]], width: int = WIDTH) -> list[Text]:
    """Rows of keys; a row that is wider than the bubble goes on in the next line."""
    lines: list[Text] = []
    for row in keys:
        line = Text(" ")
        for number, label in row:
            cap = Text.assemble((f" {number} ", "bold black on cyan"), (f" {label} ", "on grey23"))
            if len(line.plain) > 1 and line.cell_len + cap.cell_len > width:
                lines.append(line)
                line = Text(" ")
            line.append_text(cap).append(" ")
        lines.append(line)
    return lines


def plain_bubble(shown: Shown, *, who: str) -> str:
    """The same as plain lines, where there is no terminal to draw on."""
    head, *rest = (bare(shown.markup) or " ").splitlines()
    lines = [" ".join(filter(None, (shown.time, f"{who}:", shown.edited, head)))]
    lines.extend(f"      {line}".rstrip() for line in rest)
    if shown.picture is not None:
        lines.append(f"      ▣ {shown.picture}")
    lines.extend("      " + " ".join(f"[{number} {label}]" for number, label in row) for row in shown.keys)
    return "\n".join(lines)
