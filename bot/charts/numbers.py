"""How finely pictures write numbers: prices by tick size, signed percentages. How they look is the language's."""

import math
from decimal import Decimal
from typing import Protocol

MINUS = "\N{MINUS SIGN}"


class Numerals(Protocol):
    """How a language writes numbers; the catalogue's figures do, so that a picture reads as the message beside it."""

    def fixed(self, value: float, decimals: int) -> str:
        """A number with so many decimals, grouped: `88,234.6`."""

    def fixed_percent(self, percent: float, decimals: int) -> str:
        """A percentage with so many decimals: `4.20%`."""

    def percent(self, percent: float) -> str:
        """A percentage in two significant figures, without idle zeros: `3.5%`."""

    def money(self, usd: float) -> str:
        """An amount in three significant figures, with its unit: `$42M`."""


def decimals_of(tick_size: float) -> int:
    """Decimals that a multiple of `tick_size` can need; 12 where the tick size is not a positive number."""
    if not (math.isfinite(tick_size) and tick_size > 0.0):
        return 12
    exponent = Decimal(repr(tick_size)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def price_text(price: float, tick_size: float, numerals: Numerals, *, digits: int = 6) -> str:
    """`88,234.6`: at most `digits` significant digits, and a multiple of the tick size where that is coarser."""
    if not price > 0.0:
        return numerals.fixed(0.0, 0)
    wanted = digits - 1 - math.floor(math.log10(price))
    if math.isfinite(tick_size) and tick_size > 0.0 and price >= tick_size:
        price = round(price / tick_size) * tick_size
    return numerals.fixed(price, max(0, min(decimals_of(tick_size), wanted)))


def tick_text(level: float, step: float, numerals: Numerals) -> str:
    """A tick of a price axis, with just the decimals that its step needs."""
    return numerals.fixed(level, decimals_of(float(f"{step:.2g}")))


def signed_percent_text(fraction: float, numerals: Numerals) -> str:
    """`+4.2%`, a minus sign of full width, `0%` for nothing."""
    percent = 100.0 * fraction
    if abs(percent) < 0.005:
        return numerals.fixed_percent(0.0, 0)
    places = 1 if abs(percent) >= 0.95 else 2
    return ("+" if percent > 0 else MINUS) + numerals.fixed_percent(abs(percent), places)
