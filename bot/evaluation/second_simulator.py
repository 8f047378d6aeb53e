"""A second market whose truth is known, unlike `bot.market.simulator` in every law, so that no gain is tuned to one.

Here price switches between calm and wild states and knows nothing of liquidations; traders follow or fade the last
hours' move, with leverage from a continuous distribution, and leave at a target, a stop or when a heavy-tailed
patience ends; a market maker who is never liquidated holds what the two sides differ by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from bot.liquidation.grid import CELL
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Floats, History, Ints
from bot.liquidation.values import replace
from bot.market.recording import Truth
from bot.market.simulator_lots import Margin
from bot.market.simulator_parameters import risk_tiers

MINUTE_MS: Final = 60_000
BAR_MINUTES: Final = 5
DAY_MINUTES: Final = 1_440
START_MS: Final = 1_767_225_600_000
START_PRICE: Final = 50.0
KERNEL_CELLS: Final = 2_000
TIERS: Final = risk_tiers((100e3, 0.005, 100), (1e6, 0.01, 50), (10e6, 0.03, 20), (200e6, 0.1, 5))
ROUND_LEVERAGE: Final = np.array([2.0, 4, 5, 7, 10, 15, 20, 30, 50, 100])
SIGN, ENTRY, LIQUIDATION, STOP, TARGET, DUE, COINS = range(7)


@dataclass(frozen=True, slots=True)
class SecondParameters:
    """One market of this kind. Leverage is lognormal around its median, of the second half's opens `late_leverage`.

    `wallets` is the share that stands on a wallet of several times its margin; `patience_hours` the scale of a
    Weibull holding time of shape 0.6; `following` how strongly a move attracts its own side (negative: the other);
    `stops` the share with a stop before liquidation, `targets` the share that leaves at a profit.
    """

    seed: int = 1
    days: int = 30
    warmup_days: int = 5
    leverage: float = 8.0
    leverage_sd: float = 0.9
    short_leverage: float | None = None
    late_leverage: float | None = None
    round_leverage: bool = False
    wallets: float = 0.1
    patience_hours: float = 16.0
    following: float = 0.5
    stops: float = 0.2
    targets: float = 0.5
    calm_day: float = 0.02
    wild_day: float = 0.08
    arrivals: float = 6.0


SECOND_PRESETS: Final[Mapping[str, SecondParameters]] = MappingProxyType(
    {
        "second: plain": SecondParameters(),
        "second: round": SecondParameters(round_leverage=True, following=-0.5),
        "second: low": SecondParameters(leverage=3.0, leverage_sd=0.5, patience_hours=80.0, arrivals=3.0),
        "second: high": SecondParameters(leverage=25.0, leverage_sd=0.6, patience_hours=4.0),
        "second: wallets": SecondParameters(wallets=0.7, stops=0.35),
        "second: sides": SecondParameters(leverage=3.5, short_leverage=20.0, leverage_sd=0.6),
        "second: change": SecondParameters(leverage=4.0, late_leverage=20.0, leverage_sd=0.6),
    }
)


@dataclass(frozen=True, slots=True)
class SecondMarket:
    """What this market tells (`history`, `prints`) and what it knows: `truth`, the coins opened by side (2, bars),
    and by half of the time and side how many cells from its entry an opened coin was to be liquidated (2, 2, 2000)."""

    history: History
    prints: LiquidationPrints
    truth: Truth
    opened: Floats
    kernels: Floats


def simulate_second(parameters: SecondParameters) -> SecondMarket:
    """Play one market."""
    return _Crowd(parameters).play()


class _Crowd:
    def __init__(self, parameters: SecondParameters) -> None:
        p = self._p = parameters
        self._first = p.warmup_days * DAY_MINUTES
        self._minutes = self._first + p.days * DAY_MINUTES
        streams = [np.random.default_rng(seed) for seed in np.random.SeedSequence((p.seed, 77)).spawn(3)]
        self._wild = _states(streams[0], self._minutes)
        self.price = _prices(streams[1], self._wild, p)
        self._chance = streams[2]
        self._margin = Margin(TIERS)
        self._table = np.zeros((7, 1 << 14))
        self._used = 0
        self._newcomers, self._come, self._since = np.zeros((7, 0)), np.zeros(1, dtype=np.int64), 0
        bars = self._minutes // BAR_MINUTES
        self._opened, self._closed = np.zeros((2, bars)), np.zeros((2, bars))
        self._interest = np.zeros(bars)
        self._prints: list[Floats] = []
        self._kernels = np.zeros((2, 2, KERNEL_CELLS))

    def play(self) -> SecondMarket:
        for minute in range(1, self._minutes):
            self._leave(minute)
            self._enter(minute)
            if minute % BAR_MINUTES == BAR_MINUTES - 1:
                table = self._standing()
                longs = table[SIGN] > 0
                self._interest[minute // BAR_MINUTES] = max(table[COINS, longs].sum(), table[COINS, ~longs].sum())
        kernels = self._kernels / self._kernels.sum(axis=2, keepdims=True)
        return SecondMarket(self._history(), self._told(), self._truth(), self._recorded(self._opened), kernels)

    def _standing(self) -> Floats:
        return self._table[:, : self._used]

    def _leave(self, minute: int) -> None:
        """Liquidations, stops, targets and the end of patience, in this order; the table closes ranks."""
        table, price = self._standing(), self.price[minute]
        at = table[SIGN] * price
        forced = at <= table[LIQUIDATION]
        gone = forced | (at <= table[STOP]) | (at >= table[TARGET]) | (table[DUE] <= minute)
        rows = np.flatnonzero(gone)
        if not len(rows):
            return
        for side, sign in enumerate((1.0, -1.0)):
            mine = rows[table[SIGN, rows] == sign]
            self._closed[side, minute // BAR_MINUTES] += table[COINS, mine].sum()
        hit = rows[forced[rows]]
        if len(hit) and minute >= self._first:
            time_ms = np.full(len(hit), (minute - self._first) * MINUTE_MS, dtype=np.float64)
            trigger = np.abs(table[LIQUIDATION, hit])
            self._prints.append(np.stack((time_ms, table[SIGN, hit], trigger, table[COINS, hit] * trigger)))
        self._used -= len(rows)
        holes = rows[rows < self._used]
        movers = self._used + np.flatnonzero(~gone[self._used :])
        table[:, holes] = table[:, movers]

    def _enter(self, minute: int) -> None:
        """Add the newcomers of this minute; a bar's are drawn together, since the path of price is known."""
        if minute % BAR_MINUTES == 0 or minute == 1:
            at = np.arange(minute, min(minute - minute % BAR_MINUTES + BAR_MINUTES, self._minutes))
            counts = self._chance.poisson(self._p.arrivals * np.where(self._wild[at], 2.2, 0.7))
            self._come = np.concatenate(([0], np.cumsum(counts)))
            self._newcomers = self._draw(np.repeat(at, counts))
            self._since = minute
        first, end = self._come[minute - self._since : minute - self._since + 2].tolist()
        rows = self._newcomers[:, first:end]
        count = end - first
        if self._used + count > self._table.shape[1]:
            self._table = np.concatenate((self._table, np.zeros_like(self._table)), axis=1)
        self._table[:, self._used : self._used + count] = rows
        self._used += count

    def _draw(self, minute: Ints) -> Floats:
        """Traders who open in these minutes, (7, n); their coins and distances are noted."""
        p, price, chance, count = self._p, self.price[minute], self._chance, len(minute)
        past = self.price[np.maximum(0, minute - 240)]
        mood = np.tanh(40.0 * p.following * np.log(price / past))
        sign = np.where(chance.random(count) < 0.5 + 0.4 * mood, 1.0, -1.0)
        coins = np.minimum((1.0 - chance.random(count)) ** (-1.0 / 2.2), 30.0) * 4.0
        leverage = self._leverages(sign, minute)
        stretch = np.where(chance.random(count) < p.wallets, 1.0 + 3.0 * chance.standard_exponential(count), 1.0)
        margin = coins * price * np.minimum(stretch / leverage, np.where(sign > 0, 0.97, 3.0))
        rows = np.empty((7, count))
        rows[SIGN], rows[ENTRY], rows[COINS] = sign, price, coins
        bar, late = minute // BAR_MINUTES, (minute >= self._half).astype(np.int64)
        for side, one in enumerate((1, -1)):
            mine = sign == one
            rows[LIQUIDATION, mine] = level = self._margin.signed_liquidation(
                sign=one, entry=price[mine], coins=coins[mine], margin=margin[mine]
            )
            away = np.abs(np.log(np.maximum(np.abs(level), 1e-3) / price[mine])) / CELL
            cells = np.minimum(away.astype(np.int64), KERNEL_CELLS - 1)
            np.add.at(self._kernels, (late[mine], side, cells), coins[mine])
            np.add.at(self._opened[side], bar[mine], coins[mine])
        room = sign * price - rows[LIQUIDATION]
        stops, targets = chance.random(count) < p.stops, chance.random(count) < p.targets
        rows[STOP] = np.where(stops, sign * price - room * (0.2 + 0.7 * chance.random(count)), -np.inf)
        rows[TARGET] = np.where(targets, sign * price + price * 0.03 * np.exp(chance.normal(0.0, 0.8, count)), np.inf)
        rows[DUE] = minute + 60.0 * p.patience_hours * chance.weibull(0.6, count)
        return rows

    @property
    def _half(self) -> int:
        return self._first + self._p.days * DAY_MINUTES // 2

    def _leverages(self, sign: Floats, minute: Ints) -> Floats:
        p = self._p
        median = np.where(sign < 0, p.short_leverage or p.leverage, p.leverage)
        if p.late_leverage is not None:
            median = np.where(minute >= self._half, p.late_leverage, median)
        drawn = median * np.exp(self._chance.normal(0.0, p.leverage_sd, len(sign)))
        if p.round_leverage:
            drawn = ROUND_LEVERAGE[np.abs(np.log(drawn[:, None] / ROUND_LEVERAGE)).argmin(axis=1)]
        clipped: Floats = np.clip(drawn, 1.05, 100.0)
        return clipped

    def _recorded(self, bars: Floats) -> Floats:
        return bars[..., self._first // BAR_MINUTES :]

    def _history(self) -> History:
        first = self._first // BAR_MINUTES
        price = self.price[: self._minutes].reshape(-1, BAR_MINUTES)
        opened = np.concatenate((price[:1, 0], price[:-1, -1]))
        path = np.column_stack((opened, price))[first:]
        traded = self._opened.sum(axis=0) + self._closed.sum(axis=0)
        noise = np.random.default_rng((self._p.seed, 78)).lognormal(0.0, 0.4, len(traded))
        count = len(path)
        return History(
            bar_ms=BAR_MINUTES * MINUTE_MS,
            open_ms=START_MS + BAR_MINUTES * MINUTE_MS * np.arange(count, dtype=np.int64),
            open=path[:, 0].copy(),
            high=path.max(axis=1),
            low=path.min(axis=1),
            close=path[:, -1].copy(),
            volume=self._recorded(traded * 0.6 + traded.mean() * 0.4 * noise),
            quote_volume=np.full(count, np.nan),
            open_interest=self._recorded(self._interest),
        )

    def _told(self) -> LiquidationPrints:
        rows = np.concatenate([np.zeros((4, 0)), *self._prints], axis=1)
        return LiquidationPrints(START_MS + rows[0].astype(np.int64), rows[1] > 0, rows[2], rows[3])

    def _truth(self) -> Truth:
        table = self._standing()
        return Truth(table[SIGN] > 0, np.abs(table[LIQUIDATION]), table[COINS] * self.price[self._minutes - 1])


def _states(stream: np.random.Generator, minutes: int) -> np.ndarray:
    """Calm or wild, minute by minute: wild for six hours and calm for a day and a half, on average."""
    wild = np.empty(minutes, dtype=np.bool_)
    now, at = False, 0
    while at < minutes:
        lasts = 1 + int(stream.exponential(360.0 if now else 2_160.0))
        wild[at : at + lasts] = now
        now, at = not now, at + lasts
    return wild


def _prices(stream: np.random.Generator, wild: np.ndarray, parameters: SecondParameters) -> Floats:
    """Student-t minutes of the state's volatility around a slow wave, with echoes of the last minute's move."""
    sd = np.where(wild, parameters.wild_day, parameters.calm_day) / DAY_MINUTES**0.5
    steps = np.clip(stream.standard_t(3.5, len(wild)) / 1.53, -12.0, 12.0) * sd
    steps[1:] += 0.15 * steps[:-1]
    wave = 0.04 * np.sin(2 * np.pi * (np.arange(len(wild)) / (6.5 * DAY_MINUTES) + stream.random()))
    path: Floats = START_PRICE * np.exp(np.cumsum(steps) + wave)
    return path


def second_parameters(name: str, *, seed: int, days: int) -> SecondParameters:
    """A preset's parameters. Raises KeyError."""
    return replace(SECOND_PRESETS[name], seed=seed, days=days)
