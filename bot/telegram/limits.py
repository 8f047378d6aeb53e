"""Telegram's limits on a message, and how a message is made to fit them.

Lengths are counted as the Bot API counts them: UTF-16 units of the text that is left after tags and entities are read.
"""

import html
import re

from bot.delivery.messenger import Button, Keyboard, Message
from bot.liquidation.values import replace

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
TOAST_UNITS = 200
CALLBACK_BYTES = 64
ROW_KEYS = 8
KEYBOARD_KEYS = 100
ENTITIES = 100
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

_PIECE = re.compile(r"<[^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|\w+);|.", re.DOTALL)
_MARKED = re.compile(r"<[^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|\w+);")
_TAG = re.compile(r"<[^<>]*>")
_TIME = re.compile(r"</?tg-time\b[^<>]*>")
_OPENING = re.compile(r"<([a-zA-Z][\w-]*)")


def utf16_length(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def bare(markup: str) -> str:
    """What is read when the tags are gone and the entities resolved."""
    if "&" not in markup:
        return _TAG.sub("", markup)  # nothing but tags is marked
    return _MARKED.sub(lambda found: "" if is_tag(found[0]) else html.unescape(found[0]), markup)


def is_tag(piece: str) -> bool:
    return len(piece) > 1 and piece[0] == "<"


def visible_length(markup: str) -> int:
    """The length of an HTML text as Telegram counts it."""
    return utf16_length(bare(markup))


def shorten(text: str, limit: int) -> str:
    """A plain text of at most `limit` UTF-16 units, ending in an ellipsis where something is gone."""
    if 2 * len(text) <= limit or utf16_length(text) <= limit:
        return text
    kept, used = [], 1
    for character in text:
        used += utf16_length(character)
        if used > limit:
            break
        kept.append(character)
    return "".join(kept).rstrip() + ELLIPSIS


def shorten_html(markup: str, limit: int, *, entities: int = ENTITIES) -> str:
    """An HTML text of at most `limit` visible units and so many tags' pairs: cut between pieces, open tags closed.

    A tag beyond the allowed number is left out and its text kept.
    """
    tags = markup.count("<")
    if tags == 2 * markup.count("</") <= 2 * entities and utf16_length(markup) <= limit:
        return markup  # as nearly every message is: walking its pieces would find nothing to change
    fits = visible_length(markup) <= limit
    budget = limit if fits else limit - 1
    kept: list[str] = []
    stack: list[tuple[str, bool]] = []
    pairs = used = 0
    for piece in _PIECE.findall(markup):
        if is_tag(piece):
            opening = _OPENING.match(piece)
            if opening:
                pairs += 1
                stack.append((opening[1], pairs <= entities))
                kept.append(piece if pairs <= entities else "")
            elif stack:
                name, shown = stack.pop()
                kept.append(f"</{name}>" if shown else "")
            continue
        used += utf16_length(html.unescape(piece))
        if used > budget:
            break
        kept.append(piece)
    ending = "" if fits else ELLIPSIS
    return "".join(kept) + ending + "".join(f"</{name}>" for name, shown in reversed(stack) if shown)


def fit(message: Message) -> Message:
    """The same message within every limit: what is too long is shortened, what no server would take is left out."""
    limit = TEXT_UNITS if message.photo is None and message.document is None else CAPTION_UNITS
    return replace(message, text=shorten_html(message.text, limit), buttons=fit_keyboard(message.buttons))


def fit_keyboard(keyboard: Keyboard) -> Keyboard:
    """At most 100 keys, 8 a row; a key whose data is over 64 bytes is left out."""
    rows: list[tuple[Button, ...]] = []
    left = KEYBOARD_KEYS
    for row in keyboard:
        keys = tuple(key for key in row if len((key.data or "").encode()) <= CALLBACK_BYTES)[: min(ROW_KEYS, left)]
        left -= len(keys)
        if keys:
            rows.append(keys)
    return tuple(rows)


def without_times(markup: str) -> str:
    """The same text with its times as they are written, for a server that cannot let clients write them."""
    return _TIME.sub("", markup)


def plain(message: Message) -> Message:
    """The same words without picture and markup, for a server that refused the message as it was."""
    return fit(
        replace(message, text=html.escape(bare(message.text), quote=False), photo=None, photo_name=None, document=None)
    )
