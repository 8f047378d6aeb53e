"""A bot that listens to the fake Bot API and answers through it, for tests of hearing and answering."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.clock import SystemClock
from bot.delivery.messenger import Button, Message
from bot.storage.database import Database
from bot.telegram.admins import Admins
from bot.telegram.connection import open_line
from bot.telegram.inbound import Asked
from bot.telegram.intake import Health, Intake
from bot.telegram.messenger import TelegramMessenger
from bot.telegram.replies import Replies
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Action, Inbound, Reply
from bot.telegram.turns import House, Turns
from tests.fakes.bot_api import FakeBotApi

ADA, BOB, GROUP, CHANNEL = 42, 43, -1001, -1002
CATALOGUE = Catalogue.load()
Answer = Callable[[Inbound], Awaitable[Sequence[Action]]]


class HastyClock(SystemClock):
    """A clock on which a pause is over a hundred times sooner."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


@dataclass(slots=True)
class Echo:
    """A conversation that repeats what it hears; `holds` keeps a chat waiting until its event is set."""

    heard: list[Inbound] = field(default_factory=list)
    holds: dict[int, asyncio.Event] = field(default_factory=dict)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, inbound: Inbound) -> Sequence[Action]:
        self.heard.append(inbound)
        self.begun.set()
        if inbound.chat_id in self.holds:
            await self.holds[inbound.chat_id].wait()
        words = inbound.callback_data or inbound.text or "?"
        return [Reply(Message(words, ((Button("Tap", data="tapped"),),)))]


@dataclass(slots=True)
class Bot:
    """A bot that listens, and what it listens with."""

    api: FakeBotApi
    database: Database
    intake: Intake
    turns: Turns
    task: "asyncio.Task[None]"

    async def die(self) -> None:
        """End as a kill would: nothing is finished, nothing noted."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.turns.drain(0)

    async def all_handled(self) -> None:
        await eventually(lambda: not self.api.updates.waiting)
        async with asyncio.timeout(5):
            while await self.database.updates.waiting():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def feels(self, health: Health) -> None:
        await eventually(lambda: self.intake.hearing.health == health)


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for what no event tells of."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(
    api: FakeBotApi,
    database: Database,
    answer: Answer,
    *,
    parallel: int = 16,
    per_minute: int = 1000,
    on_query: Callable[[Asked], None] = lambda asked: None,
    is_open_to: Callable[[int | None, int | None], bool] = lambda chat, user: True,
) -> AsyncIterator[Bot]:
    clock = HastyClock()
    line = open_line(api.token, api_url=api.url, read_timeout_s=2.0)
    replies = Replies(TelegramMessenger(line), database.chats, clock)
    house = House(database, CATALOGUE, Admins(line), clock, is_open_to=is_open_to)
    turns = Turns(answer, replies, house, parallel=parallel, per_minute=per_minute)
    intake = Intake(line, database.updates, turns, clock, poll_s=2, on_query=on_query)
    bot = Bot(api, database, intake, turns, asyncio.create_task(intake.run()))
    try:
        yield bot
    finally:
        bot.task.cancel()
        await asyncio.gather(bot.task, return_exceptions=True)
        await turns.drain(0)
        await line.shutdown()
