"""Speaking for a channel from a private chat: channel posts have no author, so its admins give its commands there.

Every answer then names the channel in its first line, and its buttons carry the channel with them: they go on speaking
for it, whatever is typed in between. Whoever speaks is looked up at Telegram each time.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.delivery.messenger import Button, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import SEPARATOR, key
from bot.telegram.limits import fit
from bot.telegram.texts import Html, Texts
from bot.telegram.turn import Action, Edit, Inbound, Reply, Toast

MARK = "@"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as one person stands to it: `may_post` is the right to post there, theirs and the bot's."""

    id: int
    title: str
    may_post: bool


class Channels(Protocol):
    """The channels of people, whose ids are those of their private chats. Raises DeliveryError."""

    async def of(self, user: int) -> Sequence[Channel]:
        """Those that this person set up and may still post to."""
        ...

    async def named(self, user: int, typed: str) -> Channel | None:
        """The channel of a name or an id, linked to this person where both may post; None where there is none such."""
        ...

    async def get(self, user: int, channel: int) -> Channel:
        """One channel as this person stands to it now."""
        ...

    async def spoken_for(self, user: int) -> int | None:
        """The channel for which this person's typed commands speak."""
        ...

    async def speak_for(self, user: int, channel: int | None) -> None:
        """Let typed commands speak for a channel of theirs, or for the private chat itself."""
        ...


class NoChannels:
    """Where nobody can be asked about channels: the terminal, a demo."""

    async def of(self, user: int) -> Sequence[Channel]:
        return ()

    async def named(self, user: int, typed: str) -> Channel | None:
        return None

    async def get(self, user: int, channel: int) -> Channel:
        return Channel(channel, str(channel), may_post=False)

    async def spoken_for(self, user: int) -> int | None:
        return None

    async def speak_for(self, user: int, channel: int | None) -> None:
        """Nobody speaks for anything."""


async def spoken(
    channels: Channels,
    inbound: Inbound,
    texts: Texts,
    answer: Callable[[Inbound], Awaitable[list[Action]]],
    *,
    personal: bool,
) -> list[Action]:
    """The answer to a turn, given for the channel that it speaks for; a `personal` one is typed for nobody else."""
    user, data, channel = inbound.user_id, inbound.callback_data, None
    if inbound.chat_kind != "private" or user is None or inbound.occasion is not None:
        return await answer(inbound)
    if data is not None and data.startswith(MARK):
        channel, data = unmarked(data)
    elif data is None and not personal:
        channel = await channels.spoken_for(user)
    if channel is None:
        return await answer(inbound)
    known = await channels.get(user, channel)
    if not known.may_post:
        await channels.speak_for(user, None)
        return _refused(known, inbound, texts)
    turn = replace(
        inbound, chat_id=channel, chat_kind="channel", callback_data=data, may_change=True, reply_to=None, topic=None
    )
    return [_marked(action, known, texts) for action in await answer(turn)]


def _refused(channel: Channel, inbound: Inbound, texts: Texts) -> list[Action]:
    sentence = Reply(Message(texts("channel.lost", title=channel.title)))
    return [Toast(), sentence] if inbound.callback_data is not None else [sentence]


def _marked(action: Action, channel: Channel, texts: Texts) -> Action:
    """The action with the channel's name above its message, and its id in each of its buttons."""
    if isinstance(action, Toast):
        return action
    message = action.message
    text = texts("channel.answer", title=channel.title, text=Html(message.text))
    buttons = tuple(tuple(_marked_key(each, channel.id) for each in row) for row in message.buttons)
    marked = fit(replace(message, text=text, buttons=buttons))
    return Edit(action.message_id, marked) if isinstance(action, Edit) else Reply(marked)


def _marked_key(button: Button, channel: int) -> Button:
    return button if button.data is None else replace(button, data=marked(channel, button.data))


def marked(channel: int, data: str) -> str:
    """A button's data, said for a channel: 12 bytes longer at most."""
    number, digits = abs(channel), ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"{MARK}{digits}{SEPARATOR}{data}"


def speaking_key(text: str, channel: int, verb: str, *args: str | int) -> Button:
    """A button that speaks for a channel."""
    button = key(text, verb, *args)
    return _marked_key(button, channel)


def unmarked(data: str) -> tuple[int, str]:
    """The channel of a button and the data it would carry without; ids of channels are negative."""
    digits, _, rest = data.removeprefix(MARK).partition(SEPARATOR)
    known = 0 < len(digits) <= 10 and all(digit in _DIGITS for digit in digits)
    return (-int(digits, 36) if known else 0), rest
