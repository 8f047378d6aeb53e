"""A recording as a market to look at: its contracts, one market's history, and which one a symbol means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.alerts.types import Market
from bot.failures import UsageError
from bot.liquidation import History, RiskTier
from bot.liquidation.values import replace
from bot.market.binance_brackets import stored_tiers
from bot.market.history import align
from bot.market.recording import Recording
from bot.market.symbols import SymbolBook
from bot.market.tick_size import tick_size
from bot.market.types import Bars, Instrument, Prints


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording with its contracts listed. Bars and prints that were read are kept: they are asked for repeatedly."""

    recording: Recording
    book: SymbolBook
    _bars: dict[Market, Bars] = field(default_factory=dict, init=False, repr=False, compare=False)
    _prints: dict[str, Prints | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def market(self, text: str) -> Market | None:
        """The market that `text` means, None where the recording has none such."""
        found = self.book.resolve(text)
        return None if found is None else Market(found.exchange, found.symbol)

    def instrument(self, text: str, exchange: str | None = None) -> Instrument:
        """The contract that `text` means. Raises UsageError with the nearest names."""
        asked = text if exchange is None else f"{exchange}:{text}"
        if exchange is not None and exchange not in self.recording.exchanges:
            raise UsageError(f"--exchange takes one of {', '.join(self.recording.exchanges)}, not '{exchange}'")
        found = self.book.resolve(asked)
        if found is None:
            near = ", ".join(self.book.nearest(text))
            raise UsageError(f"the recording has no symbol '{text}'; the nearest are {near}")
        return replace(found, tick_size=tick_size(self.bars(Market(found.exchange, found.symbol)).close))

    def tiers_of(self, market: Market) -> Sequence[RiskTier] | None:
        """The recorded risk tiers; else what is stored of Binance's contracts; None where nothing is known."""
        recorded = self.recording.tiers(market.exchange).get(market.symbol)
        return stored_tiers(market.symbol) if recorded is None and market.exchange == "binance" else recorded

    def history(self, market: Market, *, start_ms: int | None = None, end_ms: int | None = None) -> History:
        """The bars that open at `start_ms` or later and are closed by `end_ms`, with their open interest."""
        return align(self.bars(market), self.recording.open_interest(*market)).within(start_ms, end_ms)

    def bars(self, market: Market) -> Bars:
        """All bars of a market."""
        if market not in self._bars:
            self._bars[market] = self.recording.bars(*market)
        return self._bars[market]

    def prints(self, exchange: str) -> Prints | None:
        """The liquidations that the venue printed, all symbols; None where none were recorded."""
        if exchange not in self._prints:
            self._prints[exchange] = self.recording.prints(exchange)
        return self._prints[exchange]


def open_recorded(recording: Recording) -> Recorded:
    """List the contracts of a recording, without reading any of their files."""
    found = [_listed(exchange, symbol) for exchange in recording.exchanges for symbol in recording.symbols(exchange)]
    return Recorded(recording, SymbolBook(found))


def _listed(exchange: str, symbol: str) -> Instrument:
    """A contract by its name alone: its tick size is told by its prices, once somebody asks for it."""
    quote = next((quote for quote in ("USDT", "USDC", "USD") if symbol.endswith(quote)), "")
    return Instrument(
        exchange=exchange,
        symbol=symbol,
        native=symbol,
        base=symbol.removesuffix(quote) or symbol,
        quote=quote,
        tick_size=math.nan,
    )
