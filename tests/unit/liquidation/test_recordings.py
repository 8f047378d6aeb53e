"""The position model on real recordings: sane totals, sane places, quick enough."""

import csv
import gzip
from functools import lru_cache

import numpy as np
import pytest

from bot.liquidation.model import PositionModel
from bot.liquidation.types import History
from tests.shared import SHARED, needs_shared
from tests.unit.liquidation.markets import bars_of, part

MONTH = 8_640


@lru_cache(maxsize=2)
def recorded(symbol: str) -> History:
    """A symbol of the Binance recordings; its open interest where there is one."""
    folder = SHARED / "recordings" / "binance" / symbol
    with gzip.open(folder / "bars_5m.csv.gz", "rt") as file:
        columns = np.array(list(csv.reader(file))[1 : MONTH + 1], dtype=float).T
    samples = {}
    if (folder / "open_interest_5m.csv.gz").exists():
        with gzip.open(folder / "open_interest_5m.csv.gz", "rt") as file:
            samples = {int(row[0]): float(row[1]) for row in list(csv.reader(file))[1:]}
    open_ms = columns[0].astype(np.int64)
    interest = np.array([samples.get(time + 300_000, np.nan) for time in open_ms.tolist()])
    opened, high, low, close, volume = columns[1:6]
    unknown = np.full(len(open_ms), np.nan)
    return History(300_000, open_ms, opened, high, low, close, volume, unknown, interest)


@needs_shared
@pytest.mark.parametrize("symbol", ["BTCUSDT", "WIFUSDT"])
def test_a_months_map_holds_the_open_interest_and_both_paths_agree(symbol: str) -> None:
    history = recorded(symbol)
    read = PositionModel.rebuild(history).map()
    assert read.open_interest == "measured"
    notional = history.open_interest[-1] * history.close[-1]
    assert read.long_total_usd == pytest.approx(notional)
    assert read.short_total_usd == pytest.approx(notional)
    assert 0.05 * notional < read.long_usd.sum() < notional
    model = PositionModel.rebuild(part(history, 0, MONTH - 400))
    for bar in bars_of(part(history, MONTH - 400, MONTH)):
        model.update(bar)
    np.testing.assert_allclose(model.map().long_usd, read.long_usd, rtol=1e-9)
    np.testing.assert_allclose(model.map().short_usd, read.short_usd, rtol=1e-9)


@needs_shared
def test_a_contract_without_open_interest_is_estimated_from_its_volume() -> None:
    history = recorded("ZRXUSDT")
    read = PositionModel.rebuild(history).map()
    assert read.open_interest == "estimated"
    daily = history.volume.mean() * 288 * read.price
    assert 0.1 * daily < read.long_total_usd < 1.5 * daily


@needs_shared
def test_the_crash_of_october_sweeps_most_of_the_longs() -> None:
    history = recorded("ZRXUSDT")
    crash = int(np.argmin(history.low))
    before = PositionModel.rebuild(part(history, 0, crash - 24))
    stood = sum(float(book.coins().sum()) for book in before.books[:1])
    swept = before.extend(part(history, 0, crash + 1))
    taken = sum(float(one.coins[0].sum()) for one in swept)
    assert taken > 0.5 * stood
    assert sum(float(one.coins[1].sum()) for one in swept) < 0.2 * taken
