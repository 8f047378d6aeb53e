"""Telling every chat what an operator wrote: a few chats at a time, and none while alerts wait."""

import logging
from collections.abc import Callable

from bot.clock import Clock
from bot.storage.database import Database
from bot.storage.errors import StorageError

CHATS_A_ROUND = 40
"""So many every five seconds are a third of what Telegram takes: the rest is left for alerts."""

ROUND_S = 5
BUSY = 100
"""While so many messages wait none is added."""

log = logging.getLogger(__name__)


class Broadcasting:
    """`queued` is called when messages are due."""

    def __init__(self, db: Database, clock: Clock, queued: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._queued = queued

    async def go_on(self) -> None:
        """Queue the next chats of what is being told, if anything is."""
        try:
            if not await self._db.broadcasts.is_sending():
                return
            waiting = await self._db.outbox_desk.waiting()
            if sum(count for count, _ in waiting.values()) >= BUSY:
                return
            if await self._db.broadcasts.queue_next(CHATS_A_ROUND, now_ms=self._clock.now_ms()):
                self._queued()
        except StorageError as failure:
            log.warning("a broadcast waits for the database: %s", failure)
