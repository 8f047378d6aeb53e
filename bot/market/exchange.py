"""The seam to an exchange: what Liqwatch asks of one, and what can go wrong."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from bot.liquidation.known import KnownPosition
from bot.liquidation.margin import RiskTier
from bot.market.types import Bars, Crowd, Depth, Instrument, LongShortRatios, OpenInterest, Tick


class Exchange(Protocol):
    """One venue's public data. Every method may raise an ExchangeError."""

    name: str
    gives_open_interest_history: bool
    """False where a venue only tells what is open now; then `open_interest_history` is always empty."""

    def server_now_ms(self) -> int:
        """The venue's clock as far as it is known, without a request: its prices are judged by its own time."""
        ...

    async def instruments(self) -> Sequence[Instrument]:
        """The USDT perpetuals that trade now."""
        ...

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        """Closed 5-minute bars with start_ms <= open_ms < end_ms, pages joined, in order, without repeats."""
        ...

    async def open_interest_history(self, symbol: str, *, start_ms: int, end_ms: int) -> OpenInterest:
        """Samples with start_ms < time_ms <= end_ms (the time is the end of the period); empty where there are none."""
        ...

    async def open_interest(self, symbol: str) -> OpenInterest:
        """The open interest now: one row."""
        ...

    async def mark_prices(self) -> Tick:
        """The mark price of every symbol, in one request."""
        ...

    async def volumes(self) -> Mapping[str, float]:
        """Quote volume of the last 24 h by symbol."""
        ...

    async def risk_tiers_of(self, symbol: str) -> Sequence[RiskTier]:
        """One contract's risk tiers, ascending; empty where none are published. Kept by the client: cheap to ask."""
        ...

    async def risk_tiers(self) -> Mapping[str, Sequence[RiskTier]]:
        """Every contract's risk tiers by canonical symbol; one that is absent has none published. Many requests on
        some venues: who needs one contract asks for it alone.
        """
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class KnowsDepth(Protocol):
    """A venue that tells its order book."""

    async def depth(self, symbol: str, *, levels: int = 100) -> Depth:
        """The book now, at most `levels` a side; the venue may have fewer. Raises an ExchangeError."""
        ...


class LiveExchange(Exchange, KnowsDepth, Protocol):
    """A real venue: beside what a map is made of, what its traders hold and what rests in its book."""

    crowds: tuple[Crowd, ...]
    """Whose long/short ratio the venue publishes; asking for another raises NotGivenError."""

    async def long_short_ratios(self, symbol: str, crowd: Crowd, *, start_ms: int, end_ms: int) -> LongShortRatios:
        """Ratios of 5 minutes with start_ms < time_ms <= end_ms, as far back as the venue keeps them; empty where it
        has none. Raises NotGivenError where it publishes no such ratio.
        """
        ...


@runtime_checkable
class KnowsPositions(Protocol):
    """A venue that tells what some accounts hold, and the client knows of which to ask."""

    async def ask_accounts(self) -> bool:
        """Ask for the next few accounts; True once each was asked. What fails is logged, and what was known stays for
        a while.
        """
        ...

    def known_positions(self, symbol: str) -> Sequence[KnownPosition]:
        """The open positions of one contract that are known, as last told; none before each account was asked."""
        ...


class ExchangeError(Exception):
    """A venue did not give what was asked; the text is one sentence for a person."""


class ExchangeUnavailableError(ExchangeError):
    """No answer, a broken answer or an overloaded venue: worth trying again."""


class RateLimitedError(ExchangeError):
    """The venue asked for silence until `until_ms`."""

    def __init__(self, message: str, *, until_ms: int) -> None:
        super().__init__(message)
        self.until_ms = until_ms


class GeoBlockedError(ExchangeError):
    """The venue does not serve this place: off, with a look every half hour."""


class UnknownSymbolError(ExchangeError):
    """The venue does not know, or no longer knows, this symbol."""


class NotGivenError(ExchangeError):
    """The venue publishes no such thing, and never will by asking again."""
