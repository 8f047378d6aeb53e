"""An alert as one JSON line: what `demo --json` and `replay --json` print."""

import json

from bot.alerts.types import Event
from bot.reading import cluster_json


def alert_line(event: Event, text: str) -> str:
    """The line, keys in a fixed order, without a line end; the same event gives the same bytes."""
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
        }
    )


def dump_line(values: dict[str, object]) -> str:
    """One line of JSON; no NaN can pass."""
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))
