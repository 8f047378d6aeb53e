"""The fake Bybit itself: real shapes, pages and cursors, error bodies, the limit and its ten minutes."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.bybit import FakeBybit
from tests.fakes.clock import VirtualClock
from tests.integration.shapes import shape
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

RECORDINGS = SHARED / "recordings"
FIXTURES = SHARED / "fixtures" / "bybit"
AT_MS = 1_766_188_800_000
NOW_MS = 1_790_000_123_000
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def clock() -> VirtualClock:
    return VirtualClock(NOW_MS)


@pytest.fixture
async def fake(clock: VirtualClock) -> AsyncIterator[FakeBybit]:
    async with FakeBybit(
        RECORDINGS, ["BTCUSDT", "1000SHIBUSDT=DOGEUSDT"], at_ms=AT_MS, wall=lambda: clock.now_ms() / 1000
    ) as server:
        yield server


@pytest.fixture
async def http(fake: FakeBybit) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fake.url, transport=httpx.AsyncHTTPTransport()) as client:
        yield client


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


SHAPES = [
    ("tickers?category=linear&symbol=BTCUSDT", "live2026/v5_market_tickers_linear_ETHUSDT.json"),
    ("risk-limit?category=linear&symbol=BTCUSDT", "live2026/v5_market_risk_limit_linear_BTCUSDT_first2.json"),
    ("open-interest?category=linear&symbol=BTCUSDT&intervalTime=5min", "docs/market__open-interest__1.json"),
    ("kline?category=linear&symbol=BTCUSDT&interval=5", "docs/market__kline__1.json"),
    ("time", "docs/market__time__1.json"),
]


@pytest.mark.parametrize(("path", "name"), SHAPES)
async def test_answers_have_the_recorded_shape(http: httpx.AsyncClient, path: str, name: str) -> None:
    assert shape((await http.get(f"/v5/market/{path}")).json()) == shape(fixture(name))


async def test_instruments_have_the_documented_keys(http: httpx.AsyncClient) -> None:
    rows = (await http.get("/v5/market/instruments-info?category=linear")).json()["result"]["list"]
    live = fixture("jkorf/Endpoints__V5Api__ExchangeData__GetLinearInverseSymbols.json")["result"]["list"][0]
    assert shape(rows[-1]) == shape(live)
    assert len(rows) == 6


async def test_the_first_risk_tiers_are_the_live_ones(http: httpx.AsyncClient) -> None:
    rows = (await http.get("/v5/market/risk-limit?category=linear&symbol=BTCUSDT")).json()["result"]["list"]
    assert rows[:2] == fixture("live2026/v5_market_risk_limit_linear_BTCUSDT_first2.json")["result"]["list"]


async def test_rows_come_newest_first_the_open_bar_before_all(http: httpx.AsyncClient) -> None:
    path = f"/v5/market/kline?category=linear&symbol=BTCUSDT&interval=5&start={NOW_MS - 3_600_000}&limit=3"
    times = [int(row[0]) for row in (await http.get(path)).json()["result"]["list"]]
    assert times == sorted(times, reverse=True)
    assert times[0] <= NOW_MS < times[0] + 300_000
    assert len(times) == 3


async def test_a_cursor_leads_through_the_pages(http: httpx.AsyncClient) -> None:
    path = "/v5/market/open-interest"
    ask: dict[str, str | int] = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "5min", "limit": 50}
    seen: list[int] = []
    for _ in range(3):
        result = (await http.get(path, params=ask)).json()["result"]
        seen += [int(row["timestamp"]) for row in result["list"]]
        ask["cursor"] = result["nextPageCursor"]
    assert len(set(seen)) == 150
    assert seen == sorted(seen, reverse=True)


REFUSALS = [
    "kline?category=linear&symbol=NOSUCHUSDT&interval=5",
    "open-interest?category=linear&symbol=1000SHIBUSDT&intervalTime=5min",
    "tickers?category=linear&symbol=NOSUCHUSDT",
    "risk-limit?category=linear&symbol=NOSUCHUSDT",
]


@pytest.mark.parametrize("path", REFUSALS)
async def test_wrong_questions_are_refused_with_status_200(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"/v5/market/{path}")
    assert (answer.status_code, answer.json()["retCode"]) == (200, 10001)
    assert "symbol" in answer.json()["retMsg"]


async def test_600_requests_in_5_seconds_shut_the_address_out_for_ten_minutes(
    http: httpx.AsyncClient, fake: FakeBybit, clock: VirtualClock
) -> None:
    fake.request_limit = 3
    assert [(await http.get("/v5/market/time")).status_code for _ in range(5)] == [200, 200, 200, 403, 403]
    assert fake.meter.requests_while_banned == 1
    clock.advance(599)
    assert (await http.get("/v5/market/time")).status_code == 403
    clock.advance(1)
    assert (await http.get("/v5/market/time")).status_code == 200


async def test_an_unknown_fault_names_the_known_ones(fake: FakeBybit) -> None:
    with pytest.raises(ValueError, match="there are down, 5xx"):
        fake.fail("flood")


async def test_as_a_process_it_prints_its_address_and_takes_orders() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.bybit", "--recording", str(RECORDINGS), "--symbols", "BTCUSDT",
        "--at", "2025-12-20T00:00:00Z", stdout=asyncio.subprocess.PIPE, cwd=PROJECT,
    )  # fmt: skip
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with httpx.AsyncClient(base_url=url, transport=httpx.AsyncHTTPTransport()) as http:
        await http.post("/fake/fault", json={"kind": "limit", "path": "/v5", "times": 1})
        refused = await http.get("/v5/market/time")
        assert refused.json()["retCode"] == 10006
        assert refused.headers["X-Bapi-Limit-Status"] == "0"
        assert (await http.get("/v5/market/time")).json()["retCode"] == 0
        assert (await http.post("/fake/fault", json={"kind": "flood"})).status_code == 400
        assert (await http.post("/fake/heal")).status_code == 200
        assert (await http.get("/fake/status")).json()["requests"] == {"/v5/market/time": 2}
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
