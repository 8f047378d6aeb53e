"""The bot of the scripted day: the whole app on a made-up market, and one person's phone in one language."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.alerts.types import Kind
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.delivery.messenger import Message
from bot.market.playback import PlaybackExchange, RecordedMarket
from bot.market.simulator import merge_prints
from bot.market_skill import stored_skill
from bot.storage.database import Database
from bot.storage.updates import Update
from bot.telegram.inbound import Heard, Said, to_payload
from bot.telegram.replies import Replies
from bot.telegram.turn import ChatKind
from bot.telegram.turns import House, Turns
from tests.fakes.channels import FakeChannels
from tests.screens.chat import BOSS, CHANNEL, EDITOR, OPERATOR, Chat
from tests.screens.market import NOON_MS, simulated_markets, verdicts

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
FIRST_CHAT = 101


class _Ranks:
    async def is_admin(self, chat_id: int, user_id: int) -> bool:
        return user_id == BOSS


class _Mouth:
    """A Messenger into the chats on stage; `rings` tells whether what it says was asked for by nobody."""

    def __init__(self, stage: "Stage", *, rings: bool) -> None:
        self._stage = stage
        self._rings = rings

    async def send(self, chat_id: int, message: Message) -> int:
        return self._stage.chats[chat_id].hear(message, rings=self._rings)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        self._stage.chats[chat_id].change(message_id, message)

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        if text:
            self._stage.chats[int(callback_id)].notify(text)


@dataclass
class Stage:
    """The app and every chat so far, each part of the day in a chat of its own."""

    language: str
    clock: StepClock
    db: Database
    chats: dict[int, Chat] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    told: set[Kind] = field(default_factory=set)
    app: App = field(init=False)
    turns: Turns = field(init=False)
    updates: int = 0

    def open_chat(self, kind: ChatKind = "private", user: int | None = None) -> Chat:
        """A new chat with nobody's history. A private one has the number of its person."""
        number = FIRST_CHAT + len(self.chats)
        user = user or (number if kind == "private" else BOSS)
        chat = Chat(self, user if kind == "private" else CHANNEL if kind == "channel" else -number, kind, user)
        self.chats[chat.id] = chat
        return chat

    async def close_chat(self, chat: Chat) -> None:
        """Nothing more comes to it."""
        await self.db.chats.deactivate(chat.id, "its part is over", now_ms=self.clock.now_ms())
        await self.app.watch.follow_stored_rules()

    async def take(self, heard: Heard) -> None:
        """See one update through as the live bot does."""
        said = heard.inbound if isinstance(heard, Said) else heard
        update = Update(said.update_id, said.chat_id, to_payload(heard))
        await self.db.updates.store([update], now_ms=self.clock.now_ms())
        self.turns.submit(update)
        while await self.db.updates.waiting():  # noqa: ASYNC110 - the row says, not an event
            await asyncio.sleep(0.001)

    async def later(self, *, minutes: float) -> None:
        """Let time pass; prices and maps are those of the new moment."""
        self.clock.step_to(self.clock.now_ms() + round(minutes * MINUTE_MS))
        await self.app.read_prices()
        await self.app.recompute()
        await self.app.delivered()

    def next_update(self) -> int:
        self.updates += 1
        return self.updates


@asynccontextmanager
async def open_stage(language: str) -> AsyncIterator[Stage]:
    """The app at noon, with both exchanges read and nobody there yet."""
    clock = StepClock(NOON_MS)
    exchanges: Mapping[str, PlaybackExchange] = {
        name: PlaybackExchange(
            name, map(RecordedMarket.simulated, markets), clock, prints=merge_prints([one.prints for one in markets])
        )
        for name, markets in simulated_markets().items()
    }
    feeds = {name: exchange.feed() for name, exchange in exchanges.items()}
    async with await Database.open("sqlite://", inline=True) as db:
        await db.briefs.save_scores([stored_skill(one) for one in verdicts(NOON_MS - HOUR_MS)])
        stage = Stage(language, clock, db)
        channels = FakeChannels({CHANNEL: "Crypto News"}, {(EDITOR, CHANNEL)})
        channels.linked = {(EDITOR, CHANNEL)}
        limits = Limits(history_days=8, admin_ids=(OPERATOR,))
        world = World(exchanges, db, _Mouth(stage, rings=True), clock, feeds=feeds, channels=channels)
        stage.app = app = await App.build(world, limits)
        replies = Replies(_Mouth(stage, rings=False), db.chats, clock)
        house = House(db, app.catalogue, _Ranks(), clock, chats_changed=app.chats_changed)
        stage.turns = Turns(app.conversation.answer, replies, house, per_minute=10_000)
        await app.refresh_instruments()
        await app.read_prices()
        sending = asyncio.create_task(app.worker.run())
        try:
            yield stage
        finally:
            await app.worker.stop()
            await sending
            await app.markets.aclose()
