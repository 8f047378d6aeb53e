"""A market whose truth is known: traders open, hold, hand on and are liquidated along a path that their own falls bend.

Every contract has one long and one short. What closes on one side either passes to a new holder or ends with a closer
of the other side, so both sides hold the open interest exactly, always. It is the demo's market and the measuring
rod of the liquidation model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bot.liquidation.margin import RiskTier
from bot.market.bar_path import price_at
from bot.market.recording import Truth
from bot.market.recording_writer import RecordingWriter
from bot.market.simulator_book import impact_book
from bot.market.simulator_parameters import BARS_PER_DAY, SimulationParameters
from bot.market.simulator_play import Play
from bot.market.simulator_tape import no_prints
from bot.market.types import BAR_MS, SIMULATED, Bars, Depth, Floats, OpenInterest, Prices, Prints

EXCHANGE: Final = SIMULATED


@dataclass(frozen=True, slots=True)
class SimulatedMarket:
    """One simulated market with everything a venue would tell of it, and the truth it would not.

    `bars` hold last prices; liquidations trigger on the mark price, which `prices` gives tick by tick for the last
    `price_days` (no rows where that is 0). `opened_longs` and `opened_shorts` (bars,) are the coins of new holders in
    each bar, handed-on positions included: no venue publishes them, an oracle may use them. `pushed` (bars,) is how
    far forced orders had pushed price at each bar's end, in log price: its book follows from that.
    """

    parameters: SimulationParameters
    bars: Bars
    open_interest: OpenInterest
    prices: Prices
    prints: Prints
    truth: Truth
    depth: Depth
    opened_longs: Floats
    opened_shorts: Floats
    pushed: Floats

    @property
    def symbol(self) -> str:
        return self.parameters.symbol

    @property
    def tiers(self) -> tuple[RiskTier, ...]:
        return self.parameters.tiers

    def depth_at(self, now_ms: int) -> Depth | None:
        """The book around the price at a moment, by the last closed bar; None before the first has closed."""
        bar = int(np.searchsorted(self.bars.open_ms, now_ms - BAR_MS, side="right")) - 1
        now = price_at(self.bars, self.prices if len(self.prices) else None, now_ms)
        if bar < 0 or now is None:
            return None
        coins, push = float(self.open_interest.coins[bar]), float(self.pushed[bar])
        return impact_book(self.parameters, push=push, coins=coins, mark=now[1], time_ms=now_ms)


def simulate(parameters: SimulationParameters) -> SimulatedMarket:
    """Play a market from its warm-up to its end."""
    play = Play(parameters)
    for bar in range(play.bars):
        play.step(bar)
    recorded = slice(parameters.warmup_days * BARS_PER_DAY, None)
    return SimulatedMarket(
        parameters=parameters,
        bars=play.tape.bars(),
        open_interest=play.tape.open_interest(),
        prices=play.tape.prices(),
        prints=play.tape.prints(),
        truth=standing_truth(play),
        depth=play.depth(),
        opened_longs=play.opened_longs[recorded],
        opened_shorts=play.opened_shorts[recorded],
        pushed=play.pushed[recorded],
    )


def standing_truth(play: Play) -> Truth:
    """The positions open at the end, longs first, each side by ascending liquidation price."""
    price = play.tape.last_mark
    sides = []
    for holders in (play.longs, play.shorts):
        liquidation, coins = holders.standing()
        order = np.argsort(liquidation, kind="stable")
        sides.append((liquidation[order], coins[order] * price))
    (long_price, long_usd), (short_price, short_usd) = sides
    return Truth(
        is_long=np.arange(len(long_usd) + len(short_usd)) < len(long_usd),
        liquidation_price=np.concatenate([long_price, short_price]),
        usd=np.concatenate([long_usd, short_usd]),
    )


def write_recording(markets: Sequence[SimulatedMarket], path: Path | str) -> None:
    """Write markets as one recording of the exchange `simulated`."""
    writer = RecordingWriter(path, EXCHANGE)
    for market in markets:
        writer.bars(market.symbol, market.bars)
        writer.open_interest(market.symbol, market.open_interest)
        if len(market.prices):
            writer.prices(market.symbol, market.prices)
        writer.truth(market.symbol, market.truth)
        writer.depth(market.symbol, market.depth)
    writer.prints(merge_prints([market.prints for market in markets]))
    writer.tiers({market.symbol: market.tiers for market in markets})


def merge_prints(parts: Sequence[Prints]) -> Prints:
    """The prints of several markets, in time order."""
    parts = [no_prints(), *parts]
    time_ms = np.concatenate([part.time_ms for part in parts])
    order = np.argsort(time_ms, kind="stable")
    symbols = [symbol for part in parts for symbol in part.symbol]
    return Prints(
        time_ms=time_ms[order],
        symbol=tuple(symbols[row] for row in order.tolist()),
        is_long=np.concatenate([part.is_long for part in parts])[order],
        price=np.concatenate([part.price for part in parts])[order],
        coins=np.concatenate([part.coins for part in parts])[order],
    )
