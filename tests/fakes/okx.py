"""A fake OKX v5 REST server (linear USDT swaps), over recordings, with true limits, error bodies and faults.

    python -m tests.fakes.okx --recording DIR --symbols BTCUSDT,ZRXUSDT --at 2025-12-20T00:00:00Z --speed 60

See tests/fakes/venue.py for how it is steered.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from tests.fakes.crowd import book, long_share, ratio_times
from tests.fakes.recorded_market import BAR_MS, OPEN_INTEREST_DELAY_MS, RecordedMarket
from tests.fakes.venue import COMMON_FAULTS, FakeVenue, run_venue

KEPT_MS = 1440 * BAR_MS

# Requests in 2 s, by the last word of the path.
LIMITS = {
    "instruments": 20,
    "tickers": 20,
    "candles": 40,
    "history-candles": 20,
    "mark-price": 10,
    "open-interest": 20,
    "open-interest-history": 10,
    "position-tiers": 10,
    "time": 10,
    "books": 40,
    "long-short-account-ratio-contract": 5,
    "long-short-account-ratio-contract-top-trader": 5,
    "long-short-position-ratio-contract-top-trader": 5,
}

# maintenance rate, initial rate, highest leverage, share of the largest size
_TIERS = [("0.004", "0.01", "100", 1), ("0.005", "0.0125", "80", 5), ("0.02", "0.04", "25", 50)]


def face_of(symbol: str) -> float:
    """Coins in one contract, as OKX has them or in their manner."""
    return {"BTCUSDT": 0.01, "ETHUSDT": 0.1, "1000SHIBUSDT": 1000.0}.get(symbol, 10.0)


def native_of(symbol: str) -> str:
    """OKX's own name of a canonical symbol."""
    return f"{symbol.removesuffix('USDT')}-USDT-SWAP"


class FakeOkx(FakeVenue):
    """Serves `/api/v5/...`. Faults of its own: `limit` (50011 with 200), `429` (50011), `geo` (403)."""

    FAULTS = (*COMMON_FAULTS, "limit", "429", "geo")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.limits = dict(LIMITS)

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get(f"/api/v5/{path}", handler)
            for path, handler in {
                "public/time": self._time,
                "public/instruments": self._instruments,
                "market/tickers": self._tickers,
                "market/candles": self._candles,
                "market/history-candles": self._candles,
                "public/mark-price": self._mark_price,
                "public/open-interest": self._open_interest,
                "rubik/stat/contracts/open-interest-history": self._open_interest_history,
                "public/position-tiers": self._position_tiers,
                "market/books": self._books,
                "rubik/stat/contracts/long-short-account-ratio-contract": self._ratios,
                "rubik/stat/contracts/long-short-account-ratio-contract-top-trader": self._ratios,
                "rubik/stat/contracts/long-short-position-ratio-contract-top-trader": self._ratios,
            }.items()
        ]

    def refusal(self, kind: str) -> web.Response:
        if kind == "geo":
            return web.Response(status=403, text="<html><body>403 Forbidden</body></html>", content_type="text/html")
        return self._too_many(200 if kind == "limit" else 429)

    async def limited(self, request: web.Request) -> web.Response | None:
        what = request.path.rpartition("/")[2]
        limit = self.limits.get(what, 10)
        return None if self.meter.take(what, 1, limit=limit, window_s=2) else self._too_many(429)

    def _too_many(self, status: int) -> web.Response:
        return web.json_response({"code": "50011", "data": [], "msg": "Too Many Requests"}, status=status)

    async def _time(self, request: web.Request) -> web.Response:
        return _data([{"ts": str(self.now_ms())}])

    async def _instruments(self, request: web.Request) -> web.Response:
        strangers = [
            _instrument("BTC-USD-SWAP", 0.1, "100", ctType="inverse", ctValCcy="USD", settleCcy="BTC"),
            _instrument("BTC-USDC-SWAP", 0.1, "0.0001", settleCcy="USDC"),
            _instrument("GONE-USDT-SWAP", 0.1, "1", state="suspend"),
            _instrument("TSLA-USDT-SWAP", 0.01, "0.1", instCategory="3"),
            _instrument("NEW-USDT-SWAP", 0.01, "1", ruleType="pre_market"),
        ]
        rows = [
            _instrument(native_of(one.symbol), 10**-one.decimals, f"{face_of(one.symbol):g}")
            for one in self.markets.values()
        ]
        return _data([*strangers, *rows])

    async def _tickers(self, request: web.Request) -> web.Response:
        now_ms = self.now_ms()

        def row(market: RecordedMarket) -> dict[str, str]:
            day, price = market.ticker(now_ms), market.text(market.price(now_ms))
            coins = float(day["volume"])
            return {
                "instType": "SWAP",
                "instId": native_of(market.symbol),
                "last": price,
                "lastSz": "1",
                "askPx": price,
                "askSz": "11",
                "bidPx": price,
                "bidSz": "5",
                "open24h": day["openPrice"],
                "high24h": day["highPrice"],
                "low24h": day["lowPrice"],
                "volCcy24h": f"{coins:.4f}",
                "vol24h": f"{coins / face_of(market.symbol):.4f}",
                "sodUtc0": price,
                "sodUtc8": price,
                "ts": str(now_ms),
            }

        rows = [row(market) for market in self.markets.values()]
        return _data([rows[0] | {"instId": "BTC-USD-SWAP"}, *rows])

    async def _candles(self, request: web.Request) -> web.Response:
        market = self._market(request)
        if market is None:
            return _unknown()
        if request.query.get("bar") != "5m":
            return _error("51000", "Parameter bar error")
        now_ms, limit = self.now_ms(), _whole(request, "limit", 100)
        # Both ends are left out.
        start_ms, end_ms = _whole(request, "before", 0) + 1, _whole(request, "after", now_ms + 1) - 1
        if request.path.endswith("/candles"):
            start_ms = max(start_ms, now_ms - KEPT_MS)
        rows = market.klines(now_ms, start_ms, end_ms, 10**9)[-min(limit, 300) :]
        face = face_of(market.symbol)
        if request.path.endswith("/history-candles"):
            rows = [row for row in rows if row[6] < now_ms]
        return _data([_candle(row, face, now_ms) for row in reversed(rows)])

    async def _mark_price(self, request: web.Request) -> web.Response:
        now_ms = self.now_ms()
        rows = [
            {
                "instType": "SWAP",
                "instId": native_of(market.symbol),
                "markPx": market.text(market.price(now_ms)),
                "ts": str(now_ms),
            }
            for market in self.markets.values()
        ]
        return _data([rows[0] | {"instId": "BTC-USD-SWAP"}, *rows])

    async def _open_interest(self, request: web.Request) -> web.Response:
        market = self._market(request)
        if market is None and "instId" in request.query:
            return _unknown()
        wanted = self.markets.values() if market is None else [market]
        return _data([self._interest(one) for one in wanted])

    def _interest(self, market: RecordedMarket) -> dict[str, str]:
        coins = market.open_interest(self.oi_ms())
        return {
            "instId": native_of(market.symbol),
            "instType": "SWAP",
            "oi": f"{coins / face_of(market.symbol):.6f}",
            "oiCcy": f"{coins:.6f}",
            "oiUsd": f"{coins * market.price(self.now_ms()):.6f}",
            "ts": str(self.now_ms()),
        }

    async def _open_interest_history(self, request: web.Request) -> web.Response:
        market, now_ms = self._market(request), self.now_ms()
        if market is None:
            return _unknown()
        if request.query.get("period", "5m") != "5m":
            return _error("51000", "Parameter period error")
        face = face_of(market.symbol)
        oldest_ms = max(now_ms - KEPT_MS, _whole(request, "begin", 0))
        newest_ms = min(self.oi_ms() - OPEN_INTEREST_DELAY_MS, _whole(request, "end", now_ms))
        rows = [
            [str(time_ms), f"{coins / face:.6f}", f"{coins:.6f}", f"{usd:.6f}"]
            for time_ms, coins, usd in zip(
                market.oi_ms.tolist(), market.oi_coins.tolist(), market.oi_usd.tolist(), strict=True
            )
            if oldest_ms <= time_ms <= newest_ms
        ]
        return _data(rows[::-1][: _whole(request, "limit", 100)])

    async def _position_tiers(self, request: web.Request) -> web.Response:
        families = request.query.get("instFamily", "").split(",")
        known = {native_of(symbol).removesuffix("-SWAP"): symbol for symbol in self.markets}
        if len(families) > 5 or not set(families) <= set(known):
            return _error("51000", "Parameter instFamily error")
        return _data([row for family in families for row in _tier_rows(family)])

    async def _ratios(self, request: web.Request) -> web.Response:
        now_ms = self.now_ms()
        if self._market(request) is None:
            return _unknown()
        start_ms, end_ms = _whole(request, "begin", 0) + 1, _whole(request, "end", now_ms + 1) - 1
        times = ratio_times(now_ms, start_ms=start_ms, end_ms=end_ms, kept_ms=KEPT_MS)
        shares = [(time_ms, long_share(time_ms)) for time_ms in times]
        rows = [[str(time_ms), f"{share / (1 - share):.6f}"] for time_ms, share in shares]
        return _data(rows[::-1][: _whole(request, "limit", 100)])

    async def _books(self, request: web.Request) -> web.Response:
        market, now_ms = self._market(request), self.now_ms()
        if market is None:
            return _unknown()
        bids, asks = book(market, now_ms, min(_whole(request, "sz", 1), 400))
        face = face_of(market.symbol)
        sides = [[[price, f"{coins / face:.4f}", "0", "1"] for price, coins in side] for side in (asks, bids)]
        return _data([{"asks": sides[0], "bids": sides[1], "ts": str(now_ms)}])

    def _market(self, request: web.Request) -> RecordedMarket | None:
        wanted = request.query.get("instId")
        return next((one for one in self.markets.values() if native_of(one.symbol) == wanted), None)


def _candle(row: list[Any], face: float, now_ms: int) -> list[str]:
    coins = float(row[5])
    whole = row[6] < now_ms
    return [str(row[0]), *row[1:5], f"{coins / face:.6f}", f"{coins:.6f}", row[7], str(int(whole))]


def _tier_rows(family: str) -> list[dict[str, str]]:
    rows, floor = [], 0
    for number, (rate, initial, leverage, share) in enumerate(_TIERS, start=1):
        cap = share * 1000 if family == "BTC-USDT" else share * 5000
        rows.append(
            {
                "baseMaxLoan": "",
                "imr": initial,
                "instFamily": family,
                "instId": "",
                "maxLever": leverage,
                "maxSz": str(cap),
                "minSz": str(floor),
                "mmr": rate,
                "optMgnFactor": "0",
                "quoteMaxLoan": "",
                "tier": str(number),
                "uly": family,
            }
        )
        floor = cap
    return rows[::-1]


def _instrument(native: str, tick: float, face: str, **change: object) -> dict[str, Any]:
    family = native.removesuffix("-SWAP")
    row = {
        "alias": "",
        "auctionEndTime": "",
        "baseCcy": "",
        "category": "1",
        "contTdSwTime": "1611916860000",
        "ctMult": "1",
        "ctType": "linear",
        "ctVal": face,
        "ctValCcy": family.partition("-")[0],
        "expTime": "",
        "floatPxLmtPct": "0.005",
        "freq": "",
        "futureSettlement": False,
        "groupId": "4",
        "initPxLmtPct": "0.02",
        "instCategory": "1",
        "instFamily": family,
        "instId": native,
        "instIdCode": 10459,
        "instType": "SWAP",
        "lever": "100",
        "listTime": "1573557408000",
        "longPosRemainingQuota": "",
        "lotSz": "0.01",
        "maxIcebergSz": "100000000.0000000000000000",
        "maxLmtAmt": "20000000",
        "maxLmtSz": "100000000",
        "maxMktAmt": "",
        "maxMktSz": "35000",
        "maxPlatOICoinLmt": "",
        "maxPlatOILmt": "",
        "maxPxLmtPct": "0.01",
        "maxStopSz": "35000",
        "maxTriggerSz": "100000000.0000000000000000",
        "maxTwapSz": "100000000.0000000000000000",
        "method": "",
        "minSz": "0.01",
        "openType": "call_auction",
        "optType": "",
        "posLmtAmt": "250000",
        "posLmtPct": "30",
        "preMktSwTime": "",
        "quoteCcy": "",
        "rpiMinLevel": "3",
        "rpiMinPxBand": "20",
        "ruleType": "normal",
        "seriesId": "",
        "settleCcy": "USDT",
        "shortPosRemainingQuota": "",
        "state": "live",
        "stk": "",
        "tickSz": f"{tick:.10f}".rstrip("0").rstrip("."),
        "tradeQuoteCcyList": [],
        "uly": family,
        "upcChg": [],
    }
    return row | change


def _data(rows: Sequence[object]) -> web.Response:
    return web.json_response({"code": "0", "msg": "", "data": rows})


def _unknown() -> web.Response:
    return _error("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")


def _error(code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "data": [], "msg": message})


def _whole(request: web.Request, name: str, default: int) -> int:
    return int(request.query.get(name, default))


if __name__ == "__main__":
    run_venue(FakeOkx, program="tests.fakes.okx")
