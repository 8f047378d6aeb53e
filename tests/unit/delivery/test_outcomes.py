"""The table of what a failure means."""

import random

import pytest

from bot.delivery.messenger import (
    BadMessageError,
    ChatGoneError,
    ChatMigratedError,
    DeliveryError,
    MessengerDownError,
    NotSentError,
    TopicGoneError,
    UnknownOutcomeError,
)
from bot.delivery.outcomes import Action, judge, repeat_pause_s, retry_pause_s
from bot.storage.outbox import MAX_UNSURE, Claimed


def row(*, unsure: int = 0, plain: bool = False) -> Claimed:
    return Claimed(1, "k", 1, {}, 0, 0, 1, unsure, plain, "me")


@pytest.mark.parametrize(
    ("error", "unsure", "plain", "line_down", "action", "answered"),
    [
        # Certainly not sent: as often as it takes.
        (NotSentError("no route"), 0, False, False, Action.RETRY, False),
        (NotSentError("no route"), 1, True, True, Action.RETRY, False),
        # The server asked for patience: that is an answer.
        (NotSentError("slow down", retry_after_s=3), 0, False, False, Action.RETRY, True),
        # Unknown: one repeat.
        (UnknownOutcomeError("no answer"), 0, False, False, Action.REPEAT, False),
        (UnknownOutcomeError("no answer"), 1, False, False, Action.BURY, False),
        # Unknown again while nothing gets through: not this message's fault, up to a bound.
        (UnknownOutcomeError("no answer"), 1, False, True, Action.REPEAT, False),
        (UnknownOutcomeError("no answer"), MAX_UNSURE, False, True, Action.BURY, False),
        # The server dislikes the message: once as plain text, a repeat or not.
        (BadMessageError("can't parse"), 0, False, False, Action.PLAIN, True),
        (BadMessageError("can't parse"), 1, False, False, Action.PLAIN, True),
        (BadMessageError("can't parse"), 0, True, False, Action.BURY, True),
        # The topic is gone, the chat is not.
        (TopicGoneError("message thread not found"), 0, False, False, Action.LEAVE_TOPIC, True),
        # The chat.
        (ChatGoneError("blocked"), 0, False, False, Action.LEAVE_CHAT, True),
        (ChatMigratedError("moved", new_chat_id=-5), 0, False, False, Action.MOVE_CHAT, True),
        # The messenger.
        (MessengerDownError("wrong token"), 0, False, False, Action.STOP, True),
        # What nobody foresaw happened after the request may have left.
        (DeliveryError("?"), 0, False, False, Action.REPEAT, False),
        (ValueError("broken JSON"), 0, False, False, Action.REPEAT, False),
        (TimeoutError(), 1, False, False, Action.BURY, False),
    ],
)
def test_each_failure_has_one_meaning(
    error: Exception, unsure: int, plain: bool, line_down: bool, action: Action, answered: bool
) -> None:
    verdict = judge(error, row(unsure=unsure, plain=plain), line_down=line_down)
    assert (verdict.action, verdict.answered) == (action, answered)
    assert verdict.reason


@pytest.mark.parametrize("attempt", range(1, 40))
def test_pauses_grow_are_spread_and_have_an_end(attempt: int) -> None:
    chance = random.Random(attempt)
    longest = min(60.0, 2.0 ** (attempt - 1))
    pauses = {retry_pause_s(attempt, chance) for _ in range(50)}
    assert all(longest / 2 <= pause <= longest for pause in pauses)
    assert len(pauses) > 40


def test_what_the_server_asked_for_is_waited_out_and_a_little_more() -> None:
    assert all(35.1 <= retry_pause_s(9, random.Random(seed), asked_s=35) <= 36 for seed in range(50))


def test_a_repeat_comes_after_5_to_30_s_and_later_ones_later() -> None:
    chance = random.Random(3)
    assert all(5 <= repeat_pause_s(0, chance) <= 30 for _ in range(100))
    assert all(160 <= repeat_pause_s(9, chance) <= 960 for _ in range(100))
