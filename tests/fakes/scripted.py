"""Scripted answers for any client, on a clock that only moves when something waits."""

from collections.abc import Callable

import httpx

from bot.market.rest import Transport
from tests.fakes.binance_script import T0, Answers

__all__ = ["DAY_MS", "T0", "Answers", "travel"]

DAY_MS = 86_400_000


def travel(script: Callable[[httpx.Request], httpx.Response]) -> Transport:
    """Requests answered by `script`; the back-off is not varied."""
    return Transport(httpx.MockTransport(script), jitter=lambda: 0.5)
