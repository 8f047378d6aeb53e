"""Carrying out what the conversation decided: replies, edits and toasts, to the person who waits for them."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bot.clock import Clock
from bot.delivery.messenger import (
    BadMessageError,
    ChatGoneError,
    ChatMigratedError,
    DeliveryError,
    Messenger,
    NotSentError,
    UnknownOutcomeError,
)
from bot.telegram.turn import Action, Edit, Inbound, Reply, Toast

PATIENCE_S = 60.0
_FIRST_PAUSE_S = 1.0

_log = logging.getLogger(__name__)


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

    async def carry_out(self, inbound: Inbound, actions: Sequence[Action]) -> None:
        """Do all of it; a refusal of one action is logged and does not stop the next. A tap is always answered."""
        if inbound.callback_id and not any(isinstance(action, Toast) for action in actions):
            actions = (Toast(), *actions)
        for action in actions:
            try:
                await self._carry_out(inbound, action)
            except ChatGoneError as error:
                await self._chats.deactivate(inbound.chat_id, str(error), now_ms=self._clock.now_ms())
                return
            except DeliveryError as error:
                known = {"update": inbound.update_id, "chat": inbound.chat_id, "reason": error}
                _log.warning("a reply was not delivered", extra=known | {"kind": type(action).__name__.lower()})

    async def _carry_out(self, inbound: Inbound, action: Action) -> None:
        match action:
            case Toast(text):
                if inbound.callback_id:
                    await self._messenger.answer_callback(inbound.callback_id, text)
            case Edit():
                await self._edit(inbound.chat_id, action)
            case Reply():
                await self._persist(inbound.chat_id, lambda chat: self._messenger.send(chat, action.message))

    async def _edit(self, chat_id: int, action: Edit) -> None:
        """Edit in place, or send anew where the message can no longer be edited. An edit may safely be repeated."""

        async def edit(chat: int) -> None:
            try:
                await self._messenger.edit(chat, action.message_id, action.message)
            except UnknownOutcomeError:
                await self._messenger.edit(chat, action.message_id, action.message)

        try:
            await self._persist(chat_id, edit)
        except BadMessageError as error:
            _log.info("a message could not be edited, sending it anew", extra={"chat": chat_id, "reason": error})
            await self._persist(chat_id, lambda chat: self._messenger.send(chat, action.message))

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
