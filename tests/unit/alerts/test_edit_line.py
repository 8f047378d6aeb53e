"""The line that changes a rule: what it says replaces what the rule said of the same, and nothing else moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.edit_line import parse_edit
from bot.alerts.grammar import ErrorCode, ParseError, format_watch, parse_watch
from bot.alerts.types import EVERYWHERE, Kind, Repeat, Rule
from bot.liquidation.values import replace
from tests.unit.alerts.scenes import BTC, HOUR, MINUTE, START

NOW = START + 10 * HOUR


def rule_of(line: str) -> Rule:
    """A stored rule that this line once made."""
    found = parse_watch(line, lambda typed: None if typed == "digest" else BTC, now_ms=NOW - HOUR)
    assert not isinstance(found, ParseError), f"{line}: {found}"
    return replace(found[0], id=12, chat=7, created_ms=NOW - HOUR)


def edited(before: str, line: str) -> Rule:
    found = parse_edit(rule_of(before), line, now_ms=NOW)
    assert not isinstance(found, ParseError), f"{line}: {found}"
    return found


# The rule as it was, the edit, and the line that makes the rule as it then is.
EDITS = [
    ("BTC 1%", "1.7%", "BTC 1.7%"),
    ("BTC 1%", "1,7 %", "BTC 1.7%"),
    ("BTC 1%", "2", "BTC 2%"),
    ("BTC short 1% 10M", "0.5%", "BTC short 0.5% 10M"),
    ("BTC 1%", "short 20M", "BTC short 1% 20M"),
    ("BTC short 1%", "long", "BTC long 1%"),
    ("BTC short 1%", "both", "BTC 1%"),
    ("BTC short 1% 10M strength 80", "any size no strength", "BTC short 1%"),
    ("BTC 1%", "every 30min", "BTC 1% every 30min"),
    ("BTC 1% every 30min", "once", "BTC 1% once"),
    ("BTC 1% once", "every 1h", "BTC 1% every 1h"),
    ("BTC 1% once", "no repeat", "BTC 1%"),
    ("BTC 1%", "1.5atr", "BTC 1.5atr"),
    ("BTC 1.5atr", "1%", "BTC 1%"),
    ("BTC 1.5atr", "2atr short", "BTC short 2atr"),
    ("BTC 1%", "60% in 4h", "BTC 60% in 4h"),
    ("BTC 60% in 4h", "70%", "BTC 70% in 4h"),
    ("BTC 60% in 4h", "odds 70%", "BTC 70% in 4h"),
    ("BTC 60% in 4h", "no odds 1%", "BTC 1%"),
    ("BTC 60% in 4h", "1atr", "BTC 1atr"),
    ("BTC 1%", "odds 30% in 4h", "BTC 1% odds 30% in 4h"),
    ("BTC 1% odds 30% in 4h", "any odds", "BTC 1%"),
    ("BTC 1% above 90k", "below 99k", "BTC 1% between 90k and 99k"),
    ("BTC 1% above 90k", "any price", "BTC 1%"),
    ("BTC short breakout 30min", "breakdown", "BTC long breakout 30min"),
    ("BTC 1% 10M", "confluence", "BTC 1% 10M confluence"),
    ("BTC 1% confluence", "no confluence", "BTC 1%"),
    ("BTC 1% confluence", "2% short", "BTC short 2% confluence"),
    ("BTC grow 10% 4h", "20%", "BTC grow 20% 4h"),
    ("BTC grow 10% 4h", "2h", "BTC grow 10% 2h"),
    ("BTC grow 10% 4h 20M", "swept", "BTC swept 20M"),
    ("BTC swept", "1%", None),
    ("BTC 1% 10M", "flip", "BTC flip 10M"),
    ("BTC exposure long 85000", "84000", "BTC exposure long 84000"),
    ("BTC exposure long 85000", "5%", "BTC exposure long 85000 5%"),
    ("BTC cascade 99%", "99.5% 2M", "BTC cascade 99.5% 2M"),
]


@pytest.mark.parametrize(("before", "line", "after"), EDITS)
def test_an_edit_changes_what_it_names(before: str, line: str, after: str | None) -> None:
    if after is None:
        refused = parse_edit(rule_of(before), line, now_ms=NOW)
        assert isinstance(refused, ParseError)
        assert refused.code is ErrorCode.NOT_FOR_KIND
        return
    wanted = rule_of(after)
    assert edited(before, line) == replace(wanted, created_ms=NOW - HOUR)


def test_an_edit_keeps_number_pause_snooze_end_and_label() -> None:
    rule = replace(rule_of('BTC 1% for 3d "my long"'), snoozed_until_ms=NOW + HOUR, paused_reason="by_hand")
    assert parse_edit(rule, "2%", now_ms=NOW) == replace(rule, threshold_pct=2.0)


def test_an_end_is_counted_from_the_edit_and_can_be_taken_off() -> None:
    rule = rule_of("BTC 1% for 3d")
    assert edited("BTC 1%", "for 2h").expires_ms == NOW + 2 * HOUR
    assert edited("BTC 1%", "for 2h").created_ms == NOW
    assert edited("BTC 1% for 3d", "no end").expires_ms == 0
    over = replace(rule, expires_ms=NOW - MINUTE, paused_reason="expired")
    assert parse_edit(over, "2%", now_ms=NOW) == replace(over, threshold_pct=2.0)


def test_a_label_is_given_and_taken_off() -> None:
    assert edited("BTC 1%", '"hedge"').label == "hedge"
    assert edited('BTC 1% "hedge"', "2%").label == "hedge"
    assert edited('BTC 1% "hedge"', "no label").label is None


def test_a_digest_takes_a_period_an_end_and_a_label_only() -> None:
    digest = rule_of("digest daily")
    assert digest.market == EVERYWHERE
    weekly = parse_edit(digest, 'weekly "mine"', now_ms=NOW)
    assert isinstance(weekly, Rule)
    assert (weekly.window_ms, weekly.label) == (7 * 24 * HOUR, "mine")
    refused = parse_edit(digest, "weekly 1%", now_ms=NOW)
    assert isinstance(refused, ParseError)
    assert refused.values["word"] == "1%"


@pytest.mark.parametrize(
    ("before", "line", "code", "word"),
    [
        ("BTC 1%", "", ErrorCode.EMPTY, None),
        ("BTC 1%", "900%", ErrorCode.PERCENT_RANGE, "900%"),
        ("BTC 1%", "soon", ErrorCode.NOT_UNDERSTOOD, "soon"),
        ("BTC 1%", "2% 3%", ErrorCode.TWICE, "3%"),
        ("BTC 1% above 90k", "below 80k", ErrorCode.BAD_PRICE, "below"),
        ("BTC swept", "breakout 3d", ErrorCode.TIME_RANGE, "3d"),
        ("BTC 1%", "exposure", ErrorCode.LEVEL_MISSING, "exposure"),
        ("BTC 1%", '"no end', ErrorCode.LABEL_OPEN, '"no'),
    ],
)
def test_what_cannot_be_is_refused_at_its_word(before: str, line: str, code: ErrorCode, word: str | None) -> None:
    refused = parse_edit(rule_of(before), line, now_ms=NOW)
    assert isinstance(refused, ParseError)
    assert refused.code is code
    if word is not None:
        assert str(refused.values["word"]).split()[0] == word


@given(st.sampled_from([each[0] for each in EDITS]), st.sampled_from([each[0] for each in EDITS]))
def test_saying_all_that_another_rule_of_the_kind_says_makes_it_that_rule_or_names_a_word(
    before: str, other: str
) -> None:
    wanted = rule_of(other)
    line = format_watch(wanted).partition(" ")[2]
    found = parse_edit(rule_of(before), line, now_ms=NOW)
    if isinstance(found, ParseError):
        assert str(found.values["word"]) in line
        return
    assert found.kind is (wanted.kind if wanted.kind is not Kind.PROXIMITY else rule_of(before).kind)
    assert found.repeat in (wanted.repeat, rule_of(before).repeat)
    assert (found.id, found.chat, found.market) == (12, 7, BTC)
    assert (found.repeat_ms > 0) == (found.repeat is Repeat.EVERY)
