"""Carries the outbox to people: claims rows, commits `sending` before each call, hands on what came of it."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

from bot.clock import Clock, Reminder
from bot.delivery.insist import insist
from bot.delivery.limits import RateLimiter
from bot.delivery.messenger import Message, Messenger, MessengerDownError
from bot.delivery.outage import Outage
from bot.delivery.plain import plain
from bot.delivery.settlement import Count, Settlement
from bot.liquidation.values import replace
from bot.storage.database import Database
from bot.storage.errors import LostLeaseError, StorageError, UnreadableBlobError
from bot.storage.outbox import Claimed, Folding

Compose = Callable[[Claimed], Awaitable[Message]]

IN_FLIGHT = 100
COMPOSED_AT_ONCE = 4
LEASE_MS = 120_000
SEND_TIMEOUT_S = 90.0
DRAIN_S = 10.0
POLL_S = 1.0
RECOVER_EVERY_S = 30.0
# After a crash the request has long ended one way or the other.
REPEAT_AFTER_CRASH_MS = 5_000
_STORAGE_PAUSE_S = 5.0

log = logging.getLogger(__name__)


class OutboxWorker:
    """The only sender of outbox rows. `run` it as a task, `wake` it when rows were committed, `stop` it to drain.

    `compose` makes the message of a row in the chat's language, marked where `row.repeat`; silence and plain text are
    seen to here. `chat_gone(chat, reason)` and `chat_moved(old, new)` are called once the database knows. With a
    `folding`, alerts that are too old go out as one summary a chat. `count(outcome, messages)` hears what came of each
    attempt; `admins` are the chats told of what an operator should know. The rows are looked at every `poll_s` seconds.
    Nothing is claimed or sent while `may_send` says no: where several processes share the database it tells the holder.
    """

    def __init__(
        self,
        *,
        db: Database,
        messenger: Messenger,
        compose: Compose,
        clock: Clock,
        limiter: RateLimiter | None = None,
        chance: random.Random | None = None,
        chat_gone: Callable[[int, str], None] = lambda chat, reason: None,
        chat_moved: Callable[[int, int], None] = lambda old, new: None,
        folding: Folding | None = None,
        count: Count = lambda outcome, messages: None,
        admins: Sequence[int] = (),
        poll_s: float = POLL_S,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        chance = chance or random.Random()
        self._db = db
        self._messenger = messenger
        self._compose = compose
        self._clock = clock
        self._limiter = limiter or RateLimiter(clock)
        self._outage = Outage(clock, chance)
        self._settlement = Settlement(
            db,
            clock,
            limiter=self._limiter,
            outage=self._outage,
            chance=chance,
            chat_gone=chat_gone,
            chat_moved=chat_moved,
            count=count,
            admins=admins,
        )
        self._count = count
        self._folding = folding
        # The first of many claimed rows goes out while the rest are still being made.
        self._desk = asyncio.Semaphore(COMPOSED_AT_ONCE)
        self._poll_s = poll_s
        self._may_send = may_send
        self._owner = f"{random.SystemRandom().getrandbits(64):016x}"
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._running = False
        self._finished = asyncio.Event()
        self._stopping = False
        self._down: MessengerDownError | None = None
        self._recovered_s: float | None = None
        self._database_away = Reminder(clock)

    def wake(self) -> None:
        """New rows were committed: look at once."""
        self._news.set()

    async def stop(self) -> None:
        """Claim nothing more, let what is being sent end (DRAIN_S at most), then return."""
        self._stopping = True
        self.wake()
        if self._running:
            await self._finished.wait()

    async def run(self) -> None:
        """Send until stopped. Raises MessengerDownError where the messenger itself cannot work."""
        self._running = True
        try:
            while not self._stopping:
                self._news.clear()
                if not await self._start_due():
                    await self._wait_for_news(self._poll_s)
        finally:
            await self._drain()
            self._running = False
            self._finished.set()
        if self._down:
            raise self._down

    async def _start_due(self) -> bool:
        """Start what may be started; tells whether to look again at once."""
        if not self._may_send():
            return False
        room = self._outage.allows(capacity=IN_FLIGHT, in_flight=len(self._tasks))
        try:
            await self._recover()
            if room <= 0:
                return False
            rows = await self._db.outbox.claim(self._clock.now_ms(), self._owner, LEASE_MS, room)
        except LostLeaseError:
            self._stopping = True
            return False
        except StorageError as error:
            if self._database_away.due():
                log.critical(
                    "The database gives no messages out, nothing is sent meanwhile", extra={"reason": str(error)}
                )
            await self._wait_for_news(_STORAGE_PAUSE_S)
            return not self._stopping
        if self._database_away.over():
            log.warning("The database gives messages out again")
        for row in rows:
            task = asyncio.create_task(self._deliver(row, probe=self._outage.down), name=f"deliver-{row.id}")
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        return len(rows) == room and len(self._tasks) < IN_FLIGHT

    async def _recover(self) -> None:
        """End leases that nobody works on: at start all of them, then every so often those that ran out."""
        now_s, now_ms = self._clock.monotonic(), self._clock.now_ms()
        at_start = self._recovered_s is None
        if self._recovered_s is not None and now_s - self._recovered_s < RECOVER_EVERY_S:
            return
        unsure = await self._db.outbox.recover(
            now_ms=now_ms, resend_ms=now_ms + REPEAT_AFTER_CRASH_MS, every_lease=at_start and self._db.exclusive
        )
        self._recovered_s = now_s
        if unsure:
            self._count("ambiguous", unsure)
            log.warning("Messages were cut off while being sent and are repeated", extra={"rows": unsure})

    async def _wait_for_news(self, longest_s: float) -> None:
        try:
            async with asyncio.timeout(longest_s):
                await self._news.wait()
        except TimeoutError:
            return

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # While many wait their turn more would only wait with them, and to claim some takes the database from those.
        if len(self._tasks) <= IN_FLIGHT // 2:
            self.wake()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, LostLeaseError):
            log.warning("A message is left to the process that has taken over")
        else:
            log.error("Delivering a message broke off, its lease will run out", exc_info=error)

    async def _drain(self) -> None:
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=DRAIN_S)
        for task in late:
            task.cancel()
        if late:
            log.warning("Messages did not end in time, the next start sees to them", extra={"rows": len(late)})
            await asyncio.wait(late)

    async def _deliver(self, row: Claimed, *, probe: bool) -> None:
        """One attempt at one row, from its text to its stored outcome; only a `probe` goes out in an outage."""
        try:
            async with self._desk:
                row = await self._folded(row)
                message = self._as_due(row, await self._compose(row))
        except UnreadableBlobError as error:
            await self._settlement.not_composed(row, error)
            return
        except StorageError as error:
            log.critical("The database does not answer, a message waits", extra={"row": row.id, "reason": str(error)})
            await self._settlement.put_back(row, _STORAGE_PAUSE_S)
            return
        except Exception as error:
            await self._settlement.not_composed(row, error)
            return
        await self._limiter.acquire(row.chat)
        if self._stopping or not self._may_send() or (self._outage.down and not probe):
            await self._settlement.put_back(row, 0.0)
            return
        begun = await insist(
            lambda: self._db.outbox.begin(row, now_ms=self._clock.now_ms(), lease_ms=LEASE_MS),
            "begin a message",
            self._clock,
        )
        if begun is None:
            log.warning("A message was taken over by another sender", extra={"row": row.id, "chat": row.chat})
            return
        if not self._may_send():
            # To commit the attempt took so long that somebody else may have it now.
            await self._settlement.put_back(begun, 0.0)
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                message_id = await self._messenger.send(begun.chat, message)
        except MessengerDownError as error:
            await self._settlement.failed(begun, error)
            self._stop_loudly(error)
        except Exception as error:
            await self._settlement.failed(begun, error)
        else:
            await self._settlement.sent(begun, message_id)

    async def _folded(self, row: Claimed) -> Claimed:
        """The row, or where it is an alert too old to be sent as one, the summary of all such of its chat."""
        if self._folding is None or row.repeat or row.held or not self._folding.takes(row.payload):
            return row
        now_ms = self._clock.now_ms()
        if row.created_ms >= now_ms - self._folding.fresh_ms:
            return row
        return await self._db.outbox.fold(row, self._folding, now_ms=now_ms)

    def _as_due(self, row: Claimed, message: Message) -> Message:
        if row.plain:
            message = plain(message)
        return replace(message, silent=True) if row.repeat else message

    def _stop_loudly(self, error: MessengerDownError) -> None:
        if self._down is None:
            log.critical("The messenger cannot work, sending stops", extra={"reason": str(error)})
        self._down = error
        self._stopping = True
        self.wake()
