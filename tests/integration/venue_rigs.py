"""One fake venue, the client that asks it, and the clock of both: what the tests of every venue are run on."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bot.market.bybit import BybitExchange
from bot.market.exchange import (
    ExchangeError,
    ExchangeUnavailableError,
    GeoBlockedError,
    RateLimitedError,
)
from bot.market.hyperliquid import HyperliquidExchange
from bot.market.okx import OkxExchange
from bot.market.rest import Transport
from bot.market.types import BAR_MS, Bars
from tests.fakes.bybit import FakeBybit
from tests.fakes.clock import VirtualClock
from tests.fakes.hyperliquid import FakeHyperliquid
from tests.fakes.okx import FakeOkx
from tests.fakes.venue import FakeVenue
from tests.shared import SHARED

RECORDINGS = SHARED / "recordings"
AT_MS = 1_766_188_800_000  # 2025-12-20T00:00:00Z, the moment of the recordings that is "now"
NOW_MS = 1_790_000_123_000  # what the clock shows: 23 s into a bar, somewhere in 2026
SHIFT_MS = (NOW_MS - AT_MS) // BAR_MS * BAR_MS

COMMON_FAULTS: dict[str, type[ExchangeError]] = dict.fromkeys(
    ("down", "5xx", "html200", "broken_json"), ExchangeUnavailableError
)


@dataclass(frozen=True)
class VenueKind:
    """A venue under test. `price_path` is what a price is asked of, `bars_path` what bars are."""

    name: str
    fake: type[FakeVenue]
    client: Callable[..., Any]
    price_path: str
    bars_path: str
    faults: dict[str, type[ExchangeError]]


BYBIT = VenueKind(
    name="bybit",
    fake=FakeBybit,
    client=BybitExchange,
    price_path="/v5/market/tickers",
    bars_path="/v5/market/kline",
    faults=COMMON_FAULTS | {"limit": ExchangeUnavailableError, "frequent": RateLimitedError, "geo": GeoBlockedError},
)
OKX = VenueKind(
    name="okx",
    fake=FakeOkx,
    client=OkxExchange,
    price_path="/api/v5/public/mark-price",
    bars_path="/api/v5/market/candles",
    faults=COMMON_FAULTS | {"limit": ExchangeUnavailableError, "429": ExchangeUnavailableError, "geo": GeoBlockedError},
)
HYPERLIQUID = VenueKind(
    name="hyperliquid",
    fake=FakeHyperliquid,
    client=HyperliquidExchange,
    price_path="/info",
    bars_path="/info",
    faults=COMMON_FAULTS | {"429": RateLimitedError, "geo": GeoBlockedError},
)
VENUES = [BYBIT, OKX, HYPERLIQUID]


class Rig:
    """The fake, the client and the clock of both."""

    def __init__(self, kind: VenueKind, fake: FakeVenue, client: Any, clock: VirtualClock) -> None:
        self.kind = kind
        self.fake = fake
        self.client = client
        self.clock = clock

    async def bars(self, symbol: str = "BTCUSDT", count: int = 5) -> Bars:
        now_ms = self.fake.now_ms()
        bars: Bars = await self.client.bars(symbol, start_ms=now_ms - (count + 1) * BAR_MS, end_ms=now_ms)
        return bars

    def new_client(self, **options: float) -> Any:
        # A transport of its own keeps a proxy of the machine's environment out of the test.
        transport = Transport(httpx.AsyncHTTPTransport(), jitter=lambda: 0.5, **options)
        return self.kind.client(clock=self.clock, api_url=self.fake.url, transport=transport)


@asynccontextmanager
async def rig_of(kind: VenueKind, symbols: list[str], *, speed: float = 1.0) -> AsyncIterator[Rig]:
    clock = VirtualClock(NOW_MS)
    async with kind.fake(RECORDINGS, symbols, at_ms=AT_MS, speed=speed, wall=lambda: clock.now_ms() / 1000) as fake:
        rig = Rig(kind, fake, None, clock)
        rig.client = rig.new_client()
        yield rig
        await rig.client.aclose()
