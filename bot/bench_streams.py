"""What streams cost: a second of prices and liquidations as the venues send them, from the frames to a tick.

The frames go straight into the conversations that read them; what the socket costs beside that is not in the figures.
"""

import json
import time
from typing import Any

from bot.clock import SystemClock
from bot.market.binance_stream import BinanceScript
from bot.market.bybit_stream import BybitScript
from bot.market.okx_parse import Swap
from bot.market.okx_stream import OkxScript
from bot.market.stream import Script
from bot.market.stream_book import StreamBook
from bot.market.types import Instrument

FRAMES_PER_S = 2_000


class PriceFrames:
    """Binance's mark prices of every symbol in one frame a second, each a second later than the last."""

    def __init__(self, symbols: int) -> None:
        self._book = StreamBook("bench", "Bench", SystemClock())
        self._script = BinanceScript(self._book)
        self._symbols = [f"S{number:03}USDT" for number in range(symbols)]
        self._time_ms = SystemClock().now_ms()

    def next_frame(self) -> str:
        self._time_ms += 1_000
        return json.dumps({"stream": "!markPrice@arr@1s", "data": [self._row(symbol) for symbol in self._symbols]})

    def read(self, frame: str) -> int:
        """Take the frame and make a tick of it; the number of its prices."""
        self._script.hear(frame)
        return len(self._book.prices.news().symbols)

    def _row(self, symbol: str) -> dict[str, Any]:
        price = f"{100 + self._time_ms % 977 / 7:.8f}"
        row = {"e": "markPriceUpdate", "E": self._time_ms, "s": symbol, "p": price, "ap": price, "P": price, "i": price}
        return row | {"r": "0.00010000", "T": self._time_ms + 3_600_000, "st": 1, "ps": symbol}


def frames_cpu_share(symbols: int) -> float:
    """The share of a core that reading 2,000 frames in a second takes, of all venues, one of them with every price."""
    clock = SystemClock()
    book = StreamBook("bench", "Bench", clock)
    names = [f"S{number:03}" for number in range(symbols)]
    listed = {f"{base}USDT": _instrument(base, f"{base}USDT") for base in names}
    swaps = {f"{base}-USDT-SWAP": Swap(_instrument(base, f"{base}-USDT-SWAP"), 0.01, f"{base}-USDT") for base in names}
    scripts: dict[str, Script] = {
        "binance": BinanceScript(book),
        "bybit": BybitScript(book, clock, lambda: listed, lambda: ()),
        "okx": OkxScript(book, clock, lambda: swaps, lambda: ()),
    }
    frames = [("binance", PriceFrames(symbols).next_frame())]
    now_ms = clock.now_ms()
    while len(frames) < FRAMES_PER_S:
        frames.append(_frame(names[len(frames) % symbols], len(frames), now_ms + len(frames) // 10))
    began_s = time.process_time()
    for venue, frame in frames:
        scripts[venue].hear(frame)
    book.prices.news()
    book.take()
    return time.process_time() - began_s


def _frame(base: str, number: int, now_ms: int) -> tuple[str, str]:
    """Mostly prices of what is watched, ten times a second each; every twentieth frame is a liquidation."""
    symbol, price = f"{base}USDT", f"{100 + number % 13}.5"
    if number % 20 == 0:
        order = {"s": symbol, "S": "SELL", "p": price, "ap": price, "z": "2", "T": now_ms, "st": 1}
        data: Any = {"e": "forceOrder", "E": now_ms, "o": order}
        return "binance", json.dumps({"stream": "!forceOrder@arr", "data": data})
    if number % 20 == 1:
        row = {"T": now_ms, "s": symbol, "S": "Buy", "v": f"{number}", "p": price}
        return "bybit", json.dumps({"topic": f"allLiquidation.{symbol}", "ts": now_ms, "data": [row]})
    if number % 5 == 2:
        native = f"{base}-USDT-SWAP"
        mark = {"instId": native, "instType": "SWAP", "markPx": price, "ts": str(now_ms)}
        return "okx", json.dumps({"arg": {"channel": "mark-price", "instId": native}, "data": [mark]})
    data = {"symbol": symbol, "bid1Price": price, "bid1Size": "1.302", "markPrice": price}
    return "bybit", json.dumps({"topic": f"tickers.{symbol}", "type": "delta", "data": data, "cs": 1, "ts": now_ms})


def _instrument(base: str, native: str) -> Instrument:
    return Instrument("bench", f"{base}USDT", native, base, "USDT", tick_size=0.1)
