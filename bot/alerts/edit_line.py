"""The one line that changes a rule: `1.7%`, `short 20M`, `every 30min`, `any size no label`.

It is read by the grammar of /watch: what it says replaces what the rule said of the same, all else stays.
`any` or `no` before a term takes it off the rule; `both` watches longs and shorts.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from bot.alerts import lexicon as lex
from bot.alerts.digest import DAY_MS
from bot.alerts.faults import ErrorCode, FaultError, ParseError
from bot.alerts.grammar import split_label
from bot.alerts.line_reader import LineReader, Terms
from bot.alerts.line_writer import term_words
from bot.alerts.rule_builder import GOES_WITH, RuleBuilder
from bot.alerts.typed import Word, split_words
from bot.alerts.types import Kind, Rule, Unit
from bot.liquidation.values import replace

_FIELDS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("kind", "side", "percent", "within", "beyond", "atr", "window", "size", "strength")},
    **{name: (name,) for name in ("level", "above", "below", "every", "once", "confluence")},
    "odds": ("odds", "odds_minutes"),
    "expiry": ("life", "until_ms"),
}
"""Where each term keeps what was said."""

_TAKEN_OFF: Mapping[str, frozenset[str]] = {
    **{word: frozenset({"side"}) for word in ("side", "sides")},
    **{word: frozenset({"size"}) for word in ("size", "usd", "minimum")},
    "strength": frozenset({"strength"}),
    **{word: frozenset({"above", "below"}) for word in ("price", "prices", "range")},
    **{word: frozenset({"odds"}) for word in lex.ODDS},
    **{word: frozenset({"beyond", "within"}) for word in ("beyond", "distance")},
    **{word: frozenset({"once", "every"}) for word in ("repeat", "once", "every")},
    **{word: frozenset({"expiry"}) for word in ("end", "ends", "expiry", "until")},
    **{word: frozenset({"confluence"}) for word in lex.CONFLUENCE},
    "label": frozenset({"label"}),
}
"""What `any` or `no` before a word takes off."""

_OFF = frozenset({"any", "no"})
_BOTH = frozenset({"both", "either"})
_OF_KIND = frozenset({"percent", "within", "atr", "odds", "window", "level"})
"""Terms whose meaning is the kind's own: they do not outlive it."""


def parse_edit(rule: Rule, line: str, *, now_ms: int, offset_ms: int = 0) -> Rule | ParseError:
    """The rule as the line changes it, its number and its state untouched, or what is wrong with the line and where."""
    words: tuple[Word, ...] = ()
    try:
        rest, label = split_label(line)
        words = split_words(rest)
        if not words and label is None:
            return ParseError(0, ErrorCode.EMPTY)
        said, off = _taken_off(words)
        changed = _digest(rule, said, now_ms, offset_ms) if rule.kind is Kind.DIGEST else None
        if changed is None:
            changed = _changed(rule, said, off, now_ms=now_ms, offset_ms=offset_ms)
        if "expiry" in off:
            changed = replace(changed, expires_ms=0)
        return replace(changed, label=None if "label" in off else label or rule.label)
    except FaultError as fault:
        word = fault.word if fault.word in words or not words else words[0]
        understood = " ".join(each.typed for each in words if each.start < word.start)
        return ParseError(word.start, fault.code, {"word": word.typed, "understood": understood, **fault.values})


def _taken_off(words: Sequence[Word]) -> tuple[tuple[Word, ...], frozenset[str]]:
    """The words that say something, and the terms that others take off."""
    off: set[str] = set()
    used: set[Word] = set()
    for word, following in pairwise(words):
        if word.text in _OFF and following.text in _TAKEN_OFF:
            off |= _TAKEN_OFF[following.text]
            used |= {word, following}
    for word in words:
        if word.text in _BOTH:
            off.add("side")
            used.add(word)
    return tuple(word for word in words if word not in used), frozenset(off)


def _changed(rule: Rule, words: Sequence[Word], off: frozenset[str], *, now_ms: int, offset_ms: int) -> Rule:
    reader = LineReader(words, now_ms=now_ms, offset_ms=offset_ms)
    reader.terms.kind = rule.kind
    said = reader.read()
    before = LineReader(split_words(term_words(rule)), now_ms=now_ms, offset_ms=offset_ms).read()
    terms = _merged(rule, before, said, off)
    draft = RuleBuilder(terms, now_ms=now_ms, normal_pct=rule.threshold_pct).rule(rule.market)
    ends = "expiry" in said.said
    return replace(
        draft,
        id=rule.id,
        chat=rule.chat,
        created_ms=now_ms if ends else rule.created_ms,
        expires_ms=draft.expires_ms if ends else rule.expires_ms,
        snoozed_until_ms=rule.snoozed_until_ms,
        paused_reason=rule.paused_reason,
        label=rule.label,
    )


def _merged(rule: Rule, before: Terms, said: Terms, off: frozenset[str]) -> Terms:
    """What was said before, where the new line says nothing that replaces it."""
    kind = said.kind or rule.kind
    gone = set(said.said) | off | ({"once", "every"} if {"once", "every"} & said.said.keys() else set())
    if kind is not rule.kind:
        gone |= _OF_KIND | (before.said.keys() - GOES_WITH.get(kind, frozenset()))
    elif kind is Kind.PROXIMITY:
        gone |= _other_measures(rule, said, off)
        if "odds" in said.said and "window" in before.said and said.odds_minutes is None:
            said.odds_minutes = before.window
    said.kind = kind
    for name in before.said.keys() - gone:
        said.said[name] = before.said[name]
        for field in _FIELDS[name]:
            setattr(said, field, getattr(before, field))
    return said


def _other_measures(rule: Rule, said: Terms, off: frozenset[str]) -> set[str]:
    """The ways to measure nearness that a new one puts an end to: percent, true ranges, odds of a touch."""
    of_odds = rule.unit is Unit.ODDS
    if "atr" in said.said or (of_odds and {"odds", "within"} & said.said.keys()) or (of_odds and "odds" in off):
        return {"percent", "within", "atr", "window"}
    if "window" in said.said:
        return {"atr", "within", "odds"}
    if "percent" in said.said:
        return {"atr"} if of_odds or rule.unit is Unit.ATR else {"within"}
    return {"percent"} if "within" in said.said and rule.unit is Unit.PERCENT else set()


def _digest(rule: Rule, words: Sequence[Word], now_ms: int, offset_ms: int) -> Rule:
    """A digest has a period and an end, and nothing else that could be changed."""
    days, read = round(rule.window_ms / DAY_MS), 0
    if words and words[0].text in lex.PERIODS:
        days, read = lex.PERIODS[words[0].text], 1
    terms = LineReader(words[read:], now_ms=now_ms, offset_ms=offset_ms).read()
    for name, word in terms.said.items():
        if name != "expiry":
            raise FaultError(word, ErrorCode.NOT_FOR_KIND, kind=Kind.DIGEST.value)
    changed = replace(rule, window_ms=days * DAY_MS)
    if "expiry" not in terms.said:
        return changed
    return replace(
        changed, created_ms=now_ms, expires_ms=RuleBuilder(terms, now_ms=now_ms, normal_pct=0.0).expires_ms()
    )
