"""While the bot was away: alerts too old to be sent as such, summed up by market, kind and side."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.alerts.types import Event, Kind
from bot.storage.codec import event_from_plain

Plain = Mapping[str, Any]
_MISSED = "missed"

STILL_NEWS = frozenset({Kind.EXPIRY, Kind.DIGEST})
"""Kinds that are worth reading late: what a rule's end asks of its owner, and what was summed up already."""


class AlertFolding:
    """Says which messages of the outbox are alerts, and makes one of many (`storage.outbox.Folding`)."""

    def __init__(self, fresh_ms: int) -> None:
        self._fresh_ms = fresh_ms

    @property
    def fresh_ms(self) -> int:
        return self._fresh_ms

    def takes(self, payload: Plain) -> bool:
        is_alert = {"kind", "market", "rule_id", "episode"} <= payload.keys()
        return self.is_summary(payload) or (is_alert and payload["kind"] not in STILL_NEWS)

    def is_summary(self, payload: Plain) -> bool:
        return _MISSED in payload

    def sum_up(self, payloads: Sequence[Plain]) -> Plain:
        """One entry for each market, kind and side: how many, since when, and the newest of them whole."""
        entries: dict[tuple[Any, ...], dict[str, Any]] = {}
        for entry in (entry for payload in payloads for entry in _entries(payload)):
            event = entry["newest"]
            side = event["cluster"]["side"] if event["cluster"] else event.get("side")
            key = (*event["market"], event["kind"], side)
            known = entries.get(key)
            if known is None:
                entries[key] = dict(entry)
                continue
            known["alerts"] += entry["alerts"]
            known["since_ms"] = min(known["since_ms"], entry["since_ms"])
            if event["time_ms"] >= known["newest"]["time_ms"]:
                known["newest"] = event
        return {_MISSED: list(entries.values())}


def _entries(payload: Plain) -> Sequence[Plain]:
    if _MISSED in payload:
        entries: Sequence[Plain] = payload[_MISSED]
        return entries
    return [{"alerts": 1, "since_ms": payload["time_ms"], "newest": payload}]


def missed_in(payload: Plain) -> Sequence[tuple[int, int, Event]]:
    """(alerts, ms UTC of the first, the newest) of each entry of a summary, the newest entry first."""
    entries = [(item["alerts"], item["since_ms"], event_from_plain(item["newest"])) for item in payload[_MISSED]]
    return sorted(entries, key=lambda item: -item[2].time_ms)
