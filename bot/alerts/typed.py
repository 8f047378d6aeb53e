"""Words and numbers as people type them: full-width digits, decimal commas, `10M`, `1.5k`, `-1`."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = re.compile(r"(?P<lead>[>≥=~$€]*)(?P<sign>[+-]?)\$?(?P<digits>[\d.,'_]*\d[\d.,'_]*)(?P<unit>[^\d.,]*)")
_GROUPED = re.compile(r"\d{1,3}([,'_])\d{3}(\1\d{3})*(\.\d+)?")
_GROUPED_BY_DOTS = re.compile(r"\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,}")
_PERCENT_FIRST = re.compile(r"(?<![\d.,])%([\d.,]*\d)")
_DECIMAL = re.compile(r"\d+([.,]\d*)?|[.,]\d+")
_SAME = str.maketrans({"−": "-", "–": "-", "—": "-", "٪": "%", "،": ",", "٫": "."})


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line: `text` folded for comparison, `typed` as it stands at `start` to `end` of the line."""

    text: str
    typed: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.typed)


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the unit written straight behind it (folded); `signed` where it began with a plus or a minus."""

    value: Decimal
    unit: str
    signed: bool


def split_words(line: str) -> tuple[Word, ...]:
    """The words between white space."""
    return tuple(Word(fold(found[0]), found[0], found.start()) for found in re.finditer(r"\S+", line))


def fold(text: str) -> str:
    """Compatibility forms as plain ones, any script's digits as 0-9, small letters, `%2` as `2%`."""
    plain = unicodedata.normalize("NFKC", text).translate(_SAME)
    digits = (str(unicodedata.decimal(char)) if char.isdecimal() else char for char in plain)
    return _PERCENT_FIRST.sub(r"\1%", "".join(digits)).casefold()


def number_of(text: str) -> Number | None:
    """A folded word as a number, None where it is none.

    A lone comma is a decimal one (`2,5`), unless it stands before exactly three digits of a number with a money unit
    or none (`1,500,000`, `1,500k`); `1.500,25` and `1'500` are understood.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    value = _value(found["digits"], percent=found["unit"].startswith("%"))
    if value is None:
        return None
    return Number(-value if found["sign"] == "-" else value, found["unit"], bool(found["sign"]))


def range_of(text: str) -> tuple[Number, Number] | None:
    """A folded word as two numbers with a dash between (`1-5%`, `90k-100k`), None where it is none."""
    for at, char in enumerate(text):
        if char == "-" and at:
            low, high = number_of(text[:at]), number_of(text[at + 1 :])
            if low is not None and high is not None and not high.signed:
                return low, high
    return None


def _value(digits: str, *, percent: bool) -> Decimal | None:
    if _GROUPED.fullmatch(digits) and not (percent and "," in digits):
        return Decimal(re.sub(r"[,'_]", "", digits))
    if _GROUPED_BY_DOTS.fullmatch(digits):
        return Decimal(digits.replace(".", "").replace(",", "."))
    if _DECIMAL.fullmatch(digits):
        return Decimal(digits.replace(",", ".").rstrip(".") if digits[-1] in ".," else digits.replace(",", "."))
    return None
