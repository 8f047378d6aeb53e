"""Tells the chats that watch an exchange when its data has gone stale and when it is back: once, also over restarts.

What was told is known from the decision log, written in the transaction that queues the messages. In between, the
rules of that exchange fall silent by themselves, for no data is not false.
"""

import logging
from collections.abc import Callable, Iterable, Sequence

from bot.alerts.reasons import Reason
from bot.alerts.types import Changes, LogEntry, Market, Rule
from bot.clock import Clock
from bot.doorbell import Doorbell
from bot.freshness import Freshness
from bot.liquidation.combining import COMBINED
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.storage.outbox import OutboxRow

REMEMBERED_MS = 14 * 86_400_000

log = logging.getLogger(__name__)


class StaleNotices:
    """One a bot. `rules` are those judged now, `queued` is called when messages were queued."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        bell: Doorbell,
        rules: Callable[[], Iterable[Rule]],
        queued: Callable[[], None],
    ) -> None:
        self._db = db
        self._clock = clock
        self._bell = bell
        self._rules = rules
        self._queued = queued
        self._told: dict[str, int] = {}

    async def restore(self, exchanges: Sequence[str]) -> None:
        """Remember which exchanges were told to be stale, and since when."""
        since_ms = self._clock.now_ms() - REMEMBERED_MS
        for name in exchanges:
            newest = await self._db.decisions.of_exchange(name, since_ms=since_ms)
            if newest and newest[0].reason is Reason.STALE:
                self._told[name] = newest[0].until_ms

    async def check(self, freshness: Freshness, exchanges: Iterable[str]) -> None:
        """Tell what has changed; what cannot be stored is told at the next check."""
        names = tuple(exchanges)
        for name in names:
            # What all exchanges hold together goes on with those that are fresh.
            last = all(freshness.stale_since_ms(other) is not None for other in names if other != name)
            since_ms, newest_ms = freshness.stale_since_ms(name), freshness.newest_ms(name)
            told_ms = self._told.get(name)
            try:
                if since_ms is not None and told_ms is None:
                    await self._tell(name, Reason.STALE, since_ms, together=last)
                    self._told[name] = since_ms
                elif since_ms is None and newest_ms is not None and told_ms is not None:
                    await self._tell(name, Reason.BACK, told_ms, together=last)
                    del self._told[name]
            except StorageError as error:
                log.warning("how fresh the data of %s is could not be stored and is told later: %s", name, error)

    async def _tell(self, exchange: str, reason: Reason, since_ms: int, *, together: bool) -> None:
        now_ms = self._clock.now_ms()
        concerned = {exchange, COMBINED} if together else {exchange}
        chats = sorted({rule.chat for rule in self._rules() if rule.market.exchange in concerned})
        rows = [
            OutboxRow(
                f"{reason}:{exchange}:{chat}:{since_ms}",
                chat,
                {
                    "notice": reason.value,
                    "exchange": exchange,
                    "since_ms": since_ms,
                    "silent": reason is Reason.BACK or self._bell.is_silent(chat, now_ms=now_ms),
                },
                created_ms=now_ms,
            )
            for chat in chats
        ]
        entry = LogEntry(now_ms, reason, Market(exchange, ""), until_ms=since_ms)
        await self._db.commit_changes(Changes(), rows, log=[entry])
        log.warning("%s: %d chats are told that its data is %s", exchange, len(chats), reason)
        if rows:
            self._queued()
