"""What a failed attempt means for its outbox row: the one table, and how long to wait."""

import random
from dataclasses import dataclass
from enum import Enum

from bot.delivery.messenger import (
    BadMessageError,
    ChatGoneError,
    ChatMigratedError,
    MessengerDownError,
    NotSentError,
    TopicGoneError,
    UnknownOutcomeError,
)
from bot.storage.outbox import MAX_UNSURE, Claimed


class Action(Enum):
    """What becomes of a row after a failed attempt."""

    RETRY = "try again later"
    REPEAT = "send once more, silently and marked, for it may have arrived"
    PLAIN = "try once as plain text"
    BURY = "give up with the reason"
    LEAVE_CHAT = "the chat refuses the bot: deactivate it"
    MOVE_CHAT = "the chat has a new id: move its rows and rules"
    LEAVE_TOPIC = "the topic is gone: send to General from now on"
    STOP = "the messenger cannot work: stop sending"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The action, its reason as it is stored with the row, and whether the server gave any answer."""

    action: Action
    reason: str
    answered: bool


# Kind of error, action at first, action where that has been tried on this row already.
TABLE: tuple[tuple[type[Exception], Action, Action], ...] = (
    (NotSentError, Action.RETRY, Action.RETRY),
    (UnknownOutcomeError, Action.REPEAT, Action.BURY),
    (ChatMigratedError, Action.MOVE_CHAT, Action.MOVE_CHAT),
    (ChatGoneError, Action.LEAVE_CHAT, Action.LEAVE_CHAT),
    (TopicGoneError, Action.LEAVE_TOPIC, Action.BURY),
    (BadMessageError, Action.PLAIN, Action.BURY),
    (MessengerDownError, Action.STOP, Action.STOP),
    # Anything else broke after the request may have left: an answer that could not be read, a call that hung.
    (Exception, Action.REPEAT, Action.BURY),
)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_REPEAT_AFTER_S = (5.0, 30.0)


def judge(error: Exception, row: Claimed, *, line_down: bool = False) -> Verdict:
    """What to do with a row whose attempt raised `error`.

    A repeat is made once. Only while nothing at all gets through (`line_down`) is it made again, later and later:
    else the outages of the messenger would lose alerts, and there a copy that arrived is unlikely.
    """
    first, again = next((first, again) for kind, first, again in TABLE if isinstance(error, kind))
    reason = str(error) or type(error).__name__
    asked_to_wait = isinstance(error, NotSentError) and error.retry_after_s is not None
    answered = asked_to_wait or first not in (Action.RETRY, Action.REPEAT)
    if first is Action.REPEAT and row.repeat and not (line_down and row.unsure < MAX_UNSURE):
        return Verdict(again, f"unconfirmed again after a repeat: {reason}", answered)
    return Verdict(again if first is Action.PLAIN and row.plain else first, reason, answered)


def retry_pause_s(attempts: int, chance: random.Random, *, asked_s: float | None = None) -> float:
    """Seconds before trying again: what the server asked for and a little more, else longer with each attempt."""
    if asked_s is not None:
        return asked_s + chance.uniform(0.1, 1.0)
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 10)) * chance.uniform(0.5, 1.0)


def repeat_pause_s(unsure: int, chance: random.Random) -> float:
    """Seconds before a message is sent once more whose outcome was unknown `unsure` times before."""
    return float(chance.uniform(*_REPEAT_AFTER_S) * 2.0 ** min(unsure, 5))
