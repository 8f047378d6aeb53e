"""The work of many machines as its offerer sees it: asks workers for bars and maps, and takes what they drew.

Where no worker lives everything is done here, as it is in one process. So it is where all of them die, or are too late
with one map: nobody is told less because a machine went away.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from bot.alerts.types import Market
from bot.clock import Clock, SystemClock
from bot.storage.database import Database
from bot.storage.drawings import Drawing
from bot.storage.errors import StorageError
from bot.storage.nodes import Node
from bot.storage.slots import Slot
from bot.work import RECOMPUTE, URGENCY, Work

LOOK_S: Final = 0.25
"""How often the database is asked for what was drawn, while something is waited for."""

KNOWN_S: Final = 2.0
"""So long it counts as known who lives."""

LATE_S: Final = 60.0
"""A map that no worker has brought by then is made here."""

log = logging.getLogger(__name__)


class Workers:
    """Made by whoever judges. `work` is the queue that workers take from."""

    def __init__(self, db: Database, work: Work, clock: Clock) -> None:
        self._db = db
        self._work = work
        self._clock = clock
        self._living: Sequence[Node] = ()
        self._looked_s = float("-inf")
        self._waited: dict[Slot, tuple[asyncio.Future[Drawing | None], float]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._told = 0

    async def count(self) -> int:
        """How many workers live."""
        now_s = self._clock.monotonic()
        if now_s - self._looked_s >= KNOWN_S:
            try:
                self._living = [node for node in await self._db.nodes.living() if node.role == "worker"]
            except StorageError as failure:
                log.warning("it is not known which workers live: %s", failure)
                self._living = ()
            self._looked_s = now_s
            self._tell(len(self._living))
        return len(self._living)

    async def take(self, slots: Sequence[Slot]) -> bool:
        """Leave jobs to the workers; False where there are none, or they cannot be asked."""
        if not slots or not await self.count():
            return False
        try:
            await self._work.offer(slots)
        except StorageError as failure:
            log.warning("workers could not be asked, the work is done here: %s", failure)
            return False
        return True

    async def drawn(self, market: Market, slot_ms: int) -> Drawing | None:
        """The map of the bar that ended at the slot, as a worker drew it; None where it is to be made here."""
        if not await self.count():
            return None
        slot = Slot(RECOMPUTE, slot_ms, market)
        if slot not in self._waited:
            self._waited[slot] = asyncio.get_running_loop().create_future(), self._clock.monotonic()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="what workers draw")
        return await asyncio.shield(self._waited[slot][0])

    async def aclose(self) -> None:
        """Wait for nothing any more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for future, _ in self._waited.values():
            future.cancel()

    async def _watch(self) -> None:
        """Offer what is waited for, and hand it over as it comes; ends when nothing is."""
        offered: set[Slot] = set()
        while self._waited:
            new = [slot for slot in self._waited if slot not in offered]
            try:
                if new:
                    await self._work.offer(new)
                    offered.update(new)
                for slot_ms in {slot.slot_ms for slot in self._waited}:
                    waited = [slot.market for slot in self._waited if slot.slot_ms == slot_ms]
                    for market, drawing in (await self._db.drawings.of_slot(slot_ms, waited)).items():
                        self._hand_over(Slot(RECOMPUTE, slot_ms, market), drawing)
            except StorageError as failure:
                log.warning("what workers drew could not be read: %s", failure)
            late_s = self._clock.monotonic() - LATE_S if await self.count() else float("inf")
            for slot in [slot for slot, (_, since_s) in self._waited.items() if since_s <= late_s]:
                log.warning("no worker brought the map of %s %s: it is made here", *slot.market)
                self._hand_over(slot, None)
            if self._waited:
                await self._clock.sleep(LOOK_S)

    def _hand_over(self, slot: Slot, drawing: Drawing | None) -> None:
        future, _ = self._waited.pop(slot)
        if not future.done():
            future.set_result(drawing)

    def _tell(self, living: int) -> None:
        if bool(living) != bool(self._told):
            log.info("workers make the maps from now on" if living else "no worker lives: maps are made here")
        self._told = living


@asynccontextmanager
async def open_workers(url: str, db: Database) -> AsyncIterator[Workers | None]:
    """The workers of a PostgreSQL database; None where the package that their queue needs is not installed."""
    try:
        from bot.storage.work_queue import WorkQueue
    except ModuleNotFoundError as error:
        log.warning("workers are not asked: %s is not installed (the extra scale has it)", error.name)
        yield None
        return
    queue = WorkQueue(url, urgency=URGENCY)
    workers = Workers(db, queue, SystemClock())
    try:
        yield workers
    finally:
        await workers.aclose()
        await queue.aclose()
