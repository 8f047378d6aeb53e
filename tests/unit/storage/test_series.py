"""The cache of bars and open interest."""

import logging

import numpy as np
import pytest
from sqlalchemy import make_url

from bot.market.types import BAR_MS, Bars, OpenInterest
from bot.storage.database import Database
from bot.storage.engine import make_migration_engine
from bot.storage.series import DAY_MS
from tests.unit.storage.values import BTC, ZRX

MIDNIGHT = 20_000 * DAY_MS


def bars(first: int, count: int, price: float = 100.0) -> Bars:
    """`count` bars from the `first` one after midnight on."""
    column = price + np.arange(count, dtype=np.float64)
    open_ms = MIDNIGHT + BAR_MS * np.arange(first, first + count, dtype=np.int64)
    return Bars(open_ms, column, column + 2, column - 2, column + 1, column * 3, column * 300, np.full(count, np.nan))


def same(one: Bars, other: Bars) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name != "open_ms")
        for name in Bars.__dataclass_fields__
    )


async def test_bars_come_back_as_they_were_across_days(db: Database) -> None:
    stored = bars(0, 700)
    await db.series.save_bars({ZRX: stored, BTC: bars(0, 1)})
    loaded = await db.series.load_bars(ZRX, start_ms=0, end_ms=MIDNIGHT * 2)
    assert same(loaded, stored)
    assert loaded.open_ms.dtype == np.int64


async def test_a_window_holds_its_start_and_not_its_end(db: Database) -> None:
    await db.series.save_bars({ZRX: bars(0, 600)})
    start_ms, end_ms = MIDNIGHT + 280 * BAR_MS, MIDNIGHT + 300 * BAR_MS
    loaded = await db.series.load_bars(ZRX, start_ms=start_ms, end_ms=end_ms)
    assert (loaded.open_ms[0], loaded.open_ms[-1], len(loaded)) == (start_ms, end_ms - BAR_MS, 20)


async def test_nothing_cached_is_an_empty_series(db: Database) -> None:
    loaded = await db.series.load_bars(ZRX, start_ms=0, end_ms=MIDNIGHT)
    samples = await db.series.load_open_interest(ZRX, start_ms=0, end_ms=MIDNIGHT)
    assert (len(loaded), len(samples)) == (0, 0)
    assert loaded.open_ms.dtype == np.int64


async def test_new_bars_join_old_ones_and_the_newer_of_two_stays(db: Database) -> None:
    await db.series.save_bars({ZRX: bars(0, 10, price=100.0)})
    await db.series.save_bars({ZRX: bars(8, 4, price=500.0)})
    await db.series.save_bars({ZRX: bars(20, 1, price=900.0)})
    loaded = await db.series.load_bars(ZRX, start_ms=0, end_ms=MIDNIGHT * 2)
    assert loaded.open.tolist() == [*(100.0 + i for i in range(8)), 500.0, 501.0, 502.0, 503.0, 900.0]
    assert np.all(np.diff(loaded.open_ms) > 0)


async def test_unsorted_bars_with_repeats_are_put_in_order(db: Database) -> None:
    tidy = bars(0, 3)
    mixed = Bars(**{name: getattr(tidy, name)[[2, 0, 1, 0]] for name in Bars.__dataclass_fields__})
    await db.series.save_bars({ZRX: mixed})
    await db.series.save_bars({ZRX: bars(3, 1, price=103.0)})
    assert (await db.series.load_bars(ZRX, start_ms=0, end_ms=MIDNIGHT * 2)).open.tolist() == [100, 101, 102, 103]


async def test_open_interest_comes_back(db: Database) -> None:
    samples = OpenInterest(MIDNIGHT + BAR_MS * np.arange(1, 400, dtype=np.int64), np.arange(399, dtype=np.float64))
    await db.series.save_open_interest({ZRX: samples})
    loaded = await db.series.load_open_interest(ZRX, start_ms=0, end_ms=MIDNIGHT * 2)
    assert np.array_equal(loaded.time_ms, samples.time_ms)
    assert np.array_equal(loaded.coins, samples.coins)


async def test_more_markets_than_fit_one_transaction_are_all_stored(db: Database) -> None:
    markets = {ZRX._replace(symbol=f"S{i}USDT"): bars(0, 2, price=float(i)) for i in range(60)}
    await db.series.save_bars(markets)
    for market, stored in markets.items():
        assert same(await db.series.load_bars(market, start_ms=0, end_ms=MIDNIGHT * 2), stored)


async def test_a_damaged_day_is_left_out_said_and_mended_by_the_next_save(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with await Database.open(url) as db:
        await db.series.save_bars({ZRX: bars(0, 400)})
    engine = make_migration_engine(make_url(url))
    with engine.begin() as damage:
        damage.exec_driver_sql("UPDATE bars SET payload = substr(payload, 1, 40) WHERE day = 20000")
    engine.dispose()
    async with await Database.open(url) as db:
        with caplog.at_level(logging.WARNING):
            loaded = await db.series.load_bars(ZRX, start_ms=0, end_ms=MIDNIGHT * 2)
        assert len(loaded) == 112
        assert "binance ZRXUSDT is unreadable" in caplog.text
        await db.series.save_bars({ZRX: bars(0, 288)})
        assert same(await db.series.load_bars(ZRX, start_ms=0, end_ms=MIDNIGHT + DAY_MS), bars(0, 288))
