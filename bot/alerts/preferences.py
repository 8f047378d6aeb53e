"""What a chat has chosen: how it is spoken to, what may ring, and what it is shown unless it asks otherwise."""

from dataclasses import dataclass
from enum import StrEnum

from bot.alerts.types import Severity


class Sound(StrEnum):
    """The least severity that makes a phone ring; what is less severe comes without a sound."""

    ALL = "all"
    WARNINGS = "warnings"
    CRITICAL = "critical"
    NONE = "none"

    def rings(self, severity: Severity) -> bool:
        """Whether an alert of this severity is heard."""
        return _RANKS[severity] >= _LEAST[self]


class Units(StrEnum):
    """How estimated sizes are written: in USD, where the map is worth it, or as a share of their side's positions."""

    USD = "usd"
    SHARE = "share"


THEMES = ("dark", "light")
"""The colours of pictures."""

MAP_RANGES = ("12h", "1d", "3d", "7d", "30d")
"""How far back the positions of a map may reach; the last one is all of it."""

_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
_LEAST = {Sound.ALL: 0, Sound.WARNINGS: 1, Sound.CRITICAL: 2, Sound.NONE: 3}


@dataclass(frozen=True, slots=True)
class Preferences:
    """One chat's choices.

    `language` is a catalogue's name, empty for the client's own; `zone` a time zone (`Europe/Berlin`, `UTC+2`), empty
    for UTC. `digest_hour` is the hour of the chat's day at which digests come. `exchange` is meant where a symbol is
    typed alone, empty for all together.
    """

    language: str = ""
    zone: str = ""
    sound: Sound = Sound.WARNINGS
    digest_hour: int = 8
    theme: str = THEMES[0]
    map_range: str = MAP_RANGES[-1]
    units: Units = Units.USD
    exchange: str = ""


NO_PREFERENCES = Preferences()
