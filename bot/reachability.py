"""Which exchanges answer: said once each way, and a ban's end kept over a restart, for asking early makes it longer."""

import logging
from collections.abc import Mapping

from bot.market.exchange import Exchange, ExchangeError, RateLimitedError
from bot.market.line import KeepsBooks
from bot.storage.database import Database
from bot.storage.errors import StorageError

log = logging.getLogger(__name__)


class Reachability:
    """What was heard of each exchange last."""

    def __init__(self, exchanges: Mapping[str, Exchange], db: Database, *, place: str = "") -> None:
        """`place` names the machine where several share a database: each address has bans of its own."""
        self._exchanges = exchanges
        self._db = db
        self._place = place
        self._down: dict[str, tuple[type[ExchangeError], int]] = {}
        self._bans: dict[str, int] = {}

    async def failed(self, name: str, error: ExchangeError) -> None:
        """An exchange did not give what was asked: said once for each kind of trouble, however its words change."""
        kind = (type(error), error.until_ms if isinstance(error, RateLimitedError) else 0)
        if self._down.get(name) != kind:
            self._down[name] = kind
            log.warning("%s is not heard: %s", name, error)
        else:
            log.debug("%s is still not heard: %s", name, error)
        if isinstance(error, RateLimitedError):
            await self._keep_ban(name, error.until_ms)

    def answered(self, name: str) -> None:
        """An exchange answered."""
        if self._down.pop(name, None) is not None:
            log.warning("%s is heard again", name)

    async def keep_bans(self) -> None:
        """Whichever request met a ban: its end is stored."""
        for name, exchange in self._exchanges.items():
            until_ms = exchange.status().banned_until_ms if isinstance(exchange, KeepsBooks) else None
            if until_ms is not None:
                await self._keep_ban(name, until_ms)

    async def _keep_ban(self, name: str, until_ms: int) -> None:
        if self._bans.get(name) == until_ms:
            return
        try:
            await self._db.kv.set(ban_key(name, self._place), until_ms)
        except StorageError as failure:
            log.warning("the end of a ban could not be stored: a restart would not know of it: %s", failure)
        else:
            self._bans[name] = until_ms


def ban_key(exchange: str, place: str = "") -> str:
    """Where a ban's end is kept, ms UTC."""
    return f"banned_until:{exchange}:{place}" if place else f"banned_until:{exchange}"
