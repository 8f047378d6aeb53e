"""A fake Bybit v5 REST server (linear), over recordings, with true limits, error bodies and faults.

    python -m tests.fakes.bybit --recording DIR --symbols BTCUSDT,ZRXUSDT --at 2025-12-20T00:00:00Z --speed 60

See tests/fakes/venue.py for how it is steered.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from tests.fakes.crowd import book, long_share, ratio_times
from tests.fakes.recorded_market import OPEN_INTEREST_DELAY_MS, RecordedMarket
from tests.fakes.venue import COMMON_FAULTS, FakeVenue, run_venue

BAN_S = 600.0
TIERS_PER_PAGE = 15
RATIOS_SINCE_MS = 1_595_203_200_000

# maintenance rate, initial rate, highest leverage, cap, deduction
_BTC = [
    ("0.0033", "0.0066", "150.00", "300000", ""),
    ("0.005", "0.01", "100.00", "2000000", "510"),
    ("0.01", "0.02", "50.00", "10000000", "10510"),
]
_OTHER = [
    ("0.02", "0.04", "25.00", "100000", ""),
    ("0.05", "0.1", "10.00", "500000", "3000"),
]


class FakeBybit(FakeVenue):
    """Serves `/v5/market/...`. Faults of its own: `limit` (retCode 10006), `frequent` (403), `geo` (403 page)."""

    FAULTS = (*COMMON_FAULTS, "limit", "frequent", "geo")

    instruments_per_page = 1000
    request_limit = 600

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get(f"/v5/market/{name}", handler)
            for name, handler in {
                "time": self._time,
                "instruments-info": self._instruments,
                "kline": self._kline,
                "open-interest": self._open_interest,
                "tickers": self._tickers,
                "risk-limit": self._risk_limit,
                "account-ratio": self._account_ratio,
                "orderbook": self._orderbook,
            }.items()
        ]

    def refusal(self, kind: str) -> web.Response:
        if kind == "limit":
            reset_ms = self.now_ms() + 2000
            headers = {
                "X-Bapi-Limit": "120",
                "X-Bapi-Limit-Status": "0",
                "X-Bapi-Limit-Reset-Timestamp": str(reset_ms),
            }
            return self._error(10006, "Too many visits. Exceeded the API Rate Limit.", headers=headers)
        if kind == "geo":
            text = (
                "<!DOCTYPE HTML><html><head><title>ERROR: The request could not be satisfied</title></head><body>The "
                "Amazon CloudFront distribution is configured to block access from your country.</body></html>"
            )
            return web.Response(status=403, text=text, content_type="text/html")
        self.meter.banned_until_s = self._wall() + BAN_S
        return self._too_frequent()

    async def limited(self, request: web.Request) -> web.Response | None:
        if self._wall() < self.meter.banned_until_s:
            self.meter.requests_while_banned += 1
            return self._too_frequent()
        if self.meter.take("requests", 1, limit=self.request_limit, window_s=5):
            return None
        self.meter.banned_until_s = self._wall() + BAN_S
        return self._too_frequent()

    def _too_frequent(self) -> web.Response:
        return web.json_response({"retCode": 403, "retMsg": "access too frequent"}, status=403)

    async def _time(self, request: web.Request) -> web.Response:
        now_ms = self.now_ms()
        return self._result({"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)})

    async def _instruments(self, request: web.Request) -> web.Response:
        strangers = [
            _instrument("BTCUSDT-26DEC26", "BTC", 1, contractType="LinearFutures", deliveryTime="1798243200000"),
            _instrument("BTCPERP", "BTC", 1, quoteCoin="USDC", settleCoin="USDC"),
            _instrument("TSLAUSDT", "TSLA", 2, symbolType="stock"),
            _instrument("PRE02ZROUSDT", "PRE02ZRO", 3, status="PreLaunch", isPreListing=True),
        ]
        rows = [_instrument(native_of(one.symbol), _coin(one.symbol), one.decimals) for one in self.markets.values()]
        size = min(_whole(request, "limit", 500), self.instruments_per_page)
        return self._page([*strangers, *rows], request, size)

    async def _kline(self, request: web.Request) -> web.Response:
        market = self._market(request)
        if market is None or request.query.get("interval") != "5":
            return self._unknown(request)
        start_ms, end_ms = _whole(request, "start", 0), _whole(request, "end", self.now_ms())
        rows = market.klines(self.now_ms(), start_ms, end_ms, 10**9)[-_whole(request, "limit", 200) :]
        found = [[str(row[0]), *row[1:6], row[7]] for row in reversed(rows)]
        return self._result({"symbol": native_of(market.symbol), "category": "linear", "list": found})

    async def _open_interest(self, request: web.Request) -> web.Response:
        market = self._market(request)
        if market is None or request.query.get("intervalTime") != "5min":
            return self._unknown(request)
        newest_ms = min(self.oi_ms() - OPEN_INTEREST_DELAY_MS, _whole(request, "endTime", self.now_ms()))
        oldest_ms = _whole(request, "startTime", 0)
        rows = [
            {
                "openInterest": f"{coins * 2:.8f}",
                "singleOpenInterest": f"{coins:.8f}",
                "timestamp": str(time_ms),
            }
            for time_ms, coins in zip(market.oi_ms.tolist(), market.oi_coins.tolist(), strict=True)
            if oldest_ms <= time_ms <= newest_ms
        ]
        rows.reverse()
        named = {"symbol": native_of(market.symbol), "category": "linear"}
        return self._page(rows, request, _whole(request, "limit", 50), **named)

    async def _tickers(self, request: web.Request) -> web.Response:
        if "symbol" in request.query:
            market = self._market(request)
            return self._unknown(request) if market is None else self._result(_tickers([self._ticker(market)]))
        future = self._ticker(next(iter(self.markets.values()))) | {"symbol": "BTCUSDT-26DEC26"}
        return self._result(_tickers([future, *map(self._ticker, self.markets.values())]))

    def _ticker(self, market: RecordedMarket) -> dict[str, str]:
        now_ms = self.now_ms()
        day, price, coins = market.ticker(now_ms), market.price(now_ms), market.open_interest(self.oi_ms())
        return {
            "symbol": native_of(market.symbol),
            "lastPrice": market.text(price),
            "indexPrice": market.text(price),
            "markPrice": f"{price:.{market.decimals + 2}f}",
            "prevPrice24h": day["openPrice"],
            "price24hPcnt": "0.01",
            "highPrice24h": day["highPrice"],
            "lowPrice24h": day["lowPrice"],
            "prevPrice1h": market.text(price),
            "openInterest": f"{coins * 2:.3f}",
            "openInterestValue": f"{coins * 2 * price:.2f}",
            "singleOpenInterest": f"{coins:.3f}",
            "singleOpenInterestValue": f"{coins * price:.2f}",
            "turnover24h": day["quoteVolume"],
            "volume24h": day["volume"],
            "fundingRate": "0.0001",
            "nextFundingTime": str((now_ms // 28_800_000 + 1) * 28_800_000),
            "predictedDeliveryPrice": "",
            "basisRate": "",
            "deliveryFeeRate": "",
            "deliveryTime": "0",
            "ask1Size": "1",
            "bid1Price": market.text(price),
            "ask1Price": market.text(price),
            "bid1Size": "1",
            "basis": "",
            "preOpenPrice": "",
            "preQty": "",
            "curPreListingPhase": "",
            "fundingIntervalHour": "8",
            "basisRateYear": "",
            "fundingCap": "0.005",
        }

    async def _risk_limit(self, request: web.Request) -> web.Response:
        if "symbol" in request.query:
            market = self._market(request)
            if market is None:
                return self._unknown(request)
            return self._result({"category": "linear", "list": _tiers(native_of(market.symbol)), "nextPageCursor": ""})
        names = sorted(map(native_of, self.markets))
        start = _position(request)
        shown = names[start : start + TIERS_PER_PAGE]
        cursor = f"at%3D{start + TIERS_PER_PAGE}" if start + TIERS_PER_PAGE < len(names) else ""
        rows = [row for name in shown for row in _tiers(name)]
        return self._result({"category": "linear", "list": rows, "nextPageCursor": cursor})

    async def _account_ratio(self, request: web.Request) -> web.Response:
        market, now_ms = self._market(request), self.now_ms()
        if market is None or request.query.get("period") != "5min":
            return self._unknown(request)
        start_ms, end_ms = _whole(request, "startTime", 0), _whole(request, "endTime", now_ms)
        times = ratio_times(now_ms, start_ms=max(start_ms, RATIOS_SINCE_MS), end_ms=end_ms, kept_ms=now_ms)
        rows = [
            {
                "symbol": native_of(market.symbol),
                "buyRatio": f"{long_share(time_ms):.4f}",
                "sellRatio": f"{1 - long_share(time_ms):.4f}",
                "timestamp": str(time_ms),
            }
            for time_ms in reversed(times[-min(_whole(request, "limit", 50), 500) :])
        ]
        return self._result({"list": rows, "nextPageCursor": ""})

    async def _orderbook(self, request: web.Request) -> web.Response:
        market, now_ms = self._market(request), self.now_ms()
        if market is None:
            return self._unknown(request)
        bids, asks = book(market, now_ms, min(_whole(request, "limit", 25), 1000))
        sides = {"b": [[price, f"{coins:g}"] for price, coins in bids], "a": [[p, f"{c:g}"] for p, c in asks]}
        stamps = {"ts": now_ms + 5, "u": 1, "seq": 1, "cts": now_ms}
        return self._result({"s": native_of(market.symbol), **sides, **stamps})

    def _market(self, request: web.Request) -> RecordedMarket | None:
        wanted = request.query.get("symbol")
        return next((one for one in self.markets.values() if native_of(one.symbol) == wanted), None)

    def _unknown(self, request: web.Request) -> web.Response:
        if request.query.get("symbol") in [native_of(symbol) for symbol in self.markets]:
            return self._error(10001, "Request parameter error: invalid interval")
        return self._error(10001, "params error: symbol invalid")

    def _page(self, rows: list[Any], request: web.Request, size: int, **named: str) -> web.Response:
        start = _position(request)
        cursor = f"at%3D{start + size}" if start + size < len(rows) else ""
        shown = rows[start : start + size]
        return self._result({"category": "linear", **named, "list": shown, "nextPageCursor": cursor})

    def _result(self, result: Mapping[str, Any]) -> web.Response:
        body = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": self.now_ms()}
        return web.json_response(body)

    def _error(self, code: int, message: str, *, headers: Mapping[str, str] | None = None) -> web.Response:
        body = {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": self.now_ms()}
        return web.json_response(body, headers=headers)


def native_of(symbol: str) -> str:
    """Bybit's own name of a canonical symbol."""
    return {"1000SHIBUSDT": "SHIB1000USDT"}.get(symbol, symbol)


def _coin(symbol: str) -> str:
    return native_of(symbol).removesuffix("USDT")


def _tickers(rows: list[dict[str, str]]) -> dict[str, Any]:
    return {"category": "linear", "list": rows}


def _tiers(native: str) -> list[dict[str, Any]]:
    table = _BTC if native == "BTCUSDT" else _OTHER
    return [
        {
            "id": number,
            "symbol": native,
            "riskLimitValue": cap,
            "maintenanceMargin": rate,
            "initialMargin": initial,
            "isLowestRisk": int(number == 1),
            "maxLeverage": leverage,
            "mmDeduction": deduction,
        }
        for number, (rate, initial, leverage, cap, deduction) in enumerate(table, start=1)
    ]


def _instrument(native: str, coin: str, decimals: int, **change: object) -> dict[str, Any]:
    tick = f"{10**-decimals:.{decimals}f}"
    row = {
        "symbol": native,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": coin,
        "quoteCoin": "USDT",
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(decimals),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": "100.000",
            "maxMktOrderQty": "100.000",
            "minOrderQty": "0.001",
            "qtyStep": "0.001",
            "postOnlyMaxOrderQty": "1000.000",
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": "USDT",
        "copyTrading": "both",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
    }
    return row | change


def _position(request: web.Request) -> int:
    # The venue hands its cursor out percent-encoded and reads it back as it was handed out.
    found = re.fullmatch(r"at%3D([0-9]+)", request.query.get("cursor", "at%3D0"))
    return int(found[1]) if found else 0


def _whole(request: web.Request, name: str, default: int) -> int:
    return int(request.query.get(name, default))


if __name__ == "__main__":
    run_venue(FakeBybit, program="tests.fakes.bybit")
