"""Numbers in the plain English of logs and alert lines. What a chat reads comes from the catalogue."""

import math
from functools import lru_cache

from bot.liquidation.types import Cluster

_UNITS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


@lru_cache(maxsize=4_096)
def price_words(price: float) -> str:
    """Six significant digits, no exponent: `86,512.3`, `0.00001234`."""
    decimals = max(0, 5 - math.floor(math.log10(price)))
    words = f"{price:,.{decimals}f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def usd_words(usd: float) -> str:
    """Three significant digits with a unit: `412M`, `1.5B`, `250k`."""
    for unit, letter in _UNITS:
        if usd >= 0.9995 * unit:  # what would round to a thousand of the next smaller unit
            return f"{usd / unit:.3g}{letter}" if usd / unit < 1000 else f"{usd / unit:.0f}{letter}"
    return f"{usd:.0f}"


def span_words(window_ms: int) -> str:
    """`4 h`, `90 min`."""
    minutes = window_ms // 60_000
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"


@lru_cache(maxsize=1_024)
def body_words(cluster: Cluster) -> str:
    """`the long cluster 85,400 to 85,790 (about 412M USD, strength 91)`."""
    return (
        f"the {cluster.side} cluster {price_words(cluster.low)} to {price_words(cluster.high)} "
        f"(about {usd_words(cluster.usd)} USD, strength {cluster.strength})"
    )
