"""A sender in a process of its own, which ends itself with SIGKILL at a named point; run again, it must make good.

Its market is a count: slot n fires episode n of one rule on two clusters in each chat, which is one message of two
alerts. What it evaluates and sends goes through the real gate, database, outbox and worker; what arrives is appended to
a file, as a server would remember it.
"""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bot.alerts.types import Changes, Event, Kind, Market, Phase, Rule, RuleState, Severity
from bot.delivery.messenger import Message, NotSentError
from bot.delivery.worker import OutboxWorker
from bot.doorbell import Doorbell, outbox_rows
from bot.liquidation.types import Cluster, Side
from bot.storage.codec import event_from_plain
from bot.storage.database import Database
from bot.storage.outbox import Claimed
from bot.storage.slots import Slot

POINTS = (
    "half a migration",
    "before the commit of state and message",
    "after the commit of state and message",
    "after the claim",
    "before the request",
    "after the request",
    "after the answer, before it is stored",
    "while the server asks for patience",
)
CHATS = (1, 2, -3)
SLOTS = 3
TRACKS = ("t", "u")
MARKET = Market("binance", "ZRXUSDT")
SPEED = 60


class HurriedClock:
    """Everybody's seconds pass `SPEED` times as fast; the wall clock goes on where the last process left it."""

    def now_ms(self) -> int:
        return int(time.time() * 1000 * SPEED)

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


class Subject:
    """One life of the process, with the point at which it ends."""

    def __init__(self, url: str, server: Path, point: str) -> None:
        self._url = url
        self._server = server
        self._point = point
        self._clock = HurriedClock()
        self._asked_for_patience: set[int] = set()

    async def live(self) -> None:
        if self._point == POINTS[0]:
            event.listen(Engine, "commit", lambda connection: self.die(POINTS[0]))
        async with await Database.open(self._url) as db:
            event.listen(Engine, "commit", self._before_commit)
            event.listen(Engine, "before_cursor_execute", self._before_statement)
            bell = Doorbell(db, per_hour=100)
            await bell.restore(now_ms=self._clock.now_ms())
            worker = OutboxWorker(db=db, messenger=self, compose=self.compose, clock=self._clock)
            sending = asyncio.create_task(worker.run())
            for slot in range(1, SLOTS + 1):
                await self.evaluate(db, bell, slot)
                worker.wake()
            while (left := set(await db.outbox.counts())) - {"sent", "dead"}:
                if self._asked_for_patience == set(CHATS) and "sending" not in left:
                    self.die("while the server asks for patience")
                await self._clock.sleep(1.0)
                worker.wake()
            await worker.stop()
            await sending

    async def evaluate(self, db: Database, bell: Doorbell, slot: int) -> None:
        """Fire each chat's rule once on each cluster for this slot, unless that is committed already."""
        for chat in CHATS:
            rule, _ = await db.rules.add(Rule(0, chat, MARKET, Kind.PROXIMITY, 1.0))
            done = Slot(f"evaluate {chat}", slot, MARKET)
            if await db.slots.is_done(done):
                continue
            before = {state.track_id: state.episode for state in await db.alerts.states_of(rule.id)}
            now_ms = self._clock.now_ms()
            fired = tuple(
                RuleState(rule.id, track, Phase.FIRED, episode=before.get(track, 0) + 1, last_ms=slot)
                for track in TRACKS
            )
            changes = Changes(states=fired, events=tuple(alert(rule, state, now_ms) for state in fired))
            rulings = bell.rule(changes, now_ms=now_ms)
            rows = outbox_rows(rulings, now_ms=now_ms)
            await db.commit_changes(changes, rows, slots=[done], log=rulings.log(now_ms))
            bell.apply(rulings)
            self.die("after the commit of state and message")

    async def compose(self, row: Claimed) -> Message:
        self.die("after the claim")
        keys = [event_from_plain(payload).dedupe_key for payload in (row.payload, *row.others)]
        return Message(json.dumps({"keys": keys, "repeat": row.repeat}))

    async def send(self, chat_id: int, message: Message) -> int:
        self.die("before the request")
        if self._point == "while the server asks for patience":
            self._asked_for_patience.add(chat_id)
            raise NotSentError("too many requests", retry_after_s=60.0)
        with self._server.open("a") as memory:
            memory.write(json.dumps({"chat": chat_id, "silent": message.silent, **json.loads(message.text)}) + "\n")
            memory.flush()
            os.fsync(memory.fileno())
        self.die("after the request")
        await asyncio.sleep(0.002)
        return 1

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        raise NotImplementedError

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        raise NotImplementedError

    def die(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    def _before_statement(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        if statement.startswith("INSERT INTO outbox"):
            connection.info["queued"] = True
        if statement.startswith("UPDATE outbox SET state") and "message_id" in statement.partition("WHERE")[0]:
            connection.info["stored"] = True

    def _before_commit(self, connection: Any) -> None:
        if connection.info.pop("queued", False):
            self.die("before the commit of state and message")
        if connection.info.pop("stored", False):
            self.die("after the answer, before it is stored")


def alert(rule: Rule, state: RuleState, now_ms: int) -> Event:
    return Event(
        time_ms=now_ms,
        kind=rule.kind,
        market=rule.market,
        rule_id=rule.id,
        chat=rule.chat,
        track_id=state.track_id,
        episode=state.episode,
        severity=Severity.WARNING,
        price=0.24,
        cluster=Cluster(Side.LONG, 0.22, 0.23, 0.225, 1e6, 0.1, 70),
        value_pct=0.9,
        threshold_pct=1.0,
        window_ms=0,
        reason="near",
        map_ms=now_ms,
        open_interest="measured",
    )


def live(url: str, server: Path, point: str) -> None:
    """What a process runs."""
    asyncio.run(Subject(url, server, point).live())
