"""A message in a channel, where anybody may press a button: none is left that does anything there."""

from bot.delivery.messenger import Button, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import unpack
from bot.telegram.deep_links import MAP, WATCH, market_payload, start_link
from bot.telegram.texts import Texts

_SHOWS_MAP = frozenset({"m", "mn", "mr"})


def for_strangers(message: Message, texts: Texts, *, bot_name: str | None) -> Message:
    """The message with buttons that copy, or lead to a map or a watch in the reader's own chat with the bot.

    Without the bot's name there is nowhere to lead.
    """
    rows = [tuple(each for button in row if (each := _harmless(button, bot_name))) for row in message.buttons]
    taps = [unpack(button.data or "") for row in message.buttons for button in row]
    shown = next((tap.arg(0) for tap in taps if tap.verb in _SHOWS_MAP), None)
    if shown is not None and bot_name is not None:
        watch = start_link(bot_name, market_payload(WATCH, shown))
        rows.append((Button(texts.label("button.watch_own"), url=watch),))
    return replace(message, buttons=tuple(row for row in rows if row))


def _harmless(button: Button, bot_name: str | None) -> Button | None:
    if button.data is None:
        return button
    tap = unpack(button.data)
    if tap.verb not in _SHOWS_MAP or bot_name is None:
        return None
    return Button(button.text, url=start_link(bot_name, market_payload(MAP, tap.arg(0))))
