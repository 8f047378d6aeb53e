"""Since when an exchange has said nothing new: what is left out of a combined map, and what alerts must know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.market.exchange import Exchange

STALE_MS = 5 * 60_000
"""Prices that stopped so long ago are stale. Single rules fall silent long before; this is what people are told."""


@dataclass(frozen=True, slots=True)
class Staleness:
    """An exchange whose newest price is of `since_ms`; `back_ms` is the first one after the silence, None during it.

    Both by the exchange's own clock.
    """

    exchange: str
    since_ms: int
    back_ms: int | None = None


class Freshness:
    """The newest price of each exchange, held against that exchange's clock."""

    def __init__(self, exchanges: Mapping[str, Exchange], *, stale_ms: int = STALE_MS) -> None:
        self._exchanges = exchanges
        self._stale_ms = stale_ms
        self._newest_ms: dict[str, int] = {}
        self._began_ms = {name: exchange.server_now_ms() for name, exchange in exchanges.items()}
        self._told: dict[str, int] = {}

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

    def changes(self) -> Sequence[Staleness]:
        """What became of each exchange since the last question: each silence is told once, and once its end."""
        found = []
        for name in self._exchanges:
            since_ms, told_ms = self.stale_since_ms(name), self._told.get(name)
            if since_ms is not None and told_ms is None:
                self._told[name] = since_ms
                found.append(Staleness(name, since_ms))
            elif since_ms is None and told_ms is not None:
                del self._told[name]
                found.append(Staleness(name, told_ms, self._newest_ms[name]))
        return found
