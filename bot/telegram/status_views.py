"""How the bot does: what everybody is shown of it, and what those who run it."""

from dataclasses import dataclass

from bot.alerts.types import Market
from bot.telegram.findings import Finding


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
    `turned_away` may not in any case. `broadcast` is the newest one; `findings` is what is wrong now.
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
    findings: tuple[Finding, ...] = ()
