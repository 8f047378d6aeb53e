"""Prints, the times that were listened to, maps in brief and scores: what a skill is measured on."""

import logging

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, make_url, update

from bot.alerts.types import Market
from bot.market.feed import Heard, Print, rows_of_prints
from bot.storage.briefs import StoredBrief, StoredScore
from bot.storage.database import Database
from bot.storage.engine import make_migration_engine
from bot.storage.migrate import MIGRATIONS
from bot.storage.series import DAY_MS
from bot.storage.slots import Slot
from bot.storage.tables import briefs
from tests.unit.storage.values import BTC, NOW, ZRX, row, rule

HOUR = 3_600_000


def printed(time_ms: int, symbol: str = "BTCUSDT", *, coins: float = 0.25) -> Print:
    return Print(time_ms, symbol, is_long=time_ms % 2 == 0, price=82_651.9, coins=coins)


def brief(time_ms: int, usd: float = 1.5) -> StoredBrief:
    maps = {"tuned": np.full((2, 60), usd), "prior": np.arange(120.0).reshape(2, 60)}
    return StoredBrief(BTC, time_ms, 82_000.5, (8e8, 7e8), maps)


async def test_prints_come_back_by_market_and_time_and_a_repeat_is_one(db: Database) -> None:
    rows = (printed(NOW + 5), printed(NOW), printed(NOW, coins=3.0), printed(NOW + 1, "ZRXUSDT"))
    await db.prints.save("binance", Heard(rows))
    await db.prints.save("binance", Heard((printed(NOW), printed(NOW + HOUR))))
    stored = await db.prints.load(BTC, start_ms=NOW, end_ms=NOW + HOUR)
    assert [(each.time_ms, each.coins) for each in rows_of_prints(stored)] == [(NOW, 0.25), (NOW, 3.0), (NOW + 5, 0.25)]
    assert rows_of_prints(await db.prints.load(ZRX, start_ms=0, end_ms=NOW + HOUR)) == (printed(NOW + 1, "ZRXUSDT"),)
    assert len(await db.prints.load(BTC, start_ms=NOW + 2 * HOUR, end_ms=NOW + 3 * HOUR)) == 0
    assert await db.prints.newest_ms("binance") == NOW + HOUR
    assert await db.prints.newest_ms("okx") is None


async def test_a_print_remembers_whether_its_price_is_that_of_bankruptcy(db: Database) -> None:
    rows = (Print(NOW, "BTCUSDT", is_long=True, price=9.0, coins=1.0, at_bankruptcy=True), printed(NOW + 1))
    await db.prints.save("bybit", Heard(rows))
    assert rows_of_prints(await db.prints.load(Market("bybit", "BTCUSDT"), start_ms=NOW, end_ms=NOW + HOUR)) == rows


async def test_listening_without_a_break_is_one_stretch_and_a_real_gap_stays_one(db: Database) -> None:
    for minute in range(5):
        start = NOW + minute * 60_000
        await db.prints.save("binance", Heard((), ((start, start + 58_000),)))
    await db.prints.save("binance", Heard((), ((NOW + HOUR, NOW + HOUR + 1000),)))
    await db.prints.save("okx", Heard((), ((NOW, NOW + DAY_MS),)))
    cover = await db.prints.cover("binance", start_ms=NOW + 30_000, end_ms=NOW + 2 * HOUR)
    assert cover == ((NOW + 30_000, NOW + 298_000), (NOW + HOUR, NOW + HOUR + 1000))
    assert await db.prints.cover("binance", start_ms=NOW - HOUR, end_ms=NOW) == ()


async def test_a_brief_is_stored_once_a_slot_and_read_back_to_single_precision(db: Database) -> None:
    slot = Slot("brief", NOW, BTC)
    assert await db.briefs.save(brief(NOW), slot, now_ms=NOW)
    assert not await db.briefs.save(brief(NOW + 1), slot, now_ms=NOW)
    (stored,) = await db.briefs.load(BTC, start_ms=NOW, end_ms=NOW + HOUR)
    assert (stored.market, stored.time_ms, stored.price, stored.totals) == (BTC, NOW, 82_000.5, (8e8, 7e8))
    for name, usd in brief(NOW).usd.items():
        np.testing.assert_allclose(stored.usd[name], usd, rtol=1e-7)
    assert await db.briefs.markets(since_ms=NOW) == [BTC]
    assert await db.briefs.markets(since_ms=NOW + 1) == []


async def test_a_damaged_brief_is_left_out_and_told(db: Database, url: str, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(2):
        await db.briefs.save(brief(NOW + number), Slot("brief", number, BTC), now_ms=NOW)
    with make_migration_engine(make_url(url)).begin() as connection:
        connection.execute(update(briefs).where(briefs.c.time_ms == NOW).values(payload=b"\0"))
    with caplog.at_level(logging.WARNING):
        assert [each.time_ms for each in await db.briefs.load(BTC, start_ms=0, end_ms=NOW + HOUR)] == [NOW + 1]
    assert "unreadable" in caplog.text


async def test_the_newest_score_of_each_market_stays(db: Database) -> None:
    everything = BTC._replace(symbol="")
    await db.briefs.save_scores([StoredScore(BTC, NOW, {"skill": None}), StoredScore(everything, NOW, {"skill": 0.1})])
    await db.briefs.save_scores([StoredScore(BTC, NOW + HOUR, {"skill": 0.2})])
    assert sorted(await db.briefs.scores(), key=lambda each: each.market) == [
        StoredScore(everything, NOW, {"skill": 0.1}),
        StoredScore(BTC, NOW + HOUR, {"skill": 0.2}),
    ]


async def test_a_month_of_prints_and_a_week_of_scores_are_kept_and_no_more(db: Database) -> None:
    await db.prints.save("binance", Heard((printed(NOW), printed(NOW + DAY_MS)), ((NOW, NOW + HOUR),)))
    await db.briefs.save(brief(NOW), Slot("brief", NOW, BTC), now_ms=NOW)
    await db.briefs.save_scores([StoredScore(BTC, NOW, {})])
    names = ("prints", "heard", "briefs", "scores")
    week = await db.clean(now_ms=NOW + 8 * DAY_MS)
    assert [week[name] for name in names] == [0, 0, 0, 0]
    over = await db.clean(now_ms=NOW + 8 * DAY_MS + 2 * HOUR)
    assert [over[name] for name in names] == [0, 0, 1, 1]
    month = await db.clean(now_ms=NOW + 31 * DAY_MS)
    assert [month[name] for name in names] == [0, 0, 0, 0]
    gone = await db.clean(now_ms=NOW + 31 * DAY_MS + 2 * HOUR)
    assert [gone[name] for name in names] == [1, 1, 0, 0]


async def test_a_database_of_the_first_schema_is_brought_up_with_all_it_holds(bare_database_url: str) -> None:
    engine = make_migration_engine(make_url(bare_database_url))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert not {"prints", "briefs"} & set(inspect(connection).get_table_names())
        connection.exec_driver_sql("INSERT INTO chats VALUES (1, 'private', 'en', 1, NULL, 5)")
        connection.exec_driver_sql(
            "INSERT INTO rules (chat, exchange, symbol, kind, threshold_pct, window_ms, created_ms)"
            " VALUES (1, 'binance', 'BTCUSDT', 'proximity', 1.0, 0, 5), (1, 'binance', 'BTCUSDT', 'growth', 1.0, 0, 5)"
        )
        connection.exec_driver_sql("DELETE FROM rules WHERE kind = 'growth'")
        connection.exec_driver_sql(
            "INSERT INTO outbox (dedupe_key, chat, payload, due_ms, created_ms) VALUES ('k', 1, '{}', 5, 5)"
        )
    engine.dispose()
    async with await Database.open(bare_database_url) as db:
        assert [each.id for each in await db.rules.all()] == [1]
        assert await db.outbox.counts() == {"ready": 1}
        await db.prints.save("binance", Heard((printed(NOW),)))
        assert (await db.rules.add(rule(market=ZRX)))[0].id == 3, "a number once given is never given again"
        assert await db.outbox.add([row("new")]) == 1
