"""What came of an alert: the level it told of is followed until price has swept it, it has faded, or time is up.

Two questions are kept apart. The receipt answers the chat and goes out at the first of those ends. The hit rate asks
only whether price touched the told level within the horizon, faded or not: an end that came early because the zone
dissolved must not count as a miss that chance was never given time for.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter

import numpy as np
from msgspec import Struct

from bot.alerts.types import CloseReason, Event, Kind, Market
from bot.liquidation.grid import CELL
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Side
from bot.liquidation.values import replace

HOUR_MS = 3_600_000

HORIZON_H = {Kind.PROXIMITY: 4, Kind.GROWTH: 24, Kind.NEW_CLUSTER: 24}
"""The kinds that tell of a zone still to be reached, and how long each is followed: what is near is soon decided."""

LEAST_HEARD = 0.95
"""The share of an outcome's time in which liquidations were listened to, below which their sum says nothing."""


class Ending(StrEnum):
    """What ended the wait for a receipt."""

    SWEPT = "swept"
    FADED = "faded"
    EXPIRED = "expired"


class Outcome(Struct, frozen=True, gc=False):
    """One alert and what has come of it so far. Times in ms UTC, 0 for not yet.

    `alert` is the event's dedupe key. `price` is that of the alert; `low`, `high`, `usd` and the expected figures are
    the cluster as told, `usd` None where none was named. `chance` is the probability, told by volatility alone, that
    price touches the near edge by `until_ms`; None where price stood in the zone already. `reach` is the price nearest
    to the cluster, or farthest into it, since; `settled_ms` when it was known whether price came. `printed_usd` is what
    the venue printed of that side within the cluster until `ended_ms`; None where nobody listened all the time.
    """

    alert: str
    chat: int
    rule_id: int
    kind: Kind
    market: Market
    track_id: str
    side: Side
    time_ms: int
    until_ms: int
    price: float
    low: float
    high: float
    reach: float
    usd: float | None = None
    expected_usd: float | None = None
    expected_high_usd: float | None = None
    chance: float | None = None
    touched_ms: int = 0
    settled_ms: int = 0
    ended_ms: int = 0
    ending: Ending | None = None
    printed_usd: float | None = None

    @property
    def near(self) -> float:
        """The edge that price comes to first."""
        return self.high if self.side is Side.LONG else self.low

    @property
    def far(self) -> float:
        """The edge that price passes last."""
        return self.low if self.side is Side.LONG else self.high

    @property
    def passed(self) -> bool:
        """Whether price has gone through the cluster as told."""
        return direction(self.side) * (self.reach - self.far) >= 0.0

    @property
    def open(self) -> bool:
        """Whether there is still something to wait for: the receipt's end, or whether price comes."""
        return self.ending is None or not self.settled_ms

    @property
    def key(self) -> str:
        """What its receipt's message is known by, unique for ever."""
        return f"{self.alert}:receipt"

    @property
    def short_of_pct(self) -> float:
        """How far price stayed from the near edge in percent; negative: so far beyond it."""
        return 100.0 * direction(self.side) * math.log(self.near / self.reach)


followed_of = attrgetter(
    *("kind", "market", "track_id", "time_ms", "price", "cluster", "touch", "proven", "open_interest")
)
"""What `follow` reads of an event but whose it is: alerts equal in this have outcomes that differ in no more."""


def follow(event: Event) -> Outcome | None:
    """The outcome to wait for; None where an alert tells of nothing that price might still come to."""
    hours = HORIZON_H.get(event.kind)
    cluster = event.cluster
    if hours is None or cluster is None:
        return None
    outcome = Outcome(
        alert=event.dedupe_key,
        chat=event.chat,
        rule_id=event.rule_id,
        kind=event.kind,
        market=event.market,
        track_id=event.track_id,
        side=cluster.side,
        time_ms=event.time_ms,
        until_ms=event.time_ms + hours * HOUR_MS,
        price=event.price,
        low=cluster.low,
        high=cluster.high,
        reach=event.price,
        usd=cluster.usd if event.names_usd else None,
        expected_usd=cluster.expected_usd if event.names_usd else None,
        expected_high_usd=cluster.expected_high_usd if event.names_usd else None,
        chance=dict(event.touch).get(hours),
    )
    inside = direction(cluster.side) * (event.price - outcome.near) >= 0.0
    return replace(outcome, chance=None, touched_ms=event.time_ms, settled_ms=event.time_ms) if inside else outcome


def reached(outcome: Outcome, price: float, time_ms: int) -> Outcome:
    """After price was at `price`; what comes after its time is up says nothing any more."""
    sign = direction(outcome.side)
    if not outcome.time_ms < time_ms <= outcome.until_ms or sign * (price - outcome.reach) <= 0.0:
        return outcome
    if outcome.touched_ms or sign * (price - outcome.near) < 0.0:
        return replace(outcome, reach=price)
    return replace(outcome, reach=price, touched_ms=time_ms, settled_ms=time_ms)


def ended(outcome: Outcome, closed: CloseReason | None, time_ms: int) -> Outcome:
    """As it stands at `time_ms`, where its track has `closed` (None: not). A merged zone is still there to be reached.

    Swept is what price went through as told, or touched as told when its body of now was swept: a body may have moved.
    """
    over = time_ms >= outcome.until_ms
    settled_ms = outcome.settled_ms or (time_ms if over else 0)
    ending = outcome.ending
    if ending is None:
        if outcome.passed or (closed is CloseReason.SWEPT and outcome.touched_ms):
            ending = Ending.SWEPT
        elif over:
            ending = Ending.EXPIRED
        elif closed is CloseReason.FADED:
            ending = Ending.FADED
    if (settled_ms, ending) == (outcome.settled_ms, outcome.ending):
        return outcome
    ended_ms = outcome.ended_ms or (time_ms if ending is not None else 0)
    return replace(outcome, settled_ms=settled_ms, ending=ending, ended_ms=ended_ms)


def printed_usd(outcome: Outcome, prints: LiquidationPrints, cover: Sequence[tuple[int, int]]) -> float | None:
    """What the market's `prints` hold of the outcome's side within its cluster, give or take a cell, until its end.

    None where the stretches listened to, `cover`, leave more than a twentieth of that time out.
    """
    start_ms, end_ms = outcome.time_ms, outcome.ended_ms
    heard_ms = sum(max(0, min(end, end_ms) - max(start, start_ms)) for start, end in cover)
    if heard_ms < LEAST_HEARD * (end_ms - start_ms):
        return None
    first, last = np.searchsorted(prints.time_ms, (start_ms, end_ms))
    price = prints.price[first:last]
    inside = (price >= outcome.low * (1.0 - CELL)) & (price <= outcome.high * (1.0 + CELL))
    inside &= prints.is_long[first:last] == (outcome.side is Side.LONG)
    return float(prints.usd[first:last][inside].sum())


def direction(side: Side) -> float:
    """The sign of a move of price towards a zone of this side."""
    return 1.0 if side is Side.SHORT else -1.0
