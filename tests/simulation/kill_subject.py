"""A bot in a process of its own, to be killed: it decides alerts, sends them over HTTP, hears commands and answers.

Its market is a count, slot n fires episode n of one rule in each chat; everything else is the real thing. All clocks
run `SPEED` times as fast, so that pauses of half a minute fit into a test.
"""

import asyncio
from collections.abc import Sequence
from multiprocessing.synchronize import Event

from bot.alerts.types import Changes, Kind, Phase, Rule, RuleState
from bot.delivery.limits import RateLimiter
from bot.delivery.messenger import Message
from bot.delivery.paced import PacedMessenger
from bot.delivery.worker import OutboxWorker
from bot.storage.codec import event_from_plain, event_to_plain
from bot.storage.database import Database
from bot.storage.outbox import Claimed, OutboxRow
from bot.storage.slots import Slot
from bot.telegram.admins import Admins
from bot.telegram.connection import open_line
from bot.telegram.intake import Intake
from bot.telegram.messenger import TelegramMessenger
from bot.telegram.replies import Replies
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Action, Inbound, Reply
from bot.telegram.turns import House, Turns
from tests.fakes.bot_api.server import TOKEN
from tests.integration.crash_subject import MARKET, HurriedClock, alert

CHATS = tuple(range(1, 9))
SLOT_S = 0.05


class Conversation:
    """Each command makes one rule, whose threshold is the command's number."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def answer(self, inbound: Inbound) -> Sequence[Action]:
        number = int((inbound.text or "0").split()[-1])
        await self._db.rules.add(Rule(0, inbound.chat_id, MARKET, Kind.GROWTH, float(number), 3_600_000))
        return [Reply(Message(f"done {number}"))]


async def compose(row: Claimed) -> Message:
    key = event_from_plain(row.payload).dedupe_key
    return Message(f"Repeat: {key}" if row.repeat else key)


async def evaluate(db: Database, slot: int, clock: HurriedClock) -> None:
    """Fire each chat's rule once for this slot, unless that is committed already."""
    for chat in CHATS:
        rule, _ = await db.rules.add(Rule(0, chat, MARKET, Kind.PROXIMITY, 1.0))
        done = Slot(f"evaluate {chat}", slot, MARKET)
        if await db.slots.is_done(done):
            continue
        [state] = await db.alerts.states_of(rule.id) or [RuleState(rule.id, "t")]
        fired = RuleState(rule.id, "t", Phase.FIRED, episode=state.episode + 1, last_ms=slot)
        happened = alert(rule, fired, clock.now_ms())
        row = OutboxRow(happened.dedupe_key, chat, event_to_plain(happened), created_ms=happened.time_ms)
        await db.commit_changes(Changes(states=(fired,), events=(happened,)), [row], slots=[done])


async def live(url: str, api_url: str, begun: Event | None) -> None:
    """One life, which decides alerts and sets `begun`; without it, it makes good what earlier ones left, and ends."""
    clock = HurriedClock()
    line = open_line(TOKEN, api_url=api_url)
    async with await Database.open(url) as db:
        messenger, limiter = TelegramMessenger(line), RateLimiter(clock)
        worker = OutboxWorker(db=db, messenger=messenger, compose=compose, clock=clock, limiter=limiter)
        replies = Replies(PacedMessenger(messenger, limiter), db.chats, clock)
        house = House(db, Catalogue.load(), Admins(line), clock)
        turns = Turns(Conversation(db).answer, replies, house, per_minute=10_000)
        intake = asyncio.create_task(Intake(line, db.updates, turns, clock, poll_s=1).run())
        sending = asyncio.create_task(worker.run())
        slot = await db.kv.get("slot", 0)
        while begun is not None:
            slot += 1
            await evaluate(db, slot, clock)
            await db.kv.set("slot", slot)
            worker.wake()
            begun.set()
            await asyncio.sleep(SLOT_S)
        await asyncio.sleep(1.5)
        while await db.outbox_desk.waiting() or await db.updates.waiting():  # noqa: ASYNC110 - the rows say
            await asyncio.sleep(0.05)
        await worker.stop()
        await sending
        intake.cancel()
        await asyncio.gather(intake, return_exceptions=True)
        await turns.drain(5)
        await line.shutdown()


def run(url: str, api_url: str, begun: Event | None) -> None:
    """What a process does."""
    asyncio.run(live(url, api_url, begun))
