"""A wire that can be spoiled: TCP between a client and a fake venue, for REST and websockets alike.

async with FaultProxy(fake.url) as wire:      # or a ws:// address
    wire.spoil(Fault.BLACK_HOLE)              # connections that are open, and those to come
    wire.heal()
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # a socket that lingers for no time is reset when it is closed


class Fault(StrEnum):
    """What becomes of the next bytes that the server sends."""

    LATENCY = "latency"
    """They come late, and whole."""
    RESET_BEFORE = "reset before the first byte"
    RESET_AFTER = "reset after the first byte"
    HALF_CLOSE = "half of them, then the end of the stream; what the client sends is still read"
    GARBAGE = "as many bytes of noise"
    GARBAGE_INSIDE = "the second half of them is noise"
    DRIP = "one byte at a time"
    BLACK_HOLE = "nothing, and no end"


class FaultProxy:
    """The wire. `url` is what the client is given. `latency_s` and `drip_s` are the pauses of those two faults."""

    def __init__(self, target: str, *, latency_s: float = 0.1, drip_s: float = 0.02, seed: int = 7) -> None:
        self._target = urlsplit(target)
        self._latency_s = latency_s
        self._drip_s = drip_s
        self._noise = random.Random(seed)
        self._fault: Fault | None = None
        self._left: int | None = None
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.url = ""
        self.met: Counter[Fault] = Counter()
        """How often each fault struck."""

    def spoil(self, fault: Fault, *, times: int | None = None) -> None:
        """Let a fault strike so many times, or until `heal`."""
        self._fault, self._left = fault, times

    def heal(self) -> None:
        """No fault any more. Connections in a black hole stay there."""
        self._fault = None

    def cut(self) -> None:
        """Reset every connection that is open."""
        for task in self._running:
            task.cancel()

    @property
    def open(self) -> int:
        """Connections that are open."""
        return len(self._running)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = urlunsplit(self._target._replace(netloc=f"{host}:{port}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _accept(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        far_out: asyncio.StreamWriter | None = None
        try:
            far_in, far_out = await asyncio.open_connection(self._target.hostname, self._target.port)
            ways = [asyncio.create_task(_copy(near_in, far_out)), asyncio.create_task(self._down(far_in, near_out))]
            try:
                # A client that went away leaves nothing behind, not even in a black hole.
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                if ways[1].done():
                    ways[1].result()
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            _reset(near_out)
        finally:
            for writer in (near_out, far_out):
                if writer is not None:
                    writer.close()

    async def _down(self, far_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        """What the server says, on its way to the client. Raises ConnectionResetError where a fault is one."""
        while data := await far_in.read(_CHUNK):
            await self._pass(data, near_out)
        near_out.write_eof()

    async def _pass(self, data: bytes, near_out: asyncio.StreamWriter) -> None:
        match self._strike():
            case None:
                near_out.write(data)
            case Fault.LATENCY:
                await asyncio.sleep(self._latency_s)
                near_out.write(data)
            case Fault.RESET_BEFORE:
                raise ConnectionResetError
            case Fault.RESET_AFTER:
                near_out.write(data[:1])
                await near_out.drain()
                await asyncio.sleep(0.01)  # or the reset would overtake the byte
                raise ConnectionResetError
            case Fault.HALF_CLOSE:
                near_out.write(data[: len(data) // 2])
                near_out.write_eof()
                await asyncio.Event().wait()
            case Fault.GARBAGE:
                near_out.write(self._noise.randbytes(len(data)))
            case Fault.GARBAGE_INSIDE:
                half = len(data) // 2
                near_out.write(data[:half] + self._noise.randbytes(len(data) - half))
            case Fault.DRIP:
                for at in range(len(data)):
                    near_out.write(data[at : at + 1])
                    await near_out.drain()
                    await asyncio.sleep(self._drip_s)
            case Fault.BLACK_HOLE:
                await asyncio.Event().wait()
        await near_out.drain()

    def _strike(self) -> Fault | None:
        fault = self._fault
        if fault is None:
            return None
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._fault = None
        self.met[fault] += 1
        return fault


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Have the connection end with a reset and not with an orderly end."""
    wire: socket.socket | None = writer.get_extra_info("socket")
    if wire is not None:
        with contextlib.suppress(OSError):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
