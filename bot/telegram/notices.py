"""Short messages of no alert: stale data, a contract that leaves, a rule that stopped, a topic gone, errors logged."""

from collections.abc import Mapping
from typing import Any

from bot.alerts.types import Market
from bot.alerts.verdicts import BREAKER, BREAKER_FIRINGS
from bot.delivery.messenger import Message
from bot.telegram.callbacks import key
from bot.telegram.scene import base_name
from bot.telegram.texts import Html, Texts, escape
from bot.telegram.venues import exchange_name


def notice_message(
    payload: Mapping[str, Any], texts: Texts, *, chat: int, now_ms: int, repeat: bool = False
) -> Message:
    """The message of a notice as it was stored, for this chat."""
    silent = repeat or bool(payload.get("silent"))
    if payload["notice"] == "topic_gone":
        here = payload["chat"] == chat
        return Message(
            texts("topic.gone_here") if here else texts("topic.gone", chat=str(payload["chat"])), silent=silent
        )
    if payload["notice"] == "broadcast":
        return broadcast_message(str(payload["text"]), texts, repeat=repeat)
    if payload["notice"] == "faults":
        return _faults(payload, texts, now_ms=now_ms, repeat=repeat, silent=silent)
    if payload["notice"] in ("delisted", "delisting"):
        return _leaving(payload, texts, now_ms=now_ms, repeat=repeat)
    if payload["notice"] == BREAKER:
        return _stopped(payload, texts, repeat=repeat)
    since_ms = int(payload["since_ms"])
    text = texts.of(
        "freshness",
        payload["notice"],
        exchange=exchange_name(payload["exchange"], texts),
        since=texts.figures.clock(since_ms, now_ms=now_ms),
        long=texts.figures.duration(now_ms - since_ms),
    )
    return Message(texts("alert.repeat", line=text) if repeat else text, silent=silent)


def broadcast_message(text: str, texts: Texts, *, repeat: bool = False) -> Message:
    """What an operator tells every chat, as it arrives there: without a sound."""
    lines = Html("\n".join(escape(line) for line in text.splitlines()))
    words = texts("notice.broadcast", text=lines)
    return Message(texts("alert.repeat", line=words) if repeat else words, silent=True)


def _faults(payload: Mapping[str, Any], texts: Texts, *, now_ms: int, repeat: bool, silent: bool) -> Message:
    """What the log complains of, for those who run the bot."""
    lines = [
        texts(
            "faults.again" if kind["again"] else "faults.new",
            level=str(kind["level"]),
            text=str(kind["text"]),
            n=int(kind["times"]),
            time=texts.figures.clock(int(kind["since_ms"]), now_ms=now_ms),
        )
        for kind in payload["kinds"]
    ]
    if payload["more"]:
        lines.append(texts("faults.more", n=int(payload["more"])))
    text = Html("\n".join([texts("faults.title"), *lines, texts("faults.foot")]))
    return Message(texts("alert.repeat", line=text) if repeat else text, silent=silent)


def _stopped(payload: Mapping[str, Any], texts: Texts, *, repeat: bool) -> Message:
    """A rule was paused because it alerted too often."""
    market, rule = Market(payload["exchange"], payload["symbol"]), int(payload["rule"])
    text = texts("paused_notice.breaker", rule=str(rule), base=base_name(market), n=BREAKER_FIRINGS)
    buttons = ((key(texts.label("button.wake"), "zw", rule), key(texts.label("button.rules"), "rn")),)
    return Message(texts("alert.repeat", line=text) if repeat else text, buttons, silent=repeat)


def _leaving(payload: Mapping[str, Any], texts: Texts, *, now_ms: int, repeat: bool) -> Message:
    """A contract leaves its exchange, or has left."""
    market = Market(payload["exchange"], payload["symbol"])
    text = texts.of(
        "leaving",
        payload["notice"],
        exchange=exchange_name(market.exchange, texts),
        base=base_name(market),
        time=texts.figures.clock(int(payload["time_ms"]), now_ms=now_ms),
    )
    buttons = ((key(texts.label("button.rules"), "rn"),),)
    return Message(texts("alert.repeat", line=text) if repeat else text, buttons, silent=repeat)
