"""The lives of one bot through a day: real watch, outbox, worker, intake and turns, on a disk that fails."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from bot.alerts.engine import Engine as Judge
from bot.alerts.gate import ALERTS_PER_HOUR
from bot.alerts.types import Kind, Rule
from bot.delivery.limits import RateLimiter
from bot.delivery.messenger import Message
from bot.delivery.paced import PacedMessenger
from bot.delivery.worker import OutboxWorker
from bot.doorbell import Doorbell
from bot.liquidation import Side
from bot.missed import AlertFolding
from bot.storage.access import Access
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.storage.outbox import Claimed
from bot.telegram.intake import Intake
from bot.telegram.replies import Replies
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Action, Inbound, Reply
from bot.telegram.turns import House, Turns
from bot.watch import Watch
from tests.fakes.faulty_disk import FaultyDisk
from tests.fakes.virtual_time import LoopClock
from tests.simulation.world import ALERTED, SLOT_S, TICK_S, Plan, Telegram, price_at
from tests.unit.app.scenes import XYZ, live, near, tick, zone

T = TypeVar("T")

CATALOGUE = Catalogue.load()
CLUSTERS = (
    zone(Side.SHORT, 102.5, 103.0),
    zone(Side.SHORT, 105.0, 105.6),
    zone(Side.LONG, 96.8, 97.4),
    zone(Side.LONG, 94.2, 94.8),
)


class KilledError(BaseException):
    """What every further step of a killed process meets; no handler of errors stops it."""


class Mortal(Access):
    """An access whose process may die: before or after a commit, after which nothing is read or written."""

    dead = False
    writes_left: int | None = None
    died: asyncio.Event

    def run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        if self.dead:
            raise KilledError
        if engine is not self._writer or self.writes_left is None:
            return super().run(engine, work)
        self.writes_left -= 1
        if self.writes_left > 0:
            return super().run(engine, work)
        if self.writes_left % 2:
            super().run(engine, work)
        self.dead = True
        self.died.set()
        raise KilledError


class Clerk:
    """Each command makes or finds one rule of a talker, which never fires."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    async def answer(self, inbound: Inbound) -> Sequence[Action]:
        number = int((inbound.text or "0").split()[-1])
        rule = Rule(0, inbound.chat_id, XYZ, Kind.GROWTH, float(number), 3_600_000, min_usd=1e15)
        await self._watch.add(rule, limit=1000)
        return [Reply(Message(f"done {number}"))]


class Life:
    """One process, from start to its end."""

    def __init__(self, disk: FaultyDisk, telegram: Telegram, plan: Plan, clock: LoopClock) -> None:
        self.disk = disk
        self.db: Database = disk.db
        self.telegram = telegram
        self.plan = plan
        self.clock = clock
        self.mortal = cast(Mortal, disk.access)
        self.mortal.died = asyncio.Event()

    async def start(self) -> list[asyncio.Task[Any]]:
        """What App.build and run_on_telegram do, without charts and exchanges."""
        db, clock = self.db, self.clock
        rules, tracks, states = await db.rules.all(), await db.alerts.open_tracks(), await db.alerts.states()
        judge = Judge(rules, tracks, states, tick_ms=int(TICK_S * 1000))
        bell = Doorbell(db, per_hour=ALERTS_PER_HOUR)
        await bell.restore(now_ms=clock.now_ms())
        limiter = RateLimiter(clock)
        self.worker = OutboxWorker(
            db=db,
            messenger=self.telegram,
            compose=self.compose,
            clock=clock,
            limiter=limiter,
            chance=self.plan.chance,
            folding=AlertFolding(900_000),
            chat_gone=lambda chat, reason: self.follow_rules(),
            chat_moved=lambda old, new: self.follow_rules(),
            poll_s=300.0,
        )
        self.watch = Watch(db=db, clock=clock, engine=judge, on_events=lambda events: self.worker.wake(), bell=bell)
        replies = Replies(PacedMessenger(self.telegram, limiter), db.chats, clock)
        ranks = cast(Any, None)  # nobody asks: every chat here is private, or says nothing
        turns = Turns(Clerk(self.watch).answer, replies, House(db, CATALOGUE, ranks, clock))
        self.turns = turns
        intake = Intake(cast(Any, self.telegram), db.updates, turns, clock, poll_s=3600)
        return [
            asyncio.create_task(self.worker.run(), name="worker"),
            asyncio.create_task(intake.run(), name="intake"),
            asyncio.create_task(self.read_market(), name="market"),
        ]

    def follow_rules(self) -> None:
        """Some chat left or moved."""
        self.errand = asyncio.create_task(self.watch.follow_stored_rules(), name="errand")

    async def read_market(self) -> None:
        """Ticks and recomputes, as far as exchange and disk let; a tick that could not be stored is judged again."""
        slot_ms = 0
        while True:
            now_s, now_ms = self.telegram.now_s, self.clock.now_ms()
            trouble = None if self.telegram.healed else self.plan.trouble(self.plan.exchange, now_s)
            if trouble != "down":
                price, age_ms = price_at(self.plan, now_s), 3_600_000 if trouble == "stale" else 500
                try:
                    if now_ms - slot_ms > SLOT_S * 1000:
                        begun_ms = now_ms - now_ms % 300_000
                        await self.watch.follow_stored_rules()
                        await self.watch.take_map(live(CLUSTERS, price=price, slot_ms=begun_ms))
                        slot_ms = begun_ms
                    await self.watch.take_prices(tick(price, now_ms - age_ms), now_ms=now_ms)
                except StorageError:
                    logging.getLogger(__name__).debug("judged again")
            await self.clock.sleep(TICK_S)

    async def compose(self, row: Claimed) -> Message:
        return Message(f"{'Repeat: ' if row.repeat else ''}<b>#{row.id}</b>")

    async def until_killed(self, seconds: float) -> None:
        """Live for so long, or until a write kills; then everything stops where it stands."""
        try:
            await self.start()
            async with asyncio.timeout(seconds):
                await self.mortal.died.wait()
        except (TimeoutError, KilledError, StorageError):
            pass
        self.mortal.dead = True
        others = asyncio.all_tasks() - {asyncio.current_task()}
        mine = [task for task in others if not task.get_name().startswith("world")]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    async def until_settled(self, seconds: float) -> None:
        """Live until nothing waits any more, at most so long; then end as SIGTERM would."""
        tasks = await self.start()
        async with asyncio.timeout(seconds):
            while await self.db.outbox_desk.waiting() or await self.db.updates.waiting():
                await self.clock.sleep(60.0)
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks[1:], return_exceptions=True)
        await asyncio.gather(self.turns.drain(5.0), self.worker.stop())
        await tasks[0]


async def prepare(template: Path) -> None:
    """A database with the watching chats' rules, to be copied for each day."""
    async with await Database.open(f"sqlite:///{template}", inline=True) as db:
        for chat in ALERTED:
            await db.chats.seen(chat, kind="private" if chat > 0 else "group", now_ms=0)
            await db.rules.add(near(1.0, chat=chat))
