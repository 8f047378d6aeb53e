"""What a fake venue tells of its traders and of its book: ratios that swing by the hour, orders around the price."""

import math

from tests.fakes.recorded_market import BAR_MS, RecordedMarket

DELAY_MS = 45_000
"""A ratio appears so long after its period's end."""

Levels = list[tuple[str, float]]
"""Price as the venue writes it, and coins; the best first."""


def long_share(time_ms: int) -> float:
    """The share that is long at the end of a period, with four decimals as venues give it."""
    return round(0.5 + 0.2 * math.sin(time_ms / 3_600_000), 4)


def ratio_times(now_ms: int, *, start_ms: int, end_ms: int, kept_ms: int) -> list[int]:
    """The ends of the periods from start_ms to end_ms that can be told at `now_ms`, oldest first."""
    first = max(start_ms, now_ms - kept_ms)
    last = min(end_ms, now_ms - DELAY_MS)
    return list(range(-(-first // BAR_MS) * BAR_MS, last + 1, BAR_MS))


def book(market: RecordedMarket, now_ms: int, levels: int) -> tuple[Levels, Levels]:
    """Bids and asks around the price, one tick apart, the sizes growing by a coin a level."""
    tick = 10**-market.decimals
    middle = round(market.price(now_ms) / tick)
    bids = [(market.text((middle - step) * tick), float(step)) for step in range(1, min(levels, middle - 1) + 1)]
    asks = [(market.text((middle + step) * tick), float(step)) for step in range(1, levels + 1)]
    return bids, asks
