"""Everybody who talks to the bot: what they type, tap, and do to it."""

from itertools import count
from typing import Any

from tests.fakes.bot_api.state import Chat, ChatKind, Posted, State
from tests.fakes.bot_api.updates import Updates

BOT_USER = {"id": 123456789, "is_bot": True, "first_name": "Liqwatch", "username": "liqwatch_test_bot"}
_ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}


Member = str | dict[str, Any]


class People:
    """Makes updates as Telegram would. A person's id in a private chat is the chat's."""

    def __init__(self, state: State, updates: Updates) -> None:
        self.state = state
        self.updates = updates
        self._queries = count(1)

    def chat(self, chat_id: int, kind: ChatKind | None = None, members: dict[int, str] | None = None) -> Chat:
        """Open a chat, or set what is known of it."""
        chat = self.state.open(chat_id, kind)
        chat.members |= members or {}
        return chat

    async def say(self, chat_id: int, text: str, *, user: int | None = None, language: str | None = "en") -> int:
        """Type a message; returns the update's id."""
        return await self.push_message(chat_id, user=user, language=language, text=text)

    async def say_anonymously(self, chat_id: int, text: str) -> int:
        """Type as an anonymous admin of a group."""
        chat = self.chat(chat_id)
        return await self._put_message(
            "message", chat, {"from": _ANONYMOUS, "sender_chat": chat.as_json(), "text": text}
        )

    async def post(self, chat_id: int, text: str) -> int:
        """Post in a channel: no user, the channel speaks."""
        chat = self.chat(chat_id, "channel")
        return await self._put_message("channel_post", chat, {"sender_chat": chat.as_json(), "text": text})

    async def push_message(
        self,
        chat_id: int,
        *,
        user: int | None = None,
        language: str | None = "en",
        kind: str = "message",
        **content: Any,
    ) -> int:
        """Send a message of any content (`photo=[...]`, `poll={...}`); `kind` may be `edited_message`."""
        sender = person(user or abs(chat_id), language)
        return await self._put_message(kind, self.chat(chat_id), {"from": sender} | content)

    async def tap(
        self, chat_id: int, button: str, *, message: Posted | None = None, user: int | None = None, language: str = "en"
    ) -> str:
        """Tap the button that reads `button` under the newest message (or `message`); returns the query's id."""
        target = message or self._newest_with_buttons(chat_id)
        return await self.tap_data(chat_id, target.button(button)["callback_data"], target, user, language)

    async def tap_data(
        self, chat_id: int, data: str, message: Posted, user: int | None = None, language: str = "en"
    ) -> str:
        """Tap a button by its data, shown or not."""
        query = f"query{next(self._queries)}"
        self.state.queries[query] = None
        callback = {
            "id": query,
            "from": person(user or abs(chat_id), language),
            "chat_instance": "1",
            "data": data,
            "message": self.state.as_json(message),
        }
        await self.updates.put({"callback_query": callback})
        return query

    async def ask_inline(self, user: int, text: str, *, language: str = "en") -> str:
        """Type the bot's name and this text in some chat; returns the query's id."""
        query = f"inline{next(self._queries)}"
        self.state.inline[query] = None
        asked = {"id": query, "from": person(user, language), "query": text, "offset": "", "chat_type": "group"}
        await self.updates.put({"inline_query": asked})
        return query

    async def block(self, chat_id: int) -> int:
        """The person blocks the bot."""
        return await self._standing(chat_id, "blocked", "member", "kicked")

    async def unblock(self, chat_id: int) -> int:
        return await self._standing(chat_id, "member", "kicked", "member")

    async def kick(self, chat_id: int) -> int:
        """A group throws the bot out."""
        return await self._standing(chat_id, "kicked", "member", "kicked")

    async def invite(self, chat_id: int, *, user: int = 1) -> int:
        """Somebody adds the bot to a group."""
        return await self._standing(chat_id, "member", "left", "member", user=user)

    async def appoint(self, chat_id: int, *, user: int = 1, language: str = "en", may_post: bool = True) -> int:
        """Somebody makes the bot an admin of a channel."""
        self.chat(chat_id, "channel")
        admin = {"status": "administrator", "can_post_messages": may_post}
        return await self._standing(chat_id, "member", "left", admin, user=user, language=language)

    async def stand(self, chat_id: int, before: Member, after: Member, *, user: int = 1) -> int:
        """Somebody changes what the bot is in a chat; a status, or the member as the API shows it."""
        return await self._standing(chat_id, "member", before, after, user=user)

    async def migrate(self, chat_id: int, new_chat_id: int) -> int:
        """The group becomes a supergroup with another id."""
        old = self.chat(chat_id, "group")
        old.moved_to = new_chat_id
        self.chat(new_chat_id, "supergroup", members=old.members)
        await self._put_message("message", old, {"from": person(1, "en"), "migrate_to_chat_id": new_chat_id})
        new = self.state.chats[new_chat_id]
        return await self._put_message("message", new, {"from": person(1, "en"), "migrate_from_chat_id": chat_id})

    async def push(self, update: dict[str, Any]) -> int:
        """Queue any update, as it is."""
        return await self.updates.put(update)

    async def _standing(
        self,
        chat_id: int,
        standing: Any,
        before: Member,
        after: Member,
        *,
        user: int | None = None,
        language: str = "en",
    ) -> int:
        chat = self.chat(chat_id)
        chat.standing = standing
        change = {
            "chat": chat.as_json(),
            "from": person(user or abs(chat_id), language),
            "date": 1_766_000_000,
            "old_chat_member": _bot_member(before),
            "new_chat_member": _bot_member(after),
        }
        return await self.updates.put({"my_chat_member": change})

    async def _put_message(self, kind: str, chat: Chat, content: dict[str, Any]) -> int:
        message = {"message_id": next(self.state.message_ids), "date": 1_766_000_000, "chat": chat.as_json()} | content
        text = message.get("text", "")
        if isinstance(text, str) and text.startswith("/"):
            command = text.split()[0]
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
        return await self.updates.put({kind: message})

    def _newest_with_buttons(self, chat_id: int) -> Posted:
        for posted in reversed(self.state.chats[chat_id].posts.values()):
            if posted.buttons and not posted.deleted:
                return posted
        raise LookupError(f"no message with buttons in chat {chat_id}")


def person(user_id: int, language: str | None) -> dict[str, Any]:
    user: dict[str, Any] = {"id": user_id, "is_bot": False, "first_name": "Ada"}
    return user | ({"language_code": language} if language else {})


def _bot_member(member: Member) -> dict[str, Any]:
    shown = {"status": member} if isinstance(member, str) else member
    return {"user": BOT_USER} | shown | ({"until_date": 0} if shown["status"] == "kicked" else {})
