"""What every fake venue shares: recordings played as if they were happening now, a clock, limits, faults, a process.

A venue brings its routes, its limits and the bodies of its refusals.
"""

import argparse
import asyncio
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.recorded_market import BAR_MS, RecordedMarket, read_market

COMMON_FAULTS = ("down", "5xx", "html200", "slow", "broken_json", "stuck_open_interest")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WindowMeter:
    """Weight in sliding windows of real time, by key; the peaks are what tests assert. `wall` gives seconds."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._spent: dict[str, deque[tuple[float, int]]] = {}
        self.requests: Counter[str] = Counter()
        self.peaks: Counter[str] = Counter()
        self.refused = 0
        self.requests_while_banned = 0
        self.banned_until_s = 0.0

    def take(self, key: str, weight: int, *, limit: int, window_s: float) -> bool:
        """Count a request; False where it is over the limit."""
        now = self._wall()
        spent = self._spent.setdefault(key, deque())
        while spent and spent[0][0] <= now - window_s:
            spent.popleft()
        spent.append((now, weight))
        total = sum(one for _, one in spent)
        self.peaks[key] = max(self.peaks[key], total)
        if total <= limit:
            return True
        self.refused += 1
        return False

    def report(self) -> dict[str, Any]:
        return {
            "requests": dict(self.requests),
            "peaks": dict(self.peaks),
            "refused": self.refused,
            "requests_while_banned": self.requests_while_banned,
            "banned_until_ms": int(self.banned_until_s * 1000),
        }


class FakeVenue(ABC):
    """The server. `async with FakeVenue(...) as fake:` listens on loopback; `fake.url` is the base URL.

    `symbols` are canonical names; `NAME=RECORDED` serves one recording under another name. `at_ms` is the moment of
    the recording that is now (for all, or by symbol), met to within a bar. `speed` is how fast recorded time runs;
    limits run in real time. `wall` gives real seconds, so that a test can own the time.
    """

    FAULTS: tuple[str, ...] = COMMON_FAULTS

    def __init__(
        self,
        recording: Path,
        symbols: Sequence[str],
        *,
        at_ms: int | Mapping[str, int],
        speed: float = 1.0,
        port: int = 0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._wall = wall
        self._speed = speed
        self._port = port
        self._origin_s = wall()
        self.meter = WindowMeter(wall)
        self.slow_s = 30.0
        self.url = ""
        self.markets: dict[str, RecordedMarket] = {}
        for entry in symbols:
            name, _, recorded = entry.partition("=")
            at = at_ms if isinstance(at_ms, int) else at_ms[name]
            shift_ms = (self.now_ms() - at) // BAR_MS * BAR_MS
            self.markets[name] = read_market(recording / "binance" / (recorded or name), symbol=name, shift_ms=shift_ms)
        self._faults: dict[str, tuple[str, int | None]] = {}
        self._stuck_ms: int | None = None
        self._runner: web.AppRunner | None = None

    @abstractmethod
    def routes(self) -> Sequence[web.RouteDef]:
        """The venue's paths."""

    @abstractmethod
    def refusal(self, kind: str) -> web.Response:
        """The body of a fault of the venue's own, by its name in FAULTS."""

    @abstractmethod
    async def limited(self, request: web.Request) -> web.Response | None:
        """What the venue's limits make of a request; None lets it pass."""

    def now_ms(self) -> int:
        """The venue's clock, ms UTC."""
        return int((self._origin_s + (self._wall() - self._origin_s) * self._speed) * 1000)

    def oi_ms(self) -> int:
        """The moment of which open interest is told: now, or when it got stuck."""
        return self._stuck_ms or self.now_ms()

    def fail(self, kind: str, *, path: str = "/", times: int | None = None) -> None:
        """Switch a fault on for paths that begin with `path`, for so many requests or until `heal`."""
        if kind not in self.FAULTS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(self.FAULTS)}")
        if kind == "stuck_open_interest":
            self._stuck_ms = self.now_ms()
        else:
            self._faults[kind] = (path, times)

    def heal(self) -> None:
        """All faults off, and no ban."""
        self._faults.clear()
        self._stuck_ms = None
        self.meter.banned_until_s = 0.0

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._serve])
        app.router.add_routes(self.routes())
        app.router.add_post("/fake/fault", self._control_fault)
        app.router.add_post("/fake/heal", self._control_heal)
        app.router.add_get("/fake/status", self._control_status)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What stands before the venue's answers: faults, limits, the clock."""
        if request.path.startswith("/fake/"):
            return await handler(request)
        self.meter.requests[request.path] += 1
        response: web.StreamResponse | None = await self._faulty(request) or await self.limited(request)
        if response is None:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                response = web.Response(status=error.status, text="<html><body>not found</body></html>")
        response.headers["Date"] = formatdate(self.now_ms() / 1000, usegmt=True)
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
                case "5xx":
                    return web.Response(status=502, text="<html><body>502 Bad Gateway</body></html>")
                case "html200":
                    text = "<!DOCTYPE html><html><body>Checking your browser</body></html>"
                    return web.Response(text=text, content_type="text/html")
                case "broken_json":
                    return web.Response(text='{"list":[["1766188800000","88', content_type="application/json")
                case _:
                    return self.refusal(kind)
        return None

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


def run_venue(kind: type[FakeVenue], *, program: str) -> None:
    """Serve as a process: the first line printed is the address; a signal ends it."""
    parser = argparse.ArgumentParser(prog=program, description=f"{kind.__name__} over a recording.")
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--symbols", required=True, help="comma-separated; NAME=RECORDED serves one under another name")
    parser.add_argument("--at", required=True, help="the moment of the recording that is now")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    try:
        moment = datetime.fromisoformat(arguments.at)
        at_ms = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        symbols = arguments.symbols.split(",")
        fake = kind(arguments.recording, symbols, at_ms=at_ms, speed=arguments.speed, port=arguments.port)
    except (ValueError, KeyError, OSError) as error:
        parser.error(str(error))
    asyncio.run(_until_signalled(fake))


async def _until_signalled(fake: FakeVenue) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with fake:
        sys.stdout.write(fake.url + "\n")
        sys.stdout.flush()
        await ended.wait()
