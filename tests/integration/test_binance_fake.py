"""The fake venue itself: real shapes, true weights, 429 and then 418, and life as a process."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.binance import FakeBinance
from tests.fakes.clock import VirtualClock
from tests.integration.shapes import shape
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

RECORDINGS = SHARED / "recordings"
LIVE = SHARED / "fixtures" / "binance" / "live2026"
AT_MS = 1_766_188_800_000
NOW_MS = 1_790_000_123_000
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def clock() -> VirtualClock:
    return VirtualClock(NOW_MS)


@pytest.fixture
async def fake(clock: VirtualClock) -> AsyncIterator[FakeBinance]:
    async with FakeBinance(
        RECORDINGS, ["BTCUSDT", "ZRXUSDT"], at_ms=AT_MS, wall=lambda: clock.now_ms() / 1000, weight_limit=100
    ) as server:
        yield server


@pytest.fixture
async def http(fake: FakeBinance) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fake.url, transport=httpx.AsyncHTTPTransport()) as client:
        yield client


SHAPES = [
    ("/fapi/v1/premiumIndex?symbol=BTCUSDT", "fapi_v1_premiumIndex_ETHUSDT.json"),
    ("/fapi/v1/openInterest?symbol=BTCUSDT", "fapi_v1_openInterest_ETHUSDT.json"),
    ("/fapi/v1/ticker/24hr?symbol=BTCUSDT", "fapi_v1_ticker_24hr_ETHUSDT.json"),
    ("/futures/data/openInterestHist?symbol=BTCUSDT&period=5m", "futures_data_openInterestHist_BTCUSDT_5m.json"),
]


@pytest.mark.parametrize(("path", "name"), SHAPES)
async def test_answers_have_the_recorded_shape(http: httpx.AsyncClient, path: str, name: str) -> None:
    answer = (await http.get(path)).json()
    assert shape(answer) == shape(json.loads((LIVE / name).read_text(encoding="utf-8")))


async def test_instruments_have_the_recorded_keys(http: httpx.AsyncClient) -> None:
    answer = (await http.get("/fapi/v1/exchangeInfo")).json()
    live = json.loads((LIVE / "fapi_v1_exchangeInfo_5symbols.json").read_text(encoding="utf-8"))
    assert set(live["symbols"][0]) == set(answer["symbols"][0])


async def test_risk_tiers_have_the_recorded_shape_by_get_and_post(http: httpx.AsyncClient) -> None:
    path = "/bapi/futures/v1/friendly/future/common/brackets"
    got, posted = (await http.get(path)).json(), (await http.post(path, json={})).json()
    live = json.loads((LIVE / "bapi_brackets_BTCUSDT.json").read_text(encoding="utf-8"))
    assert got == posted
    assert shape(got) == shape(live)
    by_symbol = {entry["symbol"]: entry["riskBrackets"] for entry in got["data"]["brackets"]}
    assert by_symbol["BTCUSDT"][:4] == live["data"]["brackets"][0]["riskBrackets"]
    assert len(by_symbol) >= 100


async def test_klines_are_rows_of_twelve_with_the_open_bar_last(http: httpx.AsyncClient) -> None:
    answer = await http.get("/fapi/v1/klines", params={"symbol": "BTCUSDT", "interval": "5m", "limit": 3})
    rows = answer.json()
    assert [type(value).__name__ for value in rows[0]] == ["int", *["str"] * 5, "int", "str", "int", *["str"] * 3]
    assert rows[-2][6] < NOW_MS < rows[-1][6]
    assert [row[0] for row in rows[1:]] == [row[6] + 1 for row in rows[:-1]]


async def test_the_clock_of_the_answers_is_the_venues(http: httpx.AsyncClient, clock: VirtualClock) -> None:
    clock.advance(86_400)
    answer = await http.get("/fapi/v1/time")
    assert answer.json() == {"serverTime": NOW_MS + 86_400_000}
    assert answer.headers["Date"] == "Tue, 22 Sep 2026 14:15:23 GMT"
    assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "1"


WEIGHTS = [
    ("/fapi/v1/klines?symbol=BTCUSDT&interval=5m&limit=99", 1),
    ("/fapi/v1/klines?symbol=BTCUSDT&interval=5m&limit=499", 2),
    ("/fapi/v1/klines?symbol=BTCUSDT&interval=5m", 5),
    ("/fapi/v1/klines?symbol=BTCUSDT&interval=5m&limit=1500", 10),
    ("/fapi/v1/premiumIndex", 10),
    ("/fapi/v1/premiumIndex?symbol=BTCUSDT", 1),
    ("/fapi/v1/ticker/24hr", 40),
    ("/fapi/v1/openInterest?symbol=BTCUSDT", 1),
]


@pytest.mark.parametrize(("path", "weight"), WEIGHTS)
async def test_weights_are_the_documented_ones(http: httpx.AsyncClient, path: str, weight: int) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200
    assert answer.headers["X-MBX-USED-WEIGHT-1M"] == str(weight)


async def test_history_has_no_weight_but_its_own_limit(http: httpx.AsyncClient, fake: FakeBinance) -> None:
    fake.meter.data_limit = 2
    path = "/futures/data/openInterestHist?symbol=ZRXUSDT&period=5m"
    statuses = [(await http.get(path)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert fake.meter.peak_weight == 0


REFUSALS = [
    ("/fapi/v1/openInterest?symbol=NOSUCHUSDT", -1121),
    ("/fapi/v1/openInterest", -1102),
    ("/fapi/v1/klines?symbol=BTCUSDT&interval=7m", -1120),
    ("/fapi/v1/klines?symbol=BTCUSDT&interval=5m&limit=1501", -1130),
    ("/fapi/v1/klines?symbol=BTCUSDT&interval=5m&startTime=yesterday", -1130),
    ("/futures/data/openInterestHist?symbol=BTCUSDT&period=7m", -1130),
    ("/futures/data/openInterestHist?symbol=BTCUSDT&period=5m&startTime=1700000000000", -1130),
]


@pytest.mark.parametrize(("path", "code"), REFUSALS)
async def test_wrong_questions_get_the_venues_error_bodies(http: httpx.AsyncClient, path: str, code: int) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_too_much_weight_is_429_and_going_on_is_a_ban(
    http: httpx.AsyncClient, fake: FakeBinance, clock: VirtualClock
) -> None:
    statuses = [(await http.get("/fapi/v1/premiumIndex")).status_code for _ in range(22)]
    assert statuses == [200] * 10 + [429] * 10 + [418] * 2
    banned = await http.get("/fapi/v1/time")
    until_ms = int(re.findall(r"banned until (\d{13})\.", banned.json()["msg"])[0])
    assert until_ms == NOW_MS + 120_000
    assert banned.headers["Retry-After"] == "120"
    assert banned.json()["code"] == -1003
    assert fake.meter.requests_while_banned == 2
    clock.advance(120)
    assert (await http.get("/fapi/v1/time")).status_code == 200


async def test_429_tells_the_seconds_to_the_next_minute(http: httpx.AsyncClient, fake: FakeBinance) -> None:
    fake.fail("429", times=1)
    answer = await http.get("/fapi/v1/time")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "37")
    assert answer.json()["msg"].startswith("Too many requests; current limit of IP(127.0.0.1) is 100 requests")
    assert (await http.get("/fapi/v1/time")).status_code == 200


async def test_an_unknown_fault_names_the_known_ones(fake: FakeBinance) -> None:
    with pytest.raises(ValueError, match="there are down, 429"):
        fake.fail("flood")


async def test_as_a_process_it_prints_its_address_and_takes_orders() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.binance",
        "--recording", str(RECORDINGS), "--symbols", "BTCUSDT,ZRXUSDT", "--speed", "60",
        "--at", "2025-12-20T00:00:00Z", "--at", "ZRXUSDT=2025-10-10T20:00:00Z",
        stdout=asyncio.subprocess.PIPE, cwd=PROJECT,
    )  # fmt: skip
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with httpx.AsyncClient(base_url=url, transport=httpx.AsyncHTTPTransport()) as http:
        prices = {row["symbol"]: float(row["markPrice"]) for row in (await http.get("/fapi/v1/premiumIndex")).json()}
        assert 80_000 < prices["BTCUSDT"] < 95_000
        assert 0.2 < prices["ZRXUSDT"] < 0.26
        await http.post("/fake/fault", json={"kind": "5xx", "path": "/fapi", "times": 1})
        assert (await http.get("/fapi/v1/time")).status_code == 502
        assert (await http.get("/fapi/v1/time")).status_code == 200
        assert (await http.post("/fake/fault", json={"kind": "flood"})).status_code == 400
        assert (await http.post("/fake/heal")).status_code == 200
        status = (await http.get("/fake/status")).json()
        assert status["requests"] == {"/fapi/v1/premiumIndex": 1, "/fapi/v1/time": 1}
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_as_a_process_it_refuses_a_symbol_without_a_moment() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.binance", "--recording", str(RECORDINGS), "--symbols", "BTCUSDT",
        "--at", "ZRXUSDT=2025-10-10T20:00:00Z", stderr=asyncio.subprocess.PIPE, cwd=PROJECT,
    )  # fmt: skip
    _, complaint = await process.communicate()
    assert process.returncode == 2
    assert b"no --at for BTCUSDT" in complaint
