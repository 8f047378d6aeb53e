"""The lines typed after /position and /stop: `BTC long 5x at 97,000 size 2,000`, `BTC long entry 97k stop 95,200`.

position = [exchange] symbol side {leverage | entry | size | margin | mode}     in any order, each once
stop     = [exchange] symbol side {entry | "stop" price}
leverage = number "x" | "leverage" number
entry    = ["at" | "entry"] price             none: the price now
size     = "size" (number [k | M] [usd] | number coin)
margin   = "margin" number [k | M] [usd]      with `cross` the wallet's balance
mode     = "cross" | "isolated"
Of a stop's line two bare prices are the entry and the stop, a single one is the stop.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bot.alerts import lexicon as lex
from bot.alerts.faults import ErrorCode, FaultError, ParseError, parse_error
from bot.alerts.grammar import Resolve, market_of
from bot.alerts.typed import Number, Word, number_of, split_words
from bot.alerts.types import Market
from bot.liquidation.position import OwnPosition
from bot.liquidation.types import Side

SIZE_UNSAID = 1000.0
"""USD. A liquidation price hardly depends on the size within a venue's first tier, which every size like this is in."""

ENTRY = frozenset({"at", "entry", "@", "from", "entered"})
STOP = frozenset({"stop", "sl", "stoploss", "stop-loss"})
SIZE = frozenset({"size", "worth", "notional"})
MARGIN = frozenset({"margin", "collateral", "wallet", "balance", "with"})
LEVERAGE = frozenset({"leverage", "lev"})
CROSS, ISOLATED = "cross", "isolated"
FILLERS = frozenset({"and", "of", "in", "a", "my", "=", ":", "usd", "usdt", "$"})
LEAST, MOST = Decimal("1e-9"), Decimal("1e12")


@dataclass(frozen=True, slots=True)
class PositionLine:
    """What a line says of a position; None where it says nothing. `size_coins` where the size was told in coins."""

    market: Market
    side: Side
    leverage: float | None
    entry: float | None = None
    size_usd: float | None = None
    size_coins: float | None = None
    margin: float | None = None
    cross: bool = False

    @property
    def names_size(self) -> bool:
        """Whether the line says how large the position is; else it is a small one."""
        return not self.size_usd is self.size_coins is self.margin is None

    def position(self, price: float) -> OwnPosition:
        """The position, entered at the price now where the line names no entry.

        A size that was not said is what the margin carries at this leverage, or SIZE_UNSAID; a margin that was not
        said is what the venue asks for at this leverage.
        """
        entry = price if self.entry is None else self.entry
        size = self.size_usd if self.size_coins is None else self.size_coins * entry
        if size is None and self.margin is not None and self.leverage is not None:
            size = self.margin * self.leverage
        size = SIZE_UNSAID if size is None else size
        leverage = self.leverage if self.leverage is not None else size / (self.margin or size)
        margin = size / leverage if self.margin is None else self.margin
        return OwnPosition(self.side, entry, size, leverage, margin, self.cross)


@dataclass(frozen=True, slots=True)
class StopLine:
    """What a line says of a stop; `entry` is None where it says nothing."""

    market: Market
    side: Side
    stop: float
    entry: float | None = None


def parse_position(
    line: str, resolve: Resolve, *, exchanges: Collection[str] = lex.VENUE_WORDS
) -> PositionLine | ParseError:
    """The position that a line tells of, or what is wrong with it and where; `resolve` as of `parse_watch`."""
    try:
        market, reader = _begin(line, resolve, exchanges, stops=False)
        return _position(market, reader.symbol, reader.read())
    except FaultError as fault:
        return parse_error(line, fault)


def parse_stop(line: str, resolve: Resolve, *, exchanges: Collection[str] = lex.VENUE_WORDS) -> StopLine | ParseError:
    """The stop that a line tells of, or what is wrong with it and where; `resolve` as of `parse_watch`."""
    try:
        market, reader = _begin(line, resolve, exchanges, stops=True)
        return _stop(market, reader.symbol, reader.read())
    except FaultError as fault:
        return parse_error(line, fault)


@dataclass(slots=True)
class _Terms:
    """Figures by name, the words that said them, and which prices came without a word before them."""

    values: dict[str, Decimal] = field(default_factory=dict)
    said: dict[str, Word] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)
    side: Side | None = None
    cross: bool = False

    def say(self, name: str, word: Word, value: Decimal | None = None) -> None:
        if name in self.said:
            raise FaultError(word, ErrorCode.TWICE)
        self.said[name] = word
        if value is not None:
            self.values[name] = value

    def figure(self, name: str) -> float | None:
        return float(self.values[name]) if name in self.values else None


class _Reader:
    """Reads the words behind the symbol. Raises FaultError at the first that cannot be understood."""

    def __init__(self, symbol: Word, words: Sequence[Word], *, coin: str, stops: bool) -> None:
        self.symbol = symbol
        self._words = words
        self._coin = coin
        self._stops = stops
        self._at = 0

    def read(self) -> _Terms:
        terms = _Terms()
        while self._at < len(self._words):
            word = self._words[self._at]
            self._at += 1
            if word.text not in FILLERS and not self._named(terms, word):
                self._bare(terms, word)
        return terms

    def _named(self, terms: _Terms, word: Word) -> bool:
        """Read the term that `word` begins; False where it is no such word."""
        text = word.text
        if text in lex.SIDES:
            terms.side = lex.SIDES[text]
            terms.say("side", word)
        elif text in ENTRY:
            terms.say("entry", word, self._price(word))
        elif self._stops and text in STOP:
            terms.say("stop", word, self._price(word))
        elif self._stops:
            return False
        elif text in (CROSS, ISOLATED):
            terms.cross = text == CROSS
            terms.say("mode", word)
        elif text in SIZE:
            self._size(terms, word)
        elif text in MARGIN:
            terms.say("margin", word, self._money(*self._number_after(word, ErrorCode.BAD_SIZE), ErrorCode.BAD_SIZE))
        elif text in LEVERAGE:
            terms.say("leverage", word, self._times(*self._number_after(word, ErrorCode.BAD_LEVERAGE)))
        elif text.startswith("x") and (times := number_of(text[1:])) is not None:
            terms.say("leverage", word, self._times(word, times))
        else:
            return False
        return True

    def _bare(self, terms: _Terms, word: Word) -> None:
        """A number that stands alone: a leverage, or a price."""
        number = number_of(word.text)
        if number is None:
            raise FaultError(word, ErrorCode.NOT_UNDERSTOOD)
        follows = self._words[self._at].text if self._at < len(self._words) else ""
        if not self._stops and (number.unit == "x" or (not number.unit and follows == "x")):
            self._at += not number.unit
            terms.say("leverage", word, self._times(word, number))
            return
        name = "stop" if self._stops and "entry" in terms.said else "entry"
        terms.say(name, word, self._money(word, number, ErrorCode.BAD_LEVEL))
        terms.bare.add(name)

    def _size(self, terms: _Terms, word: Word) -> None:
        figure, number = self._number_after(word, ErrorCode.BAD_SIZE)
        unit, own = number.unit, bool(number.unit)
        if not own and self._at < len(self._words):
            unit = self._words[self._at].text
        if unit == self._coin:
            self._at += not own
            terms.say("size", word)
            terms.values["coins"] = self._held(figure, number.value, ErrorCode.BAD_SIZE)
        else:
            terms.say("size", word, self._money(figure, number, ErrorCode.BAD_SIZE))

    def _price(self, word: Word) -> Decimal:
        figure, number = self._number_after(word, ErrorCode.BAD_LEVEL)
        return self._money(figure, number, ErrorCode.BAD_LEVEL)

    def _number_after(self, word: Word, code: ErrorCode) -> tuple[Word, Number]:
        while self._at < len(self._words) and self._words[self._at].text in FILLERS:
            self._at += 1
        if self._at >= len(self._words):
            raise FaultError(word, code)
        figure = self._words[self._at]
        self._at += 1
        number = number_of(figure.text)
        if number is None:
            raise FaultError(figure, code)
        return figure, number

    def _money(self, word: Word, number: Number, code: ErrorCode) -> Decimal:
        unit = number.unit
        if not unit and self._at < len(self._words) and (following := self._words[self._at].text) in lex.MONEY:
            self._at += 1
            unit = following
        if unit not in lex.MONEY:
            raise FaultError(word, code)
        return self._held(word, number.value * lex.MONEY[unit], code)

    def _times(self, word: Word, number: Number) -> Decimal:
        if number.unit not in ("", "x"):
            raise FaultError(word, ErrorCode.BAD_LEVERAGE)
        return self._held(word, number.value, ErrorCode.BAD_LEVERAGE)

    def _held(self, word: Word, value: Decimal, code: ErrorCode) -> Decimal:
        """A figure that can be one: above zero, and no astronomer's."""
        if not LEAST <= value <= MOST:
            raise FaultError(word, code)
        return value


def _begin(line: str, resolve: Resolve, exchanges: Collection[str], *, stops: bool) -> tuple[Market, _Reader]:
    words = split_words(line)
    if not words:
        raise FaultError(Word("", "", 0), ErrorCode.EMPTY)
    market, read = market_of(words, resolve, exchanges)
    coin = market.symbol.casefold().removesuffix("usdt")
    return market, _Reader(words[read - 1], words[read:], coin=coin, stops=stops)


def _position(market: Market, symbol: Word, terms: _Terms) -> PositionLine:
    side, whole = _side(terms, symbol), {"margin", "size"} <= terms.said.keys()
    if "leverage" not in terms.values and not whole:
        raise FaultError(terms.said["side"], ErrorCode.LEVERAGE_MISSING)
    if terms.cross and not whole:
        raise FaultError(terms.said["mode"], ErrorCode.WALLET_MISSING)
    return PositionLine(
        market,
        side,
        leverage=terms.figure("leverage"),
        entry=terms.figure("entry"),
        size_usd=terms.figure("size"),
        size_coins=terms.figure("coins"),
        margin=terms.figure("margin"),
        cross=terms.cross,
    )


def _stop(market: Market, symbol: Word, terms: _Terms) -> StopLine:
    side, entry, stop = _side(terms, symbol), terms.figure("entry"), terms.figure("stop")
    if stop is None and "entry" in terms.bare:
        entry, stop = None, entry
    if stop is None:
        raise FaultError(terms.said["side"], ErrorCode.STOP_MISSING)
    return StopLine(market, side, stop, entry)


def _side(terms: _Terms, symbol: Word) -> Side:
    if terms.side is None:
        raise FaultError(symbol, ErrorCode.SIDE_MISSING)
    return terms.side
