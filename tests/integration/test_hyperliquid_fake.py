"""The fake Hyperliquid itself: real shapes, weights, and the latest 5000 candles."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.liquidation.types import Side
from bot.market.hyperliquid import HyperliquidExchange
from bot.market.rest import Transport
from tests.fakes.clock import VirtualClock
from tests.fakes.hyperliquid import FakeHyperliquid
from tests.integration.shapes import shape
from tests.integration.venue_rigs import AT_MS, NOW_MS, RECORDINGS
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

FIXTURES = SHARED / "fixtures" / "hyperliquid"
BAR_MS = 300_000


@pytest.fixture
async def clock() -> VirtualClock:
    return VirtualClock(NOW_MS)


@pytest.fixture
async def fake(clock: VirtualClock) -> AsyncIterator[FakeHyperliquid]:
    async with FakeHyperliquid(
        RECORDINGS, ["BTCUSDT", "1000SHIBUSDT=DOGEUSDT"], at_ms=AT_MS, wall=lambda: clock.now_ms() / 1000
    ) as server:
        yield server


@pytest.fixture
async def http(fake: FakeHyperliquid) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fake.url, transport=httpx.AsyncHTTPTransport()) as client:
        yield client


async def ask(http: httpx.AsyncClient, kind: str, **more: object) -> httpx.Response:
    return await http.post("/info", json={"type": kind, **more})


def candles(coin: str, start_ms: int, end_ms: int) -> dict[str, Any]:
    return {"coin": coin, "interval": "5m", "startTime": start_ms, "endTime": end_ms}


async def test_everything_has_the_recorded_shape(http: httpx.AsyncClient) -> None:
    live = json.loads((FIXTURES / "live2026/info_metaAndAssetCtxs_first16.json").read_text(encoding="utf-8"))
    meta, contexts = (await ask(http, "metaAndAssetCtxs")).json()
    assert shape(meta) == shape(live[0])
    assert shape(contexts[0]) == shape(live[1][0])
    delisted, gone = contexts[1], next(one for one in live[1] if one["midPx"] is None)
    assert shape(delisted) == shape(gone)
    assert [entry["name"] for entry in meta["universe"]] == ["BTC", "MATIC", "kSHIB"]
    assert meta["universe"][0]["marginTableId"] == live[0]["universe"][0]["marginTableId"]
    tables = dict(map(tuple, live[0]["marginTables"]))
    assert all(tables[number] == table for number, table in meta["marginTables"])


async def test_candles_have_the_recorded_keys_oldest_first(http: httpx.AsyncClient) -> None:
    rows = (await ask(http, "candleSnapshot", req=candles("BTC", NOW_MS - 3_600_000, NOW_MS))).json()
    assert set(rows[0]) == set("TcihlnostTv")
    assert [row["t"] for row in rows] == sorted(row["t"] for row in rows)
    assert rows[-1]["t"] <= NOW_MS <= rows[-1]["T"]


async def test_only_the_latest_5000_candles_are_there(http: httpx.AsyncClient) -> None:
    rows = (await ask(http, "candleSnapshot", req=candles("kSHIB", 0, NOW_MS))).json()
    assert len(rows) <= 5000
    assert rows[0]["t"] >= NOW_MS - 5000 * BAR_MS


async def test_unknown_questions_and_coins_are_refused(http: httpx.AsyncClient) -> None:
    assert (await ask(http, "nonsense")).status_code == 422
    assert (await ask(http, "candleSnapshot", req=candles("NOSUCH", 0, NOW_MS))).status_code == 500


async def test_over_1200_weight_a_minute_is_429(
    http: httpx.AsyncClient, fake: FakeHyperliquid, clock: VirtualClock
) -> None:
    fake.weight_limit = 45
    statuses = [(await ask(http, "metaAndAssetCtxs")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    clock.advance(60)
    hour = candles("BTC", NOW_MS - 61 * BAR_MS, NOW_MS)
    assert (await ask(http, "candleSnapshot", req=hour)).status_code == 200
    assert fake.meter.peaks["weight"] == 60
    assert (await ask(http, "metaAndAssetCtxs")).status_code == 200
    assert (await ask(http, "metaAndAssetCtxs")).status_code == 429


async def test_an_account_has_the_recorded_shape_and_costs_two(http: httpx.AsyncClient, fake: FakeHyperliquid) -> None:
    live = json.loads((FIXTURES / "live2026/info_clearinghouseState_whale_selected14.json").read_text(encoding="utf-8"))
    told = (await ask(http, "clearinghouseState", user=f"0x{7:040x}")).json()
    recorded = live["assetPositions"][1]["position"]
    for one in told["assetPositions"]:
        assert set(one["position"]) <= set(recorded)
        assert {name: type(one["position"][name]) for name in one["position"]} == {
            name: type(recorded[name]) for name in one["position"]
        }
    assert fake.meter.peaks["weight"] == 2


async def test_many_accounts_are_read_within_half_of_the_weight(fake: FakeHyperliquid, clock: VirtualClock) -> None:
    addresses = [f"0x{number:040x}" for number in range(1000)]
    client = HyperliquidExchange(
        clock=clock,
        api_url=fake.url,
        addresses=addresses,
        transport=Transport(httpx.AsyncHTTPTransport(), jitter=lambda: 0.5),
    )
    turns = 0
    while not await client.ask_accounts():
        for _ in range(10):  # a tick each 2 s, as in a running bot
            await client.mark_prices()
            clock.advance(2)
        turns += 1
    assert turns == 41, "a thousand addresses in fourteen minutes"
    assert fake.meter.peaks["weight"] <= 600
    known = client.known_positions("1000SHIBUSDT")
    assert len(known) == 1000
    assert {one.side for one in known} == {Side.LONG, Side.SHORT}
    await client.aclose()
