"""What an app is built on, and the settings that it needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.alerts.gate import ALERTS_PER_HOUR, GROUP_MS
from bot.clock import Clock
from bot.delivery.messenger import Messenger
from bot.market.exchange import Exchange
from bot.market.feed import LiquidationFeed
from bot.storage.database import Database
from bot.telegram.speaking import Channels, NoChannels
from bot.workers import Workers


@dataclass(frozen=True, slots=True)
class World:
    """What an app is built on. `simulated` names the exchanges that are not real ones.

    `feeds` are the liquidations of exchanges that tell them; whoever runs the app makes them listen. `played` is True
    where time runs by a clock of its own, so that no message is late by it. `channels` are those that people set up
    from their private chats, `bot_name` the bot's name at Telegram once that is known. `may_send` is False once another
    process may have taken over (`bot.tenure`). `workers`
    are asked first for bars and maps, where several machines share the work.
    """

    exchanges: Mapping[str, Exchange]
    db: Database
    messenger: Messenger
    clock: Clock
    simulated: frozenset[str] = frozenset()
    feeds: Mapping[str, LiquidationFeed] = field(default_factory=dict)
    played: bool = False
    channels: Channels = field(default_factory=NoChannels)
    bot_name: Callable[[], str | None] = lambda: None
    may_send: Callable[[], bool] = lambda: True
    workers: Workers | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings an app needs."""

    rules_per_chat: int = 25
    history_days: int = 30
    tick_s: float = 2.0
    alert_fresh_ms: int = 900_000
    admin_ids: Sequence[int] = ()
    allowlist: bool = False
    allowed_ids: Sequence[int] = ()
    alerts_per_hour: int = ALERTS_PER_HOUR
    why_days: int = 14
    source_url: str = ""
    group_ms: int = GROUP_MS
    warm_symbols: int | None = None
    """How many contracts of each exchange are kept in store beside the watched ones; None: nothing is read ahead."""
