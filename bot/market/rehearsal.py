"""A Binance of made-up contracts inside the process: what a start costs is measured against it, and it counts.

It answers the client's questions over httpx's transport seam, with the venue's weights, its limits and its refusals.
All contracts share one path of price, so that months of many contracts take no time to make.
"""

import asyncio
import json
from collections import Counter, deque
from email.utils import formatdate
from typing import Any, Final

import httpx
import numpy as np

from bot.clock import Clock
from bot.market.types import BAR_MS

_WEIGHT_LIMIT: Final = 2400
_DATA_LIMIT: Final = 1000
_DATA_WINDOW_S: Final = 300.0
_LATE_ROW_MS: Final = 45_000
_DAYS: Final = 34
_TIER: Final = {
    "bracketSeq": 1,
    "bracketNotionalFloor": 0,
    "bracketNotionalCap": 50_000_000,
    "bracketMaintenanceMarginRate": 0.01,
    "cumFastMaintenanceAmount": 0,
    "minOpenPosLeverage": 1,
    "maxOpenPosLeverage": 50,
}


class RehearsedBinance(httpx.AsyncBaseTransport):
    """The venue. `weights` is what each minute of its clock was asked for; `refused` counts what went over a limit."""

    def __init__(self, clock: Clock, *, symbols: int, latency_s: float = 0.1) -> None:
        self._clock = clock
        self._latency_s = latency_s
        self.symbols = tuple(f"C{number:03}USDT" for number in range(symbols))
        self.weights: Counter[int] = Counter()
        self.requests: Counter[str] = Counter()
        self.refused = 0
        self._data: deque[float] = deque()
        self._first_ms = (clock.now_ms() // BAR_MS - (_DAYS - 2) * 288) * BAR_MS
        rng = np.random.default_rng(7)
        steps = rng.normal(0.0, 0.0015, _DAYS * 288)
        self._close = 100.0 * np.exp(np.cumsum(steps))
        opens = np.concatenate(([100.0], self._close[:-1]))
        high, low = np.maximum(opens, self._close) * 1.001, np.minimum(opens, self._close) / 1.001
        volume = rng.lognormal(7.0, 0.7, len(steps))
        coins = 2e5 * np.exp(np.cumsum(rng.normal(0.0, 0.001, len(steps))))
        times = range(self._first_ms, self._first_ms + BAR_MS * len(steps), BAR_MS)
        self._bars = [
            f'[{ms},"{o:.4f}","{h:.4f}","{lo:.4f}","{c:.4f}","{v:.3f}",{ms},"{v * c:.3f}",9,"{v / 2:.3f}","0","0"]'
            for ms, o, h, lo, c, v in zip(times, opens, high, low, self._close, volume, strict=True)
        ]
        self._samples = [
            f'{{"symbol":"-","sumOpenInterest":"{amount:.4f}","sumOpenInterestValue":"0","timestamp":{ms + BAR_MS}}}'
            for ms, amount in zip(times, coins, strict=True)
        ]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._latency_s / 2)
        path, query = request.url.path, request.url.params
        self.requests[path] += 1
        minute = self._clock.now_ms() // 60_000
        self.weights[minute] += _weight_of(path, query)
        headers = {
            "Date": formatdate(self._clock.now_ms() / 1000, usegmt=True),
            "X-MBX-USED-WEIGHT-1M": str(self.weights[minute]),
        }
        if self.weights[minute] > _WEIGHT_LIMIT or not self._has_room_for_data(path):
            self.refused += 1
            return httpx.Response(
                429, headers={**headers, "Retry-After": "60"}, json={"code": -1003, "msg": "Too many."}
            )
        body = self._answer(path, query)
        await asyncio.sleep(self._latency_s / 2)
        if body is None:
            return httpx.Response(404, headers=headers)
        return httpx.Response(200, headers=headers, content=body)

    def _has_room_for_data(self, path: str) -> bool:
        if not path.startswith("/futures/data/"):
            return True
        now = self._clock.monotonic()
        while self._data and self._data[0] <= now - _DATA_WINDOW_S:
            self._data.popleft()
        self._data.append(now)
        return len(self._data) <= _DATA_LIMIT

    def _answer(self, path: str, query: httpx.QueryParams) -> str | None:
        now_ms = self._clock.now_ms()
        row = (now_ms - self._first_ms) // BAR_MS
        match path:
            case "/fapi/v1/exchangeInfo":
                return json.dumps({"symbols": [_contract(symbol) for symbol in self.symbols]})
            case "/fapi/v1/klines":
                return self._page(self._bars, query, self._first_ms, now_ms)
            case "/futures/data/openInterestHist":
                return self._page(self._samples, query, self._first_ms + BAR_MS, now_ms - _LATE_ROW_MS)
            case "/fapi/v1/openInterest":
                amount = json.loads(self._samples[row])["sumOpenInterest"]
                return json.dumps({"symbol": query["symbol"], "openInterest": amount, "time": now_ms})
            case "/fapi/v1/premiumIndex":
                price = f"{self._close[row]:.4f}"
                return json.dumps([{"symbol": symbol, "markPrice": price, "time": now_ms} for symbol in self.symbols])
            case "/fapi/v1/ticker/24hr":
                return json.dumps([{"symbol": name, "quoteVolume": str(n)} for n, name in enumerate(self.symbols)])
            case "/bapi/futures/v1/friendly/future/common/brackets":
                tables = [{"symbol": symbol, "riskBrackets": [_TIER]} for symbol in self.symbols]
                return json.dumps({"code": "000000", "data": {"brackets": tables}})
        return None

    def _page(self, rows: list[str], query: httpx.QueryParams, first_ms: int, newest_ms: int) -> str:
        """The rows of one page; row i is of `first_ms` + i bars."""
        start_ms, end_ms = int(query["startTime"]), min(int(query["endTime"]), newest_ms)
        begin = max(0, -(-(start_ms - first_ms) // BAR_MS))
        end = max(begin, min((end_ms - first_ms) // BAR_MS + 1, begin + int(query["limit"])))
        return "[" + ",".join(rows[begin:end]) + "]"


def _weight_of(path: str, query: httpx.QueryParams) -> int:
    if path == "/fapi/v1/klines":
        limit = int(query.get("limit", 500))
        return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10
    return {"/fapi/v1/premiumIndex": 10, "/fapi/v1/ticker/24hr": 40}.get(path, int(path.startswith("/fapi/")))


def _contract(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "contractType": "PERPETUAL",
        "quoteAsset": "USDT",
        "status": "TRADING",
        "baseAsset": symbol.removesuffix("USDT"),
        "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.0001"}],
    }
