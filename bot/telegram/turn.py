"""One turn of a conversation: what came in from a person, and what goes back."""

from dataclasses import dataclass
from typing import Literal

from bot.delivery.messenger import Message

ChatKind = Literal["private", "group", "supergroup", "channel"]
Occasion = Literal["group_joined", "channel_joined"]
"""What happened to the bot without anybody saying so: it was let into a group, or into a channel (`subject`)."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message or a tapped button.

    `text` is what was typed (None for a photo, a sticker and the like), `callback_data` what a button carried, with
    `message_id` the message under which it hangs and `has_photo` whether that one carries a picture (a picture can
    not be edited back into a text). `language` is the client's (`"pt-br"`), None where unknown. `may_change` is False
    for a group's members who are no admins. `to_bot` is False for an answer to the bot in a group that does not name
    it: that may be talk among people. `reply_to` is the bot's message that this one answers.
    `topic` is the topic of a forum in which it was said, None for General and elsewhere. With an `occasion` nobody said
    anything: something happened to the bot, in the chat itself or in the `subject`.
    """

    update_id: int
    chat_id: int
    chat_kind: ChatKind = "private"
    user_id: int | None = None
    language: str | None = None
    text: str | None = None
    callback_data: str | None = None
    callback_id: str | None = None
    message_id: int | None = None
    has_photo: bool = False
    may_change: bool = True
    to_bot: bool = True
    reply_to: int | None = None
    topic: int | None = None
    occasion: Occasion | None = None
    subject: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Send a new message to the chat."""

    message: Message


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the message `message_id` of the chat."""

    message_id: int
    message: Message


@dataclass(frozen=True, slots=True)
class Toast:
    """Answer the tapped button; an empty text only stops its spinner. At most 200 characters."""

    text: str = ""


Action = Reply | Edit | Toast
