"""An alert, or its receipt, as one JSON line: what `demo --json` and `replay --json` print.

Rules that tell of one thing share most of a line. Such parts are put into JSON once, for the lines of all of them.
"""

import json
from json.encoder import encode_basestring as _dump

from bot.alerts.gate import Ruling
from bot.alerts.outcomes import Outcome
from bot.alerts.types import Event, Market
from bot.reading import cluster_json

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


class AlertJson:
    """The lines of alerts of one matter, keys in a fixed order, without line ends; the same event gives the same bytes.

    `event` is any of them: only its rule, episode, reason and text are a line's own.
    """

    def __init__(self, event: Event) -> None:
        cluster = event.cluster
        shown = None if cluster is None else cluster_json(cluster, event.track_id, event.price, event.touch)
        self._head = f'"time_ms": {event.time_ms}, "kind": {_dump(event.kind)}, {_market(event.market)}'
        self._track = _dump(event.track_id)
        self._body = _members({"severity": event.severity.value, "price": event.price, "cluster": shown})

    def line(self, event: Event, text: str, ruling: Ruling | None = None) -> str:
        """One alert's line. `ruling` adds what the gate made of it: the reason, when its message is due, and the alert
        whose message carries it.
        """
        delivery = ""
        if ruling is not None:
            carrier = "null" if ruling.leads else _dump(ruling.lead)
            reason = _dump(ruling.reason)
            delivery = f', "delivery": {{"reason": {reason}, "due_ms": {ruling.due_ms}, "with": {carrier}}}'
        return (
            f'{{{self._head}, "rule": {event.rule_id}, "track": {self._track}, "episode": {event.episode}, '
            f'{self._body}, "reason": {_dump(event.reason)}, "text": {_dump(text)}{delivery}}}'
        )


class ReceiptJson:
    """The lines of what came of alerts of one matter: `of` is the alert's rule:exchange:symbol:track:episode:kind."""

    def __init__(self, outcome: Outcome, text: str) -> None:
        touched_after = (outcome.touched_ms - outcome.time_ms) / 1000 if outcome.touched_ms else None
        self._head = f'"time_ms": {outcome.ended_ms}, "kind": "receipt"'
        self._market = _market(outcome.market)
        self._body = _members(
            {
                "track": outcome.track_id,
                "ending": None if outcome.ending is None else outcome.ending.value,
                "touched": outcome.touched_ms > 0,
                "touched_after_s": touched_after,
                "after_s": (outcome.ended_ms - outcome.time_ms) / 1000,
                "reach": outcome.reach,
                "short_of_pct": round(outcome.short_of_pct, 4),
                "chance": outcome.chance,
                "printed_usd": outcome.printed_usd,
                "expected_usd": outcome.expected_usd,
                "text": text,
            }
        )

    def line(self, alert: str, rule_id: int) -> str:
        """The line of one of the alerts, by its dedupe key and rule."""
        return f'{{{self._head}, "of": {_dump(alert)}, {self._market}, "rule": {rule_id}, {self._body}}}'


def dump_line(values: dict[str, object]) -> str:
    """One line of JSON; no NaN can pass."""
    return _ENCODER.encode(values)


def _members(values: dict[str, object]) -> str:
    """What stands between the braces of an object."""
    return dump_line(values)[1:-1]


def _market(market: Market) -> str:
    return f'"symbol": {_dump(market.symbol)}, "exchange": {_dump(market.exchange)}'
