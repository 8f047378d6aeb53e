"""Numbers for people: rounded to what an eye can use, written as the language writes them."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache, cached_property, lru_cache
from typing import Literal

from babel import Locale
from babel.dates import format_skeleton, format_timedelta

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LEVEL_DIGITS = 5
BAND_STEPS = 20
MONEY_DIGITS = 3
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"

TimeUnit = Literal["second", "minute", "hour", "day"]


class Moment(str):
    """A time as it reads on one clock, which a message shows each reader on their own.

    `unix_s` is the moment, `form` how Telegram is to write it: `t` the time of day, `dt` with the date.
    """

    __slots__ = ("form", "unix_s")
    unix_s: int
    form: str

    @classmethod
    def of(cls, written: str, *, unix_s: int, form: str) -> "Moment":
        """What is `written` where a client or a server does not know such times."""
        moment = cls(written)
        moment.unix_s, moment.form = unix_s, form
        return moment


class Figures:
    """How one language writes figures, and moments by the clock of one zone.

    Numbers are put down by Python with the language's own marks: Babel would write the same, and take longer for it
    than judging the alert that they stand in.
    `elsewhere` is True where the readers' own zones are not known: they have named none, or are many.
    """

    def __init__(
        self, locale: Locale, *, money: Mapping[str, str], zone: tzinfo = UTC, elsewhere: bool = False
    ) -> None:
        self.locale = locale
        self.zone = zone
        self.elsewhere = elsewhere
        self._money = money
        self._language = str(locale)

    def money(self, usd: float) -> str:
        """An amount in three significant figures: `$42M`, `$1.23B`, `$980`; it stays on one line."""
        amount = significant(usd, MONEY_DIGITS)
        for size, unit in ((9, "billion"), (6, "million"), (3, "thousand")):
            if amount >= 10**size:
                return self._usd(amount.scaleb(-size), self._money[unit])
        return self._usd(round(amount, 2), "")

    def price(self, price: float, tick_size: float) -> str:
        """A price with all decimals of the contract's tick: `96,620.5`."""
        return self._fixed(exact(price), tick_decimals(tick_size))

    def level(self, price: float, tick_size: float) -> str:
        """An estimated price: five significant figures at most, never finer than the tick: `97,400`."""
        return self._fixed(significant(price, LEVEL_DIGITS), level_decimals(price, tick_size))

    def band(self, low: float, high: float, tick_size: float) -> str:
        """A range of prices: `97,400-97,900` with an en dash; one price where both ends read the same.

        No digit is finer than a twentieth of the range: an estimate that wide does not know it.
        """
        decimals = band_decimals(low, high, tick_size)
        ends = [self._fixed(significant(end, LEVEL_DIGITS), decimals) for end in (low, high)]
        return ends[0] if ends[0] == ends[1] else "\N{EN DASH}".join(ends)

    def within(self, price: float, low: float, high: float, tick_size: float) -> str:
        """A price inside a range, as finely as the range itself is written."""
        return self._fixed(significant(price, LEVEL_DIGITS), band_decimals(low, high, tick_size))

    def own_price(self, price: float) -> str:
        """A price as somebody typed it: all of its digits, grouped."""
        return self._number(exact(price))

    def fixed(self, value: float, decimals: int) -> str:
        """A number with so many decimals: `88,250.00`."""
        return self._fixed(exact(value), decimals)

    def plain(self, value: float) -> str:
        """A number as somebody typed it, without idle zeros: `1.5`."""
        return self._number(exact(value))

    def percent(self, percent: float) -> str:
        """A measured percentage in two significant figures, two decimals at most: `0.84%`, `1.3%`, `12%`."""
        value = significant(percent, 2) if abs(percent) < 10 else Decimal(round(percent))
        return self._in_percent(_shortest(round(value, 2)))

    def exact_percent(self, percent: float) -> str:
        """A percentage as somebody set it, without idle zeros: `1%`, `1.25%`."""
        return self._in_percent(_shortest(round(exact(percent), 4)))

    def fixed_percent(self, percent: float, decimals: int) -> str:
        """A percentage with so many decimals, as an axis writes them: `4.0%`."""
        return self._in_percent(f"{exact(percent):,.{decimals}f}")

    def signed_percent(self, percent: float) -> str:
        """A distance with its direction: `+0.84%`, `-1.6%` with a true minus sign."""
        return (MINUS if percent < 0 else "+") + self.percent(abs(percent))

    def odds(self, probability: float) -> str:
        """A probability in whole percent; never a false 0 % or 100 %: `<1%`, `61%`, `>99%`."""
        if probability < 0.005:
            return "<" + self._whole_percents[1]
        if probability > 0.995:
            return ">" + self._whole_percents[99]
        return self._whole_percents[round(probability * 100)]

    def duration(self, ms: float) -> str:
        """A length of time in its largest fitting unit: `40 sec`, `12 min`, `4 hr`, `3 days`; it stays on one line."""
        if ms < MINUTE_MS:
            return self._unit(max(0, round(ms / 1000)), "second")
        if ms < 2 * HOUR_MS and round(ms / MINUTE_MS) % 60:
            return self._unit(round(ms / MINUTE_MS), "minute")
        if ms < 2 * DAY_MS:
            return self._unit(round(ms / HOUR_MS), "hour")
        return self._unit(round(ms / DAY_MS), "day")

    def clock(self, time_ms: int, *, now_ms: int, named: bool = False) -> str:
        """A moment, with the date where it is not today: `14:05`, `Dec 28 14:05`.

        Where readers are elsewhere it is a `Moment`, and names its zone for those who see it as written: `14:05 UTC`.
        So does what is told in UTC. `named` names every zone, for what is passed on: `14:05 UTC+3`.
        """
        moment = datetime.fromtimestamp(time_ms / 1000, tz=self.zone)
        today = moment.date() == datetime.fromtimestamp(now_ms / 1000, tz=self.zone).date()
        # A blank between date and time reads well in every language, and is no comma in a list of a rule's terms.
        parts = [format_skeleton(skeleton, moment, locale=self.locale) for skeleton in ("MMMd", "Hm")[today:]]
        if named or self.elsewhere or self.zone is UTC:
            parts.append(_offset_words(moment))
        written = " ".join(parts)
        return Moment.of(written, unix_s=time_ms // 1000, form="t" if today else "dt") if self.elsewhere else written

    def zone_at(self, time_ms: int) -> str:
        """The zone by its distance from UTC: `UTC`, `UTC+3`."""
        return _offset_words(datetime.fromtimestamp(time_ms / 1000, tz=self.zone))

    def wall(self, time_ms: int) -> str:
        """The time of day alone: `14:05`."""
        return f"{datetime.fromtimestamp(time_ms / 1000, tz=self.zone):%H:%M}"

    @cached_property
    def _marks(self) -> Mapping[int, str]:
        """What stands for Python's marks, where it is another one; looked up when a number is written first, as most
        languages are not asked.
        """
        symbols = self.locale.number_symbols["latn"]
        marks = {",": symbols["group"], ".": symbols["decimal"], "-": symbols["minusSign"]}
        return str.maketrans({ours: theirs for ours, theirs in marks.items() if ours != theirs})

    @cached_property
    def _whole_percents(self) -> Sequence[str]:
        """0 to 100 percent."""
        return [self.exact_percent(percent) for percent in range(101)]

    @cached_property
    def _percent_form(self) -> str:
        return str(self.locale.percent_formats[None].pattern).replace("#,##0", "{}")

    def _usd(self, amount: Decimal, unit: str) -> str:
        return self._money["pattern"].format(amount=self._number(amount), unit=unit).replace(" ", NO_BREAK)

    def _unit(self, count: int, unit: TimeUnit) -> str:
        return _duration(count, unit, self._language)

    def _number(self, value: Decimal) -> str:
        return self._marked(_shortest(value))

    def _fixed(self, value: Decimal, decimals: int) -> str:
        return self._marked(f"{value:,.{decimals}f}")

    def _in_percent(self, number: str) -> str:
        """Python's number with the percent sign where the language has it; a minus comes first in all of them."""
        if number.startswith("-"):
            return self._marked("-") + self._in_percent(number[1:])
        return self._percent_form.format(self._marked(number))

    def _marked(self, number: str) -> str:
        """Python's number with the language's marks."""
        return number.translate(self._marks) if self._marks else number


def _offset_words(moment: datetime) -> str:
    """How far a moment's clock is ahead of UTC: `UTC`, `UTC+3`, `UTC-3:30`."""
    minutes = round((moment.utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return "UTC" if not minutes else f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


@lru_cache(maxsize=1_024)
def _duration(count: int, unit: TimeUnit, language: str) -> str:
    # Not format_unit, which says "1 horas" in Spanish and Portuguese, where CLDR has one short form for both numbers.
    length = timedelta(**{f"{unit}s": count})
    words = format_timedelta(length, granularity=unit, threshold=math.inf, format="short", locale=language)
    return words.replace(" ", NO_BREAK)


def copied_price(price: float, tick_size: float) -> str:
    """A price as an order form takes it: all decimals of the tick, no grouping."""
    return f"{round(exact(price), tick_decimals(tick_size)):f}"


@lru_cache(maxsize=4_096)
def tick_decimals(tick_size: float) -> int:
    """How many decimals a tick needs: 0 for 1 or 10, 1 for 0.5, 8 for 1e-8."""
    exponent = exact(tick_size).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@lru_cache(maxsize=4_096)
def level_decimals(price: float, tick_size: float) -> int:
    """The decimals an estimated price is worth: none finer than the tick, none beyond five figures, no idle zeros."""
    exponent = round(significant(price, LEVEL_DIGITS), tick_decimals(tick_size)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@lru_cache(maxsize=4_096)
def band_decimals(low: float, high: float, tick_size: float) -> int:
    """The decimals that the ends of a range are worth, the wider the fewer."""
    decimals = max(level_decimals(low, tick_size), level_decimals(high, tick_size))
    if high <= low:
        return decimals
    return min(decimals, max(0, math.ceil(-math.log10((high - low) / BAND_STEPS))))


@lru_cache(maxsize=4_096)
def significant(value: float, digits: int) -> Decimal:
    """A number rounded to so many significant figures."""
    return _rounding(digits).create_decimal(repr(float(value))) or Decimal(0)


@cache
def _rounding(digits: int) -> Context:
    return Context(prec=digits, rounding=ROUND_HALF_EVEN)


def _shortest(value: Decimal) -> str:
    """A number as Python groups it, without idle zeros."""
    return f"{value.normalize():,f}"


def exact(value: float) -> Decimal:
    """The shortest decimal that means this float, numpy's floats included."""
    return Decimal(repr(float(value)))
