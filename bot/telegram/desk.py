"""What the conversation asks of the rest of the program; `app` answers. What it is answered are views."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.alerts.manners import QuietHours
from bot.alerts.preferences import Preferences
from bot.alerts.types import LogEntry, Market, Rule
from bot.liquidation.depth import Depth
from bot.telegram.cascade_view import CascadeView
from bot.telegram.chat_views import PassedView, QuietView, StatsView, StoredView, TermsView, ToldView, WhyView
from bot.telegram.ground import GroundView
from bot.telegram.market_views import (
    AddedRule,
    ClusterView,
    LivesView,
    Look,
    MarketUnavailableError,
    MarketView,
    Resolution,
    RuleView,
    TooManyRulesError,
)
from bot.telegram.status_views import (
    BroadcastView,
    DeadView,
    ExchangeView,
    HistoryView,
    OperatorView,
    SkillView,
    StatusView,
    StreamView,
)
from bot.telegram.survey import PulseView, ScanView, Survey

__all__ = [
    "AddedRule",
    "BroadcastView",
    "ClusterView",
    "DeadView",
    "Desk",
    "ExchangeView",
    "HistoryView",
    "LivesView",
    "Look",
    "MarketUnavailableError",
    "MarketView",
    "Operator",
    "OperatorView",
    "PassedView",
    "PulseView",
    "QuietView",
    "Resolution",
    "RuleView",
    "ScanView",
    "SkillView",
    "StatsView",
    "StatusView",
    "StoredView",
    "StreamView",
    "TermsView",
    "ToldView",
    "TooManyRulesError",
    "WhyView",
]


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

    async def ground(self, market: Market) -> GroundView:
        """The market as far as any position reaches, with its exchange's rules. Raises MarketUnavailableError."""
        ...

    async def books(self, markets: Sequence[Market]) -> Mapping[Market, Depth]:
        """The order books of markets that are each of one exchange, seconds old; one that has none is left out."""
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

    async def cascade_picture(self, cascade: CascadeView, *, look: Look) -> tuple[bytes, str] | None:
        """The clusters against the order books, with the chains, as PNG; None where it could not be drawn."""
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

    def survey(self) -> Survey:
        """Answers about many markets at once."""
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
