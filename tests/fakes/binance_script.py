"""Scripted answers for the Binance client, on a clock that only moves when something waits."""

from collections.abc import Callable
from typing import Any

import httpx

from bot.market.binance import BinanceExchange
from bot.market.types import BAR_MS
from tests.fakes.clock import VirtualClock

T0 = 1_766_188_800_000  # 2025-12-20T00:00:00Z
DAY_MS = 86_400_000

Script = Callable[[httpx.Request], httpx.Response]


def client_of(script: Script, clock: VirtualClock | None = None, **options: Any) -> BinanceExchange:
    return BinanceExchange(
        clock=clock or VirtualClock(T0),
        api_url="http://api.test",
        web_url="http://web.test",
        transport=httpx.MockTransport(script),
        jitter=lambda: 0.5,
        **options,
    )


class Answers:
    """Gives its answers one after the other, the last one for ever; remembers the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        # A response object can be read once only.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def klines(start_ms: int, end_ms: int, limit: int) -> list[list[object]]:
    opens = range(-(-start_ms // BAR_MS) * BAR_MS, end_ms + 1, BAR_MS)
    return [[ms, "1", "3", "1", "2", "10", ms + BAR_MS - 1, "20", 1, "6", "12", "0"] for ms in opens][:limit]


BARS = httpx.Response(200, json=klines(T0 - BAR_MS, T0 - 1, 10))


async def one_bar(client: BinanceExchange) -> int:
    return len(await client.bars("BTCUSDT", start_ms=T0 - BAR_MS, end_ms=T0))
