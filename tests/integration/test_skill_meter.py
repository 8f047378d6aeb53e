"""The skill meter of a whole app, on simulated markets that are played for two days: noted, scored, learned, kept."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.liquidation import DEFAULT
from bot.liquidation.score import HOUR_MS, MODELS, MOMENT_MS
from bot.liquidation.values import replace
from bot.market.feed import LiquidationFeed
from bot.market.playback import PlaybackExchange
from bot.market.simulator import EXCHANGE, SimulatedMarket, simulate
from bot.market.simulator_parameters import PRESETS
from bot.market.types import BAR_MS
from bot.reading import map_json
from bot.storage.database import Database
from bot.telegram.limits import bare
from bot.telegram.turn import Inbound, Reply
from tests.unit.app.scenes import Inbox

DAY_MS = 24 * HOUR_MS
DAYS = 5
PRIOR = np.array(DEFAULT.turnover_prior)


@pytest.fixture(scope="module")
def markets() -> list[SimulatedMarket]:
    """Two markets of five days, whose liquidations are all printed."""
    return [
        simulate(replace(PRESETS[name], symbol=symbol, days=DAYS, warmup_days=1, lots_per_bar=16, tick_s=60, seed=seed))
        for name, symbol, seed in (("base", "SIMUSDT", 5), ("two_speed", "TWOUSDT", 6))
    ]


@asynccontextmanager
async def bot(
    url: str, markets: Sequence[SimulatedMarket], clock: StepClock, *, listens: bool = True
) -> AsyncIterator[tuple[App, Database]]:
    exchange = PlaybackExchange.of_simulation(markets, clock)
    feeds: dict[str, LiquidationFeed] = {EXCHANGE: exchange.feed()} if listens else {}
    async with await Database.open(url, inline=True) as db:
        world = World({EXCHANGE: exchange}, db, Inbox(), clock, frozenset({EXCHANGE}), feeds)
        app = await App.build(world, Limits())
        await app.refresh_instruments()
        yield app, db


async def play(app: App, clock: StepClock, *, hours: int) -> None:
    start_ms = clock.now_ms()
    for time_ms in range(start_ms + BAR_MS, start_ms + hours * HOUR_MS + 1, BAR_MS):
        clock.step_to(time_ms)
        if time_ms % MOMENT_MS == 0:
            await app.recompute()
        if time_ms % HOUR_MS == 0:
            await app.measure()
            await app.read_prices()


async def say(app: App, text: str) -> str:
    """What the bot answers, without markup."""
    actions = await app.conversation.answer(Inbound(1, 7, user_id=7, language="en", text=text))
    return "\n".join(bare(action.message.text) for action in actions if isinstance(action, Reply))


async def test_two_days_of_maps_are_noted_scored_and_learned_from_and_outlive_a_restart(
    markets: list[SimulatedMarket], tmp_path: Path
) -> None:
    url, clock = f"sqlite:///{tmp_path}/bot.db", StepClock(markets[0].parameters.start_ms + 2 * DAY_MS)
    sim = Market(EXCHANGE, "SIMUSDT")
    async with bot(url, markets, clock) as (app, db):
        for market in markets:
            assert "not proven here" in await say(app, f"/watch {market.symbol} 2%")
        page = await say(app, "/status")
        assert "Not scored yet" in page
        assert "$" not in await say(app, "/map SIM")

        await play(app, clock, hours=12)
        assert "too few to tell" in await say(app, "/status")
        stored = await db.briefs.load(sim, start_ms=0, end_ms=clock.now_ms() + 1)
        assert [one.time_ms % MOMENT_MS for one in stored] == [0] * 48
        assert set(stored[0].usd) == set(MODELS)

        await play(app, clock, hours=36)
        learned = app.meter.skill(sim)
        assert learned is not None
        assert learned.turnover is not None
        assert learned.turnover.trust == 1.0
        assert abs(learned.turnover.weights - PRIOR).max() > 0.02
        assert learned.kappa is not None
        assert learned.score is not None
        assert learned.score.verdict == "proven"
        await app.recompute()  # by what was decided since
        page = await say(app, "/status")
        assert "All of simulated market: proven, +" in page
        assert "SIM: proven, +" in page
        shown = await say(app, "/map SIM")
        assert "≈$" in shown
        assert "not proven" not in shown
        live = app.markets.get(sim)
        assert live is not None
        assert all(cluster.expected_usd is not None for cluster in live.reading.clusters)
        tracks = app.watch.tracks(sim)
        model = map_json(sim, live.reading, tracks, live.history, now_ms=clock.now_ms())["model"]
        assert isinstance(model, dict)
        assert model["calibrated"] is True

    async with bot(url, markets, clock) as (app, db):
        again = app.meter.skill(sim)
        assert again is not None
        assert again.turnover is not None
        assert np.array_equal(again.turnover.weights, learned.turnover.weights)
        assert replace(again, turnover=None) == replace(learned, turnover=None)
        await app.recompute()
        assert await say(app, "/map SIM") == shown
        assert "SIM: proven, +" in await say(app, "/status")
        await app.measure()
        assert app.meter.skill(sim) == again, "the hour was done before the restart"

        await play(app, clock, hours=6)
        assert app.meter.calibration(sim).proven
        clock.step_to(clock.now_ms() + 3 * DAY_MS)
        assert not app.meter.calibration(sim).proven, "an old score speaks for nothing"


async def test_a_market_whose_feed_nobody_listens_to_proves_nothing(
    markets: list[SimulatedMarket], tmp_path: Path
) -> None:
    clock = StepClock(markets[0].parameters.start_ms + 2 * DAY_MS)
    async with bot("sqlite://", markets, clock, listens=False) as (app, db):
        await say(app, "/watch SIM 2%")
        await play(app, clock, hours=2)
        assert not await db.briefs.markets(since_ms=0)
        page = await say(app, "/status")
        assert "Its liquidations are not listened to" in page
        assert "$" not in await say(app, "/clusters SIM")
