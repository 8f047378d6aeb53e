"""The outbox: every message that must go out, from the transaction that decided it until its end is known.

A row is `ready`, is claimed (a lease, the state stays), is `sending` from a commit before the call until its outcome is
stored, and ends `sent` or `dead` with a reason. `ambiguous` means that it may have gone out. A row never leaves
`sending` for `ready` without a known refusal. Fencing: `attempts` grows with each `begin`, and whoever reports an
outcome must name the attempt.

Each event has a row of its own. One that is told of in another's message names that row as its `lead`, which alone is
claimed and tried; whatever ends the lead ends those it leads. A row may be joined until it is claimed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from bot.liquidation.values import replace
from bot.storage.access import Access
from bot.storage.enqueue import OutboxRow, enqueue, to_json
from bot.storage.tables import outbox

__all__ = ["Claimed", "Fate", "Folding", "Outbox", "OutboxRow"]

# A crash while sending leaves a row unsure; one that does so this often is the cause, not the victim.
MAX_UNSURE = 6
_REASON_LENGTH = 300

_PENDING = outbox.c.done_ms.is_(None)
_LEASED = outbox.c.lease_owner.is_not(None)
_NO_LEASE: dict[str, Any] = {"lease_owner": None, "lease_until_ms": None}


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row this worker holds. `unsure` counts the unknown outcomes so far, `plain` asks for text without tags.

    `others` are the payloads of the rows that it leads, `held` tells that it waited on purpose.
    """

    id: int
    dedupe_key: str
    chat: int
    payload: Mapping[str, Any] = field(repr=False)
    created_ms: int
    due_ms: int
    attempts: int
    unsure: int
    plain: bool
    owner: str
    others: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    held: bool = False

    @property
    def repeat(self) -> bool:
        """Whether this message may have been delivered before."""
        return self.unsure > 0


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a message stands: its state, the id it has in the chat once sent, the last thing that went wrong."""

    state: str
    chat: int
    message_id: int | None
    attempts: int
    unsure: int
    last_error: str | None


class Folding(Protocol):
    """What becomes of alerts that nobody could be told in time: one summary a chat."""

    @property
    def fresh_ms(self) -> int:
        """How old an alert may be and still be sent as one."""
        ...

    def takes(self, payload: Mapping[str, Any]) -> bool:
        """Whether this message may be summed up: an alert, or a summary of earlier ones."""
        ...

    def is_summary(self, payload: Mapping[str, Any]) -> bool: ...

    def sum_up(self, payloads: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The summary of alerts and earlier summaries, given oldest first."""
        ...


class Outbox:
    """Reads and writes of the `outbox` table. A False from an outcome means that somebody else has the row now."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def add(self, rows: Sequence[OutboxRow]) -> int:
        """Queue messages that belong to no change of state; returns how many were new."""
        return await self._access.write(lambda connection: enqueue(connection, rows))

    async def claim(self, now_ms: int, owner: str, lease_ms: int, limit: int) -> Sequence[Claimed]:
        """Take up to `limit` due rows, of each chat its oldest one and only while none of it is in flight."""

        def work(connection: Connection) -> list[Claimed]:
            rows = connection.execute(DUE_ROWS, {"now_ms": now_ms, "limit": limit}).all()
            if rows:
                lease = {"lease_owner": owner, "lease_until_ms": now_ms + lease_ms}
                ids = [row.id for row in rows]
                connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(lease))
            led = _led_by(connection, [row.id for row in rows])
            return [_claimed(row, owner, tuple(led.get(row.id, ()))) for row in rows]

        return await self._access.write(work)

    async def begin(self, row: Claimed, *, now_ms: int, lease_ms: int) -> Claimed | None:
        """Commit that the call is about to be made; None where the row is no longer this worker's."""
        statement = (
            update(outbox)
            .where(
                outbox.c.id == row.id,
                outbox.c.lease_owner == row.owner,
                outbox.c.attempts == row.attempts,
                outbox.c.state.in_(("ready", "ambiguous")),
            )
            .values(state="sending", attempts=row.attempts + 1, lease_until_ms=now_ms + lease_ms)
        )
        return replace(row, attempts=row.attempts + 1) if await self._change(statement) else None

    async def fold(self, row: Claimed, folding: "Folding", *, now_ms: int) -> Claimed:
        """Sum up a chat's old alerts in its oldest, which `row` is: the others end here, and say where they are told.

        A row that stays as it is comes back as it was; so does one that somebody else holds by now.
        """
        stale = and_(outbox.c.chat == row.chat, _PENDING, outbox.c.lease_owner.is_(None), outbox.c.state == "ready")
        older = and_(stale, outbox.c.unsure == 0, outbox.c.held == 0, outbox.c.created_ms < now_ms - folding.fresh_ms)

        def work(connection: Connection) -> Claimed:
            found = connection.execute(select(outbox.c.id, outbox.c.payload).where(older).order_by(outbox.c.id)).all()
            # Those in the message of an old one go with it, be they a few seconds younger.
            led = and_(_PENDING, outbox.c.lead.in_([row.id, *(other.id for other in found)]))
            younger = connection.execute(select(outbox.c.id, outbox.c.payload).where(led).order_by(outbox.c.id)).all()
            others = {other.id: json.loads(other.payload) for other in (*found, *younger)}
            others = {other: payload for other, payload in others.items() if folding.takes(payload)}
            if not others and folding.is_summary(row.payload):
                return row
            payload = folding.sum_up([row.payload, *others.values()])
            mine = _mine(row).values(payload=to_json(payload), plain=0)
            if connection.execute(mine).rowcount != 1:
                return row
            ended = _dead(f"expired: told in the summary that message {row.id} is", now_ms)
            for start in range(0, len(ids := list(others)), 500):
                some = outbox.c.id.in_(ids[start : start + 500])
                connection.execute(update(outbox).where(some).values(ended))
            return replace(row, payload=payload, plain=False, others=())

        return await self._access.write(work)

    async def sent(self, row: Claimed, *, message_id: int, now_ms: int) -> bool:
        """The message is delivered: a fact, whoever may write now. Counts as long as no later attempt began."""
        values = {"state": "sent", "message_id": message_id, "done_ms": now_ms, "last_error": None, **_NO_LEASE}
        attempt = and_(outbox.c.id == row.id, outbox.c.attempts == row.attempts, _PENDING)
        return await self._end(update(outbox).where(attempt), row.id, values, fenced=False)

    async def put_back(
        self, row: Claimed, *, due_ms: int, error: str | None = None, plain: bool = False, tried: bool = False
    ) -> bool:
        """The message certainly did not go out: it is due again later. A repeat stays one.

        `plain` asks for text without tags from now on; `tried` counts an attempt that ended before its call.
        """
        values: dict[str, Any] = {"state": "ambiguous" if row.repeat else "ready", "due_ms": due_ms, **_NO_LEASE}
        if error is not None:
            values["last_error"] = error[:_REASON_LENGTH]
        if plain:
            values["plain"] = 1
        if tried:
            values["attempts"] = row.attempts + 1
        return await self._change(_mine(row).values(values))

    async def doubt(self, row: Claimed, *, due_ms: int, error: str) -> bool:
        """The message may have gone out: it is due again later, as a repeat."""
        values = {
            "state": "ambiguous",
            "unsure": row.unsure + 1,
            "due_ms": due_ms,
            "last_error": error[:_REASON_LENGTH],
        }
        return await self._change(_mine(row).values({**values, **_NO_LEASE}))

    async def bury(self, row: Claimed, *, error: str, now_ms: int) -> bool:
        """The message cannot be delivered: it ends here, with the reason."""
        return await self._end(_mine(row), row.id, _dead(error, now_ms))

    async def recover(self, *, now_ms: int, resend_ms: int, every_lease: bool) -> int:
        """End leases nobody works on: those that ran out, or at start every one. Returns how many sends are unsure.

        What was being sent may have gone out, so it becomes a repeat, due at `resend_ms`; what was only claimed is
        free again.
        """

        def work(connection: Connection) -> int:
            over = _LEASED if every_lease else and_(_LEASED, outbox.c.lease_until_ms < now_ms)
            if connection.execute(select(outbox.c.id).where(over).limit(1)).first() is None:
                return 0
            sending = and_(over, outbox.c.state == "sending")
            poison = and_(sending, outbox.c.unsure >= MAX_UNSURE)
            dead = _dead("the process ended at each attempt", now_ms)
            poisoned = connection.execute(select(outbox.c.id).where(poison)).scalars().all()
            connection.execute(update(outbox).where(_of_messages(poisoned)).values(dead))
            doubtful = {
                "state": "ambiguous",
                "unsure": outbox.c.unsure + 1,
                "due_ms": resend_ms,
                "last_error": "the process ended, or stalled, while sending",
                **_NO_LEASE,
            }
            unsure = connection.execute(update(outbox).where(sending).values(doubtful)).rowcount
            connection.execute(update(outbox).where(over).values(_NO_LEASE))
            return unsure

        return await self._access.write(work)

    async def fate(self, dedupe_key: str) -> Fate | None:
        """Where one message stands; None where there is none of that key."""
        columns = (outbox.c[name] for name in Fate.__dataclass_fields__)
        statement = select(*columns).where(outbox.c.dedupe_key == dedupe_key)

        def work(connection: Connection) -> Fate | None:
            row = connection.execute(statement).first()
            return Fate(*row) if row else None

        return await self._access.read(work)

    async def waiting(self, *, now_ms: int) -> bool:
        """Whether any message is due or on its way."""
        statement = select(outbox.c.id).where(
            _PENDING, outbox.c.lead.is_(None), (outbox.c.due_ms <= now_ms) | outbox.c.lease_owner.is_not(None)
        )
        return await self._access.read(lambda connection: connection.execute(statement.limit(1)).first() is not None)

    async def counts(self) -> Mapping[str, int]:
        """How many rows are in each state that has any."""
        statement = select(outbox.c.state, func.count().label("rows")).group_by(outbox.c.state)
        return await self._access.read(
            lambda connection: {row.state: row.rows for row in connection.execute(statement)}
        )

    async def _end(self, statement: Update, row_id: int, values: Mapping[str, Any], *, fenced: bool = True) -> bool:
        """End a row, and with it those that it leads."""

        def work(connection: Connection) -> bool:
            if connection.execute(statement.values(values)).rowcount != 1:
                return False
            connection.execute(update(outbox).where(outbox.c.lead == row_id, _PENDING).values(values))
            return True

        return await self._access.write(work, fenced=fenced)

    async def _change(self, statement: Update) -> bool:
        return await self._access.write(lambda connection: connection.execute(statement).rowcount == 1)


def _led_by(connection: Connection, leads: Sequence[int]) -> Mapping[int, list[Mapping[str, Any]]]:
    """The payloads that each of these rows leads, oldest first."""
    if not leads:
        return {}
    statement = select(outbox.c.lead, outbox.c.payload).where(outbox.c.lead.in_(leads), _PENDING).order_by(outbox.c.id)
    led: dict[int, list[Mapping[str, Any]]] = {}
    for lead, payload in connection.execute(statement):
        led.setdefault(lead, []).append(json.loads(payload))
    return led


def _of_messages(leads: Sequence[int]) -> ColumnElement[bool]:
    """Rows that go out in these messages."""
    return and_(_PENDING, outbox.c.id.in_(leads) | outbox.c.lead.in_(leads))


def _due_rows() -> Select[Any]:
    earlier, flying = outbox.alias("earlier"), outbox.alias("flying")
    keeps_back = or_(earlier.c.held == 0, earlier.c.due_ms <= bindparam("now_ms"), earlier.c.attempts > 0)
    is_behind = exists().where(
        earlier.c.chat == outbox.c.chat,
        earlier.c.done_ms.is_(None),
        earlier.c.lead.is_(None),
        earlier.c.id < outbox.c.id,
        keeps_back,
    )
    in_flight = exists().where(flying.c.chat == outbox.c.chat, flying.c.lease_owner.is_not(None))
    return (
        select(outbox)
        .where(
            _PENDING, outbox.c.lease_owner.is_(None), outbox.c.lead.is_(None), outbox.c.due_ms <= bindparam("now_ms")
        )
        .where(~is_behind, ~in_flight)
        .order_by(outbox.c.due_ms, outbox.c.id)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(of=outbox, skip_locked=True)
    )


# The rows to claim next, given `now_ms` and `limit`: of each chat its oldest, where it is due and none is in flight. A
# row that waits on purpose stands in nobody's way until it is due.
# Every condition is served by a partial index; a test reads the plan. Built once, for building takes a millisecond.
DUE_ROWS = _due_rows()


def bury_chat(connection: Connection, chat: int, *, reason: str, now_ms: int) -> int:
    """End every message that waits for a chat; returns how many."""
    waiting = and_(outbox.c.chat == chat, _PENDING)
    return connection.execute(update(outbox).where(waiting).values(_dead(reason, now_ms))).rowcount


def move_chat(connection: Connection, old: int, new: int, *, now_ms: int) -> None:
    """Give a chat's messages its new id; the one in flight was refused, so it is due at once."""
    refused = and_(outbox.c.chat == old, _PENDING, _LEASED)
    state = case((outbox.c.unsure > 0, "ambiguous"), else_="ready")
    connection.execute(update(outbox).where(refused).values(state=state, due_ms=now_ms, **_NO_LEASE))
    # Those delivered too: what replies to one of them must go where it is now.
    connection.execute(update(outbox).where(outbox.c.chat == old).values(chat=new))


def _mine(row: Claimed) -> Update:
    return update(outbox).where(
        outbox.c.id == row.id, outbox.c.lease_owner == row.owner, outbox.c.attempts == row.attempts, _PENDING
    )


def _dead(reason: str, now_ms: int) -> dict[str, Any]:
    return {"state": "dead", "done_ms": now_ms, "last_error": reason[:_REASON_LENGTH], **_NO_LEASE}


def _claimed(row: Row[Any], owner: str, others: tuple[Mapping[str, Any], ...]) -> Claimed:
    return Claimed(
        id=row.id,
        dedupe_key=row.dedupe_key,
        chat=row.chat,
        payload=json.loads(row.payload),
        created_ms=row.created_ms,
        due_ms=row.due_ms,
        attempts=row.attempts,
        unsure=row.unsure,
        plain=bool(row.plain),
        owner=owner,
        others=others,
        held=bool(row.held),
    )
