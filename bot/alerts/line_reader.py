"""The terms of one line, read from left to right, each once and in any order; what they mean together comes after."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bot.alerts import lexicon as lex
from bot.alerts.faults import ErrorCode, FaultError
from bot.alerts.moments import moment_of
from bot.alerts.typed import Number, Word, number_of, range_of
from bot.alerts.types import Kind
from bot.liquidation.types import Side

WITHOUT_PERCENT = frozenset({Kind.NEW_CLUSTER, Kind.SWEPT, Kind.BREAKOUT, Kind.STOP_HUNT})
WITH_MINUTES = frozenset({Kind.GROWTH, Kind.BREAKOUT, Kind.STOP_HUNT})
LEAST_BARE_SIZE = 1000


@dataclass(slots=True)
class Terms:
    """What a line says, each value None where it says nothing; `said` holds the word that said it, by term."""

    said: dict[str, Word] = field(default_factory=dict)
    kind: Kind | None = None
    side: Side | None = None
    percent: Decimal | None = None
    within: Decimal | None = None
    beyond: Decimal | None = None
    atr: Decimal | None = None
    odds: Decimal | None = None
    odds_minutes: Decimal | None = None
    window: Decimal | None = None
    size: Decimal | None = None
    strength: Decimal | None = None
    level: Decimal | None = None
    above: Decimal | None = None
    below: Decimal | None = None
    every: Decimal | None = None
    life: Decimal | None = None
    until_ms: int | None = None
    once: bool = False
    confluence: bool = False


class LineReader:
    """Reads words into terms. Raises FaultError at the first word that cannot be understood."""

    def __init__(self, words: Sequence[Word], *, now_ms: int, offset_ms: int) -> None:
        self.terms = Terms()
        self._words = words
        self._now_ms = now_ms
        self._offset_ms = offset_ms
        self._at = 0
        self._last = ""
        self._bridge = ""
        self._downwards = False

    def read(self) -> Terms:
        while (word := self._next()) is not None:
            if word.text in lex.FILLERS:
                self._bridge = word.text
                continue
            self._last = self._term(word)
            self._bridge = ""
        if self._downwards and self.terms.side is None:
            self.terms.side = Side.LONG
            self.terms.said["side"] = self.terms.said["kind"]
        return self.terms

    def _term(self, word: Word) -> str:
        """Read the term that begins with `word`; its name."""
        text, terms = word.text, self.terms
        if text in lex.SIDES:
            terms.side = lex.SIDES[text]
            return self._say("side", word)
        if text in lex.KINDS or (text == "stop" and self._follows("hunt")):
            if text not in lex.KINDS:
                self._at += 1
            terms.kind = lex.KINDS.get(text, Kind.STOP_HUNT)
            self._downwards = text in lex.BREAKDOWN
            return self._say("kind", word)
        if text.startswith("strength"):
            return self._strength(word)
        if text in lex.ONCE:
            terms.once = True
            return self._say("once", word)
        if text in lex.CONFLUENCE:
            terms.confluence = True
            return self._say("confluence", word)
        if text in lex.EVERY:
            terms.every = self._minutes_after(word)
            return self._say("every", word)
        if text in lex.FOR:
            terms.life = self._minutes_after(word)
            return self._say("expiry", word)
        if text in lex.UNTIL:
            return self._until(word)
        return self._placed(word)

    def _placed(self, word: Word) -> str:
        """A filter of odds, distance or price, else a number."""
        text, terms = word.text, self.terms
        if text in lex.ODDS:
            return self._odds(word)
        if text in lex.BEYOND:
            terms.beyond = self._figure_after(word, lex.PERCENT, ErrorCode.NOT_UNDERSTOOD).value
            return self._say("beyond", word)
        if text in lex.BETWEEN:
            terms.above, terms.below = self._price_after(word), self._price_after(word)
            self._say("below", word)
            return self._say("above", word)
        if text in lex.ABOVE:
            terms.above = self._price_after(word)
            return self._say("above", word)
        if text in lex.BELOW:
            terms.below = self._price_after(word)
            return self._say("below", word)
        pair = range_of(text)
        if pair is not None:
            return self._range(word, *pair)
        number = number_of(text)
        if number is None:
            raise FaultError(word, ErrorCode.NOT_UNDERSTOOD)
        return self._number(word, number)

    def _number(self, word: Word, number: Number) -> str:
        terms, unit, typed = self.terms, *self._unit(word, number)
        if unit in lex.ATR_UNITS:
            terms.atr = number.value
            return self._say("atr", word)
        of_size = self._bridge == "size"
        if terms.kind is Kind.EXPOSURE and "level" not in self.terms.said and unit in lex.MONEY and not of_size:
            terms.level = number.value * lex.MONEY[unit]
            return self._say("level", word)
        bare = not unit and "percent" not in terms.said and terms.kind not in WITHOUT_PERCENT
        if unit in lex.PERCENT or bare:
            return self._percent(word, number)
        if unit in lex.MINUTES and (unit not in lex.MONEY or (typed == "m" and self._means_minutes())):
            terms.window = number.value * lex.MINUTES[unit]
            return self._say("window", word)
        if unit not in lex.MONEY or (not unit and abs(number.value) < LEAST_BARE_SIZE):
            raise FaultError(word, ErrorCode.BAD_SIZE)
        terms.size = number.value * lex.MONEY[unit]
        return self._say("size", word)

    def _percent(self, word: Word, number: Number) -> str:
        terms = self.terms
        if self._bridge == "within":
            terms.within = number.value
            return self._say("within", word)
        if number.signed and number.value > 0 and terms.kind is not Kind.GROWTH:
            terms.kind = Kind.GROWTH
            self._say("kind", word)
        terms.percent = number.value
        return self._say("percent", word)

    def _odds(self, word: Word) -> str:
        """`odds 30% in 4h`, or `30% chance in 4h` where the percent has just been read."""
        terms = self.terms
        if self._last == "percent" and terms.percent is not None and not self._percent_follows():
            terms.odds, terms.percent = terms.percent, None
            self._say("odds", terms.said.pop("percent"))
        else:
            figure = self._figure_after(word, lex.PERCENT, ErrorCode.NOT_UNDERSTOOD)
            terms.odds = figure.value
            self._say("odds", word)
        at, following = self._at, self._next()
        while following is not None and following.text in lex.FILLERS:
            following = self._next()
        number = None if following is None else number_of(following.text)
        if following is not None and number is not None:
            unit, _ = self._unit(following, number)
            if unit in lex.MINUTES:
                terms.odds_minutes = number.value * lex.MINUTES[unit]
                return "odds"
        self._at = at
        return "odds"

    def _range(self, word: Word, low: Number, high: Number) -> str:
        """`1-5%` away, or at `90k-100k`."""
        terms = self.terms
        unit, _ = self._unit(word, high)
        if unit in lex.PERCENT:
            terms.beyond, terms.within = low.value, high.value
            self._say("beyond", word)
            return self._say("within", word)
        if unit not in lex.MONEY or low.unit not in lex.MONEY:
            raise FaultError(word, ErrorCode.BAD_PRICE)
        terms.above, terms.below = low.value * lex.MONEY[low.unit or unit], high.value * lex.MONEY[unit]
        self._say("below", word)
        return self._say("above", word)

    def _strength(self, word: Word) -> str:
        figure, rest = word, word.text.removeprefix("strength").lstrip(":=")
        while rest in lex.FILLERS or not rest:
            following = self._next()
            if following is None:
                raise FaultError(word, ErrorCode.STRENGTH_MISSING)
            figure, rest = following, following.text
        number = number_of(rest)
        if number is None or number.unit:
            raise FaultError(figure, ErrorCode.STRENGTH_MISSING)
        self.terms.strength = number.value
        return self._say("strength", figure)

    def _until(self, word: Word) -> str:
        rest = [each.text for each in self._words[self._at :]]
        found = moment_of(rest, now_ms=self._now_ms, offset_ms=self._offset_ms)
        if found is None:
            raise FaultError(self._words[self._at] if rest else word, ErrorCode.BAD_TIME)
        self.terms.until_ms, used = found
        self._at += used
        return self._say("expiry", word)

    def _minutes_after(self, word: Word) -> Decimal:
        """The length of time that follows a word, in minutes; `every hour` is one."""
        following = self._words[self._at] if self._at < len(self._words) else None
        if following is not None and following.text in lex.MINUTES:
            self._at += 1
            return Decimal(lex.MINUTES[following.text])
        figure = self._figure_after(word, lex.MINUTES.keys(), ErrorCode.BAD_TIME)
        return figure.value * lex.MINUTES[figure.unit]

    def _price_after(self, word: Word) -> Decimal:
        figure = self._figure_after(word, lex.MONEY.keys(), ErrorCode.BAD_PRICE)
        return figure.value * lex.MONEY[figure.unit]

    def _figure_after(self, word: Word, units: Collection[str], code: ErrorCode) -> Number:
        """The number that must follow a word, in one of these units. Raises FaultError."""
        following = self._next()
        while following is not None and following.text in lex.FILLERS:
            following = self._next()
        number = None if following is None else number_of(following.text)
        if following is None or number is None:
            raise FaultError(following or word, code)
        unit, _ = self._unit(following, number)
        if unit not in units and not (not unit and units is lex.PERCENT):
            raise FaultError(following, code)
        return Number(number.value, unit, number.signed)

    def _unit(self, word: Word, number: Number) -> tuple[str, str]:
        """The unit behind a number, folded, and as it was typed: its own, or the word that follows."""
        following = self._words[self._at] if self._at < len(self._words) else None
        if not number.unit and following is not None and following.text in lex.UNITS:
            self._at += 1
            return following.text, following.typed
        return number.unit, word.typed[-1:] if number.unit == "m" else number.unit

    def _means_minutes(self) -> bool:
        """Whether a small m stands where a length of time is expected."""
        if self._bridge in ("in", "within"):
            return True
        return self.terms.kind in WITH_MINUTES and self._last in ("kind", "percent")

    def _percent_follows(self) -> bool:
        """Whether the next words are a number and a percent sign."""
        rest = [each for each in self._words[self._at :] if each.text not in lex.FILLERS][:2]
        number = number_of(rest[0].text) if rest else None
        if number is None:
            return False
        return number.unit in lex.PERCENT or (not number.unit and len(rest) > 1 and rest[1].text in lex.PERCENT)

    def _follows(self, text: str) -> bool:
        return self._at < len(self._words) and self._words[self._at].text == text

    def _say(self, name: str, word: Word) -> str:
        if name in self.terms.said:
            raise FaultError(word, ErrorCode.TWICE)
        self.terms.said[name] = word
        return name

    def _next(self) -> Word | None:
        if self._at >= len(self._words):
            return None
        self._at += 1
        return self._words[self._at - 1]
