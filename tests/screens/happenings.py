"""What happens to a chat without its asking: alerts of every kind, receipts, notices."""

from collections.abc import Mapping
from typing import Any

from bot.alerts.outcomes import Outcome
from bot.alerts.types import EVERYWHERE, Changes, Event, Kind, Severity
from bot.doorbell import outbox_rows
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace
from bot.missed import AlertFolding
from bot.reading import touch_odds
from bot.storage.codec import event_to_plain
from bot.storage.outbox import OutboxRow
from bot.storage.outcomes import outcome_to_plain
from bot.telegram.alerts_text import sample_event
from tests.screens.chat import Chat

GROUP_WAIT_MS = 6_000
"""After so long a group of alerts is complete."""


async def near(
    chat: Chat,
    kind: Kind,
    base: str = "BTC",
    *,
    side: Side | None = None,
    nth: int = 0,
    away_pct: float,
    **changes: Any,
) -> Event:
    """An alert of the nth nearest cluster of a market (on a side), had price come so near to its edge; 0 is inside."""
    app, now_ms = chat.stage.app, chat.stage.clock.now_ms()
    market = app.desk.resolve(base).market
    assert market is not None, base
    view, live = await app.desk.view(market), app.markets.get(market)
    assert live is not None
    fitting = [each for each in view.clusters if side in (None, each.cluster.side)]
    chosen = sorted(fitting, key=lambda each: abs(each.distance_pct))[min(nth, len(fitting) - 1)]
    price = _price_at(chosen.cluster, away_pct)
    event = replace(
        sample_event(view, chosen, now_ms=now_ms),
        kind=kind,
        rule_id=await _rule_id(chat, kind, base),
        chat=chat.id,
        severity=Severity.WARNING,
        episode=chat.stage.next_update(),
        price=price,
        value_pct=away_pct,
        touch=touch_odds(chosen.cluster, price, live.reading.volatility),
    )
    return replace(event, **changes)


async def of_market(chat: Chat, kind: Kind, base: str = "BTC", *, side: Side | None = None, **changes: Any) -> Event:
    """An alert that speaks of a market as a whole, or with no base of all of a chat's markets."""
    event = await near(chat, kind, base or "BTC", away_pct=1.0)
    whole = replace(event, cluster=None, track_id=kind.value, side=side, touch=())
    return replace(whole if base else replace(whole, market=EVERYWHERE), **changes)


async def tell(chat: Chat, *events: Event) -> None:
    """Let these be decided at once, as the watch does, and wait until what comes of it is there."""
    stage = chat.stage
    app, now_ms = stage.app, stage.clock.now_ms()
    changes = Changes(events=events)
    rulings, begun = app.bell.rule(changes, now_ms=now_ms), app.aftermath.begin(events)
    await stage.db.commit_changes(
        changes,
        outbox_rows(rulings, now_ms=now_ms),
        log=rulings.log(now_ms),
        outcomes=begun.outcomes,
        now_ms=now_ms,
    )
    app.bell.apply(rulings)
    app.aftermath.apply(begun)
    stage.told |= {event.kind for event in events}
    stage.clock.step_to(now_ms + GROUP_WAIT_MS)
    app.worker.wake()
    await app.delivered()


async def receipt(chat: Chat, outcome: Outcome, *, reply_to: int) -> None:
    """What came of an alert, in answer to it."""
    await _send(chat, {"receipt": outcome_to_plain(outcome), "reply_to": reply_to})


async def missed(chat: Chat, *events: Event) -> None:
    """The summary of alerts that could not be sent in time."""
    await _send(chat, AlertFolding(0).sum_up([event_to_plain(event) for event in events]))


async def notice(chat: Chat, payload: Mapping[str, Any]) -> None:
    """A message of the bot's own accord that is no alert."""
    await _send(chat, payload)


async def _send(chat: Chat, payload: Mapping[str, Any]) -> None:
    stage = chat.stage
    key = f"{chat.id}:{stage.next_update()}"
    await stage.db.outbox.add([OutboxRow(key, chat.id, payload, created_ms=stage.clock.now_ms())])
    stage.app.worker.wake()
    await stage.app.delivered()


async def _rule_id(chat: Chat, kind: Kind, base: str) -> int:
    """The chat's rule of this kind and market, or else any of it."""
    rules = await chat.stage.app.watch.rules_of(chat.id)
    wanted = chat.stage.app.desk.resolve(base).market
    return min(rules, key=lambda rule: (rule.market != wanted, rule.kind is not kind, rule.id)).id


def _price_at(cluster: Cluster, away_pct: float) -> float:
    if away_pct == 0.0:
        return (cluster.low + cluster.high) / 2
    if cluster.side is Side.SHORT:
        return cluster.low / (1 + away_pct / 100)
    return cluster.high / (1 - away_pct / 100)
