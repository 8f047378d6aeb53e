"""What comes from an exchange, in coins and quote currency, times in int milliseconds UTC."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bot.liquidation.depth import Depth as Depth  # an order book: judged by the science, told by the market

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BAR_MS = 300_000

SIMULATED: Final = "simulated"
"""The exchange of simulated markets."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One USDT perpetual: `symbol` is the canonical name (`ZRXUSDT`), `native` the venue's own."""

    exchange: str
    symbol: str
    native: str
    base: str
    quote: str
    tick_size: float
    onboard_ms: int | None = None
    delist_ms: int | None = None
    max_leverage: float | None = None


@dataclass(frozen=True, slots=True)
class Bars:
    """Closed bars, oldest first; every array has shape (n,). NaN where a venue does not publish a column."""

    open_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote_volume: Floats
    taker_buy_volume: Floats

    def __len__(self) -> int:
        return len(self.open_ms)


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """Samples of open interest in coins, one side, oldest first; `time_ms` is the end of the period. Shapes (n,)."""

    time_ms: Ints
    coins: Floats

    def __len__(self) -> int:
        return len(self.time_ms)


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of one symbol over time, oldest first. Shapes (n,)."""

    time_ms: Ints
    price: Floats

    def __len__(self) -> int:
        return len(self.time_ms)


@dataclass(frozen=True, slots=True)
class Prints:
    """Liquidation prints of many symbols, in time order. Shapes (n,); `is_long` is True where a long was closed.

    `price` is the average fill where the venue gives one; where `at_bankruptcy`, the price at which the margin was used
    up (None: nowhere). A print is a sample: venues throttle this feed.
    """

    time_ms: Ints
    symbol: tuple[str, ...]
    is_long: NDArray[np.bool_]
    price: Floats
    coins: Floats
    at_bankruptcy: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.time_ms)


class Tick(Struct, frozen=True):
    """The mark price of many symbols of one exchange at one moment; `time_ms` and `price` have the shape (n,)."""

    exchange: str
    symbols: tuple[str, ...]
    time_ms: Ints
    price: Floats


class Crowd(StrEnum):
    """Whose longs and shorts a ratio counts: accounts, the largest traders' accounts, or their positions by size."""

    ACCOUNTS = "accounts"
    TOP_ACCOUNTS = "top accounts"
    TOP_POSITIONS = "top positions"


@dataclass(frozen=True, slots=True)
class LongShortRatios:
    """The share of a crowd that is long, in (0, 1), oldest first; shapes (n,). The rest is short.

    `time_ms` is the venue's stamp: the end of the period at Binance; Bybit and OKX do not say which end theirs is.
    Every contract has one long and one short: this tells how many hold each side, never how open interest divides.
    """

    time_ms: Ints
    long_share: Floats

    def __len__(self) -> int:
        return len(self.time_ms)
