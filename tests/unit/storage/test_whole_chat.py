"""Everything of one chat: given whole, and deleted whole, whatever tables there are."""

import json
from typing import Any

from sqlalchemy import Integer, LargeBinary, MetaData, Table, make_url
from sqlalchemy.types import Float

from bot.alerts.exposure import APPROACH
from bot.alerts.reasons import Reason
from bot.alerts.types import Changes, Kind, LogEntry, RuleState
from bot.storage import whole_chat
from bot.storage.database import Database
from bot.storage.engine import make_migration_engine
from tests.unit.storage.values import NOW, row, rule

MINE, OTHERS = 7, 8

NOTHING_OF_A_CHAT = {
    *("bars", "open_interest", "maps", "model_states", "prints", "heard", "briefs", "scores", "slots", "kv"),
    *("tracks", "pulses", "cluster_history", "broadcasts", "leases", "nodes", "drawings"),
}
"""Tables of markets and of the bot itself."""

OPERATORS_OWN = {"guests"}
"""Whom the operator lets in is for the operator to forget: else whoever was shut out would come back in."""

WORDS = {
    "kind": "private",
    "side": "long",
    "state": "ready",
    "sound": "all",
    "units": "usd",
}
NUMBERS = {"active": 1, "plain": 0, "held": 0, "digest_hour": 9, "speaks": 1}


def reflected(url: str) -> MetaData:
    """The tables as they are in the database, not as the code describes them."""
    tables = MetaData()
    engine = make_migration_engine(make_url(url))
    tables.reflect(engine)
    engine.dispose()
    return tables


def filled(table: Table, chat: int) -> dict[str, Any]:
    """A row of a chat: its own numbers are the chat's, and so are those of the rows that it points to."""
    values: dict[str, Any] = {}
    for column in table.columns:
        points = bool(column.foreign_keys) or column.name in ("chat", "id", "rule_id", "update_id")
        if points:
            values[column.name] = chat
        elif column.nullable:
            continue
        elif isinstance(column.type, LargeBinary):
            values[column.name] = b"\x00"
        elif isinstance(column.type, Integer):
            values[column.name] = NUMBERS.get(column.name, chat)
        elif isinstance(column.type, Float):
            values[column.name] = 1.5
        else:
            values[column.name] = WORDS.get(column.name, f"{column.name} {chat}")
    return values


async def test_what_is_forgotten_leaves_no_row_in_any_table_and_touches_no_other_chat(url: str) -> None:
    await (await Database.open(url)).close()
    tables = reflected(url)
    holding = {name for name in tables.tables if not name.startswith("alembic")} - NOTHING_OF_A_CHAT - OPERATORS_OWN
    assert {table.name for table, _ in whole_chat.owned(MINE)} == holding, "a table must be listed above or be deleted"
    engine = make_migration_engine(make_url(url))
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name in holding:
                connection.execute(table.insert(), [filled(table, chat) for chat in (MINE, OTHERS)])
    async with await Database.open(url) as db:
        assert await db.whole_chat.forget(MINE) == len(holding)
    with engine.begin() as connection:
        left = {name: connection.execute(tables.tables[name].select()).mappings().all() for name in holding}
    engine.dispose()
    assert {name: len(rows) for name, rows in left.items()} == dict.fromkeys(holding, 1)
    assert all(OTHERS in rows[0].values() and MINE not in rows[0].values() for rows in left.values())


async def test_everything_of_a_chat_is_read_and_nothing_of_another(db: Database) -> None:
    await db.chats.seen(MINE, kind="private", now_ms=NOW)
    mine, _ = await db.rules.add(rule(chat=MINE, label="my long"))
    await db.rules.add(rule(chat=OTHERS))
    await db.outbox.add([row("a", MINE), row("b", OTHERS)])
    stored = await db.whole_chat.read(MINE)
    assert set(stored.rows) == {"chats", "rules", "outbox"}
    assert [(each["id"], each["label"]) for each in stored.rows["rules"]] == [(mine.id, "my long")]
    assert [each["payload"] for each in stored.rows["outbox"]] == [{"text": "a"}]
    assert stored.left_out == 0
    assert json.loads(json.dumps(stored.rows)) == stored.rows
    assert (await db.whole_chat.read(99)).rows == {}


async def test_a_liquidation_price_is_nowhere_once_its_chat_is_forgotten(url: str) -> None:
    async with await Database.open(url) as db:
        kept, _ = await db.rules.add(rule(chat=MINE, kind=Kind.EXPOSURE, threshold_pct=3.0, level=84_321.5))
        log = LogEntry(NOW, Reason.TOLD, kept.market, chat=MINE, rule_id=kept.id, price=84_321.5)
        await db.commit_changes(
            Changes(states=(RuleState(kept.id, APPROACH, told=84_321.5),)), [row("84321.5", MINE)], log=[log]
        )
        assert "84321.5" in everything(url)
        await db.whole_chat.forget(MINE)
    assert "84321.5" not in everything(url)


def everything(url: str) -> str:
    """All that stands in the database."""
    tables, engine = reflected(url), make_migration_engine(make_url(url))
    with engine.begin() as connection:
        found = [str(connection.execute(table.select()).all()) for table in tables.sorted_tables]
    engine.dispose()
    return "\n".join(found)


async def test_of_very_much_the_oldest_is_left_out_and_counted(db: Database) -> None:
    await db.outbox.add([row(f"{number}", MINE) for number in range(5)])
    stored = await db.whole_chat.read(MINE, most=2)
    assert [each["dedupe_key"] for each in stored.rows["outbox"]] == ["4", "3"]
    assert stored.left_out == 3


async def test_a_message_under_way_while_its_chat_is_forgotten_ends_without_a_trace(db: Database) -> None:
    await db.outbox.add([row("a", MINE), row("b", MINE)])
    [claimed] = await db.outbox.claim(NOW, "me", 60_000, 10)
    begun = await db.outbox.begin(claimed, now_ms=NOW, lease_ms=60_000)
    assert begun is not None
    assert await db.whole_chat.forget(MINE) == 2
    assert not await db.outbox.sent(begun, message_id=5, now_ms=NOW)
    assert not await db.outbox.put_back(begun, due_ms=NOW)
    assert await db.outbox.claim(NOW, "me", 60_000, 10) == []
    assert await db.outbox.counts() == {}
