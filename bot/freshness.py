"""Since when an exchange has said nothing new: what is left out of a combined map, and what alerts must know."""

from collections.abc import Mapping

from bot.market.exchange import Exchange

STALE_MS = 5 * 60_000
"""Prices that stopped so long ago are stale. Single rules fall silent long before; this is what people are told."""


class Freshness:
    """The newest price of each exchange, held against that exchange's clock."""

    def __init__(self, exchanges: Mapping[str, Exchange], *, stale_ms: int = STALE_MS) -> None:
        self._exchanges = exchanges
        self._stale_ms = stale_ms
        self._newest_ms: dict[str, int] = {}
        self._began_ms = {name: exchange.server_now_ms() for name, exchange in exchanges.items()}

    def take(self, exchange: str, time_ms: int) -> None:
        """A price of this time was seen; an older one than known changes nothing."""
        self._newest_ms[exchange] = max(time_ms, self._newest_ms.get(exchange, 0))

    def newest_ms(self, exchange: str) -> int | None:
        """When the newest price was seen; None where there never was one."""
        return self._newest_ms.get(exchange)

    def stale_since_ms(self, exchange: str) -> int | None:
        """Since when there are no new prices (without any: since the start); None while they are fresh.

        An exchange that the settings no longer name has been stale for ever: 0.
        """
        if exchange not in self._exchanges:
            return 0
        since_ms = self._newest_ms.get(exchange, self._began_ms[exchange])
        return since_ms if self._exchanges[exchange].server_now_ms() - since_ms > self._stale_ms else None
