"""What the engine is told of a market, and what it answers to questions."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from msgspec import Struct

from bot.alerts.types import Market, Phase, RuleState, Track
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, MapLimit, Mark, OpenInterestSource, Side
from bot.liquidation.whole import Whole

Touch = Callable[[Cluster, float], tuple[tuple[int, float], ...]]
"""(hours, probability) pairs that price, given, touches the cluster's nearest edge."""


Marks = Callable[[Cluster], tuple[Mark, ...]]
"""What else stands at a cluster's near edge."""


def no_odds(_cluster: Cluster, _price: float) -> tuple[tuple[int, float], ...]:
    """Where the odds are not known."""
    return ()


def no_marks(_cluster: Cluster) -> tuple[Mark, ...]:
    """Where the surroundings are not known."""
    return ()


def no_range() -> float:
    """Where the average true range is not known."""
    return math.nan


class Liquidation(NamedTuple):
    """One liquidation as a venue printed it: `side` is that of the closed position, `price` where it was closed."""

    time_ms: int
    symbol: str
    side: Side
    price: float
    usd: float


class MapReading(Struct, frozen=True):
    """One recompute of one market.

    `slot_ms` is the recompute's slot and drives all logic; `now_ms` is when it is judged, and only dates its events.
    `low` and `high` are the extremes of price over the bars that this map has seen and the last one had not. `map_ms`
    is the end of the map's last bar. `proven` tells whether such maps were shown to know more than distance alone.
    `whole` is the map that the clusters were read from, `volatility` that of the odds, `atr_pct` gives the average true
    range in percent; without them the kinds that ask for them are silent. `marks` tells what else stands at a cluster;
    it is asked only where a rule does, or an alert is told.
    """

    market: Market
    slot_ms: int
    now_ms: int
    clusters: tuple[Cluster, ...]
    price: float
    low: float
    high: float
    map_ms: int
    model_version: str
    open_interest: OpenInterestSource
    touch: Touch = no_odds
    limits: tuple[MapLimit, ...] = ()
    proven: bool = False
    whole: Whole | None = None
    volatility: Volatility | None = None
    atr_pct: Callable[[], float] = no_range
    marks: Marks = no_marks


@dataclass(frozen=True, slots=True)
class FirstLook:
    """A rule just made, against the market as it stands: what is true already is told of in the confirmation.

    `states` are to be stored with the rule and handed to `Engine.add_rule`; `already` is the track that satisfies
    the rule now, the nearest of them, with its distance in percent.
    """

    states: tuple[RuleState, ...]
    already: Track | None = None
    distance_pct: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands now: its nearest matching track, how far it is, and until when it cools (0: it does not).

    A rule that watches a market as a whole, or finds no cluster that it takes, has neither track nor distance. `told`
    is False where it waits out what was true when it was made or changed, of which nobody was told.
    """

    track: Track | None
    distance_pct: float | None
    phase: Phase
    cooling_until_ms: int = 0
    told: bool = True


class Work(Struct, frozen=True, gc=False):
    """How much the last evaluation had to look at: tracks that woke, and (rule, track) pairs that were judged."""

    woken: int = 0
    judged: int = 0
