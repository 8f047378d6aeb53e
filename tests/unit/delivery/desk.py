"""A worker with all it needs, for tests in virtual time."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.delivery.messenger import Button, Message
from bot.delivery.worker import OutboxWorker
from bot.storage.database import Database
from bot.storage.outbox import Claimed, Fate, OutboxRow
from tests.fakes.messenger import FakeMessenger
from tests.fakes.virtual_time import LoopClock


class Desk:
    """The database, a scripted messenger, the worker between them, and what it told."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.clock = LoopClock()
        self.messenger = FakeMessenger(self.clock)
        self.gone: list[tuple[int, str]] = []
        self.moved: list[tuple[int, int]] = []
        self.compose_errors: list[Exception] = []
        self.worker = self.make_worker()

    def make_worker(self) -> OutboxWorker:
        return OutboxWorker(
            db=self.db,
            messenger=self.messenger,
            compose=self.compose,
            clock=self.clock,
            chance=random.Random(1),
            chat_gone=lambda chat, reason: self.gone.append((chat, reason)),
            chat_moved=lambda old, new: self.moved.append((old, new)),
        )

    async def compose(self, row: Claimed) -> Message:
        if self.compose_errors:
            raise self.compose_errors.pop(0)
        mark = "again: " if row.repeat else ""
        return Message(f"<b>{mark}{row.payload['text']}</b>", buttons=((Button("x", "x"),),), photo=b"png", reply_to=3)

    async def queue(self, *keys: str, chat: int = 1) -> None:
        now_ms = self.clock.now_ms()
        await self.db.outbox.add([OutboxRow(key, chat, {"text": key}, created_ms=now_ms) for key in keys])
        self.worker.wake()

    async def fate(self, key: str) -> Fate:
        found = await self.db.outbox.fate(key)
        assert found is not None
        return found

    async def settled(self) -> None:
        """Wait until nothing is pending."""
        while set(await self.db.outbox.counts()) - {"sent", "dead"}:
            await self.clock.sleep(2.0)


@asynccontextmanager
async def running(where: Database | str) -> AsyncIterator[Desk]:
    """A worker at work on a database, or on that of a URL in the loop's own thread."""
    async with await Database.open(where, inline=True) if isinstance(where, str) else where as database:
        desk = Desk(database)
        task = asyncio.create_task(desk.worker.run())
        await asyncio.sleep(0)
        yield desk
        await desk.worker.stop()
        await task
