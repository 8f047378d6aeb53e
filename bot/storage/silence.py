"""A server that takes a request and never answers: the wait is ended from outside, by shutting the connection.

Its time limits are of no use then, for it is the server that keeps them; nor does TCP notice, while the machine lives.
"""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")

LONGEST_SILENCE_S = 45.0
"""Longer than the server's own limits of a statement and of a wait for a lock together."""


class Silence:
    """Knows since when each engine's connection is at one piece of work."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._at_work: dict[Engine, tuple[Any, float]] = {}

    @contextmanager
    def watching(self, connection: Connection) -> Iterator[None]:
        """The block is the work, done in whatever thread."""
        self._at_work[connection.engine] = connection.connection.driver_connection, time.monotonic()
        try:
            yield
        finally:
            self._at_work.pop(connection.engine, None)

    async def broken(self, engine: Engine, done: "asyncio.Future[T]") -> T:
        """What `done` gives; work that takes longer than may be loses its connection, and ends with its error."""
        try:
            while not (await asyncio.wait({done}, timeout=self._longest_s))[0]:
                self._cut(engine)
        finally:
            done.cancel()
        return done.result()

    def _cut(self, engine: Engine) -> None:
        driver, since_s = self._at_work.get(engine, (None, 0.0))
        if driver is None or time.monotonic() - since_s < self._longest_s:
            return
        # It may have been answered, and closed, this very moment.
        failing = suppress(engine.dialect.loaded_dbapi.Error, OSError)
        with failing, socket.socket(fileno=os.dup(driver.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
