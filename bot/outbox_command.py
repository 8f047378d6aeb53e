"""`liqwatch outbox`: what waits, what could not be sent, and a second chance for it; also beside a running bot."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from bot.clock import SystemClock
from bot.failures import FailedError, UsageError
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.leases import SENDER
from bot.storage.outbox_desk import UNSETTLED, Entry
from bot.times import utc_text

STATES = ("ready", "sending", "ambiguous", "sent", "dead")
_EXPLAINED = {
    "ready": "wait",
    "sending": "are being sent",
    "ambiguous": "may have arrived and are repeated",
    "sent": "are delivered",
    "dead": "ended undelivered",
}


async def list_messages(
    settings: Settings, *, state: str | None, chat: int | None, limit: int, json_: bool
) -> Sequence[str]:
    """The counts, then the newest messages that are not delivered; or one JSON object a message."""
    if state is not None and state not in STATES:
        raise UsageError(f"--state takes one of {', '.join(STATES)}, not '{state}'")
    async with await Database.beside(settings.database_url) as db:
        counts = await db.outbox_desk.counts()
        entries = await db.outbox_desk.newest(UNSETTLED if state is None else (state,), chat=chat, limit=limit)
    if json_:
        return [_json(entry) for entry in entries]
    heads = [f"{counts[name][0]:>8} {_EXPLAINED[name]} ({name})" for name in STATES if name in counts]
    return [*(heads or ["the outbox is empty"]), *(_line(entry) for entry in entries)]


async def show_messages(settings: Settings, ids: Sequence[int], *, json_: bool) -> Sequence[str]:
    """Everything about these messages."""
    async with await Database.beside(settings.database_url) as db:
        entries = await db.outbox_desk.get(ids)
    _check_known(ids, entries)
    if json_:
        return [_json(entry) for entry in entries]
    return [line for entry in entries for line in (_line(entry), *_facts(entry))]


async def requeue_messages(settings: Settings, ids: Sequence[int], *, every: bool) -> Sequence[str]:
    """Make these dead messages, or all of them, due again; a running bot sends them within a second."""
    if bool(ids) is every:
        raise UsageError("requeue takes the ids of dead messages, or --all")
    async with await Database.beside(settings.database_url) as db:
        ids = await db.outbox_desk.dead() if every else ids
        entries = await db.outbox_desk.get(ids)
        _check_known(ids, entries)
        again = await db.outbox_desk.requeue(ids, now_ms=SystemClock().now_ms())
    told = [
        f"message {entry.id} is due again"
        if entry.id in again
        else f"message {entry.id} is {entry.state}: only dead ones are queued again"
        for entry in entries
    ]
    return told or ["no message is dead"]


async def drop_messages(settings: Settings, ids: Sequence[int]) -> Sequence[str]:
    """End messages that wait: they are not sent, and say so."""
    async with await Database.beside(settings.database_url) as db:
        entries = await db.outbox_desk.get(ids)
        _check_known(ids, entries)
        ended = await db.outbox_desk.drop(ids, now_ms=SystemClock().now_ms())
    return [
        f"message {entry.id} is dropped"
        if entry.id in ended
        else f"message {entry.id} is {entry.state}: it does not wait"
        for entry in entries
    ]


async def doubt_messages(settings: Settings) -> Sequence[str]:
    """Make repeats of all that waits, in a database that was just put back from a copy; no bot may run on it."""
    async with await Database.open(settings.database_url) as db:
        lease = await db.leases.look(SENDER)
        if lease is not None and lease.left_ms:
            raise FailedError(
                f"a bot works on this database ({lease.holder}): stop it first, or wait {-(-lease.left_ms // 1000)} s"
                " where it was stopped just now"
            )
        messages, commands = await db.outbox_desk.doubt(now_ms=SystemClock().now_ms())
    return [f"{messages} undelivered messages go out as silent repeats, {commands} commands are not done again"]


def _check_known(ids: Sequence[int], entries: Sequence[Entry]) -> None:
    missing = sorted(set(ids) - {entry.id for entry in entries})
    if missing:
        raise FailedError(f"the outbox holds no message {', '.join(map(str, missing))}")


def _line(entry: Entry) -> str:
    parts = [f"#{entry.id}", entry.state, f"chat {entry.chat}", f"decided {utc_text(entry.created_ms)}"]
    if entry.attempts:
        parts.append(f"{entry.attempts} {'attempt' if entry.attempts == 1 else 'attempts'}")
    if entry.last_error:
        parts.append(entry.last_error)
    return "  ".join(parts)


def _facts(entry: Entry) -> Sequence[str]:
    facts = {
        "key": entry.dedupe_key,
        "due": utc_text(entry.due_ms),
        "ended": entry.done_ms and utc_text(entry.done_ms),
        "message in the chat": entry.message_id,
        "unconfirmed deliveries": entry.unsure or None,
        "content": json.dumps(entry.payload, ensure_ascii=False),
    }
    return [f"    {name}: {value}" for name, value in facts.items() if value is not None]


def _json(entry: Entry) -> str:
    return json.dumps(asdict(entry), ensure_ascii=False)
