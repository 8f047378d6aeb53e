"""The fake OKX itself: real shapes, newest first, errors with status 200, a limit for each path."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.fakes.clock import VirtualClock
from tests.fakes.okx import FakeOkx
from tests.integration.shapes import shape
from tests.integration.venue_rigs import AT_MS, NOW_MS, RECORDINGS
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

FIXTURES = SHARED / "fixtures" / "okx"


@pytest.fixture
async def clock() -> VirtualClock:
    return VirtualClock(NOW_MS)


@pytest.fixture
async def fake(clock: VirtualClock) -> AsyncIterator[FakeOkx]:
    async with FakeOkx(RECORDINGS, ["BTCUSDT"], at_ms=AT_MS, wall=lambda: clock.now_ms() / 1000) as server:
        yield server


@pytest.fixture
async def http(fake: FakeOkx) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{fake.url}/api/v5", transport=httpx.AsyncHTTPTransport()) as client:
        yield client


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


SHAPES = [
    ("/public/instruments?instType=SWAP", "live2026/public_instruments_SWAP_3.json"),
    ("/public/open-interest?instType=SWAP&instId=BTC-USDT-SWAP", "live2026/public_open_interest_ETH-USDT-SWAP.json"),
    ("/public/position-tiers?instFamily=BTC-USDT", "live2026/public_position_tiers_SWAP_tier1.json"),
    ("/public/mark-price?instType=SWAP", "nautilus/http_get_mark_price.json"),
    ("/market/tickers?instType=SWAP", "docs/get___tickers__1.json"),
    ("/market/candles?instId=BTC-USDT-SWAP&bar=5m", "nautilus/http_get_candlesticks_full.json"),
    ("/market/history-candles?instId=BTC-USDT-SWAP&bar=5m", "docs/get___candlesticks_history__1.json"),
    ("/public/time", "docs/get_system_time__1.json"),
    ("/market/candles?instId=NOSUCH-USDT-SWAP&bar=5m", "live2026/error_51001_no_such_instrument.json"),
    ("/public/position-tiers?instFamily=NOSUCH-USDT", "live2026/error_51000_unknown_tier_family.json"),
]


@pytest.mark.parametrize(("path", "name"), SHAPES)
async def test_answers_have_the_recorded_shape(http: httpx.AsyncClient, path: str, name: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200
    assert shape(answer.json()) == shape(fixture(name))


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, name in SHAPES if "error_" in name], ids=["51001", "51000"]
)
async def test_errors_are_the_recorded_ones(http: httpx.AsyncClient, path: str, name: str) -> None:
    assert (await http.get(path)).json() == fixture(name)


async def test_candles_come_newest_first_the_open_one_unconfirmed(http: httpx.AsyncClient) -> None:
    rows = (await http.get("/market/candles?instId=BTC-USDT-SWAP&bar=5m&limit=3")).json()["data"]
    times = [int(row[0]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert [row[8] for row in rows] == ["0", "1", "1"]
    assert float(rows[1][5]) * 0.01 == pytest.approx(float(rows[1][6]), abs=1e-4)


async def test_both_ends_of_a_window_are_left_out(http: httpx.AsyncClient) -> None:
    newest_ms = NOW_MS // 300_000 * 300_000
    path = f"/market/candles?instId=BTC-USDT-SWAP&bar=5m&before={newest_ms - 900_000}&after={newest_ms}"
    times = [int(row[0]) for row in (await http.get(path)).json()["data"]]
    assert times == [newest_ms - 300_000, newest_ms - 600_000]


async def test_only_the_latest_1440_candles_and_samples_are_there(http: httpx.AsyncClient) -> None:
    old = NOW_MS - 6 * 86_400_000
    path = f"/market/candles?instId=BTC-USDT-SWAP&bar=5m&after={old}"
    assert (await http.get(path)).json()["data"] == []
    assert len((await http.get(path.replace("candles", "history-candles"))).json()["data"]) == 100
    rubik = f"/rubik/stat/contracts/open-interest-history?instId=BTC-USDT-SWAP&period=5m&end={old}"
    assert (await http.get(rubik)).json()["data"] == []


async def test_each_path_has_its_own_limit(http: httpx.AsyncClient, fake: FakeOkx, clock: VirtualClock) -> None:
    fake.limits["mark-price"] = 2
    answers = [await http.get("/public/mark-price?instType=SWAP") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json() == {"code": "50011", "data": [], "msg": "Too Many Requests"}
    assert (await http.get("/public/time")).status_code == 200
    clock.advance(2)
    assert (await http.get("/public/mark-price?instType=SWAP")).status_code == 200
