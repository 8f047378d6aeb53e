"""Work that any process may do: jobs are offered, and whoever runs does them. A thin port with two implementations.

A job is a `Slot`: what, of which market, for which time. Offered by however many, it is taken once; one that fails is
tried again a few times; one whose doer dies is taken over, where there is anybody else. In one process the queue is in
memory (`HereWork`), on PostgreSQL many processes share one (`storage.work_queue`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

from bot.clock import Clock
from bot.storage.slots import Slot

BARS: Final = "bars"
"""Store the newest closed bars of a market, and the open interest at their close."""

RECOMPUTE: Final = "recompute"
"""Draw the map of the bar that ended at the slot."""

BACK_FILL: Final = "back-fill"
"""Fetch what is missing of a market's older history."""

URGENCY: Final[Mapping[str, int]] = {BARS: 20, RECOMPUTE: 10, BACK_FILL: 0}
"""What is done first of all that waits."""

TRIES: Final = 3
RETRY_S: Final = 2.0
DRAIN_S: Final = 10.0
"""What a job that is under way gets to end in, when whoever does it stops."""

MOST_KNOWN: Final = 100_000
"""Jobs that are remembered as offered: those of some hours at 5,000 markets."""

Do = Callable[[Slot], Awaitable[None]]

log = logging.getLogger(__name__)


class Work(Protocol):
    """A queue of jobs, shared by whoever offers and whoever does."""

    async def offer(self, slots: Sequence[Slot]) -> int:
        """Ask for these to be done; returns how many nobody had asked for before. May raise a StorageError."""
        ...

    async def run(self, do: Mapping[str, Do], *, at_once: int) -> None:
        """Do what is offered, each kind by its function, up to `at_once` side by side; ends when cancelled.

        Being cancelled it takes nothing more, and lets what is under way end for a few seconds.
        """
        ...


class HereWork:
    """The work of one process, in memory: what is left when it ends is offered again with the next slot."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Slot, None] = {}
        self._waiting: asyncio.PriorityQueue[tuple[int, int, Slot, int]] = asyncio.PriorityQueue()
        self._number = 0

    async def offer(self, slots: Sequence[Slot]) -> int:
        new = [slot for slot in dict.fromkeys(slots) if slot not in self._known]
        for slot in new:
            self._known[slot] = None
            self._put(slot, 1)
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return len(new)

    async def run(self, do: Mapping[str, Do], *, at_once: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._work(do))

    async def _work(self, do: Mapping[str, Do]) -> None:
        while True:
            _, _, slot, tries = await self._waiting.get()
            job = asyncio.create_task(self._try(do[slot.job], slot, tries))
            try:
                await asyncio.shield(job)
            except asyncio.CancelledError:
                await asyncio.wait({job}, timeout=DRAIN_S)
                if not job.done():
                    job.cancel()
                    self._put(slot, tries)
                raise

    async def _try(self, function: Do, slot: Slot, tries: int) -> None:
        try:
            await function(slot)
        except Exception as error:
            if tries >= TRIES:
                log.warning("%s of %s %s is given up: %s", slot.job, *slot.market, error)
            else:
                await self._clock.sleep(RETRY_S)
                self._put(slot, tries + 1)

    def _put(self, slot: Slot, tries: int) -> None:
        self._number += 1
        self._waiting.put_nowait((-URGENCY.get(slot.job, 0), self._number, slot, tries))
