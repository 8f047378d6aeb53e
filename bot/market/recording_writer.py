"""Writes recordings: each file appears whole or not at all, and reading it gives back exactly what was written."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bot.liquidation.margin import RiskTier
from bot.market.feed import Print, rows_of_prints
from bot.market.growing import member
from bot.market.recorded_books import ASK, BID, DEPTH_COLUMNS
from bot.market.recording import (
    AT_BANKRUPTCY,
    BAR_COLUMNS,
    BAR_EXTRAS,
    BARS_FILE,
    DEPTH_FILE,
    OPEN_INTEREST_COLUMNS,
    OPEN_INTEREST_FILE,
    PRICE_COLUMNS,
    PRICES_FILE,
    PRINT_COLUMNS,
    PRINTS_FILE,
    TIERS_FILE,
    TRUTH_COLUMNS,
    TRUTH_FILE,
    Truth,
)
from bot.market.types import Bars, Depth, Floats, Ints, OpenInterest, Prices, Prints

Column = Ints | Floats | Sequence[str]


class RecordingWriter:
    """Writes the markets of one exchange below `path`, making folders as needed; same input, same bytes."""

    def __init__(self, path: Path | str, exchange: str) -> None:
        self._folder = Path(path) / exchange

    def bars(self, symbol: str, bars: Bars) -> None:
        """Write bars; a column of NaN alone is left out. Raises ValueError where only some of a column is NaN."""
        extras = {"quote_volume": bars.quote_volume, "taker_buy_volume": bars.taker_buy_volume}
        kept = [name for name in BAR_EXTRAS if not np.isnan(extras[name]).all()]
        prices = (bars.open, bars.high, bars.low, bars.close)
        columns: list[Column] = [bars.open_ms, *prices, bars.volume, *(extras[name] for name in kept)]
        self._write(f"{symbol}/{BARS_FILE}", (*BAR_COLUMNS, *kept), columns)

    def open_interest(self, symbol: str, samples: OpenInterest) -> None:
        self._write(f"{symbol}/{OPEN_INTEREST_FILE}", OPEN_INTEREST_COLUMNS, [samples.time_ms, samples.coins])

    def prices(self, symbol: str, prices: Prices) -> None:
        self._write(f"{symbol}/{PRICES_FILE}", PRICE_COLUMNS, [prices.time_ms, prices.price])

    def truth(self, symbol: str, truth: Truth) -> None:
        side = ["long" if is_long else "short" for is_long in truth.is_long.tolist()]
        self._write(f"{symbol}/{TRUTH_FILE}", TRUTH_COLUMNS, [side, truth.liquidation_price, truth.usd])

    def depth(self, symbol: str, depth: Depth) -> None:
        self._write(f"{symbol}/{DEPTH_FILE}", DEPTH_COLUMNS, depth_columns(depth))

    def prints(self, prints: Prints) -> None:
        """Write prints of all symbols."""
        cells_of = [print_cells(row) for row in rows_of_prints(prints)]
        columns = [list(column) for column in zip(*cells_of, strict=True)] or [[] for _ in PRINT_COLUMNS]
        self._write(PRINTS_FILE, PRINT_COLUMNS, columns)

    def tiers(self, tiers: Mapping[str, Sequence[RiskTier]]) -> None:
        tables = {symbol: [asdict(tier) for tier in rows] for symbol, rows in tiers.items()}
        text = json.dumps(tables, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        replace_file(self._folder / TIERS_FILE, text.encode())

    def _write(self, name: str, header: Sequence[str], columns: Sequence[Column]) -> None:
        lines = [",".join(header), *map(",".join, zip(*map(cells, columns), strict=True))]
        replace_file(self._folder / name, member(lines))


def depth_columns(depth: Depth) -> list[Column]:
    """A book as columns of rows, bids first, each side best first."""
    sides = [BID] * len(depth.bid_price) + [ASK] * len(depth.ask_price)
    times = np.full(len(sides), depth.time_ms, dtype=np.int64)
    price = np.concatenate((depth.bid_price, depth.ask_price))
    return [times, sides, price, np.concatenate((depth.bid_coins, depth.ask_coins))]


def print_cells(one: Print) -> tuple[str, ...]:
    """A liquidation as the cells of a row: the order's side; every order is filled, at its average or unknown to us."""
    side, average = "SELL" if one.is_long else "BUY", 0.0 if one.at_bankruptcy else one.price
    status = AT_BANKRUPTCY if one.at_bankruptcy else "FILLED"
    return str(one.time_ms), one.symbol, side, repr(one.price), repr(average), repr(one.coins), status


def cells(column: Column) -> Iterable[str]:
    """A column as text, floats by their shortest form that reads back the same."""
    if not isinstance(column, np.ndarray):
        return column
    if not np.isfinite(column).all():
        raise ValueError("a recording holds finite numbers only")
    return map(repr, column.tolist())


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of `path` in one step, so that no reader ever sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
