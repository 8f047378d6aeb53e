"""The seam to whatever carries a message to a person, and what a failed attempt means."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Button:
    """A key under a message: `data` is a callback (at most 64 bytes), `copy` a text that a tap copies."""

    text: str
    data: str | None = None
    copy: str | None = None
    url: str | None = None


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file to keep, by the name under which it is saved."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A text in Telegram's HTML, with an optional picture (PNG) or file above it and rows of buttons under it.

    `photo_name` names the picture by what it shows, so that equal pictures are uploaded once. `topic` is the topic of a
    forum in which it stands, None for General and for chats without topics.
    """

    text: str
    buttons: Keyboard = ()
    photo: bytes | None = None
    photo_name: str | None = None
    silent: bool = False
    reply_to: int | None = None
    topic: int | None = None
    document: Document | None = None


class Messenger(Protocol):
    """Carries messages; returns when the message is known to be delivered, raises a DeliveryError otherwise."""

    async def send(self, chat_id: int, message: Message) -> int:
        """Send and return the new message's id."""
        ...

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Replace a message's text and buttons; a message that already reads so is no error."""
        ...

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        """Stop the button's spinner, with an optional toast; a query too old is no error."""
        ...


class DeliveryError(Exception):
    """An attempt that did not end in a known delivery; the text never holds a token."""


class NotSentError(DeliveryError):
    """The message certainly did not go out: it may be tried again, after `retry_after_s` where the server said so."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnknownOutcomeError(DeliveryError):
    """The message may or may not have gone out."""


class ChatMigratedError(DeliveryError):
    """The group became a supergroup with another id; nothing was sent."""

    def __init__(self, message: str, *, new_chat_id: int) -> None:
        super().__init__(message)
        self.new_chat_id = new_chat_id


class ChatGoneError(DeliveryError):
    """The chat refuses the bot (blocked, kicked, deleted): nothing goes out until it comes back."""


class BadMessageError(DeliveryError):
    """The server refuses this very message: sending it again as it is cannot help."""


class TopicGoneError(BadMessageError):
    """The topic was deleted or closed; the chat itself is alive."""


class MessengerDownError(DeliveryError):
    """The messenger itself cannot work (a wrong token, a second poller): sending stops, loudly."""
