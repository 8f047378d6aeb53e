"""Watch rules: made, changed, removed and restored, always on behalf of one chat."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, select, update

from bot.alerts.types import Kind, Market, Repeat, Rule, Unit, Where
from bot.liquidation.types import Side
from bot.storage.access import Access
from bot.storage.chats import ensure_chat
from bot.storage.errors import RuleLimitError
from bot.storage.tables import chats, guests, rules

_ALIVE = rules.c.deleted_ms.is_(None)
_JUDGED = and_(
    _ALIVE,
    exists().where(chats.c.id == rules.c.chat, chats.c.active == 1),
    ~exists().where(guests.c.id == rules.c.chat, guests.c.allowed == 0),
)
# What makes two rules the same rule.
_WHAT = (
    *("chat", "exchange", "symbol", "kind", "threshold_pct", "window_ms", "side", "min_usd", "min_strength"),
    *("unit", "price_low", "price_high", "near_pct", "far_pct", "odds_pct", "odds_ms", "level", "repeat", "repeat_ms"),
    "confluence",
)


class Rules:
    """Reads and writes of the `rules` table. A rule of another chat is never found."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def add(self, rule: Rule, *, limit: int | None = None) -> tuple[Rule, bool]:
        """Store a rule: (the rule with its id, whether it was there already). Raises RuleLimitError.

        One that is there already takes over the new one's end and label, and starts again where it had stopped.
        """

        def work(connection: Connection) -> tuple[Rule, bool]:
            values = rule_to_row(rule)
            ensure_chat(connection, rule.chat, now_ms=rule.created_ms)
            # Whoever else asks for the chat waits here, so that a rule is made once and the limit holds.
            connection.execute(select(chats.c.id).where(chats.c.id == rule.chat).with_for_update())
            found = connection.execute(select(rules).where(_same(values))).first()
            if found:
                news = {"label": values["label"] or found.label, "paused_reason": None}
                if values["expires_ms"] != found.expires_ms:
                    news |= {"created_ms": values["created_ms"], "expires_ms": values["expires_ms"]}
                again = update(rules).where(rules.c.id == found.id).values(news)
                return rule_from_row(connection.execute(again.returning(*rules.c)).one()), True
            count = select(func.count()).select_from(rules).where(_ALIVE, rules.c.chat == rule.chat)
            if limit is not None and connection.execute(count).scalar_one() >= limit:
                raise RuleLimitError(limit)
            return rule_from_row(connection.execute(insert(rules).values(values).returning(*rules.c)).one()), False

        return await self._access.write(work)

    async def all(self) -> Sequence[Rule]:
        """Every rule of every chat that can be written to and was not turned away, in the order they were made."""
        return await self._select(select(rules).where(_JUDGED).order_by(rules.c.id))

    async def markets(self) -> Sequence[Market]:
        """Every market of these rules, in order."""
        columns = rules.c.exchange, rules.c.symbol
        statement = select(*columns).where(_JUDGED).distinct().order_by(*columns)
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        return [Market(*row) for row in rows]

    async def of_chat(self, chat: int) -> Sequence[Rule]:
        return await self._select(select(rules).where(_ALIVE, rules.c.chat == chat).order_by(rules.c.id))

    async def get(self, chat: int, rule_id: int) -> Rule | None:
        found = await self._select(select(rules).where(_ALIVE, _belongs(chat, rule_id)))
        return found[0] if found else None

    async def twin(self, rule: Rule) -> Rule | None:
        """Another rule of the chat that asks for the very same."""
        found = await self._select(select(rules).where(_same(rule_to_row(rule)), rules.c.id != rule.id))
        return found[0] if found else None

    async def none_ever(self, chat: int) -> bool:
        """Whether a chat has no rule and had none, as far back as removed ones are kept."""
        known = await self._access.read(
            lambda connection: connection.execute(select(rules.c.id).where(rules.c.chat == chat).limit(1)).first()
        )
        return known is None

    async def remove(self, chat: int, rule_id: int, *, now_ms: int) -> Rule | None:
        """Remove a rule in a way that `restore` can undo; None where this chat has none such."""
        return await self._change(and_(_ALIVE, _belongs(chat, rule_id)), {"deleted_ms": now_ms})

    async def restore(self, chat: int, rule_id: int, *, removed_since_ms: int) -> Rule | None:
        """Undo a removal that is not older than `removed_since_ms`."""
        recently = rules.c.deleted_ms >= removed_since_ms
        return await self._change(and_(recently, _belongs(chat, rule_id)), {"deleted_ms": None})

    async def snooze(self, chat: int, rule_id: int, until_ms: int) -> Rule | None:
        """Silence a rule until then; 0 wakes it, also from a pause that it brought on itself."""
        values: dict[str, Any] = {"snoozed_until_ms": until_ms}
        if until_ms == 0:
            values["paused_reason"] = None
        return await self._change(and_(_ALIVE, _belongs(chat, rule_id)), values)

    async def renew(self, chat: int, rule_id: int, expires_ms: int, *, now_ms: int) -> Rule | None:
        """Let a rule run until `expires_ms` (0: for good) as if made now; None where this chat has none such."""
        values = {"expires_ms": expires_ms, "created_ms": now_ms, "paused_reason": None}
        return await self._change(and_(_ALIVE, _belongs(chat, rule_id)), values)

    async def _change(self, condition: ColumnElement[bool], values: dict[str, Any]) -> Rule | None:
        def work(connection: Connection) -> Rule | None:
            row = connection.execute(update(rules).where(condition).values(values).returning(*rules.c)).first()
            return rule_from_row(row) if row else None

        return await self._access.write(work)

    async def _select(self, statement: Any) -> list[Rule]:
        return await self._access.read(lambda connection: [rule_from_row(row) for row in connection.execute(statement)])


def update_rules(connection: Connection, changed: Sequence[Rule]) -> None:
    """Write what the judgement may change about a rule: its snooze and its pause."""
    for rule in changed:
        values = {"snoozed_until_ms": rule.snoozed_until_ms, "paused_reason": rule.paused_reason}
        connection.execute(update(rules).where(rules.c.id == rule.id).values(values))


def rewrite_rules(connection: Connection, edited: Sequence[Rule]) -> None:
    """Write what a person may change about a rule: everything but its number and its chat."""
    for rule in edited:
        values = rule_to_row(rule)
        del values["chat"]
        connection.execute(update(rules).where(rules.c.id == rule.id).values(values))


def rule_to_row(rule: Rule) -> dict[str, Any]:
    """Every column but the id."""
    return {
        "chat": rule.chat,
        "exchange": rule.market.exchange,
        "symbol": rule.market.symbol,
        "kind": rule.kind.value,
        "threshold_pct": rule.threshold_pct,
        "window_ms": rule.window_ms,
        "side": rule.side.value if rule.side else None,
        "min_usd": rule.min_usd,
        "min_strength": rule.min_strength,
        "created_ms": rule.created_ms,
        "snoozed_until_ms": rule.snoozed_until_ms,
        "paused_reason": rule.paused_reason,
        "unit": rule.unit.value,
        **structs.asdict(rule.where),
        "confluence": int(rule.where.confluence),
        "level": rule.level,
        "repeat": rule.repeat.value,
        "repeat_ms": rule.repeat_ms,
        "expires_ms": rule.expires_ms,
        "label": rule.label,
    }


def rule_from_row(row: Row[Any]) -> Rule:
    # float(): SQLite's RETURNING gives a whole real back as an integer.
    return Rule(
        id=row.id,
        chat=row.chat,
        market=Market(row.exchange, row.symbol),
        kind=Kind(row.kind),
        threshold_pct=float(row.threshold_pct),
        window_ms=row.window_ms,
        side=Side(row.side) if row.side else None,
        min_usd=_real(row.min_usd),
        min_strength=row.min_strength,
        created_ms=row.created_ms,
        snoozed_until_ms=row.snoozed_until_ms,
        paused_reason=row.paused_reason,
        unit=Unit(row.unit),
        where=Where(
            price_low=_real(row.price_low),
            price_high=_real(row.price_high),
            near_pct=_real(row.near_pct),
            far_pct=_real(row.far_pct),
            odds_pct=_real(row.odds_pct),
            odds_ms=row.odds_ms,
            confluence=bool(row.confluence),
        ),
        level=_real(row.level),
        repeat=Repeat(row.repeat),
        repeat_ms=row.repeat_ms,
        expires_ms=row.expires_ms,
        label=row.label,
    )


def _real(value: float | None) -> float | None:
    return None if value is None else float(value)


def _same(values: dict[str, Any]) -> ColumnElement[bool]:
    """Asks for the same as these columns do, in the same chat."""
    return and_(_ALIVE, *(rules.c[name].is_not_distinct_from(values[name]) for name in _WHAT))


def _belongs(chat: int, rule_id: int) -> ColumnElement[bool]:
    return and_(rules.c.chat == chat, rules.c.id == rule_id)
