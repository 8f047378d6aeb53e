"""A fake Binance USDT-M REST server: recordings played as if they were happening now, with true limits and faults.

    python -m tests.fakes.binance --recording DIR --symbols BTCUSDT,ZRXUSDT --at 2025-12-20T00:00:00Z --speed 60

prints its address as the first line. Each symbol may start elsewhere (`--at ZRXUSDT=2025-10-10T20:00:00Z`), and one
recording may serve under another name (`--symbols COINUSDT=ARBUSDT`). A running process is controlled by
`POST /fake/fault {"kind": "5xx", "path": "/fapi", "times": 3}`, `POST /fake/heal` and read by `GET /fake/status`.
"""

import argparse
import asyncio
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.binance_limits import DEPTH_WEIGHTS, RequestMeter
from tests.fakes.binance_tables import brackets_body, exchange_info_body
from tests.fakes.crowd import book, long_share, ratio_times
from tests.fakes.recorded_market import BAR_MS, OPEN_INTEREST_KEPT_MS, RecordedMarket, read_market

FAULTS = ("down", "429", "418", "451", "5xx", "html200", "slow", "broken_json", "stuck_open_interest")
PERIODS = {"5m"}

_GEO = (
    "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms."
    " Please contact customer service if you believe you received this message in error."
)


class ApiError(Exception):
    """An error body of the venue."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class FakeBinance:
    """The server. `async with FakeBinance(...) as fake:` listens on loopback; give `fake.url` as both base URLs.

    `at_ms` is the moment of the recording that is now (for all symbols, or by symbol); it is met to within a bar, so
    that bars stay on the 5-minute grid. `speed` is how fast recorded time runs; request limits run in real time.
    `wall` gives real seconds, so that a test can own the time.
    """

    def __init__(
        self,
        recording: Path,
        symbols: Sequence[str],
        *,
        at_ms: int | Mapping[str, int],
        speed: float = 1.0,
        port: int = 0,
        wall: Callable[[], float] = time.time,
        weight_limit: int = 2400,
        data_limit: int = 1000,
    ) -> None:
        self._wall = wall
        self._speed = speed
        self._port = port
        self._origin_s = wall()
        self.meter = RequestMeter(wall, weight_limit=weight_limit, data_limit=data_limit)
        self.slow_s = 30.0
        self.url = ""
        self.markets: dict[str, RecordedMarket] = {}
        for entry in symbols:
            name, _, recorded = entry.partition("=")
            at = at_ms if isinstance(at_ms, int) else at_ms[name]
            shift_ms = (self.now_ms() - at) // BAR_MS * BAR_MS
            folder = recording / "binance" / (recorded or name)
            self.markets[name] = read_market(folder, symbol=name, shift_ms=shift_ms)
        self._tiers = brackets_body(recording / "binance" / "tiers.json", list(self.markets))
        self._faults: dict[str, tuple[str, int | None]] = {}
        self._stuck_ms: int | None = None
        self._runner: web.AppRunner | None = None

    def now_ms(self) -> int:
        """The venue's clock, ms UTC."""
        return int((self._origin_s + (self._wall() - self._origin_s) * self._speed) * 1000)

    def fail(self, kind: str, *, path: str = "/", times: int | None = None) -> None:
        """Switch a fault on for paths that begin with `path`, for so many requests or until `heal`."""
        if kind not in FAULTS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(FAULTS)}")
        if kind == "stuck_open_interest":
            self._stuck_ms = self.now_ms()
        else:
            self._faults[kind] = (path, times)

    def heal(self) -> None:
        """All faults off, and no ban."""
        self._faults.clear()
        self._stuck_ms = None
        self.meter.forgive()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._serve])
        for path, handler in {
            "/fapi/v1/ping": self._ping,
            "/fapi/v1/time": self._time,
            "/fapi/v1/exchangeInfo": self._exchange_info,
            "/fapi/v1/klines": self._klines,
            "/fapi/v1/premiumIndex": self._premium_index,
            "/fapi/v1/ticker/24hr": self._ticker,
            "/fapi/v1/openInterest": self._open_interest,
            "/futures/data/openInterestHist": self._open_interest_history,
            "/futures/data/globalLongShortAccountRatio": self._ratios,
            "/futures/data/topLongShortAccountRatio": self._ratios,
            "/futures/data/topLongShortPositionRatio": self._ratios,
            "/fapi/v1/depth": self._depth,
            "/bapi/futures/v1/friendly/future/common/brackets": self._brackets,
        }.items():
            app.router.add_get(path, handler)
        app.router.add_post("/bapi/futures/v1/friendly/future/common/brackets", self._brackets)
        app.router.add_post("/fake/fault", self._control_fault)
        app.router.add_post("/fake/heal", self._control_heal)
        app.router.add_get("/fake/status", self._control_status)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _serve(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """What stands before the venue's answers: faults, limits, headers."""
        if request.path.startswith("/fake/"):
            return await handler(request)  # type: ignore[no-any-return]
        response = await self._faulty(request) or self._refused(request)
        if response is None:
            try:
                response = await handler(request)
            except ApiError as error:
                response = web.json_response({"code": error.code, "msg": str(error)}, status=400)
            except web.HTTPException as error:
                response = web.Response(status=error.status, text="<html><body>not found</body></html>")
        response.headers["Date"] = formatdate(self.now_ms() / 1000, usegmt=True)
        if request.path.startswith("/fapi/"):
            response.headers["X-MBX-USED-WEIGHT-1M"] = str(self.meter.weight_now())
        response.enable_compression()
        return response

    async def _faulty(self, request: web.Request) -> web.Response | None:
        for kind, (path, times) in list(self._faults.items()):
            if not request.path.startswith(path):
                continue
            if times is not None:
                self._faults[kind] = (path, times - 1)
                if times <= 1:
                    del self._faults[kind]
            match kind:
                case "down":
                    assert request.transport is not None
                    request.transport.abort()
                    await asyncio.Event().wait()  # the lost connection cancels this handler
                case "slow":
                    await asyncio.sleep(self.slow_s)
                case "429":
                    return self._too_many()
                case "418":
                    self.meter.ban()
                case "451":
                    return web.json_response({"code": 0, "msg": _GEO}, status=451)
                case "5xx":
                    return web.Response(status=502, text="<html><body>502 Bad Gateway</body></html>")
                case "html200":
                    text = "<!DOCTYPE html><html><body>Checking your browser</body></html>"
                    return web.Response(text=text, content_type="text/html")
                case "broken_json":
                    return web.Response(text='[[1766188800000,"88', content_type="application/json")
        return None

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.path.startswith("/bapi/"):
            return None
        verdict = self.meter.take(request.path, request.query)
        if verdict == "banned":
            until_ms = int(self.meter.banned_until_s * 1000)
            text = (
                f"Way too many requests; IP(127.0.0.1) banned until {until_ms}."
                " Please use the websocket for live updates to avoid bans."
            )
            wait_s = max(1, round(self.meter.banned_until_s - self._wall()))
            return web.json_response({"code": -1003, "msg": text}, status=418, headers={"Retry-After": str(wait_s)})
        return self._too_many() if verdict == "too many" else None

    def _too_many(self) -> web.Response:
        text = (
            f"Too many requests; current limit of IP(127.0.0.1) is {self.meter.weight_limit} requests per minute."
            " Please use the websocket for live updates to avoid polling the API."
        )
        wait_s = 60 - int(self._wall() % 60)
        return web.json_response({"code": -1003, "msg": text}, status=429, headers={"Retry-After": str(wait_s)})

    async def _ping(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def _time(self, request: web.Request) -> web.Response:
        return web.json_response({"serverTime": self.now_ms()})

    async def _exchange_info(self, request: web.Request) -> web.Response:
        return web.json_response(exchange_info_body(list(self.markets.values()), self.now_ms()))

    async def _klines(self, request: web.Request) -> web.Response:
        market = self._market(request)
        if request.query.get("interval") != "5m":
            raise ApiError(-1120, "Invalid interval.")
        limit = _whole(request, "limit", 500, most=1500)
        start_ms, end_ms = _whole(request, "startTime"), _whole(request, "endTime")
        return web.json_response(market.klines(self.now_ms(), start_ms, end_ms, limit or 500))

    async def _premium_index(self, request: web.Request) -> web.Response:
        now_ms = self.now_ms()

        def row(market: RecordedMarket) -> dict[str, Any]:
            price = f"{market.price(now_ms):.8f}"
            return {
                "symbol": market.symbol,
                "markPrice": price,
                "indexPrice": price,
                "estimatedSettlePrice": price,
                "lastFundingRate": "0.00010000",
                "interestRate": "0.00010000",
                "nextFundingTime": (now_ms // 28_800_000 + 1) * 28_800_000,
                "time": now_ms,
            }

        return self._one_or_all(request, row)

    async def _ticker(self, request: web.Request) -> web.Response:
        now_ms = self.now_ms()
        return self._one_or_all(request, lambda market: market.ticker(now_ms))

    async def _open_interest(self, request: web.Request) -> web.Response:
        market, now_ms = self._market(request), self.now_ms()
        coins = market.open_interest(self._stuck_ms or now_ms)
        return web.json_response({"symbol": market.symbol, "openInterest": f"{coins:.3f}", "time": now_ms})

    async def _open_interest_history(self, request: web.Request) -> web.Response:
        market, now_ms = self._market(request), self.now_ms()
        if request.query.get("period") not in PERIODS:
            raise ApiError(-1130, "Data sent for parameter 'period' is not valid.")
        limit = _whole(request, "limit", 30, most=500)
        start_ms, end_ms = _whole(request, "startTime"), _whole(request, "endTime")
        if start_ms is not None and start_ms < now_ms - OPEN_INTEREST_KEPT_MS:
            raise ApiError(-1130, "Data sent for parameter 'startTime' is not valid.")
        rows = market.open_interest_history(self._stuck_ms or now_ms, start_ms, end_ms, limit or 30)
        return web.json_response(rows)

    async def _ratios(self, request: web.Request) -> web.Response:
        market, now_ms = self._market(request), self.now_ms()
        limit = _whole(request, "limit", 30, most=500) or 30
        start_ms, end_ms = _whole(request, "startTime") or 0, _whole(request, "endTime") or now_ms
        times = ratio_times(now_ms, start_ms=start_ms, end_ms=end_ms, kept_ms=OPEN_INTEREST_KEPT_MS)
        return web.json_response([_ratio_row(market.symbol, time_ms) for time_ms in times[:limit]])

    async def _depth(self, request: web.Request) -> web.Response:
        market, now_ms = self._market(request), self.now_ms()
        limit = _whole(request, "limit", 500, most=1000)
        if limit not in DEPTH_WEIGHTS:
            raise ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
        bids, asks = ([[price, f"{coins:.3f}"] for price, coins in side] for side in book(market, now_ms, limit))
        return web.json_response({"lastUpdateId": 1, "E": now_ms + 3, "T": now_ms, "bids": bids, "asks": asks})

    async def _brackets(self, request: web.Request) -> web.Response:
        return web.json_response(self._tiers)

    async def _control_fault(self, request: web.Request) -> web.Response:
        body = await request.json()
        try:
            self.fail(body["kind"], path=body.get("path", "/"), times=body.get("times"))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"faults": sorted(self._faults)})

    async def _control_heal(self, request: web.Request) -> web.Response:
        self.heal()
        return web.json_response({})

    async def _control_status(self, request: web.Request) -> web.Response:
        return web.json_response({"now_ms": self.now_ms(), **self.meter.report()})

    def _market(self, request: web.Request) -> RecordedMarket:
        symbol = request.query.get("symbol")
        if not symbol:
            raise ApiError(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        if symbol not in self.markets:
            raise ApiError(-1121, "Invalid symbol.")
        return self.markets[symbol]

    def _one_or_all(self, request: web.Request, row: Callable[[RecordedMarket], dict[str, Any]]) -> web.Response:
        if "symbol" in request.query:
            return web.json_response(row(self._market(request)))
        return web.json_response([row(market) for market in self.markets.values()])


def _ratio_row(symbol: str, time_ms: int) -> dict[str, Any]:
    share = long_share(time_ms)
    shares = {"longAccount": f"{share:.4f}", "shortAccount": f"{1 - share:.4f}"}
    return {"symbol": symbol, "longShortRatio": f"{share / (1 - share):.4f}", **shares, "timestamp": time_ms}


def _whole(request: web.Request, name: str, default: int | None = None, *, most: int | None = None) -> int | None:
    text = request.query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,16}", text) or (most is not None and not 1 <= int(text) <= most):
        raise ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return int(text)


def _moment_ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _moments(entries: Sequence[str], symbols: Sequence[str]) -> dict[str, int]:
    names = [entry.partition("=")[0] for entry in symbols]
    common = [entry for entry in entries if "=" not in entry]
    moments = dict.fromkeys(names, _moment_ms(common[-1])) if common else {}
    moments |= {name: _moment_ms(text) for name, _, text in (entry.partition("=") for entry in entries if "=" in entry)}
    if missing := [name for name in names if name not in moments]:
        raise ValueError(f"no --at for {', '.join(missing)}")
    return moments


async def serve(fake: FakeBinance) -> None:
    """Serve until a signal ends it."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with fake:
        sys.stdout.write(fake.url + "\n")
        sys.stdout.flush()
        await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fakes.binance", description="A fake Binance over a recording.")
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--symbols", required=True, help="comma-separated; NAME=RECORDED serves one under another name")
    parser.add_argument("--at", action="append", required=True, help="moment, or SYMBOL=moment; may be repeated")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--weight-limit", type=int, default=2400)
    arguments = parser.parse_args()
    symbols = arguments.symbols.split(",")
    try:
        fake = FakeBinance(
            arguments.recording,
            symbols,
            at_ms=_moments(arguments.at, symbols),
            speed=arguments.speed,
            port=arguments.port,
            weight_limit=arguments.weight_limit,
        )
    except (ValueError, KeyError, OSError) as error:
        parser.error(str(error))
    asyncio.run(serve(fake))


if __name__ == "__main__":
    main()
