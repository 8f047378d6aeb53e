"""How much one chat may ask in a minute."""

from bot.telegram.flood import Flood


def test_beyond_the_limit_a_chat_is_warned_once_and_then_passed_over() -> None:
    flood = Flood(2)
    assert [flood.verdict(1, 0.0) for _ in range(5)] == ["answer", "answer", "warn", "pass_over", "pass_over"]


def test_a_chat_is_answered_again_a_minute_after_its_oldest_request() -> None:
    flood = Flood(2)
    flood.verdict(1, 0.0)
    flood.verdict(1, 30.0)
    assert flood.verdict(1, 59.9) == "warn"
    assert flood.verdict(1, 60.0) == "answer"
    assert flood.verdict(1, 60.1) == "warn"


def test_chats_do_not_count_for_each_other() -> None:
    flood = Flood(1)
    assert [flood.verdict(chat, 0.0) for chat in (1, 2, 1)] == ["answer", "answer", "warn"]


def test_an_idle_chat_is_forgotten() -> None:
    flood = Flood(1)
    flood.verdict(1, 0.0)
    flood.verdict(1, 1.0)
    flood.forget_idle(59.0)
    assert flood.verdict(1, 59.0) == "pass_over"
    flood.forget_idle(60.0)
    assert flood.verdict(1, 60.0) == "answer"
