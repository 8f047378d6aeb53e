"""What came of alerts, live: stored with them, told under them, and not lost in a restart."""

from collections.abc import AsyncIterator

import pytest

from bot.aftermath import Aftermath
from bot.alerts.engine import Engine
from bot.alerts.outcomes import Ending, Outcome
from bot.clock import StepClock
from bot.liquidation import Cluster, Side
from bot.liquidation.values import replace
from bot.market.feed import Heard, Print
from bot.market.types import BAR_MS
from bot.storage.outbox import Claimed
from bot.storage.outcomes import outcome_from_plain
from bot.watch import Watch
from tests.unit.app.scenes import START_MS, XYZ, FillingDisk, live, near, tick, zone

HOUR_MS = 3_600_000
SHORTS = zone(Side.SHORT, 104.0, 106.0)
LONGS = zone(Side.LONG, 90.0, 92.0)


class Scene:
    """One rule on one market, whose alert has fired; the outbox is emptied by hand."""

    def __init__(self, db: FillingDisk, now_ms: int = START_MS) -> None:
        self.db = db
        self.clock = StepClock(now_ms)
        self.slot_ms = START_MS

    async def open(self) -> "Scene":
        db, aftermath = self.db, Aftermath(self.db, self.clock)
        engine = Engine(await db.rules.all(), await db.alerts.open_tracks(), await db.alerts.states())
        await aftermath.restore()
        self.watch = Watch(db=db, clock=self.clock, engine=engine, on_events=lambda events: None, aftermath=aftermath)
        return self

    async def sees(self, price: float, *, after_s: float = 2.0) -> None:
        self.clock.step_to(self.clock.now_ms() + int(after_s * 1000))
        await self.watch.take_prices(tick(price, self.clock.now_ms()), now_ms=self.clock.now_ms())

    async def mapped(self, *zones: Cluster, price: float = 100.0) -> None:
        """The next recompute, with the same zones where none are given."""
        self.slot_ms += BAR_MS
        self.clock.step_to(max(self.clock.now_ms(), self.slot_ms))
        await self.watch.take_map(live(list(zones) or [SHORTS, LONGS], price=price, slot_ms=self.slot_ms))

    async def alerted(self) -> "Scene":
        await self.mapped()
        await self.watch.add(near(1.0), limit=25)
        await self.sees(101.0)
        await self.sees(103.5)
        return self

    async def delivered(self, message_id: int) -> Claimed:
        """The next message goes out."""
        now_ms = self.clock.now_ms() + 60_000
        [row] = await self.db.outbox.claim(now_ms, "me", 60_000, 1)
        begun = await self.db.outbox.begin(row, now_ms=now_ms, lease_ms=60_000)
        assert begun is not None
        assert await self.db.outbox.sent(begun, message_id=message_id, now_ms=now_ms)
        return row

    async def waiting(self) -> int:
        return (await self.db.outbox.counts()).get("ready", 0)

    async def known(self) -> Outcome:
        [outcome] = await self.db.outcomes.of_chat(1, since_ms=0)
        return outcome


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        yield await Scene(db).open()


async def test_an_alert_is_followed_from_the_commit_that_told_it(scene: Scene) -> None:
    await scene.alerted()
    outcome = await scene.known()
    assert (outcome.market, outcome.side, outcome.near, outcome.price) == (XYZ, Side.SHORT, 104.0, 103.5)
    assert [one.alert for one in await scene.db.outcomes.open()] == [outcome.alert]


async def test_a_sweep_is_told_under_its_alert(scene: Scene) -> None:
    await scene.alerted()
    alert = await scene.delivered(4711)
    await scene.sees(106.5)
    await scene.mapped()
    receipt = await scene.delivered(4712)
    assert receipt.dedupe_key == f"{alert.dedupe_key}:receipt"
    assert receipt.payload["reply_to"] == 4711
    told = outcome_from_plain(receipt.payload["receipt"])
    assert (told.ending, told.reach, told.printed_usd) == (Ending.SWEPT, 106.5, None)
    assert await scene.known() == told
    assert await scene.db.outcomes.open() == []


async def test_an_alert_that_was_never_delivered_has_no_receipt_and_still_counts(scene: Scene) -> None:
    await scene.alerted()
    await scene.sees(106.5)
    await scene.mapped()
    assert await scene.waiting() == 1, "the alert itself"
    assert (await scene.known()).ending is Ending.SWEPT


async def test_a_level_that_price_never_reached_is_told_when_its_time_is_up(scene: Scene) -> None:
    await scene.alerted()
    await scene.delivered(4711)
    await scene.sees(103.9, after_s=3600)
    await scene.mapped()
    assert await scene.waiting() == 0
    await scene.sees(100.0, after_s=3.2 * 3600)
    await scene.mapped()
    told = outcome_from_plain((await scene.delivered(4712)).payload["receipt"])
    assert (told.ending, told.touched_ms, told.reach) == (Ending.EXPIRED, 0, 103.9)


async def test_what_was_printed_there_is_counted_where_the_feed_was_heard(scene: Scene) -> None:
    await scene.alerted()
    await scene.delivered(4711)
    begun_ms = (await scene.known()).time_ms
    prints = (
        Print(begun_ms + 1_000, XYZ.symbol, False, 105.0, 10.0),
        Print(begun_ms + 2_000, XYZ.symbol, True, 105.0, 1.0),
        Print(begun_ms + 3_000, XYZ.symbol, False, 120.0, 1.0),
    )
    await scene.db.prints.save(XYZ.exchange, Heard(prints, ((begun_ms - 1, begun_ms + HOUR_MS),)))
    await scene.sees(106.5)
    await scene.mapped()
    assert outcome_from_plain((await scene.delivered(4712)).payload["receipt"]).printed_usd == 1050.0


async def test_a_restart_follows_on_and_reads_from_the_bars_what_it_missed(scene: Scene) -> None:
    await scene.alerted()
    await scene.delivered(4711)
    after = await Scene(scene.db, scene.clock.now_ms()).open()
    after.slot_ms = scene.slot_ms
    await after.mapped(price=100.0)
    assert (await after.known()).ending is None
    await after.sees(106.5)
    await after.mapped()
    assert outcome_from_plain((await after.delivered(4712)).payload["receipt"]).ending is Ending.SWEPT


async def test_a_receipt_that_could_not_be_stored_is_told_at_the_next_recompute(scene: Scene) -> None:
    await scene.alerted()
    await scene.delivered(4711)
    await scene.sees(106.5)
    scene.db.full = True
    with pytest.raises(Exception, match="full"):
        await scene.mapped()
    scene.db.full = False
    await scene.mapped()
    await scene.mapped()
    assert (await scene.delivered(4712)).payload["reply_to"] == 4711
    assert await scene.waiting() == 0


async def test_a_group_that_moves_takes_its_record_along(scene: Scene) -> None:
    await scene.alerted()
    before = await scene.known()
    await scene.db.chats.migrate(1, -1007, now_ms=scene.clock.now_ms())
    assert await scene.db.outcomes.of_chat(-1007, since_ms=0) == [replace(before, chat=-1007)]
    assert await scene.db.outcomes.of_chat(1, since_ms=0) == []
