"""Pictures of the past, of every shape, for the tests to draw."""

import numpy as np

from bot.charts.pictures import LivesPicture, ReceiptPicture, Ribbon
from bot.liquidation.types import History, Side
from tests.unit.charts.maps import ENGLISH
from tests.unit.charts.test_heatmap import START_MS, history

BAR_MS = 300_000


def a_walk(n: int, *, price: float, volatility: float, seed: int) -> History:
    """A random walk of `n` bars that ends at about `price`."""
    steps = np.random.default_rng(seed).normal(0.0, volatility, n).cumsum()
    close = price * np.exp(steps - steps[-1]) if n else np.empty(0)
    return history(START_MS + BAR_MS * np.arange(n, dtype=np.int64), close)


def a_ribbon(
    bars: History, side: Side, seed: int, *, size: str = "$42M", fate: str = "swept Dec 24 11:35 UTC"
) -> Ribbon:
    """A cluster that lived for some part of the bars, somewhere about the price, and grew and shrank."""
    rng = np.random.default_rng(seed)
    first, last = sorted(rng.integers(0, len(bars), 2).tolist())
    times = bars.open_ms[first : last + 1] + BAR_MS
    middle = float(bars.close[-1]) * np.exp(rng.uniform(0.005, 0.2) * (1.0 if side is Side.SHORT else -1.0))
    half = np.exp(rng.uniform(0.0005, 0.02, len(times)))
    ended_ms = int(times[-1]) + BAR_MS if seed % 2 else None
    return Ribbon(side, times, middle / half, middle * half, rng.gamma(2.0, 1e6, len(times)), size, fate, ended_ms)


def a_lives_picture(
    n: int = 300,
    *,
    clusters: int = 5,
    price: float = 100.0,
    volatility: float = 0.003,
    seed: int = 1,
    words: str = "",
) -> LivesPicture:
    bars = a_walk(n, price=price, volatility=volatility, seed=seed)
    sides = [Side.LONG if (seed + number) % 3 else Side.SHORT for number in range(clusters)]
    said = {"size": words, "fate": words} if words else {}
    return LivesPicture(
        ribbons=tuple(a_ribbon(bars, side, 7 * seed + k, **said) for k, side in enumerate(sides)) if n else (),
        bars=bars,
        title=words or "BTC clusters over time",
        subtitle=words or "Binance",
        longs=words or "Long clusters",
        shorts=words or "Short clusters",
        empty=words or "No cluster",
        tick_size=0.0,
        numerals=ENGLISH,
        price=price,
        banner=words,
    )


def a_receipt_picture(
    n: int = 80,
    *,
    price: float = 100.0,
    volatility: float = 0.003,
    seed: int = 1,
    away: float = 0.01,
    width: float = 0.005,
    words: str = "",
) -> ReceiptPicture:
    bars = a_walk(n, price=price, volatility=volatility, seed=seed)
    row = n // 3
    side = Side.SHORT if away > 0 else Side.LONG
    edges = sorted((price * np.exp(away), price * np.exp(away + (width if away > 0 else -width))))
    alert_ms = int(bars.open_ms[row]) if n else START_MS
    return ReceiptPicture(
        side=side,
        low=edges[0],
        high=edges[1],
        alert_ms=alert_ms,
        alert_price=float(bars.close[row]) if n else price,
        end_ms=alert_ms + BAR_MS * (n // 2),
        reach=float(bars.high.max()) if n else price,
        reach_ms=int(bars.open_ms[int(bars.high.argmax())]) if n else alert_ms,
        bars=bars,
        title=words or "SOL swept the short cluster at 128.14 after 3 hr",
        subtitle=words or "Binance, alert of 00:30 UTC",
        alert=words or "Alert",
        zone=words or "Zone",
        reached=words or "Went to",
        tick_size=0.0,
        numerals=ENGLISH,
        banner=words,
    )
