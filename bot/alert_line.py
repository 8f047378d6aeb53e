"""An alert, or its receipt, as one JSON line: what `demo --json` and `replay --json` print."""

import json

from bot.alerts.gate import Ruling
from bot.alerts.outcomes import Outcome
from bot.alerts.types import Event
from bot.reading import cluster_json

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def alert_line(event: Event, text: str, ruling: Ruling | None = None) -> str:
    """The line, keys in a fixed order, without a line end; the same event gives the same bytes.

    `ruling` adds what the gate made of it: the reason, when its message is due, and the alert whose message carries it.
    """
    delivery: dict[str, object] = {}
    if ruling is not None:
        carrier = None if ruling.leads else ruling.lead
        delivery = {"delivery": {"reason": ruling.reason.value, "due_ms": ruling.due_ms, "with": carrier}}
    return dump_line(
        {
            "time_ms": event.time_ms,
            "kind": event.kind.value,
            "symbol": event.market.symbol,
            "exchange": event.market.exchange,
            "rule": event.rule_id,
            "track": event.track_id,
            "episode": event.episode,
            "severity": event.severity.value,
            "price": event.price,
            "cluster": None
            if event.cluster is None
            else cluster_json(event.cluster, event.track_id, event.price, event.touch),
            "reason": event.reason,
            "text": text,
            **delivery,
        }
    )


def receipt_line(outcome: Outcome, text: str) -> str:
    """What came of an alert, as a line: `of` is the alert's rule:exchange:symbol:track:episode:kind."""
    touched_after = (outcome.touched_ms - outcome.time_ms) / 1000 if outcome.touched_ms else None
    return dump_line(
        {
            "time_ms": outcome.ended_ms,
            "kind": "receipt",
            "of": outcome.alert,
            "symbol": outcome.market.symbol,
            "exchange": outcome.market.exchange,
            "rule": outcome.rule_id,
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


def dump_line(values: dict[str, object]) -> str:
    """One line of JSON; no NaN can pass."""
    return _ENCODER.encode(values)
