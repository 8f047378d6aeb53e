"""How a message gets into the outbox: in the transaction that decided it, and into another's message where it joins."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, case, update

from bot.storage.statements import insert_new
from bot.storage.tables import outbox


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message to come: `payload` is plain data in no language, `dedupe_key` is unique for ever.

    It joins the message of the row with the key `lead`, which is then due at the earlier of both times; where that
    has been claimed it goes by itself. A row that is `held` does not keep back the chat's later ones.
    """

    dedupe_key: str
    chat: int
    payload: Mapping[str, Any]
    created_ms: int
    due_ms: int = 0
    lead: str = ""
    held: bool = False


def enqueue(connection: Connection, rows: Sequence[OutboxRow]) -> int:
    """Insert messages; a dedupe key that is there already is left as it is. Returns how many were new."""
    new = 0
    for row in rows:
        values = {
            "dedupe_key": row.dedupe_key,
            "chat": row.chat,
            "payload": to_json(row.payload),
            "created_ms": row.created_ms,
            "due_ms": row.due_ms or row.created_ms,
            "lead": None,
            "held": int(row.held),
        }
        if row.lead and row.lead != row.dedupe_key:
            values["lead"] = _join(connection, row)
        new += insert_new(connection, outbox, values, unique=("dedupe_key",))
    return new


def _join(connection: Connection, row: OutboxRow) -> int | None:
    """The id of the row whose message this one joins, which is then due no later than it; None where that has gone."""
    statement = (
        update(outbox)
        .where(outbox.c.dedupe_key == row.lead, outbox.c.chat == row.chat, outbox.c.lead.is_(None))
        .where(
            outbox.c.done_ms.is_(None),
            outbox.c.lease_owner.is_(None),
            outbox.c.attempts == 0,
            outbox.c.held == int(row.held),
        )
        .values(due_ms=case((outbox.c.due_ms > row.due_ms, row.due_ms), else_=outbox.c.due_ms))
        .returning(outbox.c.id)
    )
    return connection.execute(statement).scalar()


def to_json(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), default=_number)


def _number(value: Any) -> Any:
    """A numpy scalar as the number it is; json asks for what it does not know."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a message cannot hold a {type(value).__name__}")
