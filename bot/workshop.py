"""What a worker does with a job: reads an exchange within its own budget, draws, and stores it for whoever judges."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.history_store import NoMapError
from bot.market.exchange import ExchangeError
from bot.market.priority import Priority, asking_as
from bot.market.types import BAR_MS
from bot.markets import Markets
from bot.reachability import Reachability
from bot.storage.database import Database
from bot.storage.slots import Slot
from bot.work import BACK_FILL, BARS, RECOMPUTE, Do, Work

OLD_MS: Final = 3 * BAR_MS
"""A job of a bar that ended so long ago is left: a newer one is under way."""

HOUR_MS: Final = 3_600_000

log = logging.getLogger(__name__)


class Workshop:
    """One worker's. `node` signs what it draws; `learned` is called before a map, to know what was scored since."""

    def __init__(
        self,
        *,
        db: Database,
        markets: Markets,
        work: Work,
        reach: Reachability,
        node: str,
        learned: Callable[[int], Awaitable[None]],
    ) -> None:
        self._db = db
        self._markets = markets
        self._work = work
        self._reach = reach
        self._node = node
        self._learned = learned

    @property
    def jobs(self) -> Mapping[str, Do]:
        """What can be done here."""
        return {BARS: self.bars, RECOMPUTE: self.recompute, BACK_FILL: self.back_fill}

    async def bars(self, slot: Slot) -> None:
        """Store the newest closed bars, and the open interest at their close. Raises ExchangeError."""
        if self._is_old(slot):
            return
        self._markets.histories.look_again(slot.market)
        with asking_as(Priority.WATCHED):
            await self._asked(slot, self._markets.fetch_newest(slot.market))

    async def recompute(self, slot: Slot) -> None:
        """Draw the map of the slot's bar, unless that is done or too late; ask for what is missing of its history."""
        market, slot_ms = slot.market, slot.slot_ms
        newest_ms = await self._db.drawings.newest_ms(market)
        if self._is_old(slot) or (newest_ms is not None and newest_ms >= slot_ms):
            return
        await self._learned(slot_ms)
        drawing = None
        try:
            with asking_as(Priority.WATCHED):
                drawing = await self._markets.draw(market, slot_ms)
        except NoMapError as error:
            log.info("no map for whoever judges: %s", error)
        await self._db.drawings.save(market, slot_ms, drawing, made_by=self._node)
        if drawing is not None and not drawing.whole:
            await self._work.offer([Slot(BACK_FILL, slot_ms // HOUR_MS * HOUR_MS, market)])

    async def back_fill(self, slot: Slot) -> None:
        """Fetch what is missing of a market's history. Raises ExchangeError."""
        self._markets.histories.look_again(slot.market)
        start_ms, end_ms = self._markets.window(slot.market.exchange)
        with asking_as(Priority.BACKGROUND):
            await self._asked(slot, self._markets.histories.fill(slot.market, start_ms, end_ms))

    async def _asked(self, slot: Slot, asking: Awaitable[None]) -> None:
        name = slot.market.exchange
        try:
            await asking
        except ExchangeError as error:
            await self._reach.failed(name, error)
            raise
        self._reach.answered(name)

    def _is_old(self, slot: Slot) -> bool:
        return self._markets.window(slot.market.exchange)[1] - slot.slot_ms >= OLD_MS
