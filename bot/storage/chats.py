"""Chats: who may be written to, in which language, and why not."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from bot.alerts.manners import QuietHours
from bot.alerts.preferences import NO_PREFERENCES, Preferences
from bot.liquidation.values import replace
from bot.storage.access import Access
from bot.storage.enqueue import OutboxRow, enqueue
from bot.storage.outbox import bury_chat, move_chat
from bot.storage.preferences import PREFERRED, move_preferences, preferences_of, write_preferences
from bot.storage.statements import insert_new, upsert
from bot.storage.tables import chats, decisions, outcomes, preferences, rules, topics


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation; `kind` is private, group, supergroup or channel. `inactive_reason` says why nothing is sent.

    `language` is the newest that its client told. `topic` is the topic of a forum in which alerts are told, None where
    that is General.
    """

    id: int
    kind: str
    language: str | None = None
    active: bool = True
    inactive_reason: str | None = None
    created_ms: int = 0
    topic: int | None = None
    muted_until_ms: int = 0
    quiet: QuietHours | None = None
    preferences: Preferences = NO_PREFERENCES

    @property
    def spoken(self) -> str | None:
        """The language it is spoken to: the chosen one, else its client's, None where neither is known."""
        return self.preferences.language or self.language


class Chats:
    """Reads and writes of the `chats` table."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def seen(self, chat: int, *, kind: str, now_ms: int) -> Chat:
        """Remember that this chat speaks to the bot: it is made if it is new, and alive again if it was gone."""

        def work(connection: Connection) -> Chat:
            ensure_chat(connection, chat, kind=kind, now_ms=now_ms)
            values = {"kind": kind, "active": 1, "inactive_reason": None}
            connection.execute(update(chats).where(chats.c.id == chat).values(values))
            return _chat(connection.execute(_of(chat)).one())

        return await self._access.write(work)

    async def get(self, chat: int) -> Chat | None:
        return await self._access.read(lambda connection: _known(connection, chat))

    async def ensure(self, chat: int, *, now_ms: int) -> None:
        """Make the chat's row if there is none, as after everything of it was deleted."""
        await self._access.write(lambda connection: ensure_chat(connection, chat, now_ms=now_ms))

    async def set_language(self, chat: int, language: str | None) -> bool:
        """Keep a language's code; False where there is no such chat."""
        return await self._set(chat, language=language)

    async def set_quiet(self, chat: int, quiet: QuietHours | None) -> bool:
        """Keep a chat's quiet hours, or that it has none; False where there is no such chat.

        Their zone is the chat's from now on.
        """

        def work(connection: Connection) -> bool:
            known = _known(connection, chat)
            if known is None:
                return False
            _write_quiet(connection, chat, quiet)
            if quiet is not None and quiet.zone != known.preferences.zone:
                write_preferences(connection, chat, replace(known.preferences, zone=quiet.zone))
            return True

        return await self._access.write(work)

    async def prefer(self, chat: int, chosen: Preferences, *, now_ms: int) -> None:
        """Keep what a chat has chosen, its zone for its quiet hours too; the chat is made if it is new."""

        def work(connection: Connection) -> None:
            ensure_chat(connection, chat, now_ms=now_ms)
            write_preferences(connection, chat, chosen)
            _share_zone(connection, chat)

        await self._access.write(work)

    async def mute(self, chat: int, until_ms: int) -> bool:
        """Keep until when a chat wants no alert; 0 ends it. False where there is no such chat."""
        return await self._set(chat, muted_until_ms=until_ms)

    async def reserved(self) -> Sequence[Chat]:
        """Every chat that has quiet hours, was muted at some time, or has chosen anything."""
        chosen = preferences.c.chat.is_not(None)
        wished = chats.c.quiet.is_not(None) | (chats.c.muted_until_ms > 0) | chosen
        statement = _CHATS.where(wished).order_by(chats.c.id)
        return await self._access.read(lambda connection: [_chat(row) for row in connection.execute(statement)])

    async def count(self) -> int:
        """How many chats can be written to."""
        statement = select(func.count()).select_from(chats).where(chats.c.active == 1)
        return await self._access.read(lambda connection: connection.execute(statement).scalar_one())

    async def _set(self, chat: int, **values: Any) -> bool:
        statement = update(chats).where(chats.c.id == chat).values(values)
        return await self._access.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def set_topic(self, chat: int, topic: int | None) -> None:
        """Keep the topic to which a known chat's alerts go; None is General."""

        def work(connection: Connection) -> None:
            if topic is None:
                connection.execute(delete(topics).where(topics.c.chat == chat))
            else:
                upsert(connection, topics, [{"chat": chat, "topic": topic}])

        await self._access.write(work)

    async def forget_topic(self, chat: int, notices: Sequence[OutboxRow] = ()) -> bool:
        """The chat's topic is gone: alerts go to General, and the notices are queued. False where it had none."""

        def work(connection: Connection) -> bool:
            forgotten = connection.execute(delete(topics).where(topics.c.chat == chat)).rowcount == 1
            if forgotten:
                enqueue(connection, notices)
            return forgotten

        return await self._access.write(work)

    async def deactivate(self, chat: int, reason: str, *, now_ms: int) -> int:
        """The chat refuses the bot: keep its rules, end what waits for it. Returns how many messages that ended."""

        def work(connection: Connection) -> int:
            values = {"active": 0, "inactive_reason": reason}
            connection.execute(update(chats).where(chats.c.id == chat).values(values))
            return bury_chat(connection, chat, reason=reason, now_ms=now_ms)

        return await self._access.write(work)

    async def migrate(self, old: int, new: int, *, now_ms: int) -> None:
        """The group has a new id: its settings, rules and waiting messages go there. Doing it again changes nothing.

        Where the new one has spoken first it keeps what was set there since.
        """

        def work(connection: Connection) -> None:
            row = connection.execute(select(chats).where(chats.c.id == old)).first()
            there = connection.execute(select(chats).where(chats.c.id == new)).first()
            if row and there is None:
                values = {"id": new, "kind": "supergroup", "active": 1, "inactive_reason": None}
                connection.execute(update(chats).where(chats.c.id == old).values(values))
            elif row and there:
                connection.execute(update(chats).where(chats.c.id == new).values(_wishes_left(row, there)))
                connection.execute(update(rules).where(rules.c.chat == old).values(chat=new))
                move_preferences(connection, old, new)
                _share_zone(connection, new)
                connection.execute(delete(chats).where(chats.c.id == old))
            connection.execute(update(decisions).where(decisions.c.chat == old).values(chat=new))
            connection.execute(update(outcomes).where(outcomes.c.chat == old).values(chat=new))
            move_chat(connection, old, new, now_ms=now_ms)

        await self._access.write(work)


def ensure_chat(connection: Connection, chat: int, *, kind: str | None = None, now_ms: int) -> None:
    """Make the chat's row if there is none; without a `kind` the sign of the id tells people from groups."""
    row = {"id": chat, "kind": kind or ("private" if chat > 0 else "group"), "created_ms": now_ms}
    insert_new(connection, chats, row, unique=("id",))


def _wishes_left(old: Row[Any], new: Row[Any]) -> dict[str, Any]:
    """What the old chat had set and the new one has not; the longer of both mutes."""
    unset = {name: value for name, value in old._mapping.items() if new._mapping[name] is None}
    return {**unset, "inactive_reason": None, "muted_until_ms": max(old.muted_until_ms, new.muted_until_ms)}


_CHATS = (
    select(chats, topics.c.topic, *PREFERRED)
    .outerjoin(topics, topics.c.chat == chats.c.id)
    .outerjoin(preferences, preferences.c.chat == chats.c.id)
)


def _of(chat: int) -> Select[Any]:
    return _CHATS.where(chats.c.id == chat)


def _known(connection: Connection, chat: int) -> Chat | None:
    row = connection.execute(_of(chat)).first()
    return _chat(row) if row else None


def _write_quiet(connection: Connection, chat: int, quiet: QuietHours | None) -> None:
    stored = None if quiet is None else json.dumps(asdict(quiet))
    connection.execute(update(chats).where(chats.c.id == chat).values(quiet=stored))


def _share_zone(connection: Connection, chat: int) -> None:
    """The chosen zone of a chat becomes that of its quiet hours."""
    known = _known(connection, chat)
    if known is not None and known.quiet is not None and known.preferences.zone:
        _write_quiet(connection, chat, replace(known.quiet, zone=known.preferences.zone))


def _chat(row: Row[Any]) -> Chat:
    return Chat(
        row.id,
        row.kind,
        row.language,
        bool(row.active),
        row.inactive_reason,
        row.created_ms,
        row.topic,
        row.muted_until_ms,
        QuietHours(**json.loads(row.quiet)) if row.quiet else None,
        preferences_of(row),
    )
