"""One exchange's part of a recording, growing as the market goes on; a folder that is there already is continued."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from bot.liquidation.margin import RiskTier
from bot.market.feed import Print, Stretch, joined_stretches
from bot.market.growing import GrowingFile, Row, lines_of
from bot.market.recorded_books import DEPTH_COLUMNS
from bot.market.recording import (
    BAR_COLUMNS,
    BAR_EXTRAS,
    BARS_FILE,
    DEPTHS_FILE,
    HEARD_COLUMNS,
    HEARD_FILE,
    OPEN_INTEREST_COLUMNS,
    OPEN_INTEREST_FILE,
    PRICE_COLUMNS,
    PRICES_FILE,
    PRINT_COLUMNS,
    PRINTS_FILE,
    TIERS_FILE,
    read_tiers,
)
from bot.market.recording_writer import RecordingWriter, cells, depth_columns, print_cells
from bot.market.types import Bars, Depth, Floats, Ints, OpenInterest

REMEMBERED: Final = 5_000
"""Prints that may come again: a line made anew repeats its last moments, also after a restart."""


BOOK_STEPS: Final = 40
"""Rows a side of a recorded book."""


class GrowingMarket:
    """The files of one contract: whatever is added, only what is newer than the last row goes in."""

    def __init__(self, folder: Path) -> None:
        """Begin or continue. Raises RecordingError where what is there cannot be continued."""
        self._folder = folder
        self._extras: tuple[str, ...] = ()
        self._bars: GrowingFile | None = None
        if (folder / BARS_FILE).exists():
            names = lines_of(folder / BARS_FILE)[0].split(",")
            self._begin_bars(name for name in BAR_EXTRAS if name in names)
        self._open_interest = GrowingFile(folder / OPEN_INTEREST_FILE, OPEN_INTEREST_COLUMNS)
        self._prices = GrowingFile(folder / PRICES_FILE, PRICE_COLUMNS)
        self._books = GrowingFile(folder / DEPTHS_FILE, DEPTH_COLUMNS)

    @property
    def newest_bar_ms(self) -> int | None:
        """The open of the last bar; None before the first."""
        return None if self._bars is None or self._bars.newest_ms < 0 else self._bars.newest_ms

    @property
    def newest_open_interest_ms(self) -> int | None:
        """The time of the last sample; None before the first."""
        return None if self._open_interest.newest_ms < 0 else self._open_interest.newest_ms

    @property
    def dropped(self) -> int:
        """Rows for which there was no room while they waited."""
        return sum(file.dropped for file in self._files)

    def add_bars(self, bars: Bars) -> int:
        """Gives how many were new. A volume that the venue does not publish has no column."""
        if not len(bars):
            return 0
        extras = {"quote_volume": bars.quote_volume, "taker_buy_volume": bars.taker_buy_volume}
        file = self._bars or self._begin_bars(name for name in BAR_EXTRAS if not np.isnan(extras[name]).all())
        columns = [bars.open, bars.high, bars.low, bars.close, bars.volume, *(extras[name] for name in self._extras)]
        new = (bars.open_ms > file.newest_ms) & np.isfinite(columns).all(axis=0)
        file.add(rows_of(bars.open_ms[new], [column[new] for column in columns]))
        return int(new.sum())

    def add_open_interest(self, samples: OpenInterest) -> int:
        """Gives how many were new."""
        new = samples.time_ms > self._open_interest.newest_ms
        self._open_interest.add(rows_of(samples.time_ms[new], [samples.coins[new]]))
        return int(new.sum())

    def add_price(self, time_ms: int, price: float) -> int:
        """Gives 1 where it is a new one, else 0."""
        if time_ms <= self._prices.newest_ms:
            return 0
        self._prices.add([(time_ms, f"{time_ms},{price!r}")])
        return 1

    def add_book(self, depth: Depth) -> int:
        """Gives 1 where it is a newer one, else 0. It is kept in so many steps as tell its shape.

        None is taken before the first bar: where rows wait for that, the oldest are dropped, and half a book is none.
        """
        if self._bars is None or depth.time_ms <= self._books.newest_ms:
            return 0
        columns = depth_columns(depth.in_steps(BOOK_STEPS))
        lines = map(",".join, zip(*map(cells, columns), strict=True))
        self._books.add((depth.time_ms, line) for line in lines)
        return 1

    def write(self, now_s: float, *, all_of_it: bool = False) -> None:
        """Put in place what is due; nothing before the first bar, for no reader takes that. Raises OSError."""
        if self._bars is None:
            return
        for file in self._files:
            if (file is self._bars or self._bars.rows) and (all_of_it or file.due(now_s)):
                file.write(now_s)

    @property
    def _files(self) -> Sequence[GrowingFile]:
        return (*(() if self._bars is None else (self._bars,)), self._open_interest, self._prices, self._books)

    def _begin_bars(self, extras: Iterable[str]) -> GrowingFile:
        self._extras = tuple(extras)
        self._bars = GrowingFile(self._folder / BARS_FILE, (*BAR_COLUMNS, *self._extras))
        return self._bars


class GrowingPrints:
    """The liquidations of one exchange. A late one is put where it belongs; one that comes again counts once."""

    def __init__(self, folder: Path) -> None:
        """Begin or continue. Raises RecordingError where what is there cannot be continued."""
        path = folder / PRINTS_FILE
        self._file = GrowingFile(path, PRINT_COLUMNS)
        self._seen = dict.fromkeys(lines_of(path)[1:][-REMEMBERED:]) if path.exists() else {}
        self._heard = GrowingFile(folder / HEARD_FILE, HEARD_COLUMNS)
        self._stretches: tuple[Stretch, ...] = ()

    @property
    def dropped(self) -> int:
        """Prints for which there was no room while they waited."""
        return self._file.dropped

    def add(self, prints: Iterable[Print]) -> int:
        """Gives how many were new."""
        count = 0
        for one in prints:
            line = ",".join(print_cells(one))
            if line not in self._seen:
                self._seen[line] = None
                self._file.add([(one.time_ms, line)])
                count += 1
            if len(self._seen) > REMEMBERED:
                del self._seen[next(iter(self._seen))]
        return count

    def add_heard(self, stretches: Iterable[Stretch]) -> None:
        """Stretches in which liquidations would have been heard; without prints a recording could not tell them."""
        self._stretches = joined_stretches((*self._stretches, *stretches))

    def write(self, now_s: float, *, all_of_it: bool = False) -> None:
        """Put in place what is due. Raises OSError. No stretch is in place before the prints that were heard in it."""
        if all_of_it or self._file.due(now_s):
            self._file.write(now_s)
        if self._file.waiting == 0 and (all_of_it or self._heard.is_old(now_s)):
            self._heard.add((start, f"{start},{end}") for start, end in self._stretches)
            self._stretches = ()
            self._heard.write(now_s)


class GrowingTiers:
    """The risk tiers of one exchange, as they were last told."""

    def __init__(self, out: Path, exchange: str) -> None:
        """Begin or continue. Raises RecordingError where what is there cannot be read."""
        path = out / exchange / TIERS_FILE
        self._writer = RecordingWriter(out, exchange)
        self._known: dict[str, Sequence[RiskTier]] = dict(read_tiers(path)) if path.exists() else {}

    def put(self, tiers: Mapping[str, Sequence[RiskTier]]) -> None:
        """Put in place what is newly told; a contract without tiers keeps its last ones. Raises OSError."""
        told = {symbol: tuple(rows) for symbol, rows in tiers.items() if rows}
        if self._known | told != self._known:
            self._known |= told
            self._writer.tiers(self._known)


def rows_of(times: Ints, columns: Sequence[Floats]) -> Iterable[Row]:
    """Rows of a time and finite numbers."""
    lines = map(",".join, zip(cells(times), *map(cells, columns), strict=True))
    return zip(times.tolist(), lines, strict=True)
