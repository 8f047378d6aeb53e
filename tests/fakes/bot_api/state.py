"""What the server remembers: chats, their members, and the messages in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from tests.fakes.bot_api.html import Parsed
from tests.fakes.bot_api.refusal import Refusal, bad_request

ChatKind = Literal["private", "group", "supergroup", "channel"]
BotStanding = Literal["member", "blocked", "kicked", "deactivated", "silenced"]

_FORBIDDEN = {
    "blocked": "bot was blocked by the user",
    "deactivated": "user is deactivated",
}


@dataclass(slots=True)
class Posted:
    """A message as the chat shows it now; `photo` is the file_id of its picture, `document` the file it carries."""

    chat_id: int
    message_id: int
    html: str
    text: str
    buttons: list[list[dict[str, Any]]]
    photo: str | None = None
    document: bytes | None = None
    silent: bool = False
    reply_to: int | None = None
    thread: int | None = None
    edits: int = 0
    deleted: bool = False

    def button(self, text: str) -> dict[str, Any]:
        """The button that reads so."""
        for row in self.buttons:
            for button in row:
                if button["text"] == text:
                    return button
        raise LookupError(f"no button reads {text!r}, there are {[b['text'] for row in self.buttons for b in row]}")


@dataclass(slots=True)
class Chat:
    """A chat with the bot in it. `members` maps user ids to their status (`creator`, `administrator`, `member`...)."""

    id: int
    kind: ChatKind = "private"
    standing: BotStanding = "member"
    members: dict[int, str] = field(default_factory=dict)
    topics: set[int] = field(default_factory=set)
    moved_to: int | None = None
    username: str | None = None
    posts: dict[int, Posted] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        name = {"first_name": "Ada"} if self.kind == "private" else {"title": f"Chat {self.id}"}
        named = {"username": self.username} if self.username else {}
        return {"id": self.id, "type": self.kind} | name | named

    def check_writable(self) -> None:
        """Refuse as the server does where the bot cannot write."""
        if self.moved_to is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, text, migrate_to_chat_id=self.moved_to)
        if self.standing == "kicked":
            raise Refusal(403, f"Forbidden: bot was kicked from the {self.kind} chat")
        if self.standing == "silenced":
            raise bad_request("not enough rights to send text messages to the chat")
        if self.standing != "member":
            raise Refusal(403, f"Forbidden: {_FORBIDDEN[self.standing]}")


@dataclass(slots=True)
class Picture:
    """An uploaded picture."""

    file_id: str
    data: bytes
    width: int
    height: int


class State:
    """Everything one bot sees. With `any_chat` every chat id exists; otherwise only those a person has opened."""

    def __init__(self, *, any_chat: bool = False) -> None:
        self.any_chat = any_chat
        self.chats: dict[int, Chat] = {}
        self.pictures: dict[str, Picture] = {}
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}
        self.descriptions: dict[tuple[str, str], str] = {}
        self.queries: dict[str, str | None] = {}
        self.inline: dict[str, dict[str, Any] | None] = {}
        self.message_ids: Iterator[int] = count(100)

    def chat(self, chat_id: int) -> Chat:
        """The chat of this id; raises 400 "chat not found"."""
        if chat_id not in self.chats:
            if not self.any_chat:
                raise bad_request("chat not found")
            self.open(chat_id)
        return self.chats[chat_id]

    def named(self, name: str) -> Chat:
        """The public chat of this `@name`; raises 400 "chat not found"."""
        wanted = name.removeprefix("@").lower()
        for chat in self.chats.values():
            if chat.username is not None and chat.username.lower() == wanted:
                return chat
        raise bad_request("chat not found")

    def open(self, chat_id: int, kind: ChatKind | None = None) -> Chat:
        """The chat of this id, made where it is new."""
        guess: ChatKind = "private" if chat_id > 0 else "supergroup"
        chat = self.chats.setdefault(chat_id, Chat(chat_id, kind or guess))
        chat.kind = kind or chat.kind
        return chat

    def post(self, chat_id: int, message_id: int, missing: str) -> Posted:
        """A message of the chat that still stands; raises 400 with `missing`."""
        posted = self.chat(chat_id).posts.get(message_id)
        if posted is None or posted.deleted:
            raise bad_request(missing)
        return posted

    def as_json(self, posted: Posted, parsed: Parsed | None = None) -> dict[str, Any]:
        """A message as the API shows it."""
        reply: dict[str, Any] = {
            "message_id": posted.message_id,
            "date": 1_766_000_000,
            "chat": self.chats[posted.chat_id].as_json(),
            "from": {"id": 123456789, "is_bot": True, "first_name": "Liqwatch"},
        }
        if posted.document is not None:
            reply["document"] = {"file_id": f"BQAC{posted.message_id:06d}", "file_unique_id": "d"}
            reply |= {"caption": posted.text} if posted.text else {}
        elif posted.photo is None:
            reply["text"] = posted.text
        else:
            picture = self.pictures[posted.photo]
            small = {"file_id": f"{picture.file_id}-s", "file_unique_id": "s", "width": 90, "height": 56}
            large = {
                "file_id": picture.file_id,
                "file_unique_id": "l",
                "width": picture.width,
                "height": picture.height,
                "file_size": len(picture.data),
            }
            reply |= {"photo": [small, large]} | ({"caption": posted.text} if posted.text else {})
        if parsed and parsed.entities:
            captioned = posted.photo is not None or posted.document is not None
            kind = "caption_entities" if captioned else "entities"
            reply[kind] = [
                {"type": e.kind, "offset": e.offset, "length": e.length} | ({"url": e.url} if e.url else {})
                for e in parsed.entities
            ]
        if posted.buttons:
            reply["reply_markup"] = {"inline_keyboard": posted.buttons}
        return reply
