"""The words of the judgement: rules that chats keep, tracks of clusters, states, and the events that come of them."""

from enum import StrEnum
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from bot.alerts.reasons import Reason
from bot.liquidation.types import Cluster, MapLimit, OpenInterestSource, Side
from bot.liquidation.values import replace

if TYPE_CHECKING:
    from bot.alerts.pulse import Pulse


class Market(NamedTuple):
    """One contract on one exchange: `("binance", "ZRXUSDT")`."""

    exchange: str
    symbol: str


EVERYWHERE = Market("", "")
"""The market of a rule that speaks of all of a chat's markets, as a digest does."""


class Kind(StrEnum):
    """What an alert tells of, and what a rule asks for. No rule asks for `EXPIRY`: it tells of a rule's own end."""

    PROXIMITY = "proximity"
    GROWTH = "growth"
    NEW_CLUSTER = "new_cluster"
    SWEPT = "swept"
    BREAKOUT = "breakout"
    STOP_HUNT = "stop_hunt"
    CASCADE = "cascade"
    FLIP = "flip"
    CONCENTRATION = "concentration"
    EXPOSURE = "exposure"
    DIGEST = "digest"
    EXPIRY = "expiry"


class Severity(StrEnum):
    """How loud an alert may be."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Unit(StrEnum):
    """What a proximity rule's threshold counts: percent of price, average true ranges, or percent of probability."""

    PERCENT = "percent"
    ATR = "atr"
    ODDS = "odds"


class Repeat(StrEnum):
    """How often a rule tells of the same thing: once and never again, once per episode, or every so often meanwhile."""

    ONCE = "once"
    EPISODE = "episode"
    EVERY = "every"


class Where(Struct, frozen=True, gc=False):
    """Which clusters count, beside their side and size; None where the rule does not ask.

    The densest price lies between `price_low` and `price_high`; the distance from price is between `near_pct` and
    `far_pct`; the probability of a touch within `odds_ms` is at least `odds_pct`; with `confluence` something else
    stands at the near edge.
    """

    price_low: float | None = None
    price_high: float | None = None
    near_pct: float | None = None
    far_pct: float | None = None
    odds_pct: float | None = None
    odds_ms: int = 0
    confluence: bool = False


ANYWHERE = Where()


class Rule(Struct, frozen=True, gc=False):
    """One watch rule of one chat.

    `threshold_pct` is what the kind compares with: the distance of proximity (in the rule's `unit`), the growth of
    growth, the percentile of cascade and concentration, the margin of flip, the nearness of exposure; 0 where a kind
    compares nothing. `window_ms` is the time a kind measures over, the horizon of `Unit.ODDS`, or the period of a
    digest. `level` is the liquidation price that exposure watches. `min_usd` and `min_strength` are floors, None where
    the rule names none. It ends at `expires_ms` (0: never). `repeat_ms` belongs to `Repeat.EVERY`. `id` is 0 until
    storage has given one.
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
    unit: Unit = Unit.PERCENT
    where: Where = ANYWHERE
    level: float | None = None
    repeat: Repeat = Repeat.EPISODE
    repeat_ms: int = 0
    expires_ms: int = 0
    label: str | None = None


class CloseReason(StrEnum):
    """Why a track ended."""

    SWEPT = "swept"
    FADED = "faded"
    MERGED = "merged"


_size_usd = itemgetter(1)


class Track(Struct, frozen=True, gc=False):
    """A cluster through time. `id` is unique within the market and names nothing but the cluster's birth.

    `cluster` is the body as last seen, at slot `seen_ms`; `missed` counts recomputes since. `sizes` are
    (slot_ms, usd) samples, oldest first, as far back as the longest growth window needs; `spans` are the (low, high)
    edges of the newest of them, oldest first (where spans are fewer than sizes, the oldest edges are not known).
    `appeared` is True where the birth was witnessed: the market was mapped just before and nothing stood there.
    `closed_ms` is the slot that ended it, 0 while it is open. `best_strength` is its greatest strength so far.
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
    closed_ms: int = 0
    best_strength: int = 0

    @property
    def at_best(self) -> Cluster:
        """The body with the size and strength of its best: of one that price has eaten its way through, what it was."""
        usd = max(map(_size_usd, self.sizes), default=0.0)
        strength = max(self.best_strength, self.cluster.strength)
        return replace(self.cluster, usd=max(usd, self.cluster.usd), strength=strength)


class Phase(StrEnum):
    """Where a (rule, track) pair stands."""

    ARMED = "armed"
    PENDING = "pending"
    FIRED = "fired"
    RECOVERING = "recovering"
    DONE = "done"
    CLOSED = "closed"


class RuleState(Struct, frozen=True, gc=False):
    """The state machine's memory for one (rule, track). Times in ms UTC of the slot or tick that set them, 0 for never.

    What is no cluster has a track id of its own all the same, such as `flip-short` (`Event.track_id`). `told` is the
    value last told of (for growth: the size in USD), which the next firing must outdo.
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


class Event(Struct, frozen=True, gc=False):
    """One alert, decided: everything its text and its picture need, in no language.

    `value_pct` is what was measured (distance or growth, in percent), `threshold_pct` and `window_ms` the rule's own.
    `touch` are (hours, probability) pairs for the cluster's nearest edge, `map_ms` the time of the map's last bar.
    `open_interest` tells whether the map rests on measured open interest or on volume, `limits` what it lacked,
    `proven` whether such maps were shown to know more than distance alone.
    `cluster` is None where the event speaks of a market or a rule as a whole; `track_id` then names the matter
    (`cascade-long`), and `side` the side spoken of. `figures` are (name, value) pairs that the kind's module defines.
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
    cluster: Cluster | None
    value_pct: float
    threshold_pct: float
    window_ms: int
    reason: str
    map_ms: int
    open_interest: OpenInterestSource
    touch: tuple[tuple[int, float], ...] = ()
    limits: tuple[MapLimit, ...] = ()
    proven: bool = False
    side: Side | None = None
    unit: Unit = Unit.PERCENT
    figures: tuple[tuple[str, float], ...] = ()
    label: str | None = None

    def figure(self, name: str) -> float | None:
        """One of the kind's own figures, None where it was not known."""
        return dict(self.figures).get(name)

    @property
    def names_usd(self) -> bool:
        """Whether a text may say how many USD stand there: measured, and by maps that were shown to be worth it."""
        return self.proven and self.open_interest == "measured"

    @property
    def dedupe_key(self) -> str:
        return f"{self.rule_id}:{self.market.exchange}:{self.market.symbol}:{self.track_id}:{self.episode}:{self.kind}"


class LogEntry(Struct, frozen=True, gc=False):
    """One line of the decision log. Times in ms UTC; what does not apply is empty, 0 or None.

    `value_pct` is what was measured, `until_ms` when a wait ends, `key` the event's dedupe key, `lead` the key of the
    event whose message carries it.
    """

    time_ms: int
    reason: Reason
    market: Market
    chat: int = 0
    rule_id: int = 0
    track_id: str = ""
    episode: int = 0
    value_pct: float | None = None
    price: float | None = None
    until_ms: int = 0
    key: str = ""
    lead: str = ""


class Changes(Struct, frozen=True):
    """What one evaluation wants remembered and sent, to be committed in one transaction and only then applied.

    `pulses` are what is usual for a market now, `log` the steps of rules that gave no event. `observed` is the engine's
    own note of what was looked at; it is handed back with the rest and never stored.
    """

    states: tuple[RuleState, ...] = ()
    tracks: tuple[Track, ...] = ()
    rules: tuple[Rule, ...] = ()
    events: tuple[Event, ...] = ()
    log: tuple[LogEntry, ...] = ()
    pulses: tuple["Pulse", ...] = ()
    observed: object | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Changes) and _decided(self) == _decided(other)

    def __hash__(self) -> int:
        return hash(_decided(self))

    def __bool__(self) -> bool:
        return bool(self.states or self.tracks or self.rules or self.events or self.log or self.pulses)


_decided = attrgetter(*(name for name in Changes.__struct_fields__ if name != "observed"))
