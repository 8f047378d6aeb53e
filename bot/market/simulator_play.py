"""A simulated market in motion: each bar moves price, sweeps, closes, hands on and opens, and writes the tape."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from bot.market.simulator_book import MOST_PUSH, impact_book
from bot.market.simulator_lots import Closed, Holders, Margin, Newcomers
from bot.market.simulator_parameters import BARS_PER_DAY, Regime, SimulationParameters
from bot.market.simulator_path import draw_path
from bot.market.simulator_tape import Tape, Trades
from bot.market.types import Depth, Floats

LIQUIDATION_HANDOVER: Final = 0.3
MOST_ENDED_AT_ONCE: Final = 0.3
MOST_LOTS_AT_ONCE: Final = 4_000
MARK_DECIMALS: Final = 2
PUSH_KEPT: Final = 0.96
INITIAL_SPREAD: Final = 0.03
INITIAL_LOTS_MOST: Final = 100_000
COMPACT_EVERY: Final = 32
USUAL_KEPT: Final = 1 - 1 / BARS_PER_DAY


@dataclass(frozen=True, slots=True)
class Entries:
    """The coins that one side opened in a bar, their value at entry, and how much of them did not outlive the bar."""

    coins: float
    value: float
    liquidated: float


class Play:
    """The traders of one market. Both sides hold `coins` at the end of each bar."""

    def __init__(self, parameters: SimulationParameters) -> None:
        self._p = parameters
        self._path = draw_path(parameters)
        self.bars, ticks = self._path.mark.shape
        self.tape = Tape(parameters, self.bars, self._path.first)
        self.opened_longs, self.opened_shorts, self.pushed = np.zeros((3, self.bars))

        seeds = np.random.SeedSequence((parameters.seed, 2)).spawn(5)
        long_stream, short_stream, self._choice, start, later = map(np.random.default_rng, seeds)
        margin = Margin(parameters.tiers)
        self.longs = Holders(+1, margin, Newcomers(parameters, parameters.long_leverage, long_stream))
        self.shorts = Holders(-1, margin, Newcomers(parameters, parameters.short_leverage, short_stream))
        self._later = later

        self.coins = parameters.open_interest_usd / parameters.start_price
        self._target = self.coins
        self._lot = self.coins / parameters.mean_holding_bars / parameters.lots_per_bar
        self._usual_end = (1 - parameters.handover) * self.coins / parameters.mean_holding_bars
        self._exits = self._inflow = 1.0
        self._clock = 0.0
        self._push = self._offset = 0.0
        self._ramp = np.minimum(1.0, np.arange(1, ticks + 1) * 3 / ticks)
        start_price = round(float(self._path.mark[0, 0]), parameters.price_decimals)
        self._at = start_price, start_price
        self._fill(start)

    def step(self, bar: int) -> None:
        """Play one bar."""
        p, longs, shorts = self._p, self.longs, self.shorts
        if p.regime is not None and bar == self._path.first + p.days * BARS_PER_DAY // 2:
            self._change(p.regime)
        mark, last = self._move_price(bar)
        self.tape.note_prices(bar, mark, last)
        pulse = float(self._path.activity[bar])
        self._clock += self._exits * pulse**0.5

        swept_longs, swept_shorts = longs.sweep(float(mark.min())), shorts.sweep(-float(mark.max()))
        self.tape.note_liquidations(bar, +1, swept_longs)
        self.tape.note_liquidations(bar, -1, swept_shorts)
        forced_longs, forced_shorts = swept_longs.liquidated_coins, swept_shorts.liquidated_coins
        closed_longs = swept_longs.total + longs.close_due(self._clock)
        closed_shorts = swept_shorts.total + shorts.close_due(self._clock)

        ended = self._ending(closed_longs - forced_longs, closed_shorts - forced_shorts, forced_longs + forced_shorts)
        closed_longs += longs.close_some(ended - closed_longs, self._choice)
        closed_shorts += shorts.close_some(ended - closed_shorts, self._choice)
        begun = self._inflow * pulse * self._usual_end * self._target / self.coins
        self._usual_end += (1 - USUAL_KEPT) * (ended - self._usual_end)
        self.coins += begun - ended

        new_longs = self._enter(bar, longs, begun + closed_longs - ended, mark, last)
        new_shorts = self._enter(bar, shorts, begun + closed_shorts - ended, mark, last)
        self.opened_longs[bar], self.opened_shorts[bar] = new_longs.coins, new_shorts.coins
        trades = Trades(
            lots=new_longs.coins + new_shorts.coins + ended - begun,
            liquidated_longs=forced_longs + new_longs.liquidated,
            liquidated_shorts=forced_shorts + new_shorts.liquidated,
            entered=new_longs.coins + new_shorts.coins,
            entered_value=new_longs.value + new_shorts.value,
        )
        self._bend(trades.liquidated_shorts - trades.liquidated_longs)
        self.pushed[bar] = self._push
        self.tape.note_trades(bar, trades, coins=self.coins, pulse=pulse)
        if bar % COMPACT_EVERY == 0:
            longs.compact()
            shorts.compact()

    def hold(self, bar: int, price: float) -> None:
        """Let nothing but forced orders move price from `bar` on: the world takes it to `price` and leaves it there."""
        self._path.mark[bar:] = price / math.exp(self._push)
        self._path.basis[bar:] = 0.0

    def depth(self) -> Depth:
        """The book at the end of the bars played so far."""
        return impact_book(self._p, push=self._push, coins=self.coins, mark=self.tape.last_mark, time_ms=self._p.end_ms)

    def _move_price(self, bar: int) -> tuple[Floats, Floats]:
        """Mark and last price from the bar's start to its end, bent by the liquidations so far. Shapes (ticks + 1,)."""
        smooth = self._path.mark[bar] * np.exp(self._offset + (self._push - self._offset) * self._ramp)
        self._offset = self._push
        mark, last = np.empty((2, len(smooth) + 1))
        mark[0], last[0] = self._at
        mark[1:] = np.round(smooth, self._p.price_decimals + MARK_DECIMALS)
        last[1:] = np.round(smooth * (1 + self._path.basis[bar]), self._p.price_decimals)
        self._at = float(mark[-1]), float(last[-1])
        return mark, last

    def _bend(self, net_bought: float) -> None:
        """Let forced orders push price, the less the farther it is pushed already, and let the push pass in hours."""
        most = MOST_PUSH * self._p.daily_volatility
        move = self._p.impact * net_bought / self.coins
        self._push = float(most * np.tanh((PUSH_KEPT * self._push + move) / most))

    def _ending(self, chosen_longs: float, chosen_shorts: float, forced: float) -> float:
        """The contracts that end in this bar, a closer of one side meeting a closer of the other."""
        chosen = (1 - self._p.handover) * min(chosen_longs, chosen_shorts)
        return min(chosen + (1 - LIQUIDATION_HANDOVER) * forced, MOST_ENDED_AT_ONCE * self.coins)

    def _enter(self, bar: int, holders: Holders, coins: float, mark: Floats, last: Floats) -> Entries:
        """Let new holders take over `coins` in the bar; others follow, at its end, those whom its rest liquidates."""
        if coins <= 0:
            return Entries(0.0, 0.0, 0.0)
        lots = min(MOST_LOTS_AT_ONCE, 1 + int(coins / self._lot))
        first, share, tick = holders.open(coins, lots=lots, price=last, clock=self._clock)
        worst = np.full(len(mark), np.inf)
        worst[:-1] = np.minimum.accumulate(holders.sign * mark[:0:-1])[::-1]
        closed: Closed = holders.sweep(worst[tick], first=first)
        again = closed.total
        if again > 0:
            self.tape.note_liquidations(bar, holders.sign, closed, tick[closed.row - first])
            holders.open(again, lots=1 + int(again / self._lot), price=last[-1:], clock=self._clock)
        value = float(share @ last[tick]) + again * float(last[-1])
        return Entries(coins=coins + again, value=value, liquidated=closed.liquidated_coins)

    def _fill(self, stream: np.random.Generator) -> None:
        """The book before the first bar: entries spread around the first price, whom it would liquidate moved to it."""
        price, _ = self._at
        lots = min(INITIAL_LOTS_MOST, int(self._p.lots_per_bar * self._p.mean_holding_bars) + 1)
        for holders in (self.longs, self.shorts):
            entries = price * np.exp(INITIAL_SPREAD * stream.standard_normal(256))
            holders.open(self.coins, lots=lots, price=entries, clock=self._clock)
            beyond = holders.sweep(holders.sign * price).total
            if beyond > 0:
                holders.open(beyond, lots=lots // 8 + 1, price=np.array([price]), clock=self._clock)

    def _change(self, regime: Regime) -> None:
        self._exits, self._inflow = regime.exits, regime.inflow
        for holders, stream in zip((self.longs, self.shorts), self._later.spawn(2), strict=True):
            holders.newcomers = Newcomers(self._p, regime.leverage, stream)
