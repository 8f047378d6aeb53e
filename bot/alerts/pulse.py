"""A market's pulse: what is usual for it as a whole, learned as it goes, so that the unusual can be told."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from msgspec import Struct

from bot.alerts.cascade import STEPS, Minutes
from bot.alerts.concentration import Band
from bot.alerts.types import Market


class Pulse(Struct, frozen=True, gc=False):
    """What is usual for one market, as of the recompute of `slot_ms` and the liquidations heard until then."""

    market: Market
    slot_ms: int = 0
    band: Band = Band()
    minutes: Minutes = Minutes()

    def to_plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"band": self.band._asdict(), "minutes": asdict(self.minutes)}

    @classmethod
    def from_plain(cls, market: Market, slot_ms: int, plain: Mapping[str, Any]) -> "Pulse":
        """Raises KeyError, TypeError or ValueError where the text is of another version."""
        minutes = plain["minutes"]
        counts = tuple(float(count) for count in minutes["counts"])
        if len(counts) != STEPS:
            raise ValueError(f"{len(counts)} counts instead of {STEPS}")
        return cls(market, slot_ms, Band(**plain["band"]), Minutes(**{**minutes, "counts": counts}))
