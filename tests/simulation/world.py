"""A day's world out of one seed: when Telegram, exchange and disk fail, who speaks, and when the process dies."""

import asyncio
import math
import random
from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from bot.delivery.messenger import (
    BadMessageError,
    ChatGoneError,
    ChatMigratedError,
    Message,
    NotSentError,
    UnknownOutcomeError,
)
from tests.fakes.virtual_time import LoopClock

DAY_S = 86_400.0
TICK_S = 300.0
SLOT_S = 3_600.0
ALERTED = (1, 2, 3, -5)
TALKERS = (11, 12)
OLD_GROUP, NEW_GROUP = -5, -105
GONE = 3


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of trouble, in seconds of the day."""

    kind: str
    start_s: float
    end_s: float


class Plan:
    """Everything that will happen, drawn beforehand so that code under test cannot change it."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.chance = random.Random(seed + 1_000_000)
        self.telegram = _spans(chance, ("down", "mute", "swallow"), most=5, longest_s=5_400)
        self.exchange = _spans(chance, ("down", "stale"), most=4, longest_s=3_600)
        self.disk = _spans(chance, ("max_page_count = 1", "query_only = ON"), most=3, longest_s=1_200)
        self.kills_s = sorted(chance.uniform(60, DAY_S) for _ in range(chance.randrange(2, 8)))
        self.deaths_after_writes = [chance.randrange(5, 400) for _ in range(chance.randrange(4))]
        self.says_s = sorted(chance.uniform(0, DAY_S - 7_200) for _ in range(chance.randrange(5, 25)))
        self.blocked = sorted(chance.uniform(0, DAY_S - 3_600) for _ in range(2))
        self.moves_s = chance.uniform(0, 2 * DAY_S)
        self.volatility = chance.uniform(0.001, 0.004)

    def trouble(self, spans: list[Span], now_s: float) -> str | None:
        return next((span.kind for span in spans if span.start_s <= now_s < span.end_s), None)


def _spans(chance: random.Random, kinds: tuple[str, ...], *, most: int, longest_s: float) -> list[Span]:
    starts = (chance.uniform(0, DAY_S - longest_s) for _ in range(chance.randrange(most)))
    return [Span(chance.choice(kinds), start, start + chance.uniform(5, longest_s)) for start in sorted(starts)]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that a person can see."""

    chat: int
    text: str
    silent: bool

    @property
    def marked(self) -> bool:
        return self.text.startswith("Repeat: ") and self.silent

    @property
    def bare(self) -> str:
        return self.text.removeprefix("Repeat: ")


class Telegram:
    """The Bot API as a Messenger and as a line to poll: it outlives every process, and remembers what arrived."""

    token = "1:x"

    def __init__(self, plan: Plan, clock: LoopClock) -> None:
        self._plan = plan
        self._clock = clock
        self._began_s = clock.monotonic()
        self._waiting: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self.arrived: list[Arrived] = []
        self.said: list[tuple[int, str]] = []
        self.calls: Counter[str] = Counter()
        self.healed = False
        self._ids = 1000

    @property
    def now_s(self) -> float:
        """Seconds since the day began."""
        return self._clock.monotonic() - self._began_s

    async def send(self, chat_id: int, message: Message) -> int:
        """Accept, refuse or lose a message, after a while."""
        chance = self._plan.chance
        await self._clock.sleep(0.02 + chance.expovariate(8.0))
        trouble = None if self.healed else self._plan.trouble(self._plan.telegram, self.now_s)
        luck = 0.5 if self.healed else chance.random()
        if trouble == "down":
            self._fail("refused", NotSentError("no route"))
        if chat_id == OLD_GROUP and self.now_s > self._plan.moves_s:
            self._fail("moved", ChatMigratedError("upgraded", new_chat_id=NEW_GROUP))
        if chat_id == GONE and self._is_blocked():
            self._fail("blocked", ChatGoneError("Forbidden: bot was blocked by the user"))
        if luck < 0.02:
            self._fail("429", NotSentError("Too Many Requests", retry_after_s=chance.uniform(1, 40)))
        if luck < 0.03 and message.photo is None and "<b>" in message.text:
            self._fail("bad", BadMessageError("can't parse entities"))
        if trouble == "swallow" or 0.03 <= luck < 0.045:
            await self._clock.sleep(chance.uniform(1, 30))
            self._fail("lost", UnknownOutcomeError("no reply: ReadTimeout"))
        self.arrived.append(Arrived(chat_id, message.text.replace("<b>", "").replace("</b>", ""), message.silent))
        self.calls["delivered"] += 1
        if trouble == "mute" or luck > 0.985:
            await self._clock.sleep(chance.uniform(1, 30))
            self._fail("delivered without an answer", UnknownOutcomeError("no reply: ReadError"))
        await self._clock.sleep(chance.expovariate(8.0))
        return len(self.arrived)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        await self.send(chat_id, message)

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        """No buttons are tapped in these days."""

    def say(self, chat: int, text: str) -> None:
        message = {"message_id": 1, "chat": {"id": chat, "type": "private"}, "text": text}
        self._put({"message": message | {"from": {"id": chat, "is_bot": False, "language_code": "en"}}})
        self.said.append((chat, text))

    def stands(self, chat: int, status: str) -> None:
        """The person of a chat blocks or unblocks the bot."""
        self._put({"my_chat_member": {"chat": {"id": chat, "type": "private"}, "new_chat_member": {"status": status}}})

    async def get_me(self) -> Any:
        return SimpleNamespace(id=1, username="sim_bot")

    async def delete_webhook(self, *, drop_pending_updates: bool) -> bool:
        assert not drop_pending_updates
        return True

    async def raw_updates(self, offset: int | None, allowed: Any, wait_s: int) -> list[dict[str, Any]]:
        """What waits, at most a few at a time; an offset confirms what is before it."""
        if not self.healed and self._plan.trouble(self._plan.telegram, self.now_s) == "down":
            raise NotSentError("no route")
        self._waiting = [update for update in self._waiting if offset is None or update["update_id"] >= offset]
        if not self._waiting:
            self._news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                return []
        return self._waiting[:3]

    def _put(self, update: dict[str, Any]) -> None:
        self._ids += 1
        self._waiting.append({"update_id": self._ids} | update)
        self._news.set()

    def _is_blocked(self) -> bool:
        return not self.healed and self._plan.blocked[0] <= self.now_s < self._plan.blocked[1]

    def _fail(self, what: str, error: Exception) -> None:
        self.calls[what] += 1
        raise error


def price_at(plan: Plan, now_s: float) -> float:
    """A price that swings through the clusters of `lives.CLUSTERS` again and again, each day in its own way."""
    swing = 3.0 * math.sin(now_s / 9_000 + plan.volatility * 1e4) + 2.0 * math.sin(now_s / 3_100)
    return 100.0 + swing + 400 * plan.volatility * math.sin(now_s / 700)
