"""The figures of a bot that works: read off its rooms, shown under the names that rules and panels use."""

from bot.alerts.types import Market
from bot.app import App, Limits
from bot.clock import StepClock
from bot.health import Look
from bot.market.simulator import SimulatedMarket
from bot.metrics import Metrics
from bot.observation import figures_of
from bot.storage.database import Database
from bot.watchdog import Watchdog
from bot.world import World
from tests.unit.app.scenes import START_MS, Inbox, near, playing


async def test_the_lag_of_a_watched_market_is_since_its_last_bar(market: SimulatedMarket) -> None:
    clock = StepClock(START_MS)
    async with await Database.open("sqlite://", inline=True) as db:
        await db.rules.add(near(1.0, market=Market("simulated", "SIMUSDT")))
        world = World({"simulated": playing(market, clock)}, db, Inbox(), clock, frozenset({"simulated"}))
        app = await App.build(world, Limits(history_days=1))
        await app.refresh_instruments()
        await app.recompute()
        seen = figures_of(app, db, Look(app.price_ages_s()), (), Watchdog())
        assert (seen.rules, seen.markets) == (1, 1)
        assert 0 <= seen.bar_lag_s["simulated"] < 600
        clock.step_to(START_MS + 3_600_000)
        later = figures_of(app, db, Look(), (), Watchdog())
        assert later.bar_lag_s["simulated"] == seen.bar_lag_s["simulated"] + 3600
        metrics = Metrics()
        metrics.seen(later)
        assert f'liqwatch_bar_lag_seconds{{exchange="simulated"}} {later.bar_lag_s["simulated"]}' in (
            metrics.page().decode()
        )
        await app.markets.aclose()
