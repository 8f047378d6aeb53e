"""A websocket server that speaks Binance's combined streams as a script tells it, one scene a connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

HEARTBEAT = json.dumps(
    {"stream": "!markPrice@arr@1s", "data": [{"e": "markPriceUpdate", "E": 1, "s": "BTCUSDT", "p": "1"}]},
    separators=(",", ":"),
)

Scene = Callable[[ServerConnection], Awaitable[None]]


def forced_order(
    time_ms: int,
    symbol: str = "BTCUSDT",
    *,
    side: str = "SELL",
    average: str = "82651.90",
    filled: str = "0.190",
    kind: int = 1,
) -> str:
    """A frame of `!forceOrder@arr`; its limit price and its last fill are others than what counts."""
    order = {
        "s": symbol,
        "S": side,
        "o": "LIMIT",
        "f": "IOC",
        "q": filled,
        "p": "1.0",
        "ap": average,
        "X": "FILLED",
        "l": "0.001",
        "z": filled,
        "T": time_ms,
        "ps": symbol,
        "st": kind,
    }
    frame = {"stream": "!forceOrder@arr", "data": {"e": "forceOrder", "E": time_ms + 900, "o": order}}
    return json.dumps(frame, ensure_ascii=False)


def mark_prices(time_ms: int, **prices: str) -> str:
    """A frame of `!markPrice@arr` with some of the symbols."""
    rows = [
        {"e": "markPriceUpdate", "E": time_ms, "s": symbol, "p": price, "ap": price, "i": price, "T": 0, "st": 1}
        for symbol, price in prices.items()
    ]
    return json.dumps({"stream": "!markPrice@arr@1s", "data": rows}, ensure_ascii=False)


def sends(*frames: str | bytes, then: float | None = None) -> Scene:
    """Send frames, then stay silent for `then` seconds and hang up; without `then` beat on for ever."""

    async def play(line: ServerConnection) -> None:
        for frame in frames:
            await line.send(frame)
        if then is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(line.wait_closed(), then)
            return
        while True:
            await line.send(HEARTBEAT)
            await asyncio.sleep(0.01)

    return play


@dataclass(slots=True)
class FakeStream:
    """Plays its scenes one connection after the other, the last one for ever; remembers what was asked for."""

    scenes: list[Scene]
    url: str = ""
    paths: list[str] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0

    async def _serve(self, line: ServerConnection) -> None:
        self.paths.append(line.request.path if line.request else "")
        scene = self.scenes.pop(0) if len(self.scenes) > 1 else self.scenes[0]
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            await scene(line)
        except ConnectionClosed:
            return
        finally:
            self.open_now -= 1

    @asynccontextmanager
    async def open(self) -> AsyncIterator["FakeStream"]:
        server: Server
        async with serve(self._serve, "127.0.0.1", 0) as server:
            host, port = next(iter(server.sockets)).getsockname()[:2]
            self.url = f"ws://{host}:{port}"
            yield self
