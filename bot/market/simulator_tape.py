"""What a venue publishes of a simulated market: bars, open interest, mark prices and liquidation prints."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bot.market.simulator_lots import Closed
from bot.market.simulator_parameters import BARS_PER_DAY, SimulationParameters
from bot.market.types import BAR_MS, Bars, Floats, Ints, OpenInterest, Prices, Prints

COIN_DECIMALS: Final = 3
TAKER_LEAN: Final = 0.25


@dataclass(frozen=True, slots=True)
class Trades:
    """The coins traded in one bar: by lots, of which liquidations, and the sum of price times coins of the entries."""

    lots: float
    liquidated_longs: float
    liquidated_shorts: float
    entered: float
    entered_value: float


def no_prints() -> Prints:
    none = np.empty(0)
    return Prints(none.astype(np.int64), (), none.astype(np.bool_), none, none)


class Tape:
    """Notes each bar as it is played, and tells of those so far. Bars before `first` are an unpublished warm-up."""

    def __init__(self, parameters: SimulationParameters, bars: int, first: int) -> None:
        self._p = parameters
        self._first = first
        self._end = 0
        self._open_ms = parameters.start_ms + (np.arange(bars, dtype=np.int64) - first) * BAR_MS
        self._tick_ms = parameters.tick_s * 1000
        self._mark, self._last = np.empty((2, bars, 300 // parameters.tick_s + 1))
        self._coins, self._volume, self._value, self._taker = np.empty((4, bars))
        self._prints: list[tuple[Ints, Floats, Floats, bool]] = []
        stream = np.random.default_rng(np.random.SeedSequence((parameters.seed, 3)))
        noise = stream.standard_normal((bars, 2))
        self._churn = parameters.churn / BARS_PER_DAY * np.exp(parameters.volume_noise * noise[:, 0])
        self._taker_noise = 0.06 * noise[:, 1]

    def note_prices(self, bar: int, mark: Floats, last: Floats) -> None:
        """Both of shape (ticks + 1,), from the bar's start to its end."""
        self._mark[bar] = mark
        self._last[bar] = last

    def note_trades(self, bar: int, trades: Trades, *, coins: float, pulse: float) -> None:
        """The bar's volume, its value and the takers' part of it, and the open interest `coins` at its end."""
        last = self._last[bar]
        churn = self._churn[bar] * coins * pulse
        volume = trades.lots + churn
        price = (trades.entered_value + churn * float(last.mean())) / (trades.entered + churn)
        move = float(last[-1] / last[0] - 1) / (self._p.daily_volatility / BARS_PER_DAY**0.5)
        share = min(0.95, max(0.05, 0.5 + TAKER_LEAN * float(np.tanh(move)) + self._taker_noise[bar]))
        forced = trades.liquidated_longs + trades.liquidated_shorts
        self._volume[bar] = volume
        self._value[bar] = volume * min(max(price, float(last.min())), float(last.max()))
        self._taker[bar] = share * max(0.0, volume - forced) + trades.liquidated_shorts
        self._coins[bar] = coins
        self._end = bar + 1

    def note_liquidations(self, bar: int, sign: int, closed: Closed, entry_tick: Ints | None = None) -> None:
        """Print what was liquidated, at the moment the mark price passed it; `entry_tick` is the lots' own, if new."""
        if bar < self._first or not closed.liquidated.any():
            return
        price, coins = closed.price[closed.liquidated], closed.coins[closed.liquidated]
        path = sign * self._mark[bar]
        passed = path[None, :] <= sign * price[:, None]
        if entry_tick is not None:
            passed &= np.arange(len(path))[None, :] > entry_tick[closed.liquidated][:, None]
        tick = passed.argmax(axis=1)
        before = path[np.maximum(tick - 1, 0)]
        fall = before - path[tick]
        part = np.clip((before - sign * price) / np.where(fall > 0, fall, 1.0), 0.0, 1.0)
        since_open = np.clip((tick - 1 + part) * self._tick_ms, 0, BAR_MS - 1)
        self._prints.append((self._open_ms[bar] + since_open.astype(np.int64), price, coins, sign > 0))

    def bars(self) -> Bars:
        kept = slice(self._first, self._end)
        last = self._last[kept]
        volume = np.round(self._volume[kept], COIN_DECIMALS)
        return Bars(
            open_ms=self._open_ms[kept],
            open=last[:, 0].copy(),
            high=last.max(axis=1),
            low=last.min(axis=1),
            close=last[:, -1].copy(),
            volume=volume,
            quote_volume=volume * (self._value[kept] / self._volume[kept]),
            taker_buy_volume=np.minimum(np.round(self._taker[kept], COIN_DECIMALS), volume),
        )

    def open_interest(self) -> OpenInterest:
        kept = slice(self._first, self._end)
        return OpenInterest(self._open_ms[kept] + BAR_MS, np.round(self._coins[kept], COIN_DECIMALS))

    @property
    def last_mark(self) -> float:
        return float(self._mark[self._end - 1, -1])

    def prices(self) -> Prices:
        """The mark price of the last `price_days`, tick by tick."""
        points = self._mark.shape[1]
        kept = slice(max(self._first, self._end - self._p.price_days * BARS_PER_DAY), self._end)
        time_ms = self._open_ms[kept, None] + np.arange(1, points, dtype=np.int64) * self._tick_ms
        return Prices(time_ms=time_ms.reshape(-1), price=self._mark[kept, 1:].reshape(-1))

    def prints(self) -> Prints:
        """All prints in time order, or the largest of each throttle's time."""
        if not self._prints:
            return no_prints()
        time_ms = np.concatenate([part[0] for part in self._prints])
        price = np.concatenate([part[1] for part in self._prints])
        coins = np.concatenate([part[2] for part in self._prints])
        is_long = np.concatenate([np.full(len(part[0]), part[3]) for part in self._prints])
        if self._p.print_throttle_ms > 0:
            window = time_ms // self._p.print_throttle_ms
            largest_first = np.lexsort((-coins, window))
            _, lead = np.unique(window[largest_first], return_index=True)
            order = np.sort(largest_first[lead])
            order = order[np.argsort(time_ms[order], kind="stable")]
        else:
            order = np.argsort(time_ms, kind="stable")
        symbol = (self._p.symbol,) * len(order)
        return Prints(time_ms[order], symbol, is_long[order], price[order], coins[order])
