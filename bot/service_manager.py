"""Tells the service manager that started the bot how it does: the protocol of sd_notify(3), over a datagram socket.

A manager that set no NOTIFY_SOCKET is told nothing. What it cannot be told is no fault of the bot: it has its own
time-outs for that.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence

BEATS_A_LIMIT = 3
"""So many beats fit into the manager's limit: one may come late."""

STATUS_EVERY_S = 30.0
"""Where the manager asks for no beats it is still told how the bot does."""

log = logging.getLogger(__name__)


class ServiceManager:
    """`address` is a path, or `@` and the name of an abstract socket; `limit_s` is how long it waits for a beat."""

    def __init__(self, address: str | None = None, *, limit_s: float | None = None) -> None:
        self._address = "\0" + address[1:] if address is not None and address.startswith("@") else address
        self._limit_s = limit_s
        self._told_of_failure = False

    @classmethod
    def of(cls, environment: Mapping[str, str], *, pid: int | None = None) -> "ServiceManager":
        """The manager that the environment names; beats are its wish only where they are this process's to make."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        limit, keeper = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        wanted = limit.isdigit() and int(limit) > 0 and keeper in ("", str(os.getpid() if pid is None else pid))
        return cls(address, limit_s=int(limit) / 1e6 if wanted else None)

    @property
    def beat_s(self) -> float:
        """How often `beat` comes round, in seconds."""
        return STATUS_EVERY_S if self._limit_s is None else min(STATUS_EVERY_S, self._limit_s / BEATS_A_LIMIT)

    def ready(self) -> None:
        """The start is over."""
        self._tell("READY=1", "STATUS=started")

    def stopping(self) -> None:
        """What is under way is finished, nothing new begun."""
        self._tell("STOPPING=1", "STATUS=stopping: what is under way is finished first")

    async def beat(self, *, standstills: Callable[[], Sequence[str]], status: Callable[[], str]) -> None:
        """Be alive on the loop for as long as nothing stands still, and tell how the bot does. Ends when cancelled.

        Where something does stand still, the manager hears that as the status and no beat, and restarts the bot.
        """
        while self._address is not None:
            wrong = standstills()
            alive = [] if wrong or self._limit_s is None else ["WATCHDOG=1"]
            self._tell(*alive, f"STATUS={'; '.join(wrong) or status()}")
            await asyncio.sleep(self.beat_s)

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
                wire.setblocking(False)
                wire.sendto("\n".join(" ".join(line.split("\n")) for line in lines).encode(), self._address)
        except OSError as error:
            if not self._told_of_failure:
                self._told_of_failure = True
                log.warning("the service manager at NOTIFY_SOCKET cannot be told how the bot does: %s", error.strerror)
