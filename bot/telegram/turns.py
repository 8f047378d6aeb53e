"""Turns of all chats: one at a time and in order within a chat, in parallel across chats, each handled once."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.clock import Clock
from bot.delivery.messenger import Message
from bot.storage.database import Database
from bot.storage.updates import Update
from bot.telegram.flood import Flood
from bot.telegram.inbound import Heard, Moved, Said, Standing, from_payload
from bot.telegram.replies import Replies
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Action, Inbound, Reply, Toast

Converse = Callable[[Inbound], Awaitable[Sequence[Action]]]

_log = logging.getLogger(__name__)


class Ranks(Protocol):
    """Knows who is an admin of a chat."""

    async def is_admin(self, chat_id: int, user_id: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class House:
    """What a turn needs around it."""

    database: Database
    catalogue: Catalogue
    ranks: Ranks
    clock: Clock


class Turns:
    """Takes stored updates and sees each through: the conversation's answer, its delivery, the note that it is done.

    `parallel` is how many chats are served at a time, `per_minute` how many requests of one chat are answered.
    """

    def __init__(
        self, converse: Converse, replies: Replies, house: House, *, parallel: int = 16, per_minute: int = 30
    ) -> None:
        self._converse = converse
        self._replies = replies
        self._house = house
        self._flood = Flood(per_minute)
        self._places = asyncio.Semaphore(parallel)
        self._queues: dict[int, deque[Update]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, update: Update) -> None:
        """Put an update behind the others of its chat."""
        chat = update.chat or 0
        if chat in self._queues:
            self._queues[chat].append(update)
            return
        self._queues[chat] = deque([update])
        task = asyncio.create_task(self._serve(chat), name=f"turns of chat {chat}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, timeout_s: float) -> None:
        """Finish what has begun within the time; what is cut short is handled again after the next start."""
        for queue in self._queues.values():
            queue.clear()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, chat: int) -> None:
        queue = self._queues[chat]
        try:
            while queue:
                async with self._places:
                    if queue:
                        await self._handle(queue.popleft())
        finally:
            del self._queues[chat]
            self._flood.forget_idle(self._house.clock.monotonic())

    async def _handle(self, update: Update) -> None:
        try:
            await self._take(from_payload(update.payload))
        except (KeyError, TypeError, ValueError):
            _log.exception("a stored update cannot be read", extra={"update": update.id})
        except Exception:
            _log.exception("a turn failed", extra={"update": update.id, "chat": update.chat})
        try:
            await self._house.database.updates.handled(update.id, now_ms=self._house.clock.now_ms())
        except Exception:
            _log.exception("a turn could not be noted as done", extra={"update": update.id})

    async def _take(self, heard: Heard) -> None:
        chats, now_ms = self._house.database.chats, self._house.clock.now_ms()
        match heard:
            case Standing(present=True):
                await chats.seen(heard.chat_id, kind=heard.chat_kind, now_ms=now_ms)
            case Standing():
                await chats.deactivate(heard.chat_id, f"the bot was {heard.status}", now_ms=now_ms)
            case Moved():
                await chats.migrate(heard.chat_id, heard.new_chat_id, now_ms=now_ms)
            case Said():
                await self._answer(heard)

    async def _answer(self, said: Said) -> None:
        inbound = said.inbound
        verdict = self._flood.verdict(inbound.chat_id, self._house.clock.monotonic())
        if verdict == "pass_over":
            _log.info("a flood of requests is passed over", extra={"chat": inbound.chat_id})
            return
        if verdict == "warn":
            await self._replies.carry_out(inbound, self._sentence(inbound, "error.flood"))
            return
        try:
            inbound = await self._known(said)
            actions = await self._converse(inbound)
        except Exception:
            _log.exception("a turn failed", extra={"update": inbound.update_id, "chat": inbound.chat_id})
            actions = self._sentence(inbound, "error.failed")
        await self._replies.carry_out(inbound, actions)

    async def _known(self, said: Said) -> Inbound:
        """The turn with what is remembered of its chat: the language, and the person's right to change rules."""
        inbound, chats = said.inbound, self._house.database.chats
        chat = await chats.seen(inbound.chat_id, kind=inbound.chat_kind, now_ms=self._house.clock.now_ms())
        own = inbound.chat_kind == "private"
        language = inbound.language if own and inbound.language else chat.language or inbound.language
        if language != chat.language:
            await chats.set_language(inbound.chat_id, language)
        may_change = inbound.may_change
        if said.check_admin and inbound.user_id is not None:
            may_change = await self._house.ranks.is_admin(inbound.chat_id, inbound.user_id)
        return replace(inbound, language=language, may_change=may_change)

    def _sentence(self, inbound: Inbound, key: str) -> list[Action]:
        """One sentence to whoever waits: a toast for a tap, a message for a text."""
        texts = self._house.catalogue.texts(inbound.language)
        if inbound.callback_id:
            return [Toast(texts.label(key))]
        return [Reply(Message(texts(key)))]
