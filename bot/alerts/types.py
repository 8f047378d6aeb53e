"""The words of the judgement: rules that chats keep, tracks of clusters, states, and the events that come of them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from bot.liquidation.types import Cluster, MapLimit, OpenInterestSource, Side


class Market(NamedTuple):
    """One contract on one exchange: `("binance", "ZRXUSDT")`."""

    exchange: str
    symbol: str


class Kind(StrEnum):
    """What an alert tells of."""

    PROXIMITY = "proximity"
    GROWTH = "growth"
    NEW_CLUSTER = "new_cluster"


class Severity(StrEnum):
    """How loud an alert may be."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Rule:
    """One watch rule of one chat.

    `threshold_pct` is the distance in percent for proximity and the growth in percent for growth; `window_ms` is the
    time over which growth is measured (0 for proximity). `min_usd` and `min_strength` are floors a cluster must
    reach, None where the rule names none. `id` is 0 until storage has given one.
    """

    id: int
    chat: int
    market: Market
    kind: Kind
    threshold_pct: float
    window_ms: int = 0
    side: Side | None = None
    min_usd: float | None = None
    min_strength: int | None = None
    created_ms: int = 0
    snoozed_until_ms: int = 0
    paused_reason: str | None = None


class CloseReason(StrEnum):
    """Why a track ended."""

    SWEPT = "swept"
    FADED = "faded"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Track:
    """A cluster through time. `id` is unique within the market and names nothing but the cluster's birth.

    `cluster` is the body as last seen, at slot `seen_ms`; `missed` counts recomputes since. `sizes` are
    (slot_ms, usd) samples, oldest first, as far back as the longest growth window needs; `spans` are the (low, high)
    edges of the newest of them, oldest first (where spans are fewer than sizes, the oldest edges are not known).
    `appeared` is True where the birth was witnessed: the market was mapped just before and nothing stood there.
    """

    id: str
    market: Market
    cluster: Cluster
    born_ms: int
    seen_ms: int
    missed: int = 0
    sizes: tuple[tuple[int, float], ...] = ()
    model_version: str = ""
    closed: CloseReason | None = None
    spans: tuple[tuple[float, float], ...] = ()
    appeared: bool = False


class Phase(StrEnum):
    """Where a (rule, track) pair stands."""

    ARMED = "armed"
    PENDING = "pending"
    FIRED = "fired"
    RECOVERING = "recovering"
    DONE = "done"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class RuleState:
    """The state machine's memory for one (rule, track). Times in ms UTC of the slot or tick that set them, 0 for never.

    `told` is the value last told of (for growth: the size in USD), which the next firing must outdo.
    """

    rule_id: int
    track_id: str
    phase: Phase = Phase.ARMED
    episode: int = 0
    since_ms: int = 0
    fired_ms: int = 0
    held: int = 0
    told: float = 0.0
    last_ms: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One alert, decided: everything its text and its picture need, in no language.

    `value_pct` is what was measured (distance or growth, in percent), `threshold_pct` and `window_ms` the rule's own.
    `touch` are (hours, probability) pairs for the cluster's nearest edge, `map_ms` the time of the map's last bar.
    `open_interest` tells whether the map rests on measured open interest or on volume, `limits` what it lacked,
    `proven` whether such maps were shown to know more than distance alone.
    `dedupe_key` is rule:market:track:episode:kind, unique for ever.
    """

    time_ms: int
    kind: Kind
    market: Market
    rule_id: int
    chat: int
    track_id: str
    episode: int
    severity: Severity
    price: float
    cluster: Cluster
    value_pct: float
    threshold_pct: float
    window_ms: int
    reason: str
    map_ms: int
    open_interest: OpenInterestSource
    touch: tuple[tuple[int, float], ...] = ()
    limits: tuple[MapLimit, ...] = ()
    proven: bool = False

    @property
    def names_usd(self) -> bool:
        """Whether a text may say how many USD stand there: measured, and by maps that were shown to be worth it."""
        return self.proven and self.open_interest == "measured"

    @property
    def dedupe_key(self) -> str:
        return f"{self.rule_id}:{self.market.exchange}:{self.market.symbol}:{self.track_id}:{self.episode}:{self.kind}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What one evaluation wants remembered and sent, to be committed in one transaction and only then applied.

    `observed` is the engine's own note of what was looked at; it is handed back with the rest and never stored.
    """

    states: tuple[RuleState, ...] = ()
    tracks: tuple[Track, ...] = ()
    rules: tuple[Rule, ...] = ()
    events: tuple[Event, ...] = ()
    observed: object | None = field(default=None, compare=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.states or self.tracks or self.rules or self.events)
