"""The tracks of one exchange as arrays, so that a tick of all its prices is a few vector operations.

One row for each watched track and measure: its edges, and the bounds of its `Watch` as distances. A row wakes when
price takes its distance beyond a bound; only then are rules looked at.
"""

from typing import NamedTuple

import numpy as np

from bot.alerts.judge import Measure
from bot.alerts.matching import NEVER_MS, SLACK, Watch
from bot.liquidation.types import Cluster, Floats, Ints, Side

Key = tuple[str, str, Measure]
"""Symbol, track id, and what is measured."""

_FLOAT_COLUMNS = ("near", "far", "sign", "scale", "armed", "again", "fired")
_INT_COLUMNS = ("symbol", "due_ms", "seen_ms", "valid_ms")


class Look(NamedTuple):
    """One tick against all rows. `woken` (k,) are row numbers with their `time_ms`, `price`, `unseen_ms` (k,).

    The rest is what `TickBoard.keep` needs once the tick has been dealt with.
    """

    woken: Ints
    time_ms: Ints
    price: Floats
    unseen_ms: Ints
    symbol_rows: Ints
    symbol_time_ms: Ints
    symbol_price: Floats
    rows_seen: Ints
    rows_time_ms: Ints


class TickBoard:
    """Rows and last prices of one exchange. `max_age_ms` is the age from which a price is no data."""

    def __init__(self, *, max_age_ms: int) -> None:
        self._max_age_ms = max_age_ms
        self._symbols: dict[str, int] = {}
        self._price: Floats = np.full(0, np.nan)
        self._time_ms: Ints = np.zeros(0, dtype=np.int64)
        self._asked: tuple[tuple[str, ...], Ints] = ((), np.zeros(0, dtype=np.int64))
        self._rows: dict[str, dict[tuple[str, Measure], int]] = {}
        self._keys: dict[int, Key] = {}
        self._free: list[int] = []
        self._floats: dict[str, Floats] = {name: np.full(0, np.nan) for name in _FLOAT_COLUMNS}
        self._ints: dict[str, Ints] = {name: np.zeros(0, dtype=np.int64) for name in _INT_COLUMNS}

    def price(self, symbol: str) -> tuple[float, int] | None:
        """The last price seen and its time."""
        at = self._symbols.get(symbol)
        if at is None or self._time_ms[at] == 0:
            return None
        return float(self._price[at]), int(self._time_ms[at])

    def key(self, row: int) -> Key:
        """Which track a row is of."""
        return self._keys[row]

    def rows_of(self, symbol: str) -> set[tuple[str, Measure]]:
        """The tracks that have a row, and of which measure."""
        return set(self._rows.get(symbol, ()))

    def place(
        self, key: Key, cluster: Cluster, watch: Watch, *, scale: float, valid_ms: int, from_far: bool = False
    ) -> None:
        """Add or move the row of a track; past `valid_ms` its map is too old to judge by.

        The watch's metric is the distance over `scale`, to the edge that price comes to first, or to the last one.
        """
        symbol = key[0]
        row = self._rows.get(symbol, {}).get((key[1], key[2]))
        if row is None:
            if not self._free:
                self._grow()
            row = self._free.pop()
            self._rows.setdefault(symbol, {})[key[1], key[2]] = row
            self._keys[row] = key
            self._ints["symbol"][row] = self._number(symbol)
            self._ints["seen_ms"][row] = watch.seen_ms
        long = cluster.side is Side.LONG
        near, far = (cluster.high, cluster.low) if long else (cluster.low, cluster.high)
        self._floats["near"][row], self._floats["far"][row] = far if from_far else near, far
        self._floats["scale"][row] = scale
        self._floats["sign"][row] = -1.0 if long else 1.0
        self._ints["valid_ms"][row] = valid_ms
        self.bound(row, watch)

    def bound(self, row: int, watch: Watch) -> None:
        """Take over a watch's bounds; where the scale is not known, nothing wakes the row."""
        scale = float(self._floats["scale"][row])
        known = scale > 0.0
        self._floats["armed"][row] = watch.armed * scale if known else -np.inf
        self._floats["again"][row] = watch.again * scale if known else -np.inf
        self._floats["fired"][row] = watch.fired * scale if known else np.inf
        self._ints["due_ms"][row] = watch.due_ms if known else NEVER_MS

    def remove(self, key: Key) -> int:
        """Free the row of a track; when it was last seen."""
        row = self._rows[key[0]].pop((key[1], key[2]))
        del self._keys[row]
        self._floats["near"][row] = np.nan
        self._free.append(row)
        return int(self._ints["seen_ms"][row])

    def look(self, symbols: tuple[str, ...], prices: Floats, times: Ints, *, now_ms: int) -> Look:
        """Which rows a tick wakes. Prices that are stale, not newer than the last, or no number are no data."""
        at = self._numbers(symbols)
        fresh = (now_ms - times <= self._max_age_ms) & (times > self._time_ms[at]) & np.isfinite(prices) & (prices > 0)
        price = np.full(len(self._price), np.nan)
        time_ms = np.zeros(len(self._price), dtype=np.int64)
        price[at[fresh]] = prices[fresh]
        time_ms[at[fresh]] = times[fresh]

        columns, numbers = self._floats, self._ints
        symbol = numbers["symbol"]
        row_price, row_time = price[symbol], time_ms[symbol]
        distance = self._distance(row_price, row_time)
        known = ~np.isnan(distance)
        unseen = np.maximum(row_time - numbers["seen_ms"] - self._max_age_ms, 0)
        due_ms = numbers["due_ms"]
        wakes = (distance <= np.maximum(columns["armed"], columns["again"]) + SLACK) | (
            distance > columns["fired"] - SLACK
        )
        wakes |= known & ((row_time >= due_ms) | ((unseen > 0) & (due_ms < NEVER_MS)))
        woken = np.flatnonzero(wakes)
        seen = np.flatnonzero(known)
        changed = np.flatnonzero(time_ms)
        return Look(
            woken,
            row_time[woken],
            row_price[woken],
            unseen[woken],
            changed,
            time_ms[changed],
            price[changed],
            seen,
            row_time[seen],
        )

    def fresh(self, look: Look, symbol: str) -> tuple[float, int] | None:
        """The price that a tick brought of a symbol, and its time; None where it brought no news."""
        at = self._symbols.get(symbol, -1)
        row = int(look.symbol_rows.searchsorted(at))
        if row >= len(look.symbol_rows) or look.symbol_rows[row] != at:
            return None
        return float(look.symbol_price[row]), int(look.symbol_time_ms[row])

    def keep(self, look: Look) -> None:
        """Remember a tick that has been dealt with."""
        self._price[look.symbol_rows] = look.symbol_price
        self._time_ms[look.symbol_rows] = look.symbol_time_ms
        self._ints["seen_ms"][look.rows_seen] = look.rows_time_ms

    def _distance(self, price: Floats, time_ms: Ints) -> Floats:
        """Distance in percent to each row's near edge, 0 inside, NaN without data.

        Price beyond the far edge has spent the body: that is a hit once, at the tick that jumps through, if the tick
        before was seen; after it the body is no data until the next map closes its track.
        """
        columns, numbers = self._floats, self._ints
        sign, far = columns["sign"], columns["far"]
        last_price, last_ms = self._price[numbers["symbol"]], self._time_ms[numbers["symbol"]]
        distance = np.maximum(sign * 100.0 * np.log(columns["near"] / price), 0.0)
        jumped = (sign * (last_price - far) <= 0.0) & (time_ms - last_ms <= self._max_age_ms)
        distance[(sign * (price - far) > 0.0) & ~jumped] = np.nan
        distance[time_ms > numbers["valid_ms"]] = np.nan
        return distance

    def _numbers(self, symbols: tuple[str, ...]) -> Ints:
        """The numbers of a tick's symbols; the same list as last time costs nothing."""
        if symbols is not self._asked[0] and symbols != self._asked[0]:
            self._asked = (symbols, np.array([self._number(symbol) for symbol in symbols], dtype=np.int64))
        return self._asked[1]

    def _number(self, symbol: str) -> int:
        number = self._symbols.setdefault(symbol, len(self._symbols))
        if number >= len(self._price):
            more = max(64, len(self._price))
            self._price = np.concatenate([self._price, np.full(more, np.nan)])
            self._time_ms = np.concatenate([self._time_ms, np.zeros(more, dtype=np.int64)])
        return number

    def _grow(self) -> None:
        have = len(self._floats["near"])
        more = max(64, have)
        for name, column in self._floats.items():
            self._floats[name] = np.concatenate([column, np.full(more, np.nan)])
        for name, numbers in self._ints.items():
            self._ints[name] = np.concatenate([numbers, np.zeros(more, dtype=np.int64)])
        self._free.extend(range(have + more - 1, have - 1, -1))
