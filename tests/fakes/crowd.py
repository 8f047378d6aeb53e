"""What a fake venue tells of its traders and of its book: ratios that swing by the hour, orders around the price."""

import math

from tests.fakes.recorded_market import BAR_MS, RecordedMarket

DELAY_MS = 45_000
"""A ratio appears so long after its period's end."""

LEVEL = 2e-5
"""How far apart orders rest, as a share of the price."""

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
    """Bids and asks around the price, 0.002 % or a tick apart, a thousandth of the open interest in each 0.1 %.

    Two levels of three hold half as much as the third, so that who mixes them up is found out. Where no open interest
    is known, it counts as a million USD.
    """
    tick, price = 10**-market.decimals, market.price(now_ms)
    middle, apart = round(price / tick), max(1, round(price * LEVEL / tick))
    fair = (market.open_interest(now_ms) or 1e6 / price) * apart * tick / price
    sizes = [float(f"{(1.5 if step % 3 == 0 else 0.75) * fair:.6g}") for step in range(1, levels + 1)]
    bids, asks = (
        [(market.text((middle + sign * step * apart) * tick), coins) for step, coins in enumerate(sizes, 1)]
        for sign in (-1, 1)
    )
    return bids[: max(0, (middle - 1) // apart)], asks
