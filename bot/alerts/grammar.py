"""The one line typed after /watch: `BTC 1%`, `BTC long 2% 10M`, `binance ETH grow 30% 4h`, and back.

line     = [exchange | "all"] symbol {term}
term     = percent | grow | side | window | size | strength          in any order, each once
percent  = number [%]        how near price must come; after grow, how much a cluster must grow
grow     = "grow" | "+"      `+30%` says both
side     = long | short
window   = 15min .. 24h      of growth; straight after grow or its percent a small `m` is minutes
size     = [$] number (k | M | B) [usd]
strength = "strength" number
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from bot.alerts.typed import Number, Word, number_of, split_words
from bot.alerts.types import Kind, Market, Rule
from bot.liquidation.combining import COMBINED
from bot.liquidation.types import Side

Resolve = Callable[[str], Market | None]

EXCHANGES = ("binance", "bybit", "okx", "hyperliquid")
DEFAULT_EXCHANGE = "binance"
VENUE_WORDS = (*EXCHANGES, COMBINED, "all")
"""What may stand before a symbol."""

NORMAL_PCT = 1.0
"""How near, where a line names no percent."""
NORMAL_GROWTH_PCT = 30.0
NORMAL_WINDOW_MINUTES = 240

PROXIMITY_PCT = (0.1, 20.0)
GROWTH_PCT = (5.0, 500.0)
WINDOW_MINUTES = (15, 1440)
SIZE_USD = (1e3, 1e12)
STRENGTH = (1, 100)

MINUTE_MS = 60_000

_SIDES = {"long": Side.LONG, "longs": Side.LONG, "short": Side.SHORT, "shorts": Side.SHORT}
_GROW = frozenset({"grow", "grows", "grew", "growth", "growing", "+"})
_PERCENT = frozenset({"%", "pct", "percent"})
_MINUTES = {"m": 1, "min": 1, "mins": 1, "minutes": 1, "h": 60, "hr": 60, "hrs": 60, "hour": 60, "hours": 60}
_MINUTES |= {"d": 1440, "day": 1440}
_SCALES = {"k": 3, "thousand": 3, "m": 6, "mio": 6, "mln": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "": 0}
_MONEY = {unit + tail: Decimal(10) ** zeros for unit, zeros in _SCALES.items() for tail in ("", "$", "usd", "usdt")}
_FILLERS = frozenset({"at", "least", "over", "in", "within", "size", "by", "and", "from", ">", ">=", "≥", "usd", "$"})
_QUOTES = frozenset({"usdt", "perp", "perpetual", "swap"})
_LEAST_BARE_SIZE = 1000
_MOST = Decimal(10) ** 18


class ErrorCode(StrEnum):
    """What is wrong with a line; each has its text in the catalogue."""

    EMPTY = "empty"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NOT_UNDERSTOOD = "not_understood"
    BAD_SIZE = "bad_size"
    TWICE = "twice"
    STRENGTH_MISSING = "strength_missing"
    PERCENT_RANGE = "percent_range"
    GROWTH_RANGE = "growth_range"
    WINDOW_RANGE = "window_range"
    SIZE_RANGE = "size_range"
    STRENGTH_RANGE = "strength_range"


@dataclass(frozen=True, slots=True)
class ParseError:
    """Why a line was not understood.

    `position` counts characters of the line as typed. `values` holds `word`, what was not understood; `understood`,
    the words before it; and for a range `value`, `low` and `high`, in percent, minutes, USD or points.
    """

    position: int
    code: ErrorCode
    values: Mapping[str, str | float] = field(default_factory=dict)


class _FaultError(Exception):
    """Carries what will be a ParseError out of the reading."""

    def __init__(self, word: Word, code: ErrorCode, **values: float) -> None:
        super().__init__(code)
        self.word = word
        self.code = code
        self.values = values


def parse_watch(
    line: str, resolve: Resolve, *, exchanges: Collection[str] = VENUE_WORDS, normal_pct: float = NORMAL_PCT
) -> tuple[Rule, ...] | ParseError:
    """The rules that a line asks for, as drafts (id, chat and times are 0), or what is wrong with it and where.

    `resolve` gives the market of a symbol as typed; where an exchange stands before it, of `EXCHANGE:symbol`.
    """
    words = split_words(line)
    if not words:
        return ParseError(0, ErrorCode.EMPTY)
    try:
        market, read = _market(words, resolve, exchanges)
        return (_Reading(words[read:]).rule(market, normal_pct),)
    except _FaultError as fault:
        understood = " ".join(word.typed for word in words if word.start < fault.word.start)
        return ParseError(
            fault.word.start, fault.code, {"word": fault.word.typed, "understood": understood, **fault.values}
        )


def format_watch(rule: Rule, *, default_exchange: str = DEFAULT_EXCHANGE) -> str:
    """The line that gives this rule again, its exchange named where it is not the default one."""
    words = [rule.market.symbol]
    if rule.market.exchange != default_exchange:
        words.insert(0, rule.market.exchange)
    if rule.side is not None:
        words.append(rule.side.value)
    if rule.kind is Kind.PROXIMITY:
        words.append(f"{_plain(rule.threshold_pct)}%")
    elif rule.kind is Kind.GROWTH:
        hours, minutes = divmod(rule.window_ms // MINUTE_MS, 60)
        words += ["grow", f"{_plain(rule.threshold_pct)}%", f"{hours * 60 + minutes}min" if minutes else f"{hours}h"]
    else:
        raise ValueError(f"no line asks for {rule.kind}")
    if rule.min_usd is not None:
        words.append(_size(rule.min_usd))
    if rule.min_strength is not None:
        words.append(f"strength {rule.min_strength}")
    return " ".join(words)


def _market(words: tuple[Word, ...], resolve: Resolve, exchanges: Collection[str]) -> tuple[Market, int]:
    """The market, and how many words name it."""
    first, second = words[0], words[1] if len(words) > 1 else None
    named = first.text in exchanges and second is not None
    found = resolve(f"{first.text.upper()}:{second.typed}") if named and second is not None else None
    read = 2
    if found is None:
        found = resolve(first.typed)
        read = 1
    if found is None:
        raise _FaultError(second if named and second is not None else first, ErrorCode.UNKNOWN_SYMBOL)
    if len(words) > read and words[read].text in _QUOTES:
        read += 1
    return found, read


class _Reading:
    """The terms of one line, read from left to right; ranges are checked once the kind is known."""

    def __init__(self, words: tuple[Word, ...]) -> None:
        self._words = words
        self._at = 0
        self._said: dict[str, Word] = {}
        self._percent: Decimal | None = None
        self._window_minutes: Decimal | None = None
        self._size: Decimal | None = None
        self._strength: Decimal | None = None
        self._side: Side | None = None

    def rule(self, market: Market, normal_pct: float) -> Rule:
        last = ""
        while (word := self._next()) is not None:
            if word.text not in _FILLERS:
                last = self._term(word, last)
        growing = "grow" in self._said
        if "window" in self._said and not growing:
            raise _FaultError(self._said["window"], ErrorCode.NOT_UNDERSTOOD)
        minutes = self._ranged("window", self._window_minutes, WINDOW_MINUTES, ErrorCode.WINDOW_RANGE)
        strength = self._ranged("strength", self._strength, STRENGTH, ErrorCode.STRENGTH_RANGE)
        bounds, code = (GROWTH_PCT, ErrorCode.GROWTH_RANGE) if growing else (PROXIMITY_PCT, ErrorCode.PERCENT_RANGE)
        percent = self._ranged("percent", self._percent, bounds, code)
        if percent is None:
            percent = NORMAL_GROWTH_PCT if growing else normal_pct
        return Rule(
            id=0,
            chat=0,
            market=market,
            kind=Kind.GROWTH if growing else Kind.PROXIMITY,
            threshold_pct=percent,
            window_ms=round(minutes or NORMAL_WINDOW_MINUTES) * MINUTE_MS if growing else 0,
            side=self._side,
            min_usd=self._ranged("size", self._size, SIZE_USD, ErrorCode.SIZE_RANGE),
            min_strength=None if strength is None else round(strength),
        )

    def _term(self, word: Word, last: str) -> str:
        """Read the term that begins with `word`; its name."""
        if word.text in _SIDES:
            self._side = _SIDES[word.text]
            return self._say("side", word)
        if word.text in _GROW:
            return self._say("grow", word)
        if word.text.startswith("strength"):
            return self._strength_term(word)
        number = number_of(word.text)
        if number is None:
            raise _FaultError(word, ErrorCode.NOT_UNDERSTOOD)
        return self._number_term(word, number, last)

    def _strength_term(self, word: Word) -> str:
        figure, rest = word, word.text.removeprefix("strength").lstrip(":=")
        while rest in _FILLERS or not rest:
            following = self._next()
            if following is None:
                raise _FaultError(word, ErrorCode.STRENGTH_MISSING)
            figure, rest = following, following.text
        number = number_of(rest)
        if number is None or number.unit:
            raise _FaultError(figure, ErrorCode.STRENGTH_MISSING)
        self._strength = number.value
        return self._say("strength", figure)

    def _number_term(self, word: Word, number: Number, last: str) -> str:
        unit, typed_unit = number.unit, word.typed[-1:]
        following = self._words[self._at] if self._at < len(self._words) else None
        if not unit and following is not None and following.text in (_PERCENT | _MINUTES.keys() | _MONEY.keys()):
            unit, typed_unit = following.text, following.typed
            self._at += 1
        if unit in _PERCENT or (not unit and "percent" not in self._said):
            if number.signed and number.value > 0:
                self._say("grow", word)
            self._percent = number.value
            return self._say("percent", word)
        in_growth = "grow" in self._said and last in ("grow", "percent")
        if unit in _MINUTES and (unit not in _MONEY or (in_growth and typed_unit == "m")):
            self._window_minutes = number.value * _MINUTES[unit]
            return self._say("window", word)
        if unit not in _MONEY or (not unit and abs(number.value) < _LEAST_BARE_SIZE):
            raise _FaultError(word, ErrorCode.BAD_SIZE)
        self._size = number.value * _MONEY[unit]
        return self._say("size", word)

    def _say(self, name: str, word: Word) -> str:
        if name in self._said:
            raise _FaultError(word, ErrorCode.TWICE)
        self._said[name] = word
        return name

    def _ranged(self, name: str, value: Decimal | None, bounds: tuple[float, float], code: ErrorCode) -> float | None:
        if value is None:
            return None
        low, high = bounds
        if not Decimal(str(low)) <= value <= Decimal(str(high)):
            shown = float(max(min(value, _MOST), -_MOST))
            raise _FaultError(self._said[name], code, value=shown, low=low, high=high)
        return float(value)

    def _next(self) -> Word | None:
        if self._at >= len(self._words):
            return None
        self._at += 1
        return self._words[self._at - 1]


def _plain(value: float) -> str:
    """The shortest digits that give this number again, without an exponent."""
    words = f"{Decimal(repr(value)):f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def _size(usd: float) -> str:
    """In the largest unit that needs no more than three decimals, else in plain USD."""
    for letter in "BMk":
        scaled = Decimal(repr(usd)) / _MONEY[letter.lower()]
        if scaled >= 1 and scaled == scaled.quantize(Decimal("0.001")):
            return f"{scaled.normalize():f}{letter}"
    return f"{_plain(usd)}usd"
