"""All four exchanges at once, as the settings name them: what doctor says, and a map of one contract on each."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np

from bot.alerts.types import Market
from bot.doctor import examine
from bot.markets import Markets
from bot.settings import EXCHANGES, Settings
from bot.storage.database import Database
from bot.venues import CLIENTS, open_exchanges
from tests.fakes.binance import FakeBinance
from tests.fakes.bybit import FakeBybit
from tests.fakes.clock import VirtualClock
from tests.fakes.hyperliquid import FakeHyperliquid
from tests.fakes.okx import FakeOkx
from tests.integration.venue_rigs import AT_MS, NOW_MS, RECORDINGS
from tests.shared import needs_shared

pytestmark = needs_shared

SYMBOLS = ["BTCUSDT", "ZRXUSDT"]
NO_STREAM = "ws://127.0.0.1:9"
Fakes = dict[str, FakeBinance | FakeBybit | FakeOkx | FakeHyperliquid]


@asynccontextmanager
async def four_fakes(wall: Callable[[], float] = time.time) -> AsyncIterator[Fakes]:
    kinds = {"binance": FakeBinance, "bybit": FakeBybit, "okx": FakeOkx, "hyperliquid": FakeHyperliquid}
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(kind(RECORDINGS, SYMBOLS, at_ms=AT_MS, wall=wall))
            for name, kind in kinds.items()
        }


def settings_of(fakes: Fakes) -> Settings:
    return Settings(
        _env_file=None,
        exchanges=EXCHANGES,
        database_url="sqlite://",
        binance_api_url=fakes["binance"].url,
        binance_web_url=fakes["binance"].url,
        bybit_api_url=fakes["bybit"].url,
        okx_api_url=fakes["okx"].url,
        hyperliquid_api_url=fakes["hyperliquid"].url,
        binance_stream_url=NO_STREAM,
        bybit_stream_url=NO_STREAM,
        okx_stream_url=NO_STREAM,
    )


def test_every_exchange_of_the_settings_has_a_client() -> None:
    assert tuple(CLIENTS) == EXCHANGES


async def test_doctor_tells_of_each_exchange_and_of_one_that_is_down() -> None:
    async with four_fakes() as fakes:
        lines: list[str] = []
        assert await examine(settings_of(fakes), print_line=lines.append) == 0
        for name in EXCHANGES:
            (line,) = (line for line in lines if f" {name}: " in line)
            assert line.startswith(f"ok    {name}: 2 contracts, prices of ")
        lines.clear()
        fakes["bybit"].fail("geo")
        assert await examine(settings_of(fakes), print_line=lines.append) == 0
        (line,) = (line for line in lines if " bybit: " in line)
        assert line.startswith("fail  bybit: Bybit does not serve this place")


async def test_one_contract_has_a_map_on_every_exchange() -> None:
    clock = VirtualClock(NOW_MS)  # 23 s into a bar, so that Hyperliquid's open interest is sampled for the last one
    async with four_fakes(lambda: clock.now_ms() / 1000) as fakes, await Database.open("sqlite://", inline=True) as db:
        exchanges = open_exchanges(settings_of(fakes), clock=clock)
        try:
            markets = Markets(exchanges=exchanges, db=db, history_days=1)
            await markets.refresh_instruments()
            found = {name: await markets.open(Market(name, "BTCUSDT")) for name in EXCHANGES}
        finally:
            for exchange in exchanges.values():
                await exchange.aclose()
    assert markets.book.resolve("okx:btc") == found["okx"].instrument
    assert markets.book.resolve("BTC") == found["binance"].instrument
    assert len({live.history.close[-1] for live in found.values()}) == 1
    sizes = []
    for name, live in found.items():
        drawn = live.reading.map
        assert drawn.open_interest == "measured", name
        sizes += [drawn.long_usd.sum(), drawn.short_usd.sum()]
    assert np.isfinite(found["hyperliquid"].history.open_interest).sum() == 1
    assert 0 < max(sizes) < 1.5 * min(sizes)
