"""Values to store: each argument is what the test is about, the rest is plausible."""

from typing import Any

from bot.alerts.types import Event, Kind, Market, Rule, RuleState, Severity, Track
from bot.liquidation.types import Cluster, MapLimit, Side
from bot.storage.outbox import OutboxRow

ZRX = Market("binance", "ZRXUSDT")
BTC = Market("binance", "BTCUSDT")
NOW = 1_765_000_000_000


def cluster(**changes: Any) -> Cluster:
    values: dict[str, Any] = {
        "side": Side.LONG,
        "low": 0.2301,
        "high": 0.2342,
        "peak": 0.2320,
        "usd": 1_250_000.5,
        "share": 0.17,
        "strength": 71,
    }
    return Cluster(**{**values, **changes})


def rule(chat: int = 1, market: Market = ZRX, **changes: Any) -> Rule:
    values: dict[str, Any] = {"id": 0, "kind": Kind.PROXIMITY, "threshold_pct": 1.5, "created_ms": NOW}
    return Rule(chat=chat, market=market, **{**values, **changes})


def track(track_id: str = "t1", market: Market = ZRX, **changes: Any) -> Track:
    values: dict[str, Any] = {
        "cluster": cluster(),
        "born_ms": NOW - 600_000,
        "seen_ms": NOW,
        "sizes": ((NOW - 300_000, 1_000_000.0), (NOW, 1_250_000.5)),
        "model_version": "1",
        "spans": ((0.2301, 0.2342),),
        "appeared": True,
    }
    return Track(id=track_id, market=market, **{**values, **changes})


def state(rule_id: int, track_id: str = "t1", **changes: Any) -> RuleState:
    return RuleState(rule_id, track_id, **changes)


def event(rule_id: int = 1, chat: int = 1, episode: int = 1, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "time_ms": NOW,
        "kind": Kind.PROXIMITY,
        "market": ZRX,
        "track_id": "t1",
        "severity": Severity.WARNING,
        "price": 0.2369,
        "cluster": cluster(expected_usd=40_000.0, expected_high_usd=90_000.0),
        "value_pct": 1.146,
        "threshold_pct": 1.5,
        "window_ms": 0,
        "reason": "near",
        "map_ms": NOW - 60_000,
        "open_interest": "estimated",
        "touch": ((1, 0.25), (4, 0.48), (24, 0.81)),
        "limits": (MapLimit.VOLUME_MODEL, MapLimit.SHORT_HISTORY),
    }
    return Event(rule_id=rule_id, chat=chat, episode=episode, **{**values, **changes})


def row(key: str, chat: int = 1, due_ms: int = NOW) -> OutboxRow:
    return OutboxRow(dedupe_key=key, chat=chat, payload={"text": key}, created_ms=due_ms)
