"""Tells the operators what the log complains of: each kind of complaint once with its count, and hourly if it goes on.

A kind is where it was logged, its sentence before anything was filled in, and the type of its exception: a burst about
a hundred markets is one. It goes through the outbox like everything else; what cannot be queued waits here.
"""

import asyncio
import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.clock import Clock
from bot.logs import redact
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.storage.outbox import OutboxRow

ROUND_S = 60.0
"""A burst is told when it has had so long to show its size."""

AGAIN_MS = 3_600_000
KINDS_A_MESSAGE = 8
MOST_KINDS = 100
"""More at once are one trouble with many faces: the log has them all."""

TEXT_UNITS = 300
_HOUR_MS = 3_600_000
_FORGET_MS = 24 * _HOUR_MS

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Complaint:
    """One kind: how often it was logged since it was last told, and since when."""

    level: int
    text: str
    times: int
    since_ms: int
    newest_ms: int
    told_ms: int | None = None

    def is_due(self, now_ms: int) -> bool:
        return self.times > 0 and (self.told_ms is None or now_ms - self.told_ms >= AGAIN_MS)


class ErrorReports:
    """`hear` is called with log records, from any thread; `run` tells. `queued` is called when messages were queued."""

    def __init__(self, db: Database, clock: Clock, operators: Sequence[int], queued: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._operators = operators
        self._queued = queued
        self._kinds: dict[str, Complaint] = {}
        self._beyond = 0
        self._guard = threading.Lock()

    def hear(self, record: logging.LogRecord) -> None:
        """Note a complaint; nothing is told here."""
        now_ms, kind = self._clock.now_ms(), fingerprint(record)
        with self._guard:
            known = self._kinds.get(kind)
            if known is not None:
                known.since_ms = known.since_ms if known.times else now_ms
                known.times, known.newest_ms = known.times + 1, now_ms
            elif len(self._kinds) < MOST_KINDS:
                self._kinds[kind] = Complaint(record.levelno, words(record), 1, now_ms, now_ms)
            else:
                self._beyond += 1

    async def run(self) -> None:
        """Tell once a minute what is new or goes on. Ends only when cancelled."""
        while True:
            await asyncio.sleep(ROUND_S)
            await self.tell()

    async def tell(self) -> None:
        """Queue one message an operator about what is due, the gravest first; what is left over comes next time."""
        now_ms = self._clock.now_ms()
        with self._guard:
            due = {kind: known for kind, known in self._kinds.items() if known.is_due(now_ms)}
            gravest = sorted(due, key=lambda kind: (-due[kind].level, -due[kind].times, kind))[:KINDS_A_MESSAGE]
            told = {kind: due[kind].times for kind in gravest}
            lines = [_line(due[kind]) for kind in gravest]
            beyond, loud = self._beyond, any(due[kind].level >= logging.ERROR for kind in gravest)
        if not lines:
            self._forget(now_ms)
            return
        payload = {"notice": "faults", "kinds": lines, "more": len(due) - len(lines) + beyond, "silent": not loud}
        # A bot that starts over and over tells the same once an hour.
        key = f"faults:{_digest(*sorted(told))}:{now_ms // _HOUR_MS}"
        rows = [OutboxRow(f"{key}:{chat}", chat, payload, now_ms) for chat in self._operators]
        try:
            await self._db.outbox.add(rows)
        except StorageError as error:
            log.info("what the log complains of could not be queued and is told later: %s", error)
            return
        with self._guard:
            self._beyond -= beyond
            for kind, times in told.items():
                self._kinds[kind].times -= times
                self._kinds[kind].told_ms = now_ms
        self._queued()

    def _forget(self, now_ms: int) -> None:
        with self._guard:
            for kind in [kind for kind, known in self._kinds.items() if now_ms - known.newest_ms > _FORGET_MS]:
                del self._kinds[kind]


def fingerprint(record: logging.LogRecord) -> str:
    """What makes a complaint one of a kind."""
    sentence = str(record.msg)
    if sentence == "%s":
        sentence = record.getMessage()
    raised = record.exc_info[0] if record.exc_info else None
    return _digest(record.levelname, record.name, sentence, raised.__qualname__ if raised else "")


def words(record: logging.LogRecord) -> str:
    """The complaint in one short line, without secrets: where, what, and the exception's own words."""
    raised = record.exc_info[1] if record.exc_info else None
    parts = [f"{record.name}: {record.getMessage()}", f"{type(raised).__name__}: {raised}" if raised else ""]
    line = redact(" | ".join(" ".join(part.split()) for part in parts if part))
    return line if len(line) <= TEXT_UNITS else line[: TEXT_UNITS - 1] + "…"


def _line(known: Complaint) -> dict[str, object]:
    return {
        "level": logging.getLevelName(known.level),
        "text": known.text,
        "times": known.times,
        "since_ms": known.since_ms,
        "again": known.told_ms is not None,
    }


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()
