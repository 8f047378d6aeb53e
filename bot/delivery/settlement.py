"""Stores what came of an attempt, and tells everybody whom it concerns."""

import logging
import random
from collections.abc import Callable, Sequence
from typing import Literal

from bot.clock import Clock
from bot.delivery.insist import insist
from bot.delivery.limits import RateLimiter
from bot.delivery.messenger import ChatMigratedError, NotSentError
from bot.delivery.outage import Outage
from bot.delivery.outcomes import Action, judge, repeat_pause_s, retry_pause_s
from bot.storage.database import Database
from bot.storage.outbox import Claimed, OutboxRow

COMPOSE_TRIES = 5
Outcome = Literal["sent", "retried", "ambiguous", "dead"]
Count = Callable[[Outcome, int], None]

log = logging.getLogger(__name__)


class Settlement:
    """One a worker; every method returns when the outcome is stored."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        limiter: RateLimiter,
        outage: Outage,
        chance: random.Random,
        chat_gone: Callable[[int, str], None],
        chat_moved: Callable[[int, int], None],
        count: Count,
        admins: Sequence[int],
    ) -> None:
        self._db = db
        self._clock = clock
        self._limiter = limiter
        self._outage = outage
        self._chance = chance
        self._chat_gone = chat_gone
        self._chat_moved = chat_moved
        self._count = count
        self._admins = admins

    async def sent(self, row: Claimed, message_id: int) -> None:
        self._outage.answered()
        now_ms = self._clock.now_ms()
        noted = await insist(
            lambda: self._db.outbox.sent(row, message_id=message_id, now_ms=now_ms), "note a delivery", self._clock
        )
        ids = {"row": row.id, "chat": row.chat, "attempt": row.attempts, "waited_ms": now_ms - row.created_ms}
        self._count("sent", 1)
        if noted:
            log.info("Sent", extra=ids)
        else:
            log.warning("Sent, but a later attempt had begun or the chat was given up", extra=ids)

    async def failed(self, row: Claimed, error: Exception) -> Action:
        """Settle an attempt that raised; returns what was done about it."""
        verdict = judge(error, row, line_down=self._outage.suspected)
        asked_s = error.retry_after_s if isinstance(error, NotSentError) else None
        if verdict.answered:
            self._outage.answered()
        else:
            self._outage.unanswered(verdict.reason)
        ids = {"row": row.id, "chat": row.chat, "attempt": row.attempts, "reason": verdict.reason}
        log.warning("Not delivered: %s", verdict.action.value, extra=ids)
        match verdict.action:
            case Action.RETRY:
                if asked_s is not None:
                    self._limiter.refused(row.chat, asked_s)
                await self.put_back(row, retry_pause_s(row.attempts, self._chance, asked_s=asked_s), verdict.reason)
            case Action.REPEAT:
                await self._doubt(row, verdict.reason)
            case Action.PLAIN:
                await self.put_back(row, 0.0, verdict.reason, plain=True)
            case Action.LEAVE_TOPIC:
                await self._leave_topic(row, verdict.reason)
            case Action.BURY:
                await self._bury(row, verdict.reason)
            case Action.LEAVE_CHAT:
                await self._leave_chat(row.chat, verdict.reason)
            case Action.MOVE_CHAT if isinstance(error, ChatMigratedError):
                await self._move_chat(row.chat, error.new_chat_id)
            case _:
                await self.put_back(row, 0.0, verdict.reason)
        return verdict.action

    async def not_composed(self, row: Claimed, error: Exception) -> None:
        """The message could not be made: try again a few times, then end it with the reason."""
        reason, tries = f"could not be composed: {error!r}", row.attempts + 1
        log.error("A message could not be composed", exc_info=error, extra={"row": row.id, "tries": tries})
        if tries >= COMPOSE_TRIES:
            await self._bury(row, reason)
        else:
            await self.put_back(row, retry_pause_s(tries, self._chance), reason, tried=True)

    async def put_back(
        self, row: Claimed, pause_s: float, reason: str | None = None, *, plain: bool = False, tried: bool = False
    ) -> None:
        """Make a row that certainly was not delivered due again, as early as it was where `pause_s` is 0."""
        due_ms = self._in_ms(pause_s) if pause_s else row.due_ms
        if reason is not None:
            self._count("retried", 1)
        await insist(
            lambda: self._db.outbox.put_back(row, due_ms=due_ms, error=reason, plain=plain, tried=tried),
            "put a message back",
            self._clock,
        )

    async def _doubt(self, row: Claimed, reason: str) -> None:
        due_ms = self._in_ms(repeat_pause_s(row.unsure, self._chance))
        self._count("ambiguous", 1)
        await insist(
            lambda: self._db.outbox.doubt(row, due_ms=due_ms, error=reason), "note an unknown outcome", self._clock
        )

    async def _bury(self, row: Claimed, reason: str) -> None:
        now_ms = self._clock.now_ms()
        await insist(lambda: self._db.outbox.bury(row, error=reason, now_ms=now_ms), "end a message", self._clock)
        self._count("dead", 1)
        log.error("A message will not be delivered", extra={"row": row.id, "chat": row.chat, "reason": reason})

    async def _leave_chat(self, chat: int, reason: str) -> None:
        now_ms = self._clock.now_ms()
        ended = await insist(
            lambda: self._db.chats.deactivate(chat, reason, now_ms=now_ms), "deactivate a chat", self._clock
        )
        log.warning("A chat refuses the bot", extra={"chat": chat, "reason": reason, "messages_ended": ended})
        self._count("dead", ended)
        self._chat_gone(chat, reason)

    async def _leave_topic(self, row: Claimed, reason: str) -> None:
        """Send to General what the chat's topic no longer takes, and say so there and to each admin, once a topic."""
        now_ms = self._clock.now_ms()
        notices = [
            OutboxRow(f"notice:topic:{row.id}:{chat}", chat, {"notice": "topic_gone", "chat": row.chat}, now_ms)
            for chat in (row.chat, *self._admins)
        ]
        had_topic = await insist(lambda: self._db.chats.forget_topic(row.chat, notices), "forget a topic", self._clock)
        if had_topic:
            log.warning("A topic is gone, its alerts go to General", extra={"chat": row.chat, "reason": reason})
            await self.put_back(row, 0.0, reason)
        else:
            await self._bury(row, reason)

    async def _move_chat(self, old: int, new: int) -> None:
        now_ms = self._clock.now_ms()
        await insist(lambda: self._db.chats.migrate(old, new, now_ms=now_ms), "move a chat", self._clock)
        log.info("A group has a new id", extra={"chat": old, "new_chat": new})
        self._chat_moved(old, new)

    def _in_ms(self, pause_s: float) -> int:
        return self._clock.now_ms() + round(pause_s * 1000)
