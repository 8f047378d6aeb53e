"""A coin on all exchanges together, watched: its own tracks and prices, its alerts, and a restart."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.alerts.types import Event, Kind, Market
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.liquidation.combining import COMBINED
from bot.liquidation.values import replace
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.storage.codec import event_to_plain
from bot.storage.database import Database
from bot.storage.outbox import Claimed
from bot.telegram.limits import bare
from tests.unit.app.scenes import START_MS, Inbox, near
from tests.unit.app.several import ALL, BINANCE, LateExchange, Trio

STEPS = 60


class Rig:
    """The app on three exchanges, with what it decided."""

    def __init__(self, app: App, exchanges: dict[str, LateExchange], clock: StepClock) -> None:
        self.app = app
        self.exchanges = exchanges
        self.clock = clock
        self.events: list[Event] = []
        app.listen(self._heard)

    def _heard(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    async def run(self, bars: int) -> None:
        """Prices four times a bar, and a map at its end, as the jobs do."""
        for _ in range(bars):
            for _ in range(4):
                self.clock.step_to(self.clock.now_ms() + BAR_MS // 4)
                await self.app.read_prices()
            await self.app.recompute()


async def begin(market: SimulatedMarket, db: Database, clock: StepClock, inbox: Inbox) -> Rig:
    exchanges = Trio().exchanges(market, clock)
    app = await App.build(World(exchanges, db, inbox, clock), Limits(history_days=1, tick_s=75.0))
    await app.refresh_instruments()
    return Rig(app, exchanges, clock)


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with await Database.open("sqlite://", inline=True) as opened:
        yield opened


async def test_all_or_combined_before_a_symbol_means_all_exchanges(market: SimulatedMarket, db: Database) -> None:
    rig = await begin(market, db, StepClock(START_MS), Inbox())
    resolve = rig.app.desk.resolve
    assert (resolve("1000SIM").market, resolve("1000SIM").combined) == (BINANCE, ALL)
    assert resolve("all:SIM").market == resolve("combined:1000SIMUSDT").market == ALL
    assert resolve("SIM").combined == ALL
    assert (resolve("binance SIM").market, resolve("binance SIM").combined) == (BINANCE, None)


async def test_a_watch_on_all_exchanges_alerts_by_their_added_up_clusters(
    market: SimulatedMarket, db: Database
) -> None:
    rig = await begin(market, db, StepClock(START_MS), Inbox())
    await rig.app.desk.add_rule(near(1.5, market=ALL, min_strength=1))
    while not rig.events and rig.clock.now_ms() < START_MS + STEPS * BAR_MS:
        await rig.run(1)
    assert rig.events, "price moved by percents, and every cluster counts"
    event = rig.events[0]
    live = rig.app.markets.get(ALL)
    assert live is not None
    assert event.market == ALL
    assert 0.5 * live.price < event.price < 2 * live.price, "in the units of the first exchange"
    key, plain = event.dedupe_key, event_to_plain(event)
    row = Claimed(1, key, event.chat, plain, event.time_ms, 0, 1, 0, plain=False, owner="test")
    message = await rig.app.composer.compose(row)
    assert bare(message.text).startswith("1000SIM")
    assert "Estimate from all exchanges together" in bare(message.text)
    assert message.photo is not None
    [view] = await rig.app.desk.rules(1)
    assert view.distance_pct is not None


async def test_its_price_goes_on_when_the_lead_falls_silent(market: SimulatedMarket, db: Database) -> None:
    rig = await begin(market, db, StepClock(START_MS), Inbox())
    await rig.app.desk.add_rule(near(0.5, market=ALL))
    await rig.run(1)
    rig.exchanges["binance"].goes_down()
    await rig.run(4)
    live = rig.app.markets.get(ALL)
    assert live is not None
    assert live.price_ms > rig.clock.now_ms() - BAR_MS
    assert live.reading.parts[-1].venue == "binance"


async def test_after_a_restart_its_tracks_go_on(market: SimulatedMarket, db: Database) -> None:
    clock = StepClock(START_MS)
    rig = await begin(market, db, clock, Inbox())
    await rig.app.desk.add_rule(near(0.5, market=ALL))
    await rig.run(2)
    before = {track.id for track in rig.app.watch.tracks(ALL)}
    assert before
    reborn = await begin(market, db, clock, Inbox())
    await reborn.run(1)
    after = {track.id for track in reborn.app.watch.tracks(ALL)}
    assert len(before & after) > len(before) // 2
    assert (await db.maps.load(ALL)) is not None


async def test_a_cascade_is_watched_on_one_exchange(market: SimulatedMarket, db: Database) -> None:
    rig = await begin(market, db, StepClock(START_MS), Inbox())
    added = await rig.app.desk.add_rule(replace(near(100.0, market=ALL), kind=Kind.CASCADE))
    assert added.rule.market == BINANCE


async def test_an_exchange_that_is_gone_from_the_settings_leaves_the_watch_to_the_others(
    market: SimulatedMarket, db: Database
) -> None:
    clock = StepClock(START_MS)
    rig = await begin(market, db, clock, Inbox())
    await rig.app.desk.add_rule(near(0.5, market=ALL))
    exchanges = {"binance": rig.exchanges["binance"]}
    app = await App.build(World(exchanges, db, Inbox(), clock), Limits(history_days=1, tick_s=75.0))
    await app.refresh_instruments()
    alone = Rig(app, exchanges, clock)
    await alone.run(1)
    live = app.markets.get(Market(COMBINED, BINANCE.symbol))
    assert live is not None
    assert [part.venue for part in live.reading.parts] == ["binance"]
