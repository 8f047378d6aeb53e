"""Whether the bot does its work: looked at every few seconds on the loop, told to anyone from any thread."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.storage.database import Database
from bot.storage.errors import StorageError

LOOK_S = 5.0
STALE_PRICE_S = 120.0
LONGEST_WAIT_S = 600.0
"""A message that is due and has not gone out for so long: nothing is delivered."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: seconds since each exchange's newest price (None before the first), undelivered messages by state.

    `waiting_s` is the age of the oldest message that has no end yet, 0 where there is none.
    """

    price_age_s: Mapping[str, float | None] = field(default_factory=dict)
    messages: Mapping[str, int] = field(default_factory=dict)
    waiting_s: float = 0.0
    troubles: Sequence[str] = ()
    at_s: float = 0.0


class Health:
    """Looks with `run`; `troubles` is empty while all is well.

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
        standstills: Callable[[], Sequence[str]],
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
        troubles: list[str] = []
        messages: dict[str, int] = {}
        waiting_s = 0.0
        try:
            waiting = await self._db.outbox_desk.waiting()
        except StorageError:
            troubles.append("the database does not answer")
        else:
            messages = {state: rows for state, (rows, _) in waiting.items()}
            now_ms = self._clock.now_ms()
            waiting_s = max(0.0, (now_ms - min((oldest for _, oldest in waiting.values()), default=now_ms)) / 1000)
        if self._db.trouble is not None:
            troubles.append(str(self._db.trouble))
        if waiting_s > LONGEST_WAIT_S:
            troubles.append(f"a message has waited {waiting_s:.0f} s to be delivered")
        ages = self._price_ages()
        if ages and all(self._is_stale(age_s) for age_s in ages.values()):
            troubles.append("no exchange gives fresh prices")
        if (ears := self._ears()) not in ("starting", "listening"):
            troubles.append(f"Telegram is not heard ({ears})")
        self._last = Look(ages, messages, waiting_s, tuple(troubles), time.monotonic())
        self._seen(self._last)
        return self._last

    def troubles(self) -> list[str]:
        """What is wrong, each in a few words."""
        since_s = time.monotonic() - self._last.at_s
        blind = [f"health was last looked at {since_s:.0f} s ago"] if since_s > 6 * self._look_s else []
        return [*self._standstills(), *blind, *self._last.troubles]

    def _is_stale(self, age_s: float | None) -> bool:
        """A bot that has just started may have no price yet."""
        return (time.monotonic() - self._began_s if age_s is None else age_s) > STALE_PRICE_S
