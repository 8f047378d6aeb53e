"""The sender's tenure: of all processes on one database one alone sends, judges and hears people.

The others wait as its standbys. A holder that is killed is followed as soon as its lease has run out, one that ends in
peace at once. One that cannot renew stops before its lease ends, by its own monotonic clock; what it still tries to
write is refused by the database once somebody else has the lease (`storage.leases`). The lease is renewed from a
thread of its own: to load a million rules stops the event loop for longer than a lease holds.
"""

import asyncio
import logging
import math
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bot.clock import Clock, Reminder
from bot.storage.errors import StorageError
from bot.storage.leases import SENDER, Lease
from bot.storage.nodes import BEAT_S, Role

MARGIN_S: Final = 1.0
"""So long before its lease ends a holder stops: a request that is under way then has time to arrive."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long a lease holds, how often it is renewed, how often a standby looks and a failed renewal is tried again.

    A killed holder is followed within `valid_ms` and `look_s`. One whose event loop stood still for `stuck_s` gives its
    lease up: somebody else can do better.
    """

    valid_ms: int = 8_000
    renew_s: float = 1.5
    look_s: float = 0.5
    stuck_s: float = 600.0


TIMES: Final = Times()

log = logging.getLogger(__name__)

Serve = Callable[[asyncio.Event], Awaitable[None]]


class LeaseBook(Protocol):
    """What a tenure asks of `storage.leases.Leases`."""

    async def take(self, name: str, holder: str, *, valid_ms: int) -> int | None: ...
    async def renew(self, name: str, epoch: int, *, valid_ms: int) -> bool: ...
    async def release(self, name: str, epoch: int) -> None: ...
    async def look(self, name: str) -> Lease | None: ...


class NodeBook(Protocol):
    """What a tenure asks of `storage.nodes.Nodes`."""

    async def beat(self, node: str, role: Role) -> None: ...
    async def leave(self, node: str) -> None: ...


class Shared(Protocol):
    """What a tenure asks of a database that others work on too."""

    @property
    def leases(self) -> LeaseBook: ...
    @property
    def nodes(self) -> NodeBook: ...
    def fence(self, epoch: int) -> None: ...


class Tenure:
    """One process' turns at the lease. `node` names it among all; `beside` runs while it waits.

    `apart` renews the lease from a thread of its own; without it, on the one loop there is.
    """

    def __init__(
        self,
        db: Shared,
        clock: Clock,
        node: str,
        *,
        beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
        apart: bool = True,
        times: Times = TIMES,
    ) -> None:
        self._db = db
        self._clock = clock
        self._node = node
        self._beside = beside
        self._apart = apart
        self._times = times
        self._ended = True
        self._alive_s = -math.inf
        self._epoch = 0
        self._until_s = -math.inf
        self._beaten_s = -math.inf
        self._unasked = Reminder(clock)

    def may_send(self) -> bool:
        """Whether nobody else can have the lease now."""
        return self._clock.monotonic() < self._until_s

    async def serve(self, stop: asyncio.Event, serve: Serve) -> None:
        """Run `serve` whenever this process holds the lease, until `stop`; raises what it raises.

        The event that it is given is set when its turn is over: by `stop`, or because the lease was lost.
        """
        while await self._wait(stop):
            over = asyncio.Event()
            self._ended, self._alive_s = False, self._clock.monotonic()
            keep = asyncio.to_thread(asyncio.run, self._keep()) if self._apart else self._keep()
            keeping = asyncio.create_task(keep, name="lease")  # first: what is served may stop the loop at once
            serving = asyncio.ensure_future(serve(over))
            others = [asyncio.create_task(stop.wait()), asyncio.create_task(self._live())]
            try:
                await asyncio.wait({serving, keeping, others[0]}, return_when=asyncio.FIRST_COMPLETED)
                if serving.done():
                    stop.set()  # it ended by itself: there is no next turn
                over.set()
                await serving  # what is under way ends first, the lease still renewed
            finally:
                self._ended = True
                for task in (serving, *others):
                    task.cancel()
                await asyncio.gather(serving, keeping, *others, return_exceptions=True)
                await self._lay_down()
            keeping.result()  # what nobody expected is not kept quiet

    async def _live(self) -> None:
        """Show that the event loop goes on."""
        while True:
            self._alive_s = self._clock.monotonic()
            await self._clock.sleep(self._times.look_s)

    async def _wait(self, stop: asyncio.Event) -> bool:
        beside = None if self._beside is None else asyncio.create_task(self._beside())
        try:
            return await self._take(stop)
        finally:
            if beside is not None:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)

    async def _take(self, stop: asyncio.Event) -> bool:
        """Wait for the lease; False where `stop` comes first."""
        waiting = False
        while not stop.is_set():
            asked_s = self._clock.monotonic()
            try:
                epoch = await self._db.leases.take(SENDER, self._node, valid_ms=self._times.valid_ms)
                self._unasked.over()
                if epoch is not None:
                    self._epoch, self._until_s = epoch, self._stops_s(asked_s)
                    self._db.fence(epoch)
                    await self._beat("sender")
                    log.info("this process sends from now on", extra={"node": self._node, "epoch": epoch})
                    return True
                if not waiting:
                    waiting = True
                    held = await self._db.leases.look(SENDER)
                    log.info("standby: another process sends", extra={"holder": held.holder if held else "-"})
                await self._beat("standby")
            except StorageError as failure:
                if self._unasked.due():
                    log.warning("the sender's lease could not be asked for: %s", failure)
            await _until(stop, self._times.look_s)
        return False

    async def _keep(self) -> None:
        """Renew the lease until the turn ends, or until that fails for so long, or somebody else has it."""
        due_s = self._clock.monotonic() + self._times.renew_s
        while True:
            await self._clock.sleep(self._times.look_s)
            asked_s = self._clock.monotonic()
            if self._ended:
                return
            if asked_s < due_s and self.may_send():
                continue
            if not self.may_send() or asked_s - self._alive_s > self._times.stuck_s or not await self._renew(asked_s):
                break
            if self._until_s == self._stops_s(asked_s):
                due_s = asked_s + self._times.renew_s
        self._until_s = -math.inf
        log.error("the sender's lease is lost: this process stops sending", extra={"epoch": self._epoch})

    async def _renew(self, asked_s: float) -> bool:
        """Try once; False where the lease is lost for good."""
        try:
            async with asyncio.timeout(max(0.0, self._until_s - asked_s)):
                renewed = await self._db.leases.renew(SENDER, self._epoch, valid_ms=self._times.valid_ms)
        except TimeoutError:
            return False
        except StorageError as failure:
            log.warning("the sender's lease could not be renewed: %s", failure)
            return True
        if renewed:
            self._until_s = self._stops_s(asked_s)
            await self._beat("sender")
        return renewed

    def _stops_s(self, asked_s: float) -> float:
        """When a holder stops, whose lease was renewed after it asked at `asked_s` of its monotonic clock."""
        return asked_s + self._times.valid_ms / 1000 - MARGIN_S

    async def _lay_down(self) -> None:
        """Let the next one have the lease at once, where it is still held here."""
        self._until_s = -math.inf
        try:
            await self._db.leases.release(SENDER, self._epoch)
            await self._db.nodes.leave(self._node)
        except StorageError as failure:
            log.warning("the sender's lease could not be given back and runs out: %s", failure)

    async def _beat(self, role: Role) -> None:
        now_s = self._clock.monotonic()
        if role == "standby" and now_s - self._beaten_s < BEAT_S:
            return
        self._beaten_s = now_s
        try:
            await self._db.nodes.beat(self._node, role)
        except StorageError as failure:
            log.debug("could not say that this process lives: %s", failure)


def node_name() -> str:
    """This process among all that share a database: its machine, its number, and a number of its own."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(2).hex()}"


async def _until(stop: asyncio.Event, seconds: float) -> None:
    """Wait for `stop`, this long at most."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
