"""Carrying out what the conversation decided: replies, edits and toasts, to the person who waits for them."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from bot.clock import Clock
from bot.delivery.messenger import (
    BadMessageError,
    ChatGoneError,
    ChatMigratedError,
    DeliveryError,
    Message,
    Messenger,
    NotSentError,
    TopicGoneError,
    UnknownOutcomeError,
)
from bot.liquidation.values import replace
from bot.telegram.turn import Action, Edit, Inbound, Reply, Toast

PATIENCE_S = 60.0
_FIRST_PAUSE_S = 1.0

_log = logging.getLogger(__name__)

Noted = Callable[[], Awaitable[None]]
Note = Callable[[int], Awaitable[None]]


async def _nothing() -> None:
    """Nobody keeps notes."""


async def _noted_nowhere(_begun: int) -> None:
    """Nobody keeps notes."""


class Chats(Protocol):
    """What is remembered of a chat that refuses the bot, or moved."""

    async def deactivate(self, chat: int, reason: str, *, now_ms: int) -> int: ...

    async def migrate(self, old: int, new: int, *, now_ms: int) -> None: ...


class Replies:
    """Sends the actions of one turn, in order. What did not go out is tried again for a minute; then it is dropped.

    The messenger is one that keeps Telegram's limits (`delivery.paced`).
    """

    def __init__(self, messenger: Messenger, chats: Chats, clock: Clock) -> None:
        self._messenger = messenger
        self._chats = chats
        self._clock = clock

    async def carry_out(
        self, inbound: Inbound, actions: Sequence[Action], *, note: Note = _noted_nowhere, first: int = 0
    ) -> None:
        """Do all of it from action `first` on; a refusal of one action is logged and does not stop the next.

        `note(n)` is awaited before action n, counted from 1, may reach anybody, and `note(n - 1)` where it surely did
        not. Toasts are not noted: they may be repeated.
        """
        for number, action in enumerate(actions[first:], start=first + 1):
            try:
                await self._carry_out(inbound, action, partial(note, number), partial(note, number - 1))
            except ChatGoneError as error:
                await self._chats.deactivate(inbound.chat_id, str(error), now_ms=self._clock.now_ms())
                return
            except DeliveryError as error:
                known = {"update": inbound.update_id, "chat": inbound.chat_id, "reason": error}
                _log.warning("a reply was not delivered", extra=known | {"kind": type(action).__name__.lower()})

    async def _carry_out(self, inbound: Inbound, action: Action, begins: Noted, rests: Noted) -> None:
        match action:
            case Toast(text):
                if inbound.callback_id:
                    await self._messenger.answer_callback(inbound.callback_id, text)
            case Edit():
                await begins()
                await self._edit(inbound, action)
            case Reply():
                await self._send(inbound, action.message, begins, rests)

    async def _send(self, inbound: Inbound, message: Message, begins: Noted, rests: Noted = _nothing) -> None:
        """Send to the topic where the person spoke, or to General where that one is gone meanwhile."""

        async def send(chat: int) -> None:
            await begins()
            try:
                await self._messenger.send(chat, replace(message, topic=inbound.topic))
            except TopicGoneError:
                await self._messenger.send(chat, message)
            except NotSentError:
                await rests()
                raise

        await self._persist(inbound.chat_id, send)

    async def _edit(self, inbound: Inbound, action: Edit) -> None:
        """Edit in place, or send anew where the message can no longer be edited. An edit may safely be repeated."""

        async def edit(chat: int) -> None:
            try:
                await self._messenger.edit(chat, action.message_id, action.message)
            except UnknownOutcomeError:
                await self._messenger.edit(chat, action.message_id, action.message)

        try:
            await self._persist(inbound.chat_id, edit)
        except BadMessageError as error:
            known = {"chat": inbound.chat_id, "reason": error}
            _log.info("a message could not be edited, sending it anew", extra=known)
            await self._send(inbound, action.message, _nothing)

    async def _persist(self, chat_id: int, attempt: Callable[[int], Awaitable[object]]) -> None:
        """Try until it is out of our hands, following the chat where it moved. Raises the last DeliveryError."""
        until_s = self._clock.monotonic() + PATIENCE_S
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await attempt(chat_id)
            except ChatMigratedError as error:
                await self._chats.migrate(chat_id, error.new_chat_id, now_ms=self._clock.now_ms())
                chat_id = error.new_chat_id
                if self._clock.monotonic() > until_s:
                    raise
            except NotSentError as error:
                wait_s = pause_s if error.retry_after_s is None else error.retry_after_s
                if self._clock.monotonic() + wait_s > until_s:
                    raise
                await self._clock.sleep(wait_s)
                pause_s *= 2
            else:
                return
