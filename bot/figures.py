"""The bot's state at one moment, for whoever watches it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.health import Look
from bot.market.line import LineStatus
from bot.telegram.desk import StreamView
from bot.telegram.findings import Finding


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen last. `bar_lag_s` is since the close of the bar that the watched market furthest behind is made of,
    by exchange; `loop_lag_s` the worst lateness of the loop since the look before.
    """

    look: Look = field(default_factory=Look)
    findings: tuple[Finding, ...] = ()
    streams: Mapping[str, StreamView] = field(default_factory=dict)
    books: Mapping[str, LineStatus] = field(default_factory=dict)
    bar_lag_s: Mapping[str, float] = field(default_factory=dict)
    database_failures: Mapping[str, int] = field(default_factory=dict)
    loop_lag_s: float = 0.0
    loop_stalls: int = 0
    rules: int = 0
    markets: int = 0
