"""Whether the bot does its work: looked at every few seconds on the loop, told to anyone from any thread."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.telegram.findings import Finding, Trouble

LOOK_S = 5.0
STALE_PRICE_S = 120.0
LONGEST_WAIT_S = 600.0
"""A message that is due and has not gone out for so long: nothing is delivered."""

HEARD = ("starting", "listening")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages of one state that have no end yet: how many, and the age of the oldest in seconds."""

    messages: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: seconds since each exchange's newest price (None before the first), what waits, by state.

    `answers` is False where the database did not, `trouble` is why it refuses writes, `ears` how Telegram is heard.
    `since_s` is for how long there could have been prices.
    """

    price_age_s: Mapping[str, float | None] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    answers: bool = True
    trouble: str = ""
    ears: str = "listening"
    since_s: float = float("inf")
    at_s: float = 0.0

    @property
    def waiting_s(self) -> float:
        """The age of the oldest message that has no end yet, 0 where there is none."""
        return max((one.oldest_s for one in self.waiting.values()), default=0.0)

    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with what was seen; the running bot and `liqwatch doctor` judge by this alone."""
        ages = [self.since_s if age_s is None else age_s for age_s in self.price_age_s.values()]
        found = (
            (not self.answers, Finding(Trouble.DATABASE_SILENT)),
            (self.trouble, Finding(Trouble.DATABASE_REFUSES, self.trouble)),
            (self.waiting_s > LONGEST_WAIT_S, Finding(Trouble.UNDELIVERED, seconds=self.waiting_s)),
            (ages and min(ages) > STALE_PRICE_S, Finding(Trouble.NO_PRICES)),
            (self.ears not in HEARD, Finding(Trouble.DEAF, self.ears)),
        )
        return tuple(finding for holds, finding in found if holds)


async def waiting_in(db: Database, *, now_ms: int) -> Mapping[str, Waiting]:
    """What has no end yet, by state. Raises StorageError."""
    rows = await db.outbox_desk.waiting()
    return {state: Waiting(count, max(0.0, (now_ms - oldest_ms) / 1000)) for state, (count, oldest_ms) in rows.items()}


class Health:
    """Looks with `run`; `findings` is empty while all is well.

    `price_ages` tells seconds since the newest price of each exchange, `ears` how Telegram is heard,
    `standstills` what the watchdog sees now, `seen` is called with each look.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        price_ages: Callable[[], Mapping[str, float | None]],
        ears: Callable[[], str],
        standstills: Callable[[], Sequence[Finding]],
        seen: Callable[[Look], None] = lambda look: None,
        look_s: float = LOOK_S,
    ) -> None:
        self._db = db
        self._clock = clock
        self._price_ages = price_ages
        self._ears = ears
        self._standstills = standstills
        self._seen = seen
        self._look_s = look_s
        self._began_s = time.monotonic()
        self._last = Look(at_s=self._began_s)

    async def run(self) -> None:
        """Look every few seconds. Ends only when cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._look_s)

    async def look(self) -> Look:
        answers, waiting = True, dict[str, Waiting]()
        try:
            waiting |= await waiting_in(self._db, now_ms=self._clock.now_ms())
        except StorageError:
            answers = False
        now_s, trouble = time.monotonic(), self._db.trouble
        self._last = Look(
            price_age_s=self._price_ages(),
            waiting=waiting,
            answers=answers,
            trouble="" if trouble is None else str(trouble),
            ears=self._ears(),
            since_s=now_s - self._began_s,
            at_s=now_s,
        )
        self._seen(self._last)
        return self._last

    def findings(self) -> Sequence[Finding]:
        """What is wrong now. May be asked from any thread."""
        since_s = time.monotonic() - self._last.at_s
        blind = [Finding(Trouble.BLIND, seconds=since_s)] if since_s > 6 * self._look_s else []
        return [*self._standstills(), *blind, *self._last.findings()]

    def troubles(self) -> list[str]:
        """The findings, each in a few words."""
        return [str(finding) for finding in self.findings()]
