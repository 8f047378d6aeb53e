"""The outbox as an operator sees it: what waits, what ended badly and why, and a second chance for it.

Every change is one conditional statement, so that it is safe beside a bot at work: a row it holds is left to it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Update, and_, case, exists, func, select, update

from bot.storage.access import Access
from bot.storage.tables import outbox, updates

UNSETTLED = ("ready", "sending", "ambiguous", "dead")
"""What an operator looks at unless another state is asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message; times in ms UTC, `done_ms` None while it is under way."""

    id: int
    dedupe_key: str
    chat: int
    state: str
    attempts: int
    unsure: int
    created_ms: int
    due_ms: int
    done_ms: int | None
    message_id: int | None
    last_error: str | None
    payload: Mapping[str, Any]


class OutboxDesk:
    """Looks at messages and settles the dead ones."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def newest(
        self, states: Sequence[str] = UNSETTLED, *, chat: int | None = None, limit: int = 50
    ) -> Sequence[Entry]:
        """The newest messages in these states (of one chat), newest first."""
        statement = select(outbox).where(outbox.c.state.in_(states)).order_by(outbox.c.id.desc()).limit(limit)
        return await self._entries(statement if chat is None else statement.where(outbox.c.chat == chat))

    async def get(self, ids: Sequence[int]) -> Sequence[Entry]:
        """The messages of these ids that there are."""
        return await self._entries(select(outbox).where(outbox.c.id.in_(ids)).order_by(outbox.c.id))

    async def dead(self) -> Sequence[int]:
        """The ids of every message that ended undelivered, but those that are told in a summary."""
        told = outbox.c.last_error.startswith("expired: ", autoescape=True)
        statement = select(outbox.c.id).where(outbox.c.state == "dead", ~func.coalesce(told, False))
        return await self._access.read(lambda connection: connection.execute(statement).scalars().all())

    async def counts(self) -> Mapping[str, tuple[int, int]]:
        """(messages, ms UTC when the oldest was decided) by state."""
        statement = select(outbox.c.state, func.count(), func.min(outbox.c.created_ms)).group_by(outbox.c.state)
        return await self._access.read(
            lambda connection: {state: (rows, oldest) for state, rows, oldest in connection.execute(statement)}
        )

    async def waiting(self) -> Mapping[str, tuple[int, int]]:
        """The same of the messages that have no end yet: cheap, however many have.

        One that is held back on purpose waits from when it is due.
        """
        since = case((outbox.c.held == 1, outbox.c.due_ms), else_=outbox.c.created_ms)
        statement = select(outbox.c.state, func.count(), func.min(since)).group_by(outbox.c.state)
        pending = statement.where(outbox.c.done_ms.is_(None))
        return await self._access.read(
            lambda connection: {state: (rows, oldest) for state, rows, oldest in connection.execute(pending)}
        )

    async def requeue(self, ids: Sequence[int], *, now_ms: int) -> Sequence[int]:
        """Make dead messages due again, and the alerts told of in them, each by itself; returns those that were dead.

        One that may have arrived stays a repeat.
        """
        state = case((outbox.c.unsure > 0, "ambiguous"), else_="ready")
        values = {"state": state, "due_ms": now_ms, "done_ms": None, "plain": 0, "lead": None, "held": 0}
        dead = and_(_with_led(ids), outbox.c.state == "dead")
        return await self._change(update(outbox).where(dead).values(values))

    async def drop(self, ids: Sequence[int], *, now_ms: int) -> Sequence[int]:
        """End messages that wait and are not being sent, with the alerts told of in them; returns those it ended."""
        flying = outbox.alias("flying")
        in_flight = exists().where(flying.c.id == outbox.c.lead, flying.c.lease_owner.is_not(None))
        waits = and_(_with_led(ids), outbox.c.done_ms.is_(None), outbox.c.lease_owner.is_(None), ~in_flight)
        values = {"state": "dead", "done_ms": now_ms, "last_error": "dropped by an operator"}
        return await self._change(update(outbox).where(waits).values(values))

    async def doubt(self, *, now_ms: int) -> tuple[int, int]:
        """After a copy was put back: what waited in it may have been sent since, and commands done. So messages become
        repeats, commands are not done again; returns how many of each. Nobody may work on the database meanwhile.
        """
        unsure = {
            "state": "ambiguous",
            "unsure": outbox.c.unsure + 1,
            "lease_owner": None,
            "lease_until_ms": None,
            "last_error": "restored from a copy: it may have been sent since",
        }
        messages = update(outbox).where(outbox.c.done_ms.is_(None)).values(unsure)
        commands = update(updates).where(updates.c.handled_ms.is_(None)).values(handled_ms=now_ms, payload=None)

        def work(connection: Connection) -> tuple[int, int]:
            return connection.execute(messages).rowcount, connection.execute(commands).rowcount

        return await self._access.write(work)

    async def _change(self, statement: Update) -> Sequence[int]:
        changed = statement.returning(outbox.c.id)
        return await self._access.write(lambda connection: sorted(connection.execute(changed).scalars()))

    async def _entries(self, statement: Select[Any]) -> Sequence[Entry]:
        return await self._access.read(lambda connection: [_entry(row) for row in connection.execute(statement)])


def _with_led(ids: Sequence[int]) -> ColumnElement[bool]:
    """These messages and the alerts that go out in them."""
    return outbox.c.id.in_(ids) | outbox.c.lead.in_(ids)


def _entry(row: Row[Any]) -> Entry:
    columns = {name: row._mapping[name] for name in Entry.__dataclass_fields__}
    return Entry(**{**columns, "payload": json.loads(row.payload)})
