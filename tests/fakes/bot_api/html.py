"""Telegram's HTML, parsed as strictly as the server does, with the server's own words for what is wrong."""

import re
from dataclasses import dataclass
from typing import NoReturn

from tests.fakes.bot_api.refusal import bad_request

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TIME_FORM = re.compile(r"r|w?[dD]?[tT]?")
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ATTRIBUTE = re.compile(r"""\s*([^\s=>]*)\s*(=?)\s*(?:"([^"]*)"|'([^']*)'|([a-zA-Z0-9.-]+))?""")


@dataclass(frozen=True, slots=True)
class Entity:
    """A styled stretch of the text: offset and length in UTF-16 units."""

    kind: str
    offset: int
    length: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    text: str
    entities: tuple[Entity, ...] = ()


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse(html: str) -> Parsed:
    """Read the markup; raises the server's 400 with its reason. The text is trimmed as the server trims it."""
    return _Parser(html).run()


class _Parser:
    def __init__(self, html: str) -> None:
        self.html = html
        self.position = 0
        self.out: list[str] = []
        self.offset = 0
        self.nested: list[tuple[str, int, str | None]] = []
        self.entities: list[Entity] = []

    def run(self) -> Parsed:
        while self.position < len(self.html):
            if self.html.startswith("</", self.position):
                self._end_tag()
            elif self.html[self.position] == "<":
                self._start_tag()
            else:
                self._letter()
        if self.nested:
            self._fail(f'Can\'t find end tag corresponding to start tag "{self.nested[-1][0]}"')
        return Parsed("".join(self.out).strip(), tuple(self.entities))

    def _letter(self) -> None:
        entity = _ENTITY.match(self.html, self.position)
        text = self.html[self.position]
        if entity:
            named, decimal, hexadecimal = entity.groups()
            text = _NAMED[named] if named else chr(int(decimal) if decimal else int(hexadecimal, 16))
            self.position = entity.end()
        else:
            self.position += 1
        if 0xD800 <= ord(text) <= 0xDFFF:
            self._fail("Text contains invalid Unicode characters after decoding HTML entities")
        self.out.append(text)
        self.offset += units(text)

    def _start_tag(self) -> None:
        start = self.position
        at = f"at byte offset {self._bytes(start)}"
        named = re.compile(r"[^\s>]*").match(self.html, start + 1)
        name = named[0].lower() if named else ""
        position = start + 1 + len(name)
        if position >= len(self.html):
            self._fail(f"Unclosed start tag {at}")
        if name not in TAGS:
            self._fail(f'Unsupported start tag "{name}" {at}')
        attributes: dict[str, str] = {}
        while position < len(self.html) and self.html[position] != ">":
            found = _ATTRIBUTE.match(self.html, position)
            key, equals, *values = found.groups() if found else ("", "", None, None, None)
            value = next((value for value in values if value is not None), None)
            if not key:
                self._fail(f'Empty attribute name in the tag "{name}" {at}')
            if not equals and (name, key) != ("blockquote", "expandable"):
                self._fail(f'Expected equal sign in declaration of an attribute of the tag "{name}" {at}')
            if equals and value is None:
                self._fail(f'Unclosed start of attribute of the tag "{name}" {at}')
            attributes[key.lower()] = value or ""
            position = found.end() if found else len(self.html)
        if position >= len(self.html):
            self._fail(f"Unclosed start tag {at}")
        self._check(name, attributes, at)
        self.nested.append((name, self.offset, attributes.get("href")))
        self.position = position + 1

    def _check(self, name: str, attributes: dict[str, str], at: str) -> None:
        if name == "span" and attributes.get("class") != "tg-spoiler":
            self._fail(f'Tag "span" must have class "tg-spoiler" {at}')
        if name == "tg-emoji" and not attributes.get("emoji-id", "").isdigit():
            self._fail("Invalid custom emoji identifier specified")
        if name == "tg-time" and not attributes.get("unix", "").isdigit():
            self._fail(f'Tag "tg-time" must have attribute "unix" {at}')
        if name == "tg-time" and not _TIME_FORM.fullmatch(attributes.get("format", "")):
            self._fail(f'Invalid date-time format specified in the tag "tg-time" {at}')
        if name == "tg-time" and any(outer in ("pre", "code", "a", "tg-time") for outer, *_ in self.nested):
            self._fail(f'Tag "tg-time" would show no time inside of another such tag {at}')

    def _end_tag(self) -> None:
        at = f"at byte offset {self._bytes(self.position)}"
        if not self.nested:
            self._fail(f"Unexpected end tag {at}")
        end = self.html.find(">", self.position)
        if end < 0:
            self._fail(f"Unclosed end tag {at}")
        found = self.html[self.position + 2 : end].strip().lower()
        name, offset, url = self.nested.pop()
        if found and found != name:
            self._fail(f'Unmatched end tag {at}, expected "</{name}>", found "</{found}>"')
        if self.offset > offset:
            self.entities.append(Entity(TAGS[name], offset, self.offset - offset, url))
        self.position = end + 1

    def _bytes(self, position: int) -> int:
        return len(self.html[:position].encode("utf-8", "replace"))

    def _fail(self, reason: str) -> NoReturn:
        raise bad_request(f"can't parse entities: {reason}")
