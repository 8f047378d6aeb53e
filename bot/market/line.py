"""A venue's line: the gate, the requests, the dropped rows and the contracts of one client, and its books."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.clock import Clock
from bot.market.bad_rows import BadRows
from bot.market.exchange import ExchangeUnavailableError, UnknownSymbolError
from bot.market.limits import Budget, BudgetStatus, Gate
from bot.market.reply import Count, Judge
from bot.market.rest import Rest, Transport
from bot.market.types import Instrument


@dataclass(frozen=True, slots=True)
class LineStatus:
    """What /status and `doctor` show. Times in ms UTC; `clock_skew_ms` is the venue's clock minus this one's."""

    budgets: Mapping[str, BudgetStatus]
    requests: int
    retried: int
    last_answer_ms: int | None
    clock_skew_ms: int | None
    banned_until_ms: int | None
    geo_blocked_until_ms: int | None
    dropped_rows: Mapping[str, int]

    @property
    def busiest(self) -> BudgetStatus:
        """The budget with the least room left."""
        return max(self.budgets.values(), key=lambda budget: budget.used / max(1, budget.allowed))


@runtime_checkable
class KeepsBooks(Protocol):
    """A client that can be asked for its status; played and simulated exchanges have none."""

    def status(self) -> LineStatus: ...


class Line:
    """One host of one venue, `venue` being its name in sentences. `budgets` are by what they are for."""

    def __init__(
        self,
        venue: str,
        api_url: str,
        *,
        clock: Clock,
        budgets: Mapping[str, Budget],
        judge: Judge,
        count: Count = lambda reply: None,
        banned_until_ms: int | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._clock = clock
        self._budgets = budgets
        self._gate = Gate(clock, venue, banned_until_ms=banned_until_ms)
        self.bad = BadRows(venue)
        self.rest = Rest(
            api_url, venue=venue, clock=clock, gate=self._gate, judge=judge, count=count, transport=transport
        )

    @property
    def banned_until_ms(self) -> int | None:
        """When the venue may be asked again, ms UTC; store it and give it back after a restart."""
        return self._gate.banned_until_ms

    def server_now_ms(self) -> int:
        """The venue's clock as far as its last answer told it."""
        return self._clock.now_ms() + (self.rest.clock_skew_ms or 0)

    def status(self) -> LineStatus:
        """The books at this moment."""
        return LineStatus(
            budgets={name: budget.status() for name, budget in self._budgets.items()},
            requests=self.rest.requests,
            retried=self.rest.retried,
            last_answer_ms=self.rest.last_answer_ms,
            clock_skew_ms=self.rest.clock_skew_ms,
            banned_until_ms=self._gate.banned_until_ms,
            geo_blocked_until_ms=self._gate.blocked_until_ms,
            dropped_rows=self.bad.counts,
        )


class OnLine:
    """A client whose questions go over one line: what every venue tells of itself alike."""

    _line: Line

    @property
    def banned_until_ms(self) -> int | None:
        """When the venue may be asked again, ms UTC; store it and give it back after a restart."""
        return self._line.banned_until_ms

    def server_now_ms(self) -> int:
        """The venue's clock as far as its last answer told it."""
        return self._line.server_now_ms()

    def status(self) -> LineStatus:
        """The client's books at this moment."""
        return self._line.status()

    async def aclose(self) -> None:
        await self._line.rest.aclose()


class Contracts:
    """The contracts a venue lists, by canonical symbol and by its own name; read on first use.

    `fetch` asks the venue for them.
    """

    def __init__(self, venue: str, fetch: Callable[[], Awaitable[Iterable[Instrument]]]) -> None:
        self._venue = venue
        self._fetch = fetch
        self._by_symbol: dict[str, Instrument] = {}
        self._by_native: dict[str, Instrument] = {}
        self._first = asyncio.Lock()

    async def refresh(self) -> Sequence[Instrument]:
        """Ask anew. Raises ExchangeError; then the last list stays."""
        found = tuple(await self._fetch())
        if not found:
            raise ExchangeUnavailableError(f"{self._venue} lists no trading USDT perpetual, which cannot be.")
        self._by_symbol = {one.symbol: one for one in found}
        self._by_native = {one.native: one for one in found}
        return tuple(self._by_symbol.values())

    async def get(self, symbol: str) -> Instrument:
        """The contract of a canonical symbol. Raises UnknownSymbolError, or what kept the list from being read."""
        await self._ready()
        if symbol not in self._by_symbol:
            raise UnknownSymbolError(f"{self._venue} does not list {symbol}, or no longer trades it.")
        return self._by_symbol[symbol]

    async def by_native(self) -> Mapping[str, Instrument]:
        """Every contract by the venue's own name."""
        await self._ready()
        return self._by_native

    @property
    def known(self) -> Mapping[str, Instrument]:
        """Every contract by the venue's own name as last read, without asking; empty before the first time."""
        return self._by_native

    async def _ready(self) -> None:
        async with self._first:
            if not self._by_symbol:
                await self.refresh()
