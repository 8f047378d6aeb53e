"""Short messages about the bot itself: an exchange whose data is stale or back, a topic that is gone."""

from collections.abc import Mapping
from typing import Any

from bot.delivery.messenger import Message
from bot.telegram.texts import Texts
from bot.telegram.venues import exchange_name


def notice_message(payload: Mapping[str, Any], texts: Texts, *, now_ms: int, repeat: bool = False) -> Message:
    """The message of a notice as it was stored."""
    silent = repeat or bool(payload.get("silent"))
    if payload["notice"] == "topic_gone":
        return Message(texts("notice.topic_gone", chat=str(payload["chat"])), silent=silent)
    since_ms = int(payload["since_ms"])
    text = texts.of(
        "notice",
        payload["notice"],
        exchange=exchange_name(payload["exchange"], texts),
        since=texts.figures.clock(since_ms, now_ms=now_ms),
        long=texts.figures.duration(now_ms - since_ms),
    )
    return Message(texts("alert.repeat", line=text) if repeat else text, silent=silent)
