"""Recorded markets in a folder: bars, open interest, prices, liquidation prints, risk tiers, and the truth where known.

The format is the README's: `<exchange>/<SYMBOL>/bars_5m.csv.gz` and its neighbours. The reader is strict, since
every figure that comes out of it is believed; gaps in time are allowed, and told.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Never

import numpy as np
from numpy.typing import NDArray

from bot.liquidation.margin import RiskTier
from bot.liquidation.score import Cover, listened
from bot.market.columns import Columns, RecordingError, read_columns
from bot.market.feed import joined_stretches
from bot.market.recorded_books import read_books
from bot.market.types import BAR_MS, Bars, Depth, Floats, Ints, OpenInterest, Prices, Prints

BARS_FILE: Final = "bars_5m.csv.gz"
OPEN_INTEREST_FILE: Final = "open_interest_5m.csv.gz"
PRICES_FILE: Final = "prices.csv.gz"
TRUTH_FILE: Final = "truth.csv.gz"
DEPTH_FILE: Final = "depth.csv.gz"
"""The book at a simulated market's end."""
DEPTHS_FILE: Final = "depth_5m.csv.gz"
PRINTS_FILE: Final = "liquidations.csv.gz"
HEARD_FILE: Final = "heard.csv.gz"
TIERS_FILE: Final = "tiers.json"

BAR_COLUMNS: Final = ("open_time_ms", "open", "high", "low", "close", "volume")
BAR_EXTRAS: Final = ("quote_volume", "taker_buy_volume")
OPEN_INTEREST_COLUMNS: Final = ("time_ms", "open_interest")
PRICE_COLUMNS: Final = ("time_ms", "price")
PRINT_COLUMNS: Final = ("time_ms", "symbol", "side", "price", "average_price", "quantity", "status")
HEARD_COLUMNS: Final = ("start_ms", "end_ms")
TRUTH_COLUMNS: Final = ("side", "liquidation_price", "usd")
AT_BANKRUPTCY: Final = "BANKRUPTCY"
"""The status of a print whose price is where the margin was used up."""

TIER_FIELDS: Final = tuple(field.name for field in fields(RiskTier))


@dataclass(frozen=True, slots=True)
class Truth:
    """The open positions of a simulated market at its end, one row a position; shapes (n,).

    `usd` is the position's notional at the last mark price, so that a side's sum is the open interest's notional.
    """

    is_long: NDArray[np.bool_]
    liquidation_price: Floats
    usd: Floats

    def __len__(self) -> int:
        return len(self.usd)


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that are missing between two that are there: from `start_ms` up to, not including, `end_ms`."""

    start_ms: int
    end_ms: int

    @property
    def bars(self) -> int:
        return (self.end_ms - self.start_ms) // BAR_MS


def gaps(bars: Bars) -> tuple[Gap, ...]:
    """The gaps inside these bars, oldest first."""
    ends = bars.open_ms[:-1] + BAR_MS
    starts = bars.open_ms[1:]
    missing = starts != ends
    return tuple(Gap(int(end), int(start)) for end, start in zip(ends[missing], starts[missing], strict=True))


class Recording:
    """A folder of recorded markets. Opening it lists it; each method reads its file anew, and raises RecordingError."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise RecordingError(self.path, "there is no such folder")
        self._symbols: dict[str, tuple[str, ...]] = {}
        for folder in sorted(self.path.iterdir()):
            if folder.is_dir():
                symbols = tuple(child.name for child in sorted(folder.iterdir()) if holds_market(child))
                if symbols:
                    self._symbols[folder.name] = symbols
        if not self._symbols:
            raise RecordingError(self.path, f"the folder holds no <exchange>/<SYMBOL>/{BARS_FILE}")

    @property
    def exchanges(self) -> tuple[str, ...]:
        return tuple(self._symbols)

    def symbols(self, exchange: str) -> tuple[str, ...]:
        """The symbols that have bars, in the order of their names."""
        return self._symbols.get(exchange, ())

    def bars(self, exchange: str, symbol: str) -> Bars:
        """All bars of a market, at least one; the columns that the file lacks are NaN."""
        table = read_columns(self.path / exchange / symbol / BARS_FILE, BAR_COLUMNS, optional=BAR_EXTRAS)
        if table.rows == 0:
            raise RecordingError(table.path, "the file has a header and no bars", line=1)
        times = ascending_times(table, "open_time_ms")
        table.refuse(times % BAR_MS != 0, lambda row: f"open_time_ms {times[row]} is not the start of a 5-minute bar")
        for name in ("open", "high", "low", "close"):
            refuse_below(table, name, least=None)
        for name in ("volume", *(name for name in BAR_EXTRAS if name in table.numbers)):
            refuse_below(table, name, least=0.0)
        refuse_impossible_bars(table)
        return Bars(
            open_ms=times,
            open=table.number("open"),
            high=table.number("high"),
            low=table.number("low"),
            close=table.number("close"),
            volume=table.number("volume"),
            quote_volume=table.number("quote_volume"),
            taker_buy_volume=table.number("taker_buy_volume"),
        )

    def open_interest(self, exchange: str, symbol: str) -> OpenInterest | None:
        """The samples of a market; None where none were recorded."""
        path = self.path / exchange / symbol / OPEN_INTEREST_FILE
        if not path.exists():
            return None
        table = read_columns(path, OPEN_INTEREST_COLUMNS)
        refuse_below(table, "open_interest", least=0.0)
        return OpenInterest(time_ms=ascending_times(table, "time_ms"), coins=table.number("open_interest"))

    def prices(self, exchange: str, symbol: str) -> Prices | None:
        """The finer path of price; None where none was recorded."""
        path = self.path / exchange / symbol / PRICES_FILE
        if not path.exists():
            return None
        table = read_columns(path, PRICE_COLUMNS)
        refuse_below(table, "price", least=None)
        return Prices(time_ms=ascending_times(table, "time_ms"), price=table.number("price"))

    def prints(self, exchange: str) -> Prints | None:
        """The liquidations that the venue printed, all symbols; None where none were recorded.

        The price is the average fill; a print without one (0) has the price of its order, which is the bankruptcy price
        where that is its status.
        """
        path = self.path / exchange / PRINTS_FILE
        if not path.exists():
            return None
        table = read_columns(path, PRINT_COLUMNS, text=("symbol", "side", "status"))
        times = table.whole("time_ms")
        table.refuse(
            np.diff(times, prepend=times[:1]) < 0, lambda row: f"time_ms {times[row]} is before the line above"
        )
        refuse_below(table, "price", least=None)
        refuse_below(table, "average_price", least=0.0)
        refuse_below(table, "quantity", least=0.0)
        average = table.number("average_price")
        at_bankruptcy = np.array(table.texts["status"], dtype=np.str_) == AT_BANKRUPTCY
        return Prints(
            time_ms=times,
            symbol=table.texts["symbol"],
            is_long=one_of(table, "side", true="SELL", false="BUY"),
            price=np.where(average > 0, average, table.number("price")),
            coins=table.number("quantity"),
            at_bankruptcy=at_bankruptcy if at_bankruptcy.any() else None,
        )

    def heard(self, exchange: str, prints: Prints) -> Cover:
        """The stretches in which liquidations were listened to: as recorded, else as the times of all prints tell."""
        recorded = self.recorded_heard(exchange)
        return listened(prints.time_ms) if recorded is None else recorded

    def recorded_heard(self, exchange: str) -> Cover | None:
        """The stretches in which liquidations were listened to; None where nobody wrote them down."""
        path = self.path / exchange / HEARD_FILE
        if not path.exists():
            return None
        table = read_columns(path, HEARD_COLUMNS)
        starts, ends = table.whole("start_ms"), table.whole("end_ms")
        table.refuse(ends < starts, lambda row: f"end_ms {ends[row]} is before start_ms {starts[row]}")
        return joined_stretches(zip(starts.tolist(), ends.tolist(), strict=True))

    def truth(self, exchange: str, symbol: str) -> Truth | None:
        """The open positions at the end; None where they are not known, as in every real market."""
        path = self.path / exchange / symbol / TRUTH_FILE
        if not path.exists():
            return None
        table = read_columns(path, TRUTH_COLUMNS, text=("side",))
        refuse_below(table, "liquidation_price", least=0.0)
        refuse_below(table, "usd", least=0.0)
        return Truth(
            is_long=one_of(table, "side", true="long", false="short"),
            liquidation_price=table.number("liquidation_price"),
            usd=table.number("usd"),
        )

    def books(self, exchange: str, symbol: str) -> tuple[Depth, ...]:
        """The order books that were recorded, by ascending time."""
        folder = self.path / exchange / symbol
        found = (*read_books(folder / DEPTH_FILE), *read_books(folder / DEPTHS_FILE))
        return tuple(sorted(found, key=lambda book: book.time_ms))

    def tiers(self, exchange: str) -> Mapping[str, tuple[RiskTier, ...]]:
        """Risk tiers by symbol, ascending; empty where none were recorded."""
        path = self.path / exchange / TIERS_FILE
        return read_tiers(path) if path.exists() else {}


def holds_market(folder: Path) -> bool:
    """Whether this is a symbol's folder; one with other data and no bars raises RecordingError."""
    if (folder / BARS_FILE).is_file():
        return True
    others = (OPEN_INTEREST_FILE, PRICES_FILE, TRUTH_FILE, DEPTH_FILE, DEPTHS_FILE)
    if any((folder / name).is_file() for name in others):
        raise RecordingError(folder / BARS_FILE, "the file is missing")
    return False


def ascending_times(table: Columns, name: str) -> Ints:
    """A column of times, each later than the one before."""
    times = table.whole(name)
    steps = np.diff(times, prepend=times[:1] - 1)
    table.refuse(steps == 0, lambda row: f"{name} {times[row]} is there twice")
    table.refuse(steps < 0, lambda row: f"{name} {times[row]} is before the line above")
    table.refuse(times < 0, lambda row: f"{name} {times[row]} is negative")
    return times


def refuse_below(table: Columns, name: str, *, least: float | None) -> None:
    """Refuse values under `least`; None asks for more than zero."""
    column = table.number(name)
    if least is None:
        table.refuse(column <= 0, lambda row: f"{name} {column[row]!s} is not above zero")
    else:
        table.refuse(column < least, lambda row: f"{name} {column[row]!s} is negative")


def refuse_impossible_bars(table: Columns) -> None:
    """Refuse a bar whose prices contradict each other."""
    high, low = table.number("high"), table.number("low")
    table.refuse(high < low, lambda row: f"high {high[row]!s} is below low {low[row]!s}")
    for name in ("open", "close"):
        refuse_outside(table, name, low=low, high=high)


def refuse_outside(table: Columns, name: str, *, low: Floats, high: Floats) -> None:
    """Refuse a price that its own bar's range does not hold."""
    price = table.number(name)
    outside = (price > high) | (price < low)
    table.refuse(outside, lambda row: f"{name} {price[row]!s} is outside {low[row]!s} to {high[row]!s}")


def one_of(table: Columns, name: str, *, true: str, false: str) -> NDArray[np.bool_]:
    """A column of two words, as booleans."""
    words = np.array(table.texts[name], dtype=np.str_)
    is_true: NDArray[np.bool_] = words == true
    table.refuse(~is_true & (words != false), lambda row: f"{name} is {str(words[row])[:40]}, not {true} or {false}")
    return is_true


def read_tiers(path: Path) -> dict[str, tuple[RiskTier, ...]]:
    """Read and check a table of risk tiers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise RecordingError(path, f"this is not JSON ({error.msg})", line=error.lineno) from error
    except (ValueError, OSError) as error:
        raise RecordingError(path, f"the file cannot be read ({error})") from error
    if not isinstance(tables, dict):
        raise RecordingError(path, "the file must map symbols to lists of tiers", line=1)
    return {symbol: tiers_of(path, text, symbol, rows) for symbol, rows in tables.items()}


def refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a number")


def tiers_of(path: Path, text: str, symbol: str, rows: Any) -> tuple[RiskTier, ...]:
    """The tiers of one symbol: contiguous, ascending, with rates below one."""
    line = 1 + text[: max(0, text.find(json.dumps(symbol, ensure_ascii=False)))].count("\n")
    if not isinstance(rows, list) or not rows:
        raise RecordingError(path, f"{symbol} has no list of tiers", line=line)
    try:
        tiers = tuple(RiskTier(**{name: float(row[name]) for name in TIER_FIELDS}) for row in rows)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingError(path, f"a tier of {symbol} lacks a number ({error})", line=line) from error
    if tiers[0].notional_floor != 0 or any(low.notional_cap != high.notional_floor for low, high in pairwise(tiers)):
        raise RecordingError(path, f"the tiers of {symbol} do not follow each other from zero", line=line)
    for tier in tiers:
        if not (tier.notional_cap > tier.notional_floor and 0 < tier.maintenance_margin_rate < 1 <= tier.max_leverage):
            raise RecordingError(path, f"a tier of {symbol} is impossible ({tier})", line=line)
    return tiers
