"""What an update of the Bot API means to us, read from its plain JSON; and the short form of it that is stored.

Only what a turn needs is kept: no names, no usernames, and the text only until the turn is done.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from bot.telegram.turn import ChatKind, Inbound

ALLOWED_UPDATES = ("message", "channel_post", "callback_query", "my_chat_member", "inline_query")
# The kinds of content a person sends; a message with none of them is a service message.
_MEDIA = ("photo", "sticker", "video", "animation", "voice", "video_note", "document", "audio", "paid_media", "story")
_CONTENT = frozenset({"text", "poll", "location", "venue", "contact", "dice", "checklist", *_MEDIA})
_INSIDE = frozenset({"member", "administrator", "creator"})
_CHANNEL_BOT = 136817688
"""The user that Telegram names as the sender of what somebody writes as their channel."""


@dataclass(frozen=True, slots=True)
class Said:
    """A person wrote or tapped. With `check_admin` the right to change rules hangs on that person's rank."""

    inbound: Inbound
    check_admin: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """The bot was let into a chat (`present`) or put out of it: `status` is the server's word for it.

    `joined` tells that it could not write there before and now can. `user_id` is who did that, `language` their
    client's.
    """

    update_id: int
    chat_id: int
    chat_kind: ChatKind
    present: bool
    status: str
    joined: bool = False
    user_id: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup with another id."""

    update_id: int
    chat_id: int
    new_chat_id: int


Heard = Said | Standing | Moved


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody types the bot's name and this text in some chat, and waits for what it offers. Never stored."""

    query_id: str
    user_id: int
    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Self:
    """Who the bot is: the user id in its token, and its name where the server has told it."""

    id: int
    username: str | None = None


def read_query(update: dict[str, Any]) -> Asked | None:
    """An inline query; None where the update is none. Raises KeyError, TypeError, ValueError where it is broken."""
    if "inline_query" not in update:
        return None
    query, user = update["inline_query"], update["inline_query"]["from"]
    return Asked(str(query["id"]), int(user["id"]), str(query["query"]), user.get("language_code"))


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
    chat, user, now = change["chat"], change.get("from") or {}, change["new_chat_member"]
    present = _may_write(chat["type"], now)
    return Standing(
        update_id,
        int(chat["id"]),
        chat["type"],
        present,
        str(now["status"]),
        joined=present and not _may_write(chat["type"], change["old_chat_member"]),
        user_id=user.get("id"),
        language=user.get("language_code"),
    )


def _may_write(kind: ChatKind, member: dict[str, Any]) -> bool:
    """Whether the bot, being such a member, may write to a chat of this kind."""
    if kind == "channel":
        return bool(member["status"] == "creator" or member.get("can_post_messages"))
    if member["status"] == "restricted":
        return bool(member.get("is_member") and member.get("can_send_messages"))
    return member["status"] in _INSIDE


def _message(update_id: int, message: dict[str, Any], me: Self) -> Said | Moved | None:
    chat, user, sender_chat = message["chat"], message.get("from"), message.get("sender_chat")
    chat_id, kind = int(chat["id"]), chat["type"]
    if "migrate_to_chat_id" in message:
        return Moved(update_id, chat_id, int(message["migrate_to_chat_id"]))
    text = message.get("text")
    meant_for_us = kind == "private" or (_addressed(message, me) and not _for_another(text, me))
    if not _CONTENT & set(message) or not meant_for_us or _not_typed(message, me):
        return None
    speaks_for_chat = sender_chat is not None and int(sender_chat["id"]) == chat_id
    if user is not None and user.get("is_bot") and not speaks_for_chat and user.get("id") != _CHANNEL_BOT:
        return None
    known = user is not None and sender_chat is None
    inbound = Inbound(
        update_id=update_id,
        chat_id=chat_id,
        chat_kind=kind,
        user_id=int(user["id"]) if user is not None and known else None,
        language=user.get("language_code") if user is not None else None,
        text=text if kind == "private" else _without_name(text, me),
        may_change=kind in ("private", "channel") or speaks_for_chat,
        to_bot=kind == "private" or _names(text, me),
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
    text = message.get("text")
    answered = (message.get("reply_to_message") or {}).get("from") or {}
    return (text or "").startswith("/") or answered.get("id") == me.id or _names(text, me)


def _names(text: str | None, me: Self) -> bool:
    return me.username is not None and re.search(rf"@{me.username}\b", text or "", re.IGNORECASE) is not None


def _without_name(text: str | None, me: Self) -> str | None:
    """What is said to the bot by its name; the name stays in a command, whose part it is."""
    if text is None or me.username is None or text.startswith("/"):
        return text
    return " ".join(re.sub(rf"@{me.username}\b", " ", text, flags=re.IGNORECASE).split())


def _not_typed(message: dict[str, Any], me: Self) -> bool:
    """Whether this was put there without being said to us: by our own inline answer, or carried over from elsewhere.

    In private people do forward to the bot what they want it to read.
    """
    ours = (message.get("via_bot") or {}).get("id") == me.id
    carried = "forward_origin" in message or message.get("is_automatic_forward")
    return bool(ours or (carried and message["chat"]["type"] != "private"))


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
