"""Exactly known positions of an exchange that tells them, in its own map, in the combined one, and in their words."""

from collections.abc import Sequence

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.liquidation.known import KnownPosition
from bot.liquidation.types import Side
from bot.market.playback import RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.markets import Markets
from bot.storage.database import Database
from tests.unit.app.scenes import START_MS, CountedExchange, Inbox, playing

SIM = Market("simulated", "SIMUSDT")


class TellingExchange(CountedExchange):
    """Tells what some accounts hold once it was asked to ask them."""

    def __init__(self, market: SimulatedMarket, clock: StepClock, known: Sequence[KnownPosition]) -> None:
        super().__init__("simulated", [RecordedMarket.simulated(market)], clock)
        self._untold = tuple(known)
        self._told: tuple[KnownPosition, ...] = ()

    async def ask_accounts(self) -> bool:
        self._told = self._untold
        return True

    def known_positions(self, symbol: str) -> Sequence[KnownPosition]:
        return self._told if symbol == "SIMUSDT" else ()


def tenth_of_the_longs(market: SimulatedMarket) -> KnownPosition:
    """At 6 % below price, where the model has something else."""
    before = int(np.searchsorted(market.open_interest.time_ms, START_MS))
    close = float(market.bars.close[np.searchsorted(market.bars.open_ms, START_MS) - 1])
    return KnownPosition(Side.LONG, 0.1 * float(market.open_interest.coins[before]), 0.94 * close)


async def test_known_positions_take_the_place_of_the_models_in_the_next_map(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    position = tenth_of_the_longs(market)
    async with await Database.open("sqlite://", inline=True) as db:
        exchange = TellingExchange(market, clock, [position])
        app = await App.build(World({"simulated": exchange}, db, Inbox(), clock), Limits(history_days=1, tick_s=75.0))
        await app.refresh_instruments()
        model = (await app.markets.open(SIM)).reading
        await app.ask_accounts()
        exact = (await app.markets.advance(SIM)).reading
        view = await app.desk.view(SIM)
        within = await app.markets.read_within(SIM, 6 * 3_600_000)
    assert model.known_share == 0.0
    assert exact.known_share == pytest.approx(0.05, rel=0.01)
    assert view.known_share == exact.known_share
    assert exact.version == f"{model.version}+known", "what the addresses add is no growth"
    assert within.known_share == 0.0, "nobody tells when a position was opened"
    assert position.liquidation_price is not None
    at = int(np.searchsorted(exact.map.high, position.liquidation_price, side="right"))
    gained = exact.map.long_usd - 0.9 * model.map.long_usd
    assert gained[at] == pytest.approx(position.coins * exact.map.price, rel=1e-3)
    assert np.delete(np.abs(gained), at).max() < 1e-3 * gained[at]


async def test_an_exchange_that_tells_nothing_is_the_models_alone(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    async with await Database.open("sqlite://", inline=True) as db:
        markets = Markets(exchanges={"simulated": playing(market, clock)}, db=db, history_days=1)
        await markets.refresh_instruments()
        assert (await markets.open(SIM)).reading.known_share == 0.0
