"""What the conversation asks of the rest of the program; `app` answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.alerts.hit_rate import HitRate
from bot.alerts.lives import Life, LifeCount
from bot.alerts.manners import QuietHours
from bot.alerts.preferences import Preferences
from bot.alerts.silence import Silence
from bot.alerts.types import Event, Kind, LogEntry, Market, Phase, Rule
from bot.liquidation.combining import VenuePart
from bot.liquidation.types import Cluster, History, LiquidationMap
from bot.telegram.texts import Texts

if TYPE_CHECKING:
    from bot.telegram.ground import GroundView


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster as shown: `distance_pct` is signed (negative below price), `touch` holds (hours, probability) pairs."""

    cluster: Cluster
    track_id: str
    distance_pct: float
    touch: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class MarketView:
    """The newest knowledge of one market. `clusters` are strongest first; `price_ms` is when the price was seen.

    `simulated` is True where the market is not a real one, and every text and picture of it says so.
    `daily_move_pct` is a typical day's move (standard deviation of daily log returns, in percent), None where unknown.
    `proven` tells whether such maps were shown to know more than distance alone. `parts` are the exchanges that a
    combined map adds up or left out; `choices` the same coin's markets, all together first, where several list it.
    Of `known_share` of the open interest the liquidation prices are known exactly.
    """

    market: Market
    base: str
    tick_size: float
    price: float
    price_ms: int
    map: LiquidationMap
    clusters: tuple[ClusterView, ...]
    simulated: bool = False
    daily_move_pct: float | None = None
    proven: bool = False
    parts: tuple[VenuePart, ...] = ()
    choices: tuple[Market, ...] = ()
    known_share: float = 0.0

    @property
    def names_usd(self) -> bool:
        """Whether texts and pictures may name sizes in USD: open interest is measured, and the map is proven."""
        return self.proven and self.map.open_interest == "measured"


@dataclass(frozen=True, slots=True)
class LivesView:
    """The clusters of a market from `from_ms` to `end_ms`, looked at every `step_ms`: how many, and the `biggest`.

    `bars` are the path that price took meanwhile.
    """

    market: MarketView
    from_ms: int
    end_ms: int
    step_ms: int
    count: LifeCount
    biggest: tuple[Life, ...]
    bars: History


@dataclass(frozen=True, slots=True)
class Look:
    """How a chat wants its pictures: the words and figures in them, and their colours."""

    texts: Texts
    theme: str

    @property
    def name(self) -> str:
        """Names all by which pictures of the same thing differ."""
        return f"{self.texts.manner}:{self.theme}"


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule with its live state: the nearest matching cluster's distance in percent, None where there is none."""

    rule: Rule
    phase: Phase | None
    distance_pct: float | None
    cooling_until_ms: int = 0
    due_ms: int = 0
    """When a digest comes next; 0 for every other rule."""


@dataclass(frozen=True, slots=True)
class AddedRule:
    """A rule just stored. `already` tells the cluster that satisfies it now (said in the confirmation, no alert).

    `hears` tells whether liquidations of its exchange are listened to, without which a cascade is never seen. `first`
    is True of the first rule that the chat ever had, `blind` where its market has no map yet: it is judged from the
    first one on.
    """

    rule: Rule
    already: ClusterView | None
    existed: bool = False
    hears: bool = True
    first: bool = False
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a typed symbol means: a market, or up to three nearest names where it means none.

    `combined` is the same coin on all exchanges, where several list it and the text names none of them. It is `market`
    too where the text asks for all of them.
    """

    market: Market | None
    nearest: tuple[str, ...] = ()
    combined: Market | None = None

    @property
    def shown(self) -> Market | None:
        """The market whose map is meant."""
        return self.combined or self.market


@dataclass(frozen=True, slots=True)
class StreamView:
    """How an exchange's stream did since the start: since when it said nothing, and how late that came, in ms.

    `gaps` are times in which nobody listened, `dropped` liquidations for which there was no room, `unread` frames and
    rows that could not be understood.
    """

    age_ms: int
    late_ms: int | None
    reconnects: int
    gaps: int
    dropped: int
    unread: int


@dataclass(frozen=True, slots=True)
class HistoryView:
    """The history of one exchange: of `wanted` contracts `whole` are in store as far as they can be had.

    `missing` bars are holes in the maps that are open; `dropped` rows came that could not be true.
    """

    whole: int
    wanted: int
    missing: int
    dropped: int


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """How one exchange is heard. Times in ms UTC, None where there is none yet; `age_ms` of the newest price.

    `hears` tells whether liquidations are listened to now, None where it has no feed of them; `requests` are those of
    the last `window_ms` and those allowed, None where it does not count them so; `stream` is None where none was heard.
    Nothing is asked before `silent_until_ms`, None where it may be asked now.
    """

    exchange: str
    age_ms: int | None
    bar_ms: int | None
    hears: bool | None
    last_print_ms: int | None
    requests: tuple[int, int] | None
    stream: StreamView | None = None
    window_ms: int = 60_000
    silent_until_ms: int | None = None
    history: HistoryView | None = None


@dataclass(frozen=True, slots=True)
class SkillView:
    """A verdict on the maps of one market, or with an empty symbol of a whole exchange, as shares of 1 over distance.

    `verdict` is proven, not_proven or too_few; `low` and `high` bound the 90 % interval.
    """

    market: Market
    verdict: str
    skill: float
    low: float
    high: float
    liquidations: int
    blocks: int


@dataclass(frozen=True, slots=True)
class StatusView:
    """How the bot does: its exchanges, and what its maps are worth, those of all markets first."""

    exchanges: tuple[ExchangeView, ...]
    skills: tuple[SkillView, ...]
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class DeadView:
    """A message that ended undelivered, when (ms UTC) and why."""

    id: int
    chat: int
    ended_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class BroadcastView:
    """What an operator tells all `chats`: `stage` is draft, sending, queued or cancelled; `told` have it already."""

    id: int
    text: str
    stage: str
    chats: int
    told: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class OperatorView:
    """What an operator looks at: messages without an end, the oldest since `waiting_since_ms`; those that ended
    undelivered, the newest of them first; how the exchanges are heard; chats that can be written to, rules judged.

    `active` chats spoke in the last seven days. With `allowlist` only those `let_in` by name may use the bot;
    `turned_away` may not in any case. `broadcast` is the newest one.
    """

    waiting: int
    waiting_since_ms: int
    dead: int
    newest_dead: tuple[DeadView, ...]
    exchanges: tuple[ExchangeView, ...]
    chats: int
    rules: int
    active: int = 0
    allowlist: bool = False
    let_in: int = 0
    turned_away: int = 0
    broadcast: BroadcastView | None = None


@dataclass(frozen=True, slots=True)
class StatsView:
    """What came of a chat's alerts in the last `days` days: all, by kind and by rule, those with most alerts first.

    `rules` are (number, the rule where it is still there, its hit rate).
    """

    days: int
    total: HitRate
    kinds: tuple[tuple[Kind, HitRate], ...] = ()
    rules: tuple[tuple[int, Rule | None, HitRate], ...] = ()


@dataclass(frozen=True, slots=True)
class QuietView:
    """When a chat is silent: its quiet hours, until when it is muted (0: it is not), what waits, since and until."""

    hours: QuietHours | None
    quiet_until_ms: int = 0
    muted_until_ms: int = 0
    held: int = 0
    held_since_ms: int = 0
    held_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class ToldView:
    """One event of a message, and the decision log on its rule and cluster up to then, oldest first."""

    event: Event
    base: str
    tick_size: float
    rule: Rule | None
    path: tuple[LogEntry, ...]


@dataclass(frozen=True, slots=True)
class PassedView:
    """A cluster that price went through, and why the rule gave no alert of it (or that it did)."""

    cluster: Cluster
    time_ms: int
    silence: Silence


@dataclass(frozen=True, slots=True)
class WhyView:
    """Why a rule is silent now, and what became of its alerts in the last day, newest first.

    `stale` are times without data as (from, to), `to` None while it lasts.
    """

    rule: Rule
    base: str
    tick_size: float
    now: tuple[Silence, ...]
    log: tuple[LogEntry, ...]
    passed: tuple[PassedView, ...]
    stale: tuple[tuple[int, int | None], ...]
    names_usd: bool = False


@dataclass(frozen=True, slots=True)
class TermsView:
    """Which version runs, its licence and where its source is (empty: not told), and for how many days what is kept.

    `told_days` of messages, `decided_days` of the decision log, `followed_days` of what came of alerts, `deleted_days`
    of rules that were deleted.
    """

    version: str
    licence: str
    source_url: str
    told_days: int
    decided_days: int
    followed_days: int
    deleted_days: int


@dataclass(frozen=True, slots=True)
class StoredView:
    """Everything that is stored of a chat, as JSON; of the oldest of it `left_out` entries found no room."""

    document: bytes
    left_out: int = 0


class MarketUnavailableError(Exception):
    """There is no map for this market now; `reason` is a key of the catalogue's `unavailable` table."""

    def __init__(self, market: Market, reason: str) -> None:
        super().__init__(f"{market.exchange} {market.symbol}: {reason}")
        self.market = market
        self.reason = reason


class TooManyRulesError(Exception):
    """The chat has as many rules as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the limit is {limit} rules")
        self.limit = limit


class Operator(Protocol):
    """What those who run the bot can do in the chat."""

    async def view(self) -> OperatorView: ...

    async def requeue(self, message: int) -> bool:
        """Send a message after all that ended undelivered; False where it is none such."""
        ...

    async def decide(self, guest: int, *, allowed: bool) -> bool:
        """Let a chat or a person in, or turn them away; False where that cannot be."""
        ...

    async def draft(self, text: str) -> BroadcastView:
        """Keep a text for all chats until it is confirmed."""
        ...

    async def confirm(self, broadcast: int) -> BroadcastView | None:
        """Let a draft go out; None where it is none any more."""
        ...

    async def cancel(self, broadcast: int) -> BroadcastView | None:
        """Tell nobody else; None where there is nothing to stop."""
        ...


class Desk(Protocol):
    """Everything a conversation can do. Rules of another chat are never found."""

    def resolve(self, text: str, *, exchange: str = "") -> Resolution:
        """What a typed symbol means; where it names no exchange, on `exchange`, if that lists it."""
        ...

    def popular(self) -> Sequence[str]:
        """A few symbols to offer, most traded first."""
        ...

    def traded(self) -> Sequence[str]:
        """Every symbol that can be watched, most traded first."""
        ...

    async def view(self, market: Market, *, range_ms: int | None = None) -> MarketView:
        """The market now; `range_ms` counts only positions opened that recently. Raises MarketUnavailableError."""
        ...

    async def ground(self, market: Market) -> "GroundView":
        """The market as far as any position reaches, with its exchange's rules. Raises MarketUnavailableError."""
        ...

    async def picture(
        self,
        view: MarketView,
        *,
        look: Look,
        range_ms: int | None = None,
        by_leverage: bool = False,
        level: float | None = None,
    ) -> tuple[bytes, str] | None:
        """The map as PNG with a name for what it shows; None where it could not be drawn (it is logged).

        `level` is a price of the reader's own that is marked in it.
        """
        ...

    async def heatmap(self, view: MarketView, *, look: Look, range_ms: int) -> tuple[bytes, str] | None:
        """How the map came to be over `range_ms`, as PNG; None where it could not be drawn. Takes a second or more."""
        ...

    async def lives(self, market: Market, *, range_ms: int) -> LivesView:
        """The clusters of the last `range_ms`. Takes a second or more. Raises MarketUnavailableError."""
        ...

    async def lives_picture(self, view: LivesView, *, look: Look) -> tuple[bytes, str] | None:
        """The biggest of them as PNG; None where it could not be drawn."""
        ...

    async def add_rule(self, rule: Rule) -> AddedRule:
        """Store a rule; the same rule again is found, not doubled. Raises TooManyRulesError.

        Where its market may never have a map (too little history, a refusing exchange) raises MarketUnavailableError.
        """
        ...

    async def rules(self, chat: int) -> Sequence[RuleView]: ...

    async def edit_rule(self, rule: Rule) -> AddedRule | None:
        """Let a rule of the chat ask for something else under its own number; None where the chat has none such.

        `existed` is True where another rule asks for that already: it is given back, and nothing is changed.
        """
        ...

    async def pause_rule(self, chat: int, rule_id: int) -> Rule | None:
        """Let one rule say nothing until it is woken by `snooze_rule(..., 0)`."""
        ...

    def bot_name(self) -> str | None:
        """The bot's name at Telegram, None where it has none or it is not known yet."""
        ...

    def rules_limit(self) -> int:
        """How many rules a chat may have (the setting RULES_PER_CHAT)."""
        ...

    async def remove_rule(self, chat: int, rule_id: int) -> Rule | None:
        """Remove one rule; None where this chat has none such."""
        ...

    async def restore_rule(self, chat: int, rule_id: int) -> Rule | None:
        """Undo a removal, within a day."""
        ...

    async def snooze_rule(self, chat: int, rule_id: int, until_ms: int) -> Rule | None:
        """Silence one rule until then; 0 wakes it."""
        ...

    async def renew_rule(self, chat: int, rule_id: int, expires_ms: int) -> Rule | None:
        """Let one rule run until then, 0 for good, also where it has ended."""
        ...

    async def quiet(self, chat: int) -> QuietView:
        """When a chat is silent, and what waits for it."""
        ...

    async def set_quiet(self, chat: int, hours: QuietHours | None) -> None:
        """Keep a chat's quiet hours, or none. Raises UnknownZoneError."""
        ...

    def exchanges(self) -> Sequence[str]:
        """The exchanges that are read."""
        ...

    async def preferences(self, chat: int) -> Preferences:
        """What a chat has chosen."""
        ...

    async def prefer(self, chat: int, chosen: Preferences) -> None:
        """Keep what a chat has chosen. Raises UnknownZoneError."""
        ...

    async def mute(self, chat: int, until_ms: int) -> None:
        """Hold all of a chat's alerts until then; 0 ends it."""
        ...

    def terms(self) -> TermsView:
        """What this is, and how long it keeps what."""
        ...

    async def export(self, chat: int) -> StoredView:
        """Everything that is stored of a chat."""
        ...

    async def forget(self, chat: int) -> None:
        """Delete everything of a chat: its rules, its settings, what waits for it, what was told."""
        ...

    async def why_told(self, chat: int, message_id: int) -> Sequence[ToldView]:
        """What a message of this chat told, and why; empty where it is no alert, or too old."""
        ...

    async def why_silent(self, chat: int, rule_id: int) -> WhyView | None:
        """Why a rule says nothing now; None where this chat has none such."""
        ...

    async def decisions(self, chat: int) -> Sequence[LogEntry]:
        """What became of the chat's alerts lately, the newest first."""
        ...

    async def status(self, chat: int) -> StatusView:
        """How the bot does, with the verdicts on the markets that this chat watches."""
        ...

    async def stats(self, chat: int) -> StatsView:
        """What came of the chat's alerts."""
        ...

    def operator(self, user: int | None) -> Operator | None:
        """What this person may do as one who runs the bot; None for everybody else."""
        ...

    def now_ms(self) -> int: ...
