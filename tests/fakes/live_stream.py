"""Websocket servers that stream what a fake venue's REST side answers: prices on a beat, liquidations when told.

They speak as the venues do: what is asked for by name comes to who asked for it, and a wrong route hears nothing.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.fakes import bybit, okx
from tests.fakes.recorded_market import RecordedMarket

FAULTS = ("refuse", "reset", "half_close", "garbage", "silence", "flood")
GARBAGE = ("", "{", '{"data":', b"\xff\xfe", "[" * 5_000, "null", "7", '{"data":7}', '{"arg":[],"topic":{}}')
FLOOD_FRAMES = 500

Frame = tuple[str, dict[str, Any]]
"""A topic and the message about it."""


class Venue(Protocol):
    """What is streamed of a fake venue."""

    markets: dict[str, RecordedMarket]

    def now_ms(self) -> int: ...


@dataclass(eq=False, slots=True)
class Line:
    """One client: what it asked for, what it was told of each topic, and what it said."""

    socket: ServerConnection
    topics: set[str] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


class LiveStream(ABC):
    """The server. `async with LiveStream(venue) as stream:` listens on loopback; `stream.url` is the base URL."""

    def __init__(self, venue: Venue, *, beat_s: float = 0.05, port: int = 0) -> None:
        self.venue = venue
        self.url = ""
        self.connections = 0
        self.lines: set[Line] = set()
        self._beat_s = beat_s
        self._port = port
        self._fault = ""
        self._server: Server | None = None

    # What a venue brings

    @abstractmethod
    def opened(self, line: Line) -> None:
        """A client came by a path."""

    @abstractmethod
    def answer(self, line: Line, message: str) -> Sequence[str]:
        """What is said to what a client said."""

    @abstractmethod
    def prices(self, line: Line, now_ms: int) -> Iterable[Frame]:
        """The prices of a moment, as this client is told them."""

    @abstractmethod
    def liquidation(self, symbol: str, time_ms: int, price: str, coins: float, *, is_long: bool) -> Frame:
        """The message of one liquidation."""

    # What a test does

    async def liquidate(
        self, symbol: str, *, price: str = "100.5", coins: float = 2.0, is_long: bool = True, ago_ms: int = 0
    ) -> int:
        """Tell one liquidation to everybody who asked; its time in ms."""
        time_ms = self.venue.now_ms() - ago_ms
        await self._send_all([self.liquidation(symbol, time_ms, price, coins, is_long=is_long)])
        return time_ms

    def fail(self, kind: str) -> None:
        """Switch a fault on, until `heal`: refuse, reset and half_close end lines, the others spoil them."""
        if kind not in FAULTS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(FAULTS)}")
        self._fault = kind
        for line in list(self.lines):
            if kind in ("refuse", "reset"):
                line.socket.transport.abort()
            elif kind == "half_close":
                with suppress(OSError):
                    line.socket.transport.write_eof()

    def heal(self) -> None:
        self._fault = ""

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve, "127.0.0.1", self._port, process_request=self._let_in, ping_interval=None, close_timeout=0.2
        ).__aenter__()
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        self.url = f"ws://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    # How it is done

    def _let_in(self, socket: ServerConnection, request: Request) -> Response | None:
        return socket.respond(503, "down\n") if self._fault == "refuse" else None

    async def _serve(self, socket: ServerConnection) -> None:
        line = Line(socket)
        self.connections += 1
        self.opened(line)
        self.lines.add(line)
        beating = asyncio.create_task(self._beat(line))
        try:
            async for message in socket:
                line.said.append(str(message))
                if self._fault != "silence":
                    for reply in self.answer(line, str(message)):
                        await socket.send(reply)
        except ConnectionClosed:
            pass
        finally:
            self.lines.discard(line)
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _beat(self, line: Line) -> None:
        while True:
            await asyncio.sleep(self._beat_s)
            if self._fault == "garbage":
                for frame in GARBAGE:
                    await line.socket.send(frame)
            elif self._fault == "flood":
                symbol = next(iter(self.venue.markets))
                now_ms = self.venue.now_ms()
                frames = (self.liquidation(symbol, now_ms, "100.5", n + 1.0, is_long=True) for n in range(FLOOD_FRAMES))
                await self._send(line, [*frames, *self.prices(line, now_ms)])
            elif self._fault != "silence":
                await self._send(line, self.prices(line, self.venue.now_ms()))

    async def _send_all(self, frames: Sequence[Frame]) -> None:
        for line in list(self.lines):
            with suppress(ConnectionClosed):
                await self._send(line, frames)

    async def _send(self, line: Line, frames: Iterable[Frame]) -> None:
        for topic, message in frames:
            if topic in line.topics:
                await line.socket.send(json.dumps(message, ensure_ascii=False))


class BinanceLiveStream(LiveStream):
    """`/market/stream?streams=...`; the route that was retired connects and never says a word."""

    def opened(self, line: Line) -> None:
        parts = urlsplit(line.socket.request.path if line.socket.request else "")
        if parts.path == "/market/stream":
            line.topics |= set(parse_qs(parts.query)["streams"][0].split("/"))

    def answer(self, line: Line, message: str) -> Sequence[str]:
        return ()

    def prices(self, line: Line, now_ms: int) -> Iterable[Frame]:
        """Every symbol, in two messages: one alone need not hold all."""
        rows = [
            {"e": "markPriceUpdate", "E": now_ms, "s": one.symbol, "p": f"{one.price(now_ms):.8f}", "st": 1}
            for one in self.venue.markets.values()
        ]
        for part in (rows[:1], rows[1:]):
            yield "!markPrice@arr@1s", {"stream": "!markPrice@arr@1s", "data": part}

    def liquidation(self, symbol: str, time_ms: int, price: str, coins: float, *, is_long: bool) -> Frame:
        order = {"s": symbol, "S": "SELL" if is_long else "BUY", "p": "1", "ap": price, "X": "FILLED", "l": "0.1"}
        data = {"e": "forceOrder", "E": time_ms + 5, "o": {**order, "z": f"{coins}", "T": time_ms, "st": 1}}
        return "!forceOrder@arr", {"stream": "!forceOrder@arr", "data": data}

    async def contract(self, symbol: str, *, state: str, delist_ms: int, brackets: Sequence[dict[str, float]]) -> None:
        """Tell news of a contract."""
        data = {"e": "contractInfo", "E": self.venue.now_ms(), "s": symbol, "ct": "PERPETUAL", "cs": state, "st": 1}
        data |= {"dt": delist_ms, "bks": list(brackets)}
        await self._send_all([("!contractInfo", {"stream": "!contractInfo", "data": data})])


class BybitLiveStream(LiveStream):
    """`/v5/public/linear`; a request with one topic of no contract is refused as a whole."""

    def opened(self, line: Line) -> None:
        if line.socket.request is None or line.socket.request.path != "/v5/public/linear":
            line.socket.transport.abort()

    def answer(self, line: Line, message: str) -> Sequence[str]:
        asked = json.loads(message)
        if asked["op"] == "ping":
            return ['{"success":true,"ret_msg":"pong","conn_id":"x","req_id":"","op":"ping"}']
        answer = {"success": True, "ret_msg": "", "conn_id": "x", "op": asked["op"]}
        if "req_id" in asked:
            answer["req_id"] = asked["req_id"]
        names = {bybit.native_of(symbol) for symbol in self.venue.markets}
        wrong = [topic for topic in asked["args"] if topic.partition(".")[2] not in names]
        if wrong:
            answer |= {"success": False, "ret_msg": f"error:handler not found,topic:{wrong[0]}"}
        elif asked["op"] == "subscribe":
            line.topics |= set(asked["args"])
        else:
            line.topics -= set(asked["args"])
        return [json.dumps(answer)]

    def prices(self, line: Line, now_ms: int) -> Iterable[Frame]:
        """A snapshot first, then what changed; the size of a bid always does."""
        for one in self.venue.markets.values():
            native, mark = bybit.native_of(one.symbol), f"{one.price(now_ms):.4f}"
            topic, data = f"tickers.{native}", {"symbol": native, "bid1Size": f"{now_ms % 1000}"}
            if line.told.get(topic) != mark:
                data["markPrice"] = mark
            kind = "delta" if topic in line.told else "snapshot"
            if topic in line.topics:
                line.told[topic] = mark
            yield topic, {"topic": topic, "type": kind, "ts": now_ms, "cs": 1, "data": data}

    def liquidation(self, symbol: str, time_ms: int, price: str, coins: float, *, is_long: bool) -> Frame:
        native = bybit.native_of(symbol)
        row = {"T": time_ms, "s": native, "S": "Buy" if is_long else "Sell", "v": f"{coins}", "p": price}
        topic = f"allLiquidation.{native}"
        return topic, {"topic": topic, "type": "snapshot", "ts": time_ms + 400, "data": [row]}


class OkxLiveStream(LiveStream):
    """`/ws/v5/public`; who asks for liquidations is first told of an old one."""

    async def announce_upgrade(self) -> None:
        """Say that every line will be closed soon."""
        notice = {"event": "notice", "code": "64008", "msg": "The connection will soon be closed.", "connId": "x"}
        for line in list(self.lines):
            await line.socket.send(json.dumps(notice))

    def opened(self, line: Line) -> None:
        if line.socket.request is None or line.socket.request.path != "/ws/v5/public":
            line.socket.transport.abort()

    def answer(self, line: Line, message: str) -> Sequence[str]:
        if message == "ping":
            return ["pong"]
        asked = json.loads(message)
        replies = []
        for arg in asked["args"]:
            topic = ":".join((arg["channel"], arg.get("instId", "")))
            (line.topics.add if asked["op"] == "subscribe" else line.topics.discard)(topic)
            replies.append(json.dumps({"event": asked["op"], "arg": arg, "connId": "x"}))
            if arg["channel"] == "liquidation-orders" and asked["op"] == "subscribe":
                symbol, old_ms = next(iter(self.venue.markets)), self.venue.now_ms() - 8 * 60_000
                _, frame = self.liquidation(symbol, old_ms // 60_000 * 60_000, "99.5", 1.0, is_long=False)
                replies.append(json.dumps(frame))
        return replies

    def prices(self, line: Line, now_ms: int) -> Iterable[Frame]:
        for one in self.venue.markets.values():
            native = okx.native_of(one.symbol)
            row = {"instId": native, "instType": "SWAP", "markPx": f"{one.price(now_ms):.8f}", "ts": str(now_ms)}
            arg = {"channel": "mark-price", "instId": native}
            yield f"mark-price:{native}", {"arg": arg, "data": [row]}

    def liquidation(self, symbol: str, time_ms: int, price: str, coins: float, *, is_long: bool) -> Frame:
        native, size = okx.native_of(symbol), f"{coins / okx.face_of(symbol):.6f}"
        side = {"posSide": "net", "side": "sell" if is_long else "buy"}
        detail = {"bkLoss": "0", "bkPx": price, "ccy": "", **side, "sz": size, "ts": str(time_ms)}
        row = {"details": [detail], "instFamily": native.removesuffix("-SWAP"), "instId": native, "instType": "SWAP"}
        arg = {"channel": "liquidation-orders", "instType": "SWAP"}
        return "liquidation-orders:", {"arg": arg, "data": [row]}
