"""The fake venue's market: the path inside a bar, the open bar, and what a simulated recording adds."""

import gzip
import json
from pathlib import Path

import pytest

from tests.fakes.binance_tables import brackets_body
from tests.fakes.recorded_market import BAR_MS, RecordedMarket, read_market

T0 = 1_766_188_800_000


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def market(tmp_path: Path) -> RecordedMarket:
    write(
        tmp_path / "XUSDT" / "bars_5m.csv.gz",
        "open_time_ms,open,high,low,close,volume\n"
        f"{T0},10.0,13.0,9.0,12.00,300\n"
        f"{T0 + BAR_MS},12.0,13.5,9.0,10.5,300\n"
        f"{T0 + 3 * BAR_MS},10.5,10.5,10.5,10.5,0\n",
    )
    return read_market(tmp_path / "XUSDT", symbol="XUSDT", shift_ms=0)


def test_a_rising_bar_goes_open_low_high_close_and_a_falling_one_open_high_low_close(market: RecordedMarket) -> None:
    third = BAR_MS // 3
    rising = [market.price(T0 + step) for step in (0, third, 2 * third, BAR_MS - 1)]
    falling = [market.price(T0 + BAR_MS + step) for step in (0, third, 2 * third, BAR_MS - 1)]
    assert rising == pytest.approx([10, 9, 13, 12], rel=1e-4)
    assert falling == pytest.approx([12, 13.5, 9, 10.5], rel=1e-4)


def test_outside_the_bars_the_price_is_the_nearest_known_one(market: RecordedMarket) -> None:
    assert market.price(T0 - 1) == 10.0
    assert market.price(T0 + 2 * BAR_MS + 5) == 10.5
    assert market.price(T0 + 9 * BAR_MS) == 10.5


def test_the_open_bar_has_only_what_has_happened(market: RecordedMarket) -> None:
    (row,) = market.klines(T0 + BAR_MS // 2, None, None, 5)
    assert row[1:6] == ["10.00", "11.00", "9.00", "11.00", "150.000"]
    assert row[6] == T0 + BAR_MS - 1
    whole = market.klines(T0 + BAR_MS, T0, T0, 5)[0]
    assert whole[1:6] == ["10.00", "13.00", "9.00", "12.00", "300.000"]
    assert float(whole[9]) == 150


def test_a_gap_in_the_recording_is_a_gap_in_the_answer(market: RecordedMarket) -> None:
    rows = market.klines(T0 + 9 * BAR_MS, T0, None, 500)
    assert [(row[0] - T0) // BAR_MS for row in rows] == [0, 1, 3]
    assert [row[0] for row in market.klines(T0 + 9 * BAR_MS, None, None, 1)] == [T0 + 3 * BAR_MS]


def test_taker_volume_prices_and_tiers_of_a_recording_are_served(tmp_path: Path) -> None:
    folder = tmp_path / "SIMUSDT"
    write(
        folder / "bars_5m.csv.gz",
        "open_time_ms,open,high,low,close,volume,quote_volume,taker_buy_volume\n"
        f"{T0},10,10,10,10,300,3001,200\n{T0 + BAR_MS},10,10,10,10,1,10,1\n",
    )
    write(folder / "prices.csv.gz", f"time_ms,price\n{T0},10\n{T0 + 2000},10.5\n")
    write(folder / "open_interest_5m.csv.gz", f"time_ms,open_interest\n{T0 + BAR_MS},100\n{T0 + 2 * BAR_MS},200\n")
    tier = {"notional_floor": 0, "notional_cap": 50, "maintenance_margin_rate": 0.01, "maintenance_amount": 0}
    (tmp_path / "tiers.json").write_text(json.dumps({"SIMUSDT": [tier | {"max_leverage": 33}]}), encoding="utf-8")
    market = read_market(folder, symbol="SIMUSDT", shift_ms=1000)
    (row, _) = market.klines(T0 + 3 * BAR_MS, None, None, 5)
    assert (row[7], row[9]) == ("3001.00000", "200.000")
    assert [market.price(T0 + at) for at in (0, 1000, 2999, 3000)] == [10, 10, 10, 10.5]
    assert market.open_interest(T0 + 1000 + BAR_MS + BAR_MS // 2) == 150
    (sample, _) = market.open_interest_history(T0 + 3 * BAR_MS, None, None, 30)
    assert (sample["timestamp"], float(sample["sumOpenInterestValue"])) == (T0 + BAR_MS + 1000, 1000)
    entries = brackets_body(tmp_path / "tiers.json", ["SIMUSDT"])["data"]["brackets"]
    assert entries[-1]["riskBrackets"][0]["maxOpenPosLeverage"] == 33


def test_a_missing_recording_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no recording in"):
        read_market(tmp_path / "NOUSDT", symbol="NOUSDT", shift_ms=0)
