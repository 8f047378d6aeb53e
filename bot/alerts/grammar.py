"""The one line typed after /watch: `BTC 1%`, `BTC long 2% 10M once`, `binance ETH grow 10% 4h until friday`, and back.

line     = {term} [exchange | "all"] symbol {term} | "digest" ["daily" | "weekly"] {expiry | label}
term     = kind | threshold | side | window | filter | repeat | expiry | label      in any order, each once
kind     = grow | new | swept | breakout | hunt | cascade | flip | concentration | exposure    none: price comes near
threshold = number [%]       how near; after grow how much, after cascade, flip and concentration how unusual
         | number "atr"      how near, in average true ranges
         | number % [chance] in window        how probable a touch
side     = long | short
window   = 5min .. 24h       of growth, odds, a breakout's hold, a hunt's return
filter   = size | "strength" number | "above" price | "below" price | "between" price "and" price
         | "beyond" number % | "within" number % | number "-" number % | "odds" number % ["in" window]
         | "confluence"       only where something else stands: a volume node, swings, an order-book wall
size     = [$] number (k | M | B) [usd]
repeat   = "once" | "every" time
expiry   = "for" time | "until" (day [clock] | clock | 2026-11-27T14:05)
label    = '"' up to 40 characters '"'
`exposure` takes a side and a liquidation price: `BTC exposure long 85000`.
"""

import re
from collections.abc import Callable, Collection

from bot.alerts import lexicon as lex
from bot.alerts.digest import DAY_MS
from bot.alerts.faults import ErrorCode, FaultError, ParseError, parse_error
from bot.alerts.lexicon import (
    DEFAULT_EXCHANGE,
    EXCHANGES,
    NORMAL_GROWTH_PCT,
    NORMAL_PCT,
    NORMAL_WINDOW_MINUTES,
    VENUE_WORDS,
)
from bot.alerts.line_reader import LineReader
from bot.alerts.line_writer import format_watch
from bot.alerts.rule_builder import RuleBuilder
from bot.alerts.typed import Word, number_of, split_words
from bot.alerts.types import EVERYWHERE, Kind, Market, Rule
from bot.liquidation.values import replace

__all__ = [
    "DEFAULT_EXCHANGE",
    "EXCHANGES",
    "NORMAL_GROWTH_PCT",
    "NORMAL_PCT",
    "NORMAL_WINDOW_MINUTES",
    "VENUE_WORDS",
    "ErrorCode",
    "ParseError",
    "Resolve",
    "format_watch",
    "parse_watch",
    "split_label",
]

Resolve = Callable[[str], Market | None]

_QUOTE = re.compile(r"[\"“”„«»]")


def parse_watch(
    line: str,
    resolve: Resolve,
    *,
    exchanges: Collection[str] = VENUE_WORDS,
    normal_pct: float = NORMAL_PCT,
    now_ms: int = 0,
    offset_ms: int = 0,
) -> tuple[Rule, ...] | ParseError:
    """The rules that a line asks for, as drafts (id, chat and times are 0), or what is wrong with it and where.

    `resolve` gives the market of a symbol as typed; where an exchange stands before it, of `EXCHANGE:symbol`. `now_ms`
    is what `for 3d` is counted from; days end where clocks are `offset_ms` ahead of UTC.
    """
    rest = line
    try:
        rest, label = split_label(line)
        words = split_words(rest)
        if not words:
            return ParseError(0, ErrorCode.EMPTY)
        if words[0].text == lex.DIGEST and resolve(words[0].typed) is None:
            return (replace(_digest(words, now_ms=now_ms, offset_ms=offset_ms), label=label),)
        market, said = _apart(words, resolve, exchanges)
        terms = LineReader(said, now_ms=now_ms, offset_ms=offset_ms).read()
        rule = RuleBuilder(terms, now_ms=now_ms, normal_pct=normal_pct).rule(market)
        return (replace(rule, label=label),)
    except FaultError as fault:
        return parse_error(rest, fault)


def _apart(words: tuple[Word, ...], resolve: Resolve, exchanges: Collection[str]) -> tuple[Market, tuple[Word, ...]]:
    """The market and the words beside it: terms may stand before it, as in `1% BTC`."""
    led = 0
    while led < len(words) and _is_term(words[led]) and resolve(words[led].typed) is None:
        led += 1
    led = 0 if led == len(words) else led
    market, read = market_of(words[led:], resolve, exchanges)
    return market, (*words[:led], *words[led + read :])


def _is_term(word: Word) -> bool:
    """Whether a word says something of a rule and so is no misspelt symbol."""
    number = number_of(word.text)
    if number is not None:
        return number.unit in lex.UNITS
    return any(word.text in words for words in (lex.SIDES, lex.KINDS, lex.ONCE, lex.CONFLUENCE))


def split_label(line: str) -> tuple[str, str | None]:
    """The line with its label blanked out, so that places stay, and the label."""
    opening = _QUOTE.search(line)
    if opening is None:
        return line, None
    start = opening.start()
    closing = _QUOTE.search(line, start + 1)
    if closing is None:
        raise FaultError(Word(line[start:], line[start:], start), ErrorCode.LABEL_OPEN)
    label = " ".join("".join(char for char in line[start + 1 : closing.start()] if char.isprintable()).split())
    typed = line[start : closing.end()]
    if len(label) > lex.LABEL_LENGTH:
        raise FaultError(Word(typed, typed, start), ErrorCode.LABEL_LONG, high=lex.LABEL_LENGTH)
    rest = line[:start] + " " * len(typed) + line[closing.end() :]
    extra = _QUOTE.search(rest)
    if extra is not None:
        raise FaultError(Word(rest[extra.start() :], rest[extra.start() :], extra.start()), ErrorCode.TWICE)
    return rest, label or None


def _digest(words: tuple[Word, ...], *, now_ms: int, offset_ms: int) -> Rule:
    """A digest of all of a chat's markets."""
    days, read = 1, 1
    if len(words) > 1 and words[1].text in lex.PERIODS:
        days, read = lex.PERIODS[words[1].text], 2
    terms = LineReader(words[read:], now_ms=now_ms, offset_ms=offset_ms).read()
    for name, word in terms.said.items():
        if name != "expiry":
            raise FaultError(word, ErrorCode.NOT_FOR_KIND, kind=Kind.DIGEST.value)
    expires_ms = RuleBuilder(terms, now_ms=now_ms, normal_pct=0.0).expires_ms()
    return Rule(0, 0, EVERYWHERE, Kind.DIGEST, 0.0, days * DAY_MS, expires_ms=expires_ms)


def market_of(words: tuple[Word, ...], resolve: Resolve, exchanges: Collection[str]) -> tuple[Market, int]:
    """The market that a line begins with, and how many words name it. Raises FaultError."""
    first, second = words[0], words[1] if len(words) > 1 else None
    named = first.text in exchanges and second is not None
    found = resolve(f"{first.text.upper()}:{second.typed}") if named and second is not None else None
    read = 2
    if found is None:
        found = resolve(first.typed)
        read = 1
    if found is None:
        raise FaultError(second if named and second is not None else first, ErrorCode.UNKNOWN_SYMBOL)
    if len(words) > read and words[read].text in lex.QUOTES:
        read += 1
    return found, read
