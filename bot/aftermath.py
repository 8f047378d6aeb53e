"""What came of the alerts of the live bot: followed by its prices and maps, told in the alert's own thread.

A receipt is silent and goes out only where its alert was delivered. What is followed is stored with the alert and
survives a restart; the prices that were missed meanwhile are read from the bars.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.alerts.following import Following
from bot.alerts.outcomes import Outcome, follow, printed_usd
from bot.alerts.types import Event, Market, Track
from bot.clock import Clock
from bot.liquidation.values import replace
from bot.market.history import liquidations_of_cover
from bot.market.types import BAR_MS, Tick
from bot.markets import LiveMarket
from bot.storage.database import Database
from bot.storage.outbox import OutboxRow
from bot.storage.outcomes import outcome_to_plain

DELIVERED = "sent"


@dataclass(frozen=True, slots=True)
class Aftermaths:
    """What is to be stored: outcomes that are new or have changed, and the receipts' messages."""

    outcomes: tuple[Outcome, ...] = ()
    rows: tuple[OutboxRow, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.outcomes)


NOTHING = Aftermaths()


class Aftermath:
    """Follows alerts in memory, as they are stored; `apply` takes over what has been committed."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._following = Following()
        self._behind: set[Market] = set()

    async def restore(self) -> None:
        """Go on with what is stored."""
        self._following = Following(await self._db.outcomes.open())
        self._behind = set(self._following.markets())

    def begin(self, events: Iterable[Event]) -> Aftermaths:
        """What is followed from now on, to be stored with its alerts."""
        return Aftermaths(tuple(found for event in events if (found := follow(event)) is not None))

    def see(self, tick: Tick) -> None:
        """The prices of one exchange."""
        followed = [market for market in self._following.markets() if market.exchange == tick.exchange]
        if not followed:
            return
        at = {symbol: i for i, symbol in enumerate(tick.symbols)}
        for market in followed:
            i = at.get(market.symbol)
            if i is not None:
                self._following.see(market, float(tick.price[i]), int(tick.time_ms[i]))

    async def due(self, live: LiveMarket, tracks: Iterable[Track]) -> Aftermaths:
        """What has come to an end with a recompute that left these `tracks`."""
        market, history = live.market, live.history
        if not self._following.follows(market):
            return NOTHING
        if market in self._behind:
            self._following.catch_up(market, history.open_ms, history.low, history.high, bar_ms=BAR_MS)
            self._behind.discard(market)
        now_ms = self._clock.now_ms()
        closed = {track.id: track.closed for track in tracks if track.closed is not None}
        found: list[Outcome] = []
        rows: list[OutboxRow] = []
        for outcome in self._following.due(market, closed, time_ms=now_ms):
            if outcome.ended_ms == now_ms:
                outcome = replace(outcome, printed_usd=await self._printed(outcome, live))
                rows += await self._receipt(outcome)
            found.append(outcome)
        return Aftermaths(tuple(found), tuple(rows))

    def apply(self, aftermaths: Aftermaths) -> None:
        """Take over what has been stored."""
        self._following.apply(aftermaths.outcomes)

    def forget(self, chat: int) -> None:
        """Follow nothing of a chat any more."""
        self._following.forget(chat)

    async def _printed(self, outcome: Outcome, live: LiveMarket) -> float | None:
        """What the feed has told of the zone; None where it was not heard."""
        market, start_ms, end_ms = outcome.market, outcome.time_ms, outcome.ended_ms
        cover = await self._db.prints.cover(market.exchange, start_ms=start_ms, end_ms=end_ms)
        if not cover:
            return None
        prints = await self._db.prints.load(market, start_ms=start_ms, end_ms=end_ms)
        heard = liquidations_of_cover(prints, cover, exchange=market.exchange, tiers=live.tiers)
        return printed_usd(outcome, heard, cover)

    async def _receipt(self, outcome: Outcome) -> Sequence[OutboxRow]:
        """The message under the alert's own; none where that was never delivered."""
        fate = await self._db.outbox.fate(outcome.alert)
        if fate is None or fate.state != DELIVERED or fate.message_id is None:
            return ()
        payload = {"receipt": outcome_to_plain(outcome), "reply_to": fate.message_id}
        return (OutboxRow(outcome.key, fate.chat, payload, created_ms=self._clock.now_ms()),)
