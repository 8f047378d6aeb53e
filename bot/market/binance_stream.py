"""The liquidations of Binance USDT-M as they happen: `!forceOrder@arr`, with the mark prices as a heart-beat.

At most one liquidation per symbol and second is sent, and none at all where nothing happens: only the mark prices on
the same line, every second, tell a quiet market from a dead line. A line that is routed wrongly is silent too.
"""

import asyncio
import json
import logging
import random
from collections import deque
from collections.abc import Callable
from typing import Final

import websockets.exceptions
from websockets.asyncio.client import ClientConnection, connect

from bot.clock import Clock
from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.binance_parse import EXCHANGE, VENUE
from bot.market.feed import FeedStatus, Heard, Print, Stretch, joined_stretches

STREAM_URL: Final = "wss://fstream.binance.com"
PATH: Final = "/market/stream?streams=!forceOrder@arr/!markPrice@arr@1s"
HEARTBEAT: Final = '{"stream":"!markPrice@arr'

SILENCE_S: Final = 8.0
"""No frame for so long, where one comes every second: the line is dead."""

MOST_LIFE_S: Final = 23 * 3600.0
"""Binance closes a line after 24 h; it is left before, at a quiet moment as good as any."""

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
HEALTHY_S: Final = 60.0
"""A line that lived so long was a good one: the next is tried at once."""

MOST_WAITING: Final = 20_000
REMEMBERED: Final = 5_000
_LARGEST_FRAME: Final = 8 * 2**20
_COIN_MARGINED: Final = 2

log = logging.getLogger(__name__)


class DeadLineError(Exception):
    """Nothing that can be understood came for too long."""


def parse_liquidation(frame: object, bad: BadRows) -> Print | None:
    """The print of one forceOrder frame; None where it is another kind of frame, COIN-margined or nonsense.

    The average fill times the filled total: `p` is the limit of the forced order, `l` its last fill alone. SELL closes
    a long.
    """
    data = frame.get("data") if isinstance(frame, dict) else None
    order = data.get("o") if isinstance(data, dict) and data.get("e") == "forceOrder" else None
    if not isinstance(order, dict):
        bad.drop("liquidations", "not a forced order")
        return None
    if order.get("st") == _COIN_MARGINED:
        return None
    symbol, side, time_ms = order.get("s"), order.get("S"), milliseconds(order.get("T"))
    price, coins = number(order.get("ap")), number(order.get("z"))
    if not isinstance(symbol, str) or not symbol or side not in ("BUY", "SELL") or time_ms is None:
        bad.drop("liquidations", "no symbol, side or time")
        return None
    if not (price > 0 and coins > 0):
        bad.drop("liquidations", "nothing filled")
        return None
    return Print(time_ms, symbol, side == "SELL", price, coins)


class BinanceStream:
    """A `LiquidationFeed`. `run` listens; whoever wants the prints takes them. Times of stretches are this clock's."""

    name = EXCHANGE

    def __init__(
        self,
        *,
        clock: Clock,
        url: str = STREAM_URL,
        silence_s: float = SILENCE_S,
        most_life_s: float = MOST_LIFE_S,
        most_waiting: int = MOST_WAITING,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._url = url + PATH
        self._silence_s = silence_s
        self._most_life_s = most_life_s
        self._jitter = jitter
        self._bad = BadRows(VENUE)
        self._waiting: deque[Print] = deque()
        self._most_waiting = most_waiting
        self._seen: dict[Print, None] = {}
        self._stretches: list[Stretch] = []
        self._alive_since_ms: int | None = None
        self._alive_ms = 0
        self._last_print_ms: int | None = None
        self._prints = self._dropped = self._connections = 0
        self._trouble = ""

    async def run(self) -> None:
        """Listen until cancelled. Trouble is told once, and once more when it is over."""
        pause_s = FIRST_PAUSE_S
        while True:
            began_s = self._clock.monotonic()
            try:
                await self._one_line()
                trouble = ""
            except (OSError, TimeoutError, DeadLineError, websockets.exceptions.WebSocketException) as error:
                trouble = str(error) or type(error).__name__
            finally:
                self._end_stretch()
            lived = self._clock.monotonic() - began_s >= HEALTHY_S
            if trouble and not self._trouble and not lived:
                log.warning("the liquidations of %s are not heard, so nothing can be proven: %s", VENUE, trouble)
                self._trouble = trouble
            pause_s = FIRST_PAUSE_S if lived or not trouble else min(2 * pause_s, LONGEST_PAUSE_S)
            await self._clock.sleep(pause_s * (0.5 + self._jitter()))

    def take(self) -> Heard:
        """What was heard since the last take."""
        if self._alive_since_ms is not None:
            self._stretches.append((self._alive_since_ms, self._alive_ms))
            self._alive_since_ms = self._alive_ms
        heard = Heard(tuple(self._waiting), joined_stretches(self._stretches))
        self._waiting.clear()
        self._stretches.clear()
        return heard

    def status(self) -> FeedStatus:
        """The feed's books at this moment."""
        return FeedStatus(
            alive=self._alive_since_ms is not None,
            last_print_ms=self._last_print_ms,
            prints=self._prints,
            dropped=self._dropped,
            connections=self._connections,
        )

    async def _one_line(self) -> None:
        """One connection, until it is old. Raises what ends it before that."""
        async with connect(self._url, max_size=_LARGEST_FRAME, ping_interval=None, close_timeout=2.0) as line:
            self._connections += 1
            until_s = self._clock.monotonic() + self._most_life_s * (1.0 - 0.05 * self._jitter())
            while self._clock.monotonic() < until_s:
                await self._next_understood(line)

    async def _next_understood(self, line: ClientConnection) -> None:
        """Read up to the next frame that means something: noise keeps no line alive. Raises DeadLineError."""
        try:
            async with asyncio.timeout(self._silence_s):
                while not self._understand(await line.recv()):
                    pass
        except TimeoutError:
            raise DeadLineError(f"no mark price for {self._silence_s:g} s") from None
        self._alive_ms = self._clock.now_ms()
        if self._alive_since_ms is None:
            self._alive_since_ms = self._alive_ms
            if self._trouble:
                log.warning("the liquidations of %s are heard again", VENUE)
                self._trouble = ""

    def _understand(self, frame: str | bytes) -> bool:
        # The heart-beat is some 150 kB each second, and nothing in it is read.
        if isinstance(frame, str) and frame.startswith(HEARTBEAT):
            return True
        try:
            parsed = json.loads(frame)
        except (ValueError, RecursionError):
            self._bad.drop("liquidations", "no JSON")
            return False
        if isinstance(parsed, dict) and str(parsed.get("stream")).startswith("!markPrice@arr"):
            return True
        found = parse_liquidation(parsed, self._bad)
        if found is not None:
            self._keep(found)
        return found is not None

    def _keep(self, found: Print) -> None:
        """Queue a print that was not seen before: a line made anew may repeat the last second."""
        if found in self._seen:
            return
        self._seen[found] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._prints += 1
        self._last_print_ms = found.time_ms
        if len(self._waiting) >= self._most_waiting:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(found)

    def _end_stretch(self) -> None:
        if self._alive_since_ms is not None:
            self._stretches.append((self._alive_since_ms, self._alive_ms))
            self._alive_since_ms = None
