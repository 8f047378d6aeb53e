"""What may be wrong with a line, each with its place in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.alerts.typed import Word, split_words


class ErrorCode(StrEnum):
    """What is wrong with a line; each has its text in the catalogue."""

    EMPTY = "empty"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NOT_UNDERSTOOD = "not_understood"
    NOT_FOR_KIND = "not_for_kind"
    BAD_SIZE = "bad_size"
    BAD_TIME = "bad_time"
    BAD_PRICE = "bad_price"
    TWICE = "twice"
    STRENGTH_MISSING = "strength_missing"
    SIDE_MISSING = "side_missing"
    LEVEL_MISSING = "level_missing"
    BAD_LEVEL = "bad_level"
    BAD_LEVERAGE = "bad_leverage"
    LEVERAGE_MISSING = "leverage_missing"
    WALLET_MISSING = "wallet_missing"
    STOP_MISSING = "stop_missing"
    LABEL_OPEN = "label_open"
    LABEL_LONG = "label_long"
    PERCENT_RANGE = "percent_range"
    ATR_RANGE = "atr_range"
    ODDS_RANGE = "odds_range"
    GROWTH_RANGE = "growth_range"
    MARGIN_RANGE = "margin_range"
    WINDOW_RANGE = "window_range"
    TIME_RANGE = "time_range"
    EXPIRY_RANGE = "expiry_range"
    SIZE_RANGE = "size_range"
    STRENGTH_RANGE = "strength_range"
    PRICE_RANGE = "price_range"


@dataclass(frozen=True, slots=True)
class ParseError:
    """Why a line was not understood.

    `position` counts characters of the line as typed. `values` holds `word`, what was not understood; `understood`,
    the words before it; `kind`, where a word does not go with one; and for a range `value`, `low` and `high`, in
    percent, ATRs, minutes, USD, points or quote currency.
    """

    position: int
    code: ErrorCode
    values: Mapping[str, str | float] = field(default_factory=dict)


def parse_error(line: str, fault: "FaultError") -> ParseError:
    """A fault as what is told of it: its place, its word, and the words before that were understood."""
    understood = " ".join(word.typed for word in split_words(line[: fault.word.start]))
    return ParseError(
        fault.word.start, fault.code, {"word": fault.word.typed, "understood": understood, **fault.values}
    )


class FaultError(Exception):
    """Carries what will be a ParseError out of the reading."""

    def __init__(self, word: Word, code: ErrorCode, **values: str | float) -> None:
        super().__init__(code)
        self.word = word
        self.code = code
        self.values = values
