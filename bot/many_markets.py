"""Many markets looked up for one command: those that were named, or all of a recording."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.failures import UsageError
from bot.found_market import FoundMarket, MarketRequest, find_market
from bot.market.recording import Recording
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class ManyRequest:
    """What was asked for on the command line; `symbols` empty for all of a recording."""

    symbols: Sequence[str]
    recording: Path | None
    exchange: str | None
    at_ms: int | None
    png: Path | None
    json: bool


class NoMarketsError(UsageError):
    """Nothing was named, and there is no recording to take everything from."""

    def __init__(self) -> None:
        super().__init__("name the markets, such as BTC ETH SOL, or give a recording, of which all are taken")


async def find_markets(request: ManyRequest, settings: Settings, *, book: bool = False) -> AsyncIterator[FoundMarket]:
    """One after the other; of a whole recording those that have no map at that time are left out.

    With `book` each is one exchange's market, with its order book beside.
    Raises UsageError, FailedError, RecordingError.
    """
    if request.symbols:
        for symbol in request.symbols:
            yield await find_market(_one(request, symbol, request.exchange, book=book), settings)
        return
    if request.recording is None:
        raise NoMarketsError
    recording = Recording(request.recording)
    refused: UsageError | None = None
    found = 0
    for exchange in recording.exchanges if request.exchange is None else [request.exchange]:
        for symbol in recording.symbols(exchange):
            try:
                market = await find_market(_one(request, symbol, exchange, book=book), settings)
            except UsageError as error:
                refused = error
            else:
                found += 1
                yield market
    if not found and refused is not None:
        raise refused


def _one(request: ManyRequest, symbol: str, exchange: str | None, *, book: bool) -> MarketRequest:
    return MarketRequest(symbol, request.recording, exchange, request.at_ms, book=book)
