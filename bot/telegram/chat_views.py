"""What a chat is shown of itself: what came of its alerts, what waits for it, why, and what is kept of it."""

from dataclasses import dataclass

from bot.alerts.hit_rate import HitRate
from bot.alerts.manners import QuietHours
from bot.alerts.silence import Silence
from bot.alerts.types import Event, Kind, LogEntry, Rule
from bot.liquidation.types import Cluster


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
