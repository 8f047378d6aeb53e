"""A contract that leaves its exchange: told ahead, told at the end, each once; rules pause, and start if it is back."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.alerts.types import Market
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.delistings import DELISTED, SURE_AFTER_MS
from bot.liquidation.values import replace
from bot.market.exchange import UnknownSymbolError
from bot.market.playback import RecordedMarket
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS, Instrument
from bot.storage.outbox import Claimed
from bot.telegram.limits import bare
from tests.unit.app.scenes import START_MS, CountedExchange, FillingDisk, Inbox, near

LEAVING, STAYING = Market("simulated", "GOUSDT"), Market("simulated", "STAYUSDT")
DAY_MS = 86_400_000


class Listing(CountedExchange):
    """An exchange that can take a contract off its list, or announce that it will."""

    gone = False
    until_ms: int | None = None

    async def instruments(self) -> Sequence[Instrument]:
        listed = await super().instruments()
        leaving, staying = (replace(one, delist_ms=self.until_ms) for one in listed)
        return [replace(staying, delist_ms=None)] if self.gone else [leaving, replace(staying, delist_ms=None)]


class Rig:
    """Two chats watch the contract that leaves, one of them the other contract too."""

    def __init__(self, app: App, exchange: Listing, clock: StepClock, db: FillingDisk) -> None:
        self.app = app
        self.exchange = exchange
        self.clock = clock
        self.db = db

    async def refresh(self, later_ms: int = SURE_AFTER_MS) -> None:
        self.clock.step_to(self.clock.now_ms() + later_ms)
        await self.app.refresh_instruments()

    async def told(self) -> list[tuple[int, str]]:
        """Every message that waits, as the chat and its words."""
        rows: list[Claimed] = []
        while some := await self.db.outbox.claim(self.clock.now_ms() + 1, "test", 10**9, 100):
            rows.extend(some)
            for row in some:
                begun = await self.db.outbox.begin(row, now_ms=self.clock.now_ms(), lease_ms=10**9)
                assert begun is not None
                await self.db.outbox.sent(begun, message_id=1, now_ms=self.clock.now_ms())
        return [(row.chat, bare((await self.app.composer.compose(row)).text)) for row in rows]

    def doubts(self) -> bool:
        return self.app.delistings.in_doubt

    async def paused(self) -> list[tuple[str, str | None]]:
        return [(rule.market.symbol, rule.paused_reason) for rule in await self.db.rules.all()]


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    clock = StepClock(START_MS)
    recorded = RecordedMarket.simulated(market)
    exchange = Listing("simulated", [replace(recorded, symbol=one.symbol) for one in (LEAVING, STAYING)], clock)
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        app = await App.build(World({"simulated": exchange}, db, Inbox(), clock), Limits(history_days=1, tick_s=75.0))
        await app.refresh_instruments()
        for chat, watched in ((1, LEAVING), (1, STAYING), (2, LEAVING)):
            await app.desk.add_rule(near(0.01, chat=chat, market=watched))
        yield Rig(app, exchange, clock, db)


async def test_an_end_that_is_announced_is_told_once_to_each_chat_that_watches(rig: Rig) -> None:
    rig.exchange.until_ms = START_MS + 3 * DAY_MS
    for _ in range(3):
        await rig.refresh()
    assert await rig.told() == [
        (chat, "simulated market takes GO off its list: Jan 5 00:00 UTC.\nYour rules for it run until then.")
        for chat in (1, 2)
    ]
    await rig.app.desk.add_rule(near(0.02, chat=3, market=LEAVING))
    await rig.refresh()
    assert [chat for chat, _ in await rig.told()] == [3]


async def test_a_contract_that_is_gone_pauses_its_rules_and_says_so_once(rig: Rig) -> None:
    rig.exchange.gone = True
    await rig.refresh()
    assert rig.app.delistings.in_doubt
    assert await rig.told() == [], "one list may be short by mistake"
    for _ in range(3):
        await rig.refresh()
    told = await rig.told()
    assert [chat for chat, _ in told] == [1, 2]
    assert told[0][1].startswith("simulated market no longer lists GO.\nYour rules for it are paused.")
    assert await rig.paused() == [("GOUSDT", DELISTED), ("STAYUSDT", None), ("GOUSDT", DELISTED)]
    assert rig.app.watched_parts() == [STAYING]
    assert not rig.app.delistings.in_doubt


async def test_the_next_recompute_looks_again_where_a_list_was_short(rig: Rig) -> None:
    rig.exchange.gone = True
    await rig.refresh()
    rig.clock.step_to(rig.clock.now_ms() + BAR_MS)
    await rig.app.recompute()
    assert len(await rig.told()) == 2


async def test_a_list_that_was_short_once_changes_nothing(rig: Rig) -> None:
    rig.exchange.gone = True
    await rig.refresh()
    rig.exchange.gone = False
    await rig.refresh()
    rig.exchange.gone = True
    await rig.refresh()
    assert await rig.told() == []
    assert {reason for _, reason in await rig.paused()} == {None}


async def test_rules_start_again_when_the_contract_is_back(rig: Rig) -> None:
    rig.exchange.gone = True
    await rig.refresh()
    await rig.refresh()
    rig.exchange.gone = False
    await rig.refresh()
    assert {reason for _, reason in await rig.paused()} == {None}
    assert rig.app.watched_parts() == [LEAVING, STAYING]


async def test_an_exchange_that_is_down_has_delisted_nothing(rig: Rig) -> None:
    rig.exchange.goes_down()
    for _ in range(3):
        await rig.refresh()
    assert await rig.told() == []
    assert {reason for _, reason in await rig.paused()} == {None}


async def test_what_a_full_disk_kept_from_being_told_is_told_later(rig: Rig) -> None:
    rig.exchange.gone = True
    await rig.refresh()
    rig.db.full = True
    await rig.refresh()
    rig.db.full = False
    assert await rig.told() == []
    await rig.refresh()
    assert [chat for chat, _ in await rig.told()] == [1, 2]


async def test_the_list_of_rules_gives_the_reason(rig: Rig) -> None:
    rig.exchange.gone = True
    await rig.refresh()
    await rig.refresh()
    views = await rig.app.desk.rules(2)
    assert [view.rule.paused_reason for view in views] == [DELISTED]
    texts = rig.app.catalogue.texts("en")
    assert str(texts.of("paused", DELISTED)) == "the contract is no longer traded"


async def test_a_contract_that_the_exchange_does_not_know_sends_for_its_list(rig: Rig) -> None:
    rig.exchange.failure = UnknownSymbolError("No such contract.")
    rig.clock.step_to(rig.clock.now_ms() + BAR_MS)
    await rig.app.fetch_bars()
    assert rig.doubts()
