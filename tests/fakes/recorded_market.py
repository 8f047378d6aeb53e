"""A recorded contract moved in time, as an exchange would show it at a moment: open bar, price, open interest.

Reads recordings on its own, so that a mistake in the program's reader cannot hide in its own fake.
"""

import csv
import gzip
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.values import replace

BAR_MS = 300_000
DAY_MS = 86_400_000
OPEN_INTEREST_DELAY_MS = 45_000
OPEN_INTEREST_KEPT_MS = 30 * DAY_MS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RecordedMarket:
    """One contract; times are ms UTC of the fake's clock. Shapes: bars (n,), open interest (m,), prices (k,)."""

    symbol: str
    decimals: int
    open_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote_volume: Floats
    taker_buy: Floats
    oi_ms: Ints
    oi_coins: Floats
    oi_usd: Floats
    price_ms: Ints
    prices: Floats

    def price(self, now_ms: int) -> float:
        """The price at a moment: the recorded one, else the path open-low-high-close (or open-high-low-close)."""
        if len(self.price_ms):
            return float(self.prices[max(0, int(np.searchsorted(self.price_ms, now_ms, side="right")) - 1)])
        index = int(np.searchsorted(self.open_ms, now_ms, side="right")) - 1
        if index < 0:
            return float(self.open[0])
        share = (now_ms - int(self.open_ms[index])) / BAR_MS
        return self._path(index, min(share, 1.0))[-1]

    def klines(self, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int) -> list[list[Any]]:
        """Rows as /fapi/v1/klines gives them, the bar that is still open with them."""
        last_ms = now_ms if end_ms is None else min(now_ms, end_ms)
        stop = int(np.searchsorted(self.open_ms, last_ms, side="right"))
        start = 0 if start_ms is None else int(np.searchsorted(self.open_ms, start_ms))
        indices = range(max(start, stop - limit), stop) if start_ms is None else range(start, min(stop, start + limit))
        return [self._kline(index, now_ms) for index in indices]

    def open_interest_history(
        self, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[dict[str, Any]]:
        """Rows of the latest 30 days; the newest appears 45 s after its end."""
        newest = now_ms - OPEN_INTEREST_DELAY_MS
        oldest = now_ms - OPEN_INTEREST_KEPT_MS
        stop = int(np.searchsorted(self.oi_ms, newest if end_ms is None else min(newest, end_ms), side="right"))
        start = int(np.searchsorted(self.oi_ms, oldest if start_ms is None else max(oldest, start_ms)))
        indices = range(max(start, stop - limit), stop) if start_ms is None else range(start, min(stop, start + limit))
        return [
            {
                "symbol": self.symbol,
                "sumOpenInterest": f"{self.oi_coins[index]:.8f}",
                "sumOpenInterestValue": f"{self.oi_usd[index]:.8f}",
                "CMCCirculatingSupply": "0.00000000",
                "timestamp": int(self.oi_ms[index]),
            }
            for index in indices
        ]

    def open_interest(self, now_ms: int) -> float:
        """Coins now, between the samples before and after; 0 where none were recorded."""
        return float(np.interp(now_ms, self.oi_ms, self.oi_coins)) if len(self.oi_ms) else 0.0

    def ticker(self, now_ms: int) -> dict[str, Any]:
        """/fapi/v1/ticker/24hr of one symbol, from the closed bars of the last 24 hours."""
        stop = int(np.searchsorted(self.open_ms, now_ms - BAR_MS, side="right"))
        start = int(np.searchsorted(self.open_ms, now_ms - DAY_MS))
        day = slice(min(start, max(stop - 1, 0)), max(stop, 1))
        last, first = self.price(now_ms), float(self.open[day][0])
        volume, quote_volume = float(self.volume[day].sum()), float(self.quote_volume[day].sum())
        return {
            "symbol": self.symbol,
            "priceChange": self.text(last - first),
            "priceChangePercent": f"{(last / first - 1) * 100:.3f}",
            "weightedAvgPrice": self.text(quote_volume / volume if volume else last),
            "lastPrice": self.text(last),
            "lastQty": "1",
            "openPrice": self.text(first),
            "highPrice": self.text(float(self.high[day].max())),
            "lowPrice": self.text(float(self.low[day].min())),
            "volume": f"{volume:.3f}",
            "quoteVolume": f"{quote_volume:.2f}",
            "openTime": now_ms - DAY_MS,
            "closeTime": now_ms,
            "firstId": 1,
            "lastId": 2,
            "count": 2,
        }

    def text(self, price: float) -> str:
        """A price as the venue writes it."""
        return f"{price:.{self.decimals}f}"

    def _kline(self, index: int, now_ms: int) -> list[Any]:
        open_ms = int(self.open_ms[index])
        share = min(1.0, (now_ms - open_ms) / BAR_MS)
        path = self._path(index, share)
        whole = share >= 1
        high, low = (float(self.high[index]), float(self.low[index])) if whole else (max(path), min(path))
        return [
            open_ms,
            self.text(path[0]),
            self.text(high),
            self.text(low),
            self.text(path[-1]),
            f"{self.volume[index] * share:.3f}",
            open_ms + BAR_MS - 1,
            f"{self.quote_volume[index] * share:.5f}",
            1,
            f"{self.taker_buy[index] * share:.3f}",
            f"{self.taker_buy[index] * path[-1] * share:.5f}",
            "0",
        ]

    def _path(self, index: int, share: float) -> list[float]:
        """The turning points passed after `share` of the bar, and the price reached."""
        first, last = float(self.open[index]), float(self.close[index])
        turns = [float(self.low[index]), float(self.high[index])]
        corners = [first, *(turns if last >= first else turns[::-1]), last]
        legs = list(pairwise(corners))
        done = min(int(share * len(legs)), len(legs) - 1)
        start, end = legs[done]
        return [*corners[: done + 1], start + (end - start) * (share * len(legs) - done)]


def read_market(folder: Path, *, symbol: str, shift_ms: int) -> RecordedMarket:
    """The recording of one contract (`folder` holds bars_5m.csv.gz), every time moved by `shift_ms`.

    Where the recording lacks them, quote volume is volume times close and half of the volume is taker buying.
    """
    market = _read(folder)
    return replace(
        market,
        symbol=symbol,
        open_ms=market.open_ms + shift_ms,
        oi_ms=market.oi_ms + shift_ms,
        price_ms=market.price_ms + shift_ms,
    )


@lru_cache(maxsize=32)
def _read(folder: Path) -> RecordedMarket:
    bars = _columns(folder / "bars_5m.csv.gz")
    if not bars:
        raise FileNotFoundError(f"no recording in {folder}")
    open_ms, volume, close = _ints(bars["open_time_ms"]), _floats(bars["volume"]), _floats(bars["close"])
    open_interest = _columns(folder / "open_interest_5m.csv.gz")
    coins = _floats(open_interest.get("open_interest", []))
    oi_ms = _ints(open_interest.get("time_ms", []))
    usd = open_interest.get("open_interest_value")
    prices = _columns(folder / "prices.csv.gz")
    return RecordedMarket(
        symbol=folder.name,
        decimals=max(len(text.partition(".")[2]) for text in bars["close"]),
        open_ms=open_ms,
        open=_floats(bars["open"]),
        high=_floats(bars["high"]),
        low=_floats(bars["low"]),
        close=close,
        volume=volume,
        quote_volume=_floats(bars["quote_volume"]) if "quote_volume" in bars else volume * close,
        taker_buy=_floats(bars["taker_buy_volume"]) if "taker_buy_volume" in bars else volume / 2,
        oi_ms=oi_ms,
        oi_coins=coins,
        oi_usd=_floats(usd) if usd else coins * np.interp(oi_ms, open_ms + BAR_MS, close),
        price_ms=_ints(prices.get("time_ms", [])),
        prices=_floats(prices.get("price", [])),
    )


def _columns(path: Path) -> dict[str, list[str]]:
    if not path.exists():
        return {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return {name: [row[index] for row in rows] for index, name in enumerate(header)}


def _floats(texts: list[str]) -> Floats:
    return np.array(texts, dtype=np.float64)


def _ints(texts: list[str]) -> Ints:
    return np.array(texts, dtype=np.int64)
