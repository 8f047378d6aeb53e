"""How pictures write numbers: prices by tick size, amounts in three digits, signed percentages. No words."""

import math
from decimal import Decimal

MINUS = "\N{MINUS SIGN}"
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def decimals_of(tick_size: float) -> int:
    """Decimals that a multiple of `tick_size` can need; 12 where the tick size is not a positive number."""
    if not (math.isfinite(tick_size) and tick_size > 0.0):
        return 12
    exponent = Decimal(repr(tick_size)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def price_text(price: float, tick_size: float, *, digits: int = 6) -> str:
    """`88,234.6`: at most `digits` significant digits, and a multiple of the tick size where that is coarser."""
    if not price > 0.0:
        return "0"
    wanted = digits - 1 - math.floor(math.log10(price))
    if math.isfinite(tick_size) and tick_size > 0.0 and price >= tick_size:
        price = round(price / tick_size) * tick_size
    return f"{price:,.{max(0, min(decimals_of(tick_size), wanted))}f}"


def tick_text(level: float, step: float) -> str:
    """A tick of a price axis, with just the decimals that its step needs."""
    return f"{level:,.{decimals_of(float(f'{step:.2g}'))}f}"


def usd_text(usd: float) -> str:
    """`$1.23B`, `$312M`, `$45.6K`, `$7`: three significant digits, no trailing zeros."""
    for unit, suffix in _UNITS:
        if usd >= 0.9995 * unit:
            scaled = usd / unit
            text = f"{scaled:.{max(0, 2 - math.floor(math.log10(scaled * 1.0005)))}f}"
            return f"${text.rstrip('0').rstrip('.') if '.' in text else text}{suffix}"
    return f"${usd:.0f}"


def percent_text(share: float) -> str:
    """`14%`, `3.5%`, `3%` for a fraction of one."""
    percent = 100.0 * share
    return f"{percent:.0f}%" if percent >= 9.95 else f"{percent:.1f}".removesuffix(".0") + "%"


def signed_percent_text(fraction: float) -> str:
    """`+4.2%`, a minus sign of full width, `0%` for nothing."""
    percent = 100.0 * fraction
    if abs(percent) < 0.005:
        return "0%"
    places = 1 if abs(percent) >= 0.95 else 2
    return f"{'+' if percent > 0 else MINUS}{abs(percent):.{places}f}%"
