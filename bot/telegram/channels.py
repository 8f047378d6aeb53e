"""The channels that people set up from their private chats, asked of Telegram whenever something hangs on it."""

import re
from collections.abc import Sequence
from typing import Any

from telegram import ChatMember, ChatMemberAdministrator
from telegram.constants import ChatMemberStatus, ChatType

from bot.delivery.messenger import BadMessageError, ChatGoneError
from bot.storage.links import Links
from bot.telegram.connection import Line
from bot.telegram.errors import translated
from bot.telegram.speaking import Channel

_NAME = re.compile(r"(?:https?://)?(?:t\.me/|@)?([A-Za-z]\w{3,31})|(-100\d{5,15})", re.ASCII)


class LinkedChannels:
    """Implements `speaking.Channels`. Titles are read each time and never stored."""

    def __init__(self, line: Line, links: Links) -> None:
        self._line = line
        self._links = links

    async def of(self, user: int) -> Sequence[Channel]:
        found = [await self.get(user, channel) for channel in await self._links.of(user)]
        return [channel for channel in found if channel.may_post]

    async def named(self, user: int, typed: str) -> Channel | None:
        name = _NAME.fullmatch(typed.strip())
        if name is None:
            return None
        chat = await self._look(f"@{name[1]}" if name[1] else int(name[2]))
        if chat is None or chat["type"] != ChatType.CHANNEL or not await self._may_post(int(chat["id"]), user):
            return None
        channel = int(chat["id"])
        await self._links.add(user, channel)
        return Channel(channel, _title(chat), may_post=channel in await self._links.of(user))

    async def get(self, user: int, channel: int) -> Channel:
        known = channel in await self._links.of(user)
        chat = await self._look(channel) if known else None
        if chat is None:
            return Channel(channel, str(channel), may_post=False)
        return Channel(channel, _title(chat), may_post=await self._may_post(channel, user))

    async def spoken_for(self, user: int) -> int | None:
        return await self._links.speaks_for(user)

    async def speak_for(self, user: int, channel: int | None) -> None:
        await self._links.speak_for(user, channel)

    async def _look(self, chat: int | str) -> dict[str, Any] | None:
        try:
            return await self._line.about(chat)
        except (BadMessageError, ChatGoneError):
            return None

    async def _may_post(self, channel: int, user: int) -> bool:
        try:
            member = await translated(self._line.get_chat_member(channel, user), token=self._line.token)
        except (BadMessageError, ChatGoneError):
            return False
        return may_post(member)


async def posts_in(line: Line, chat: int | str) -> int | None:
    """The id of the channel of this name or id where the bot itself may post; None where it may not. Raises
    DeliveryError.
    """
    own_id = int(line.token.partition(":")[0])
    try:
        about = await line.about(chat)
        if about["type"] != ChatType.CHANNEL:
            return None
        channel = int(about["id"])
        member = await translated(line.get_chat_member(channel, own_id), token=line.token)
    except (BadMessageError, ChatGoneError):
        return None
    return channel if may_post(member) else None


def may_post(member: ChatMember) -> bool:
    """Whether a channel's member may write in it."""
    if isinstance(member, ChatMemberAdministrator):
        return bool(member.can_post_messages)
    return member.status == ChatMemberStatus.OWNER


def _title(chat: dict[str, Any]) -> str:
    return str(chat.get("title") or chat["id"])
