"""The life of a venue's line: made, heard, left before the venue ends it, made again when it breaks.

A line that is left has its successor beside it until that one is heard, so that nothing is missed between the two;
what both say counts once (`StreamBook`). A line is alive as long as its heart-beat comes: noise keeps none alive.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import websockets.exceptions
from websockets.asyncio.client import ClientConnection, connect

from bot.clock import Clock
from bot.liquidation.values import replace
from bot.market.feed import ContractNews, FeedStatus, Heard
from bot.market.price_book import PriceBook
from bot.market.stream_book import StreamBook

MOST_LIFE_S: Final = 23 * 3600.0
"""Venues close a line after 24 h; it is left before, at a quiet moment as good as any."""

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
HEALTHY_S: Final = 60.0
"""A line that was heard for so long was a good one: the next is tried at once."""

LOOK_S: Final = 1.0
"""How often a line is asked whether it has something to say."""

_LARGEST_FRAME: Final = 8 * 2**20

T = TypeVar("T")

log = logging.getLogger(__name__)


class DeadLineError(Exception):
    """Nothing that can be understood came for too long."""


class Script(Protocol):
    """One line's conversation, made anew for each line."""

    def due(self) -> Sequence[str]:
        """What is to be said now; asked when the line is made, and about every second."""
        ...

    def hear(self, frame: str | bytes) -> bool:
        """Take in a frame. True where it shows that the line brings what it should."""
        ...

    @property
    def ends_soon(self) -> bool:
        """Whether the venue said that it will end this line."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How a venue's line is treated. `silence_s` without a heart-beat is the end of it; `jitter` is within 0 and 1."""

    silence_s: float
    most_life_s: float = MOST_LIFE_S
    jitter: Callable[[], float] = random.random


class _Line:
    """One connection: its task, and futures that are done once it is heard, and once it had better be replaced."""

    def __init__(self, live: Callable[["_Line"], "asyncio.Task[None]"]) -> None:
        self.heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ends_soon: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = live(self)

    def ended(self) -> bool:
        """Whether it is no more. Raises what is no trouble of the world."""
        return self.task.done() and bool(_cause(self.task))

    async def hang_up(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class Stream:
    """A `LiquidationFeed` and a `MarketStream`: `script` makes each line's conversation, all of which fill one `book`.

    No line is made before `ready`, for some venues must be asked by their contracts' names.
    """

    def __init__(
        self,
        name: str,
        venue: str,
        url: str,
        *,
        clock: Clock,
        book: StreamBook,
        script: Callable[[Callable[[], Collection[str]]], Script],
        manner: Manner,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self._venue = venue
        self._url = url
        self._clock = clock
        self._book = book
        self._script = script
        self._manner = manner
        self._ready = ready
        self._followed: frozenset[str] = frozenset()
        self._trouble = ""

    @property
    def prices(self) -> PriceBook:
        return self._book.prices

    def follow(self, symbols: Collection[str]) -> None:
        """Have the prices of these contracts on the line from its next look on."""
        self._followed = frozenset(symbols)

    def take(self) -> Heard:
        """What was heard since the last take."""
        return self._book.take()

    def status(self) -> FeedStatus:
        return replace(self._book.status(), trouble=self._trouble)

    def contract_news(self) -> Mapping[str, ContractNews]:
        return self._book.contract_news()

    async def run(self) -> None:
        """Listen until cancelled. Trouble is told once, and once more when it is over."""
        while not self._ready():
            await self._clock.sleep(LOOK_S)
        lines: list[_Line] = []
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                began_s = self._clock.monotonic()
                fresh = _Line(self._dial)
                lines = [*(line for line in lines if not line.ended()), fresh]
                await asyncio.wait({fresh.task, fresh.heard}, return_when=asyncio.FIRST_COMPLETED)
                if fresh.heard.done():
                    for older in lines[:-1]:
                        await older.hang_up()
                    lines = [fresh]
                    endings = {fresh.task, fresh.ends_soon}
                    await asyncio.wait(endings, timeout=self._life_s(), return_when=asyncio.FIRST_COMPLETED)
                    if not fresh.task.done():
                        continue
                healthy = self._clock.monotonic() - began_s >= HEALTHY_S
                self._tell(_cause(fresh.task), healthy=healthy or self._book.status().alive)
                pause_s = FIRST_PAUSE_S if healthy else min(2 * pause_s, LONGEST_PAUSE_S)
                await self._clock.sleep(pause_s * (0.5 + self._manner.jitter()))
        finally:
            await asyncio.gather(*(line.hang_up() for line in lines))

    def _life_s(self) -> float:
        return self._manner.most_life_s * (1.0 - 0.05 * self._manner.jitter())

    def _dial(self, line: _Line) -> "asyncio.Task[None]":
        return asyncio.create_task(self._live(line), name=f"line to {self.name}")

    async def _live(self, line: _Line) -> None:
        """One connection until it breaks. Raises what broke it, never cancels anything but itself."""
        script, meant = self._script(lambda: self._followed), False
        try:
            async with connect(self._url, max_size=_LARGEST_FRAME, ping_interval=None, close_timeout=2.0) as socket:
                self._book.connected()
                await self._converse(socket, script, line)
        except asyncio.CancelledError:
            meant = True
            raise
        finally:
            if line.heard.done():
                self._book.end(meant=meant)

    async def _converse(self, socket: ClientConnection, script: Script, line: _Line) -> None:
        """Say what is due and take in what comes. Raises DeadLineError where no heart-beat comes."""
        silence_s = self._manner.silence_s
        look_s = min(LOOK_S, silence_s / 4)
        heard_s = self._clock.monotonic()
        while True:
            async with asyncio.timeout(silence_s):
                for message in script.due():
                    await socket.send(message)
            until_s = self._clock.monotonic() + look_s
            while (now_s := self._clock.monotonic()) < until_s:
                try:
                    async with asyncio.timeout(until_s - now_s):
                        frame = await socket.recv()
                except TimeoutError:
                    break
                if script.hear(frame):
                    heard_s = now_s
                    self._beat(line)
            if script.ends_soon and not line.ends_soon.done():
                line.ends_soon.set_result(None)
            if self._clock.monotonic() - heard_s > silence_s:
                raise DeadLineError(f"no heart-beat for {silence_s:g} s")

    def _beat(self, line: _Line) -> None:
        if line.heard.done():
            self._book.alive()
            return
        line.heard.set_result(None)
        self._book.begin()
        if self._trouble:
            log.warning("the stream of %s is heard again", self._venue)
            self._trouble = ""

    def _tell(self, trouble: str, *, healthy: bool) -> None:
        if healthy:
            log.info("a line to %s ended: %s", self._venue, trouble)
        elif not self._trouble:
            log.warning("the stream of %s is not heard, so nothing new can be proven: %s", self._venue, trouble)
            self._trouble = trouble


def _cause(task: "asyncio.Task[None]") -> str:
    """Why a line ended, in words. Raises what is no trouble of the world."""
    error = task.exception()
    if isinstance(error, OSError | TimeoutError | DeadLineError | websockets.exceptions.WebSocketException):
        return _in_words(error)
    raise error or AssertionError("a line ends only by an error")


def _in_words(error: Exception) -> str:
    """The library's words are about its protocol; an operator asks what became of the line."""
    match error:
        case websockets.exceptions.ConnectionClosed() if error.rcvd is None and error.sent is None:
            return "the connection broke off"
        case websockets.exceptions.ConnectionClosed() if error.rcvd is not None:
            return f"it was closed there (code {error.rcvd.code}{', ' if error.rcvd.reason else ''}{error.rcvd.reason})"
        case websockets.exceptions.ConnectionClosed() | websockets.exceptions.InvalidMessage():
            return "what came is no websocket's answer"
        case _:
            return str(error) or type(error).__name__


def portions(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in order, at most `size` at a time: requests have a largest length."""
    return [items[at : at + size] for at in range(0, len(items), size)]
