"""The plainest form of a message: what is left to try when the server refuses it as it is."""

import html
import re

from bot.delivery.messenger import Message
from bot.liquidation.values import replace

_TAG = re.compile(r"<[^<>]*>")
_UNITS = 4000


def plain(message: Message) -> Message:
    """The text alone: no tags, picture, buttons or reply, cut to what any server takes (UTF-16 units)."""
    text = html.unescape(_TAG.sub("", message.text))
    text = text.encode("utf-16-le", "replace")[: 2 * _UNITS].decode("utf-16-le", "ignore")
    return replace(message, text=html.escape(text, quote=False), buttons=(), photo=None, photo_name=None, reply_to=None)
