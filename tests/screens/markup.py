"""Telegram's HTML as blocks of styled runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal

from bot.liquidation.values import replace
from tests.screens.faces import PLAIN, Style

BlockKind = Literal["text", "pre", "quote"]

_LOOKS = {
    "bold": ("b", "strong"),
    "italic": ("i", "em"),
    "underline": ("u", "ins"),
    "strike": ("s", "strike", "del"),
    "link": ("a",),
    "mono": ("code", "pre"),
}
_LOOK_OF = {tag: look for look, tags in _LOOKS.items() for tag in tags}
_KNOWN = frozenset({*_LOOK_OF, "blockquote", "tg-time", "tg-spoiler"})
_BLOCKS: dict[str, BlockKind] = {"pre": "pre", "blockquote": "quote"}


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one style."""

    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Block:
    """What stands on lines of its own: a paragraph with its line breaks, preformatted text, a quotation."""

    kind: BlockKind
    runs: tuple[Run, ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[BlockKind, list[Run]]] = [("text", [])]
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag not in _KNOWN:
            raise ValueError(f"<{tag}> is no tag of Telegram's")
        self._open.append(tag)
        if tag in _BLOCKS:
            self.found.append((_BLOCKS[tag], []))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")
        if tag in _BLOCKS:
            self.found.append(("text", []))

    def handle_data(self, data: str) -> None:
        looks = {_LOOK_OF[tag]: True for tag in self._open if tag in _LOOK_OF}
        self.found[-1][1].append(Run(data, replace(PLAIN, **looks)))


def read_markup(markup: str) -> list[Block]:
    """The blocks of a message. Raises ValueError for a tag that Telegram does not know, or that is not closed."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return [Block(kind, tuple(runs)) for kind, runs in _trimmed(reader.found) if runs]


def _trimmed(found: Sequence[tuple[BlockKind, list[Run]]]) -> list[tuple[BlockKind, list[Run]]]:
    """A line break beside a block is that block's own end: it makes no empty line."""
    trimmed = []
    for place, (kind, runs) in enumerate(found):
        if kind == "text" and runs:
            if place > 0:
                runs = [Run(runs[0].text.removeprefix("\n"), runs[0].style), *runs[1:]]
            if place < len(found) - 1:
                runs = [*runs[:-1], Run(runs[-1].text.removesuffix("\n"), runs[-1].style)]
        trimmed.append((kind, [run for run in runs if run.text]))
    return trimmed
