"""Hearing what people say: a long poll that stores each update before the next one confirms it."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.clock import Clock
from bot.delivery.messenger import DeliveryError, NotSentError
from bot.storage.errors import StorageError
from bot.storage.updates import Update, Updates
from bot.telegram.connection import Line
from bot.telegram.errors import ConflictError, TokenRefusedError, translated
from bot.telegram.inbound import ALLOWED_UPDATES, Asked, Said, Self, read_query, read_update, to_payload
from bot.telegram.turns import Turns

Health = Literal["starting", "listening", "unreachable", "conflict", "token refused", "storage"]

POLL_S = 50
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_CONFLICT_PAUSE_S = 15.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Hearing:
    """How the intake does: since when it hears or does not, and how often it failed in a row."""

    health: Health = "starting"
    heard_ms: int = 0
    failures: int = 0


class Intake:
    """Listens on a line until cancelled. Raises TokenRefusedError where the server does not accept the token.

    `on_query` is handed each inline query as it comes: who typed it waits seconds, so none is worth storing.
    """

    def __init__(
        self,
        line: Line,
        updates: Updates,
        turns: Turns,
        clock: Clock,
        *,
        poll_s: int = POLL_S,
        on_query: Callable[[Asked], None] = lambda asked: None,
    ) -> None:
        self._line = line
        self._on_query = on_query
        self._updates = updates
        self._turns = turns
        self._clock = clock
        self._poll_s = poll_s
        self._offset: int | None = None
        self.hearing = Hearing()

    async def run(self) -> None:
        """Take up what a crash left unhandled, then listen. Waiting updates are never dropped."""
        me = await self._meet()
        for update in await self._updates.waiting():
            self._turns.submit(update)
        while True:
            await self._listen_once(me)

    async def _meet(self) -> Self:
        """Learn the bot's own name and take over from any webhook, however long the server is out of reach."""
        while True:
            try:
                me = await translated(self._line.get_me(), token=self._line.token)
                await translated(self._line.delete_webhook(drop_pending_updates=False), token=self._line.token)
            except DeliveryError as error:
                await self._failed(error)
            else:
                return Self(id=me.id, username=me.username)

    async def _listen_once(self, me: Self) -> None:
        try:
            batch = await self._line.raw_updates(self._offset, ALLOWED_UPDATES, self._poll_s)
            await self._keep(batch, me)
        except (DeliveryError, StorageError) as error:
            await self._failed(error)
            return
        # After an empty batch nothing waits for confirmation; and ids may start anew after a quiet week.
        self._offset = max(int(update["update_id"]) for update in batch) + 1 if batch else None
        self._heard()

    async def _keep(self, batch: Sequence[dict[str, Any]], me: Self) -> None:
        """Store what is ours, then hand the new ones on: an update handed out twice is handled once."""
        for query in filter(None, map(_query, batch)):
            self._on_query(query)
        ours = [stored for update in batch if (stored := _to_store(update, me)) is not None]
        if not ours:
            return
        new = set(await self._updates.store(ours, now_ms=self._clock.now_ms()))
        for update in ours:
            if update.id in new:
                self._turns.submit(update)

    def _heard(self) -> None:
        if self.hearing.health not in ("listening", "starting"):
            _log.warning("hearing Telegram again", extra={"after_failures": self.hearing.failures})
        self.hearing.health, self.hearing.failures, self.hearing.heard_ms = "listening", 0, self._clock.now_ms()

    async def _failed(self, error: DeliveryError | StorageError) -> None:
        """Say so once and every so often, then wait; longer each time."""
        self.hearing.failures += 1
        pause_s = _PAUSES_S[min(self.hearing.failures, len(_PAUSES_S)) - 1]
        known = {"reason": error, "failures": self.hearing.failures, "pause_s": pause_s}
        match error:
            case TokenRefusedError():
                self.hearing.health = "token refused"
                _log.critical("Telegram does not accept the bot's token")
                raise error
            case ConflictError():
                self.hearing.health, pause_s = "conflict", _CONFLICT_PAUSE_S
                _log.error("another program polls with this bot's token: stop it, or no command arrives", extra=known)
            case StorageError():
                self.hearing.health = "storage"
                _log.error("updates cannot be stored, they wait at Telegram", extra=known)
            case _:
                self.hearing.health = "unreachable"
                level = (
                    logging.WARNING
                    if self.hearing.failures in (1, 5) or self.hearing.failures % 20 == 0
                    else logging.DEBUG
                )
                _log.log(level, "Telegram cannot be reached, trying again", extra=known)
        if isinstance(error, NotSentError) and error.retry_after_s is not None:
            pause_s = error.retry_after_s
        await self._clock.sleep(pause_s)


def _query(update: dict[str, Any]) -> Asked | None:
    try:
        return read_query(update)
    except (KeyError, TypeError, ValueError, AttributeError):
        _log.exception("an inline query cannot be read", extra={"update": update.get("update_id")})
        return None


def _to_store(update: dict[str, Any], me: Self) -> Update | None:
    """The stored form of an update that means something to us; one that cannot be read is logged and let go."""
    try:
        heard = read_update(update, me)
    except (KeyError, TypeError, ValueError, AttributeError):
        shape = json.dumps(sorted(update))
        _log.exception("an update cannot be read", extra={"update": update.get("update_id"), "shape": shape})
        return None
    if heard is None:
        return None
    chat = heard.inbound.chat_id if isinstance(heard, Said) else heard.chat_id
    return Update(int(update["update_id"]), chat, to_payload(heard))
