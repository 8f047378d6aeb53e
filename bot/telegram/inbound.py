"""What an update of the Bot API means to us, read from its plain JSON; and the short form of it that is stored.

Only what a turn needs is kept: no names, no usernames, and the text only until the turn is done.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from bot.telegram.turn import Inbound

ALLOWED_UPDATES = ("message", "channel_post", "callback_query", "my_chat_member")
# The kinds of content a person sends; a message with none of them is a service message.
_MEDIA = ("photo", "sticker", "video", "animation", "voice", "video_note", "document", "audio", "paid_media", "story")
_CONTENT = frozenset({"text", "poll", "location", "venue", "contact", "dice", "checklist", *_MEDIA})
_GONE = frozenset({"kicked", "left"})


@dataclass(frozen=True, slots=True)
class Said:
    """A person wrote or tapped. With `check_admin` the right to change rules hangs on that person's rank."""

    inbound: Inbound
    check_admin: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """The bot was let into a chat (`present`) or put out of it: `status` is the server's word for it."""

    update_id: int
    chat_id: int
    chat_kind: str
    present: bool
    status: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup with another id."""

    update_id: int
    chat_id: int
    new_chat_id: int


Heard = Said | Standing | Moved


@dataclass(frozen=True, slots=True)
class Self:
    """Who the bot is: the user id in its token, and its name where the server has told it."""

    id: int
    username: str | None = None


def read_update(update: dict[str, Any], me: Self) -> Heard | None:
    """An update's meaning; None where it is none of ours. Raises KeyError, TypeError, ValueError where it is broken."""
    update_id = int(update["update_id"])
    if "callback_query" in update:
        return _tap(update_id, update["callback_query"])
    if "my_chat_member" in update:
        return _standing(update_id, update["my_chat_member"])
    message = update.get("message") or update.get("channel_post")
    return _message(update_id, message, me) if message else None


def _standing(update_id: int, change: dict[str, Any]) -> Standing:
    chat, status = change["chat"], str(change["new_chat_member"]["status"])
    return Standing(update_id, int(chat["id"]), str(chat["type"]), status not in _GONE, status)


def _message(update_id: int, message: dict[str, Any], me: Self) -> Said | Moved | None:
    chat, user, sender_chat = message["chat"], message.get("from"), message.get("sender_chat")
    chat_id, kind = int(chat["id"]), chat["type"]
    if "migrate_to_chat_id" in message:
        return Moved(update_id, chat_id, int(message["migrate_to_chat_id"]))
    text = message.get("text")
    meant_for_us = kind == "private" or (_addressed(message, me) and not _for_another(text, me))
    if not _CONTENT & set(message) or not meant_for_us:
        return None
    speaks_for_chat = sender_chat is not None and int(sender_chat["id"]) == chat_id
    if user is not None and user.get("is_bot") and not speaks_for_chat:
        return None
    known = user is not None and sender_chat is None
    inbound = Inbound(
        update_id=update_id,
        chat_id=chat_id,
        chat_kind=kind,
        user_id=int(user["id"]) if user is not None and known else None,
        language=user.get("language_code") if user is not None else None,
        text=text,
        may_change=kind in ("private", "channel") or speaks_for_chat,
        reply_to=_answered(message, me),
        topic=_topic(message),
    )
    return Said(inbound, check_admin=known and not inbound.may_change)


def _answered(message: dict[str, Any], me: Self) -> int | None:
    """The message of ours that this one answers. In a topic, what answers nothing answers the topic's first message."""
    answered = message.get("reply_to_message") or {}
    ours = (answered.get("from") or {}).get("id") == me.id or message["chat"]["type"] == "channel"
    return int(answered["message_id"]) if ours and "message_id" in answered else None


def _tap(update_id: int, query: dict[str, Any]) -> Said | None:
    message, user = query.get("message"), query["from"]
    if message is None or "data" not in query:  # a button of an inline message or a game: we make neither
        return None
    chat = message["chat"]
    private = chat["type"] == "private"
    inbound = Inbound(
        update_id=update_id,
        chat_id=int(chat["id"]),
        chat_kind=chat["type"],
        user_id=int(user["id"]),
        language=user.get("language_code"),
        callback_data=str(query["data"]),
        callback_id=str(query["id"]),
        message_id=int(message["message_id"]),
        has_photo=bool(message.get("photo")),
        may_change=private,
        topic=_topic(message),
    )
    return Said(inbound, check_admin=not private)


def _topic(message: dict[str, Any]) -> int | None:
    """A thread that is a forum's topic; replies in an ordinary group have thread ids too."""
    return int(message["message_thread_id"]) if message.get("is_topic_message") else None


def _for_another(text: str | None, me: Self) -> bool:
    """Whether this is a command that names another bot."""
    if not text or not text.startswith("/"):
        return False
    _, at, name = text.split()[0].partition("@")
    return bool(at) and me.username is not None and name.lower() != me.username.lower()


def _addressed(message: dict[str, Any], me: Self) -> bool:
    """Whether a message in a group or channel is meant for the bot: a command, an answer to it, or its name."""
    text = message.get("text") or ""
    answered = (message.get("reply_to_message") or {}).get("from") or {}
    named = me.username is not None and f"@{me.username}".lower() in text.lower()
    return text.startswith("/") or answered.get("id") == me.id or named


_KINDS: dict[str, type[Said] | type[Standing] | type[Moved]] = {"said": Said, "standing": Standing, "moved": Moved}


def to_payload(heard: Heard) -> str:
    """The JSON to store."""
    return json.dumps({"heard": type(heard).__name__.lower()} | asdict(heard))


def from_payload(payload: str) -> Heard:
    """What was stored. Raises ValueError, TypeError or KeyError where another version wrote it otherwise."""
    fields = json.loads(payload)
    kind = _KINDS[fields.pop("heard")]
    if kind is Said:
        return Said(Inbound(**fields["inbound"]), check_admin=fields["check_admin"])
    return kind(**fields)
