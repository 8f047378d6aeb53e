"""Risk tiers: the public table is checked before it is believed, the stored one is sound for every leverage."""

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.margin import RiskTier
from bot.market.bad_rows import BadRows
from bot.market.binance_brackets import parse_brackets, stored_tiers
from bot.market.exchange import ExchangeUnavailableError
from bot.market.tiers import tiers_fault
from tests.shared import SHARED, needs_shared

BTC_ROWS = [
    (0, 300000, "0.004", 0, 150),
    (300000, 800000, "0.005", 300, 100),
    (800000, 3000000, "0.0065", 1500, 75),
]


def answer(rows: list[tuple[int, int, str, int, int]], symbol: str = "BTCUSDT") -> dict[str, Any]:
    keys = ("bracketNotionalFloor", "bracketNotionalCap", "bracketMaintenanceMarginRate", "cumFastMaintenanceAmount")
    risk = [
        dict(zip((*keys, "maxOpenPosLeverage"), (row[0], row[1], Decimal(row[2]), *row[3:]), strict=True))
        for row in rows
    ]
    return {"code": "000000", "data": {"brackets": [{"symbol": symbol, "riskBrackets": risk}]}}


@needs_shared
def test_the_recorded_table_of_btc_is_read() -> None:
    text = (SHARED / "fixtures/binance/live2026/bapi_brackets_BTCUSDT.json").read_text(encoding="utf-8")
    bad = BadRows("Binance")
    for payload in (json.loads(text, parse_float=Decimal), json.loads(text)):
        tiers = parse_brackets(payload, least_symbols=1, bad=bad)["BTCUSDT"]
        assert tiers[0] == RiskTier(0, 300_000, 0.004, 0, 150)
        assert tiers[3] == RiskTier(3_000_000, 12_000_000, 0.01, 12_000, 50)
    assert bad.counts == {}


def test_the_stored_ladder_agrees_with_the_published_maintenance_amounts() -> None:
    btc = [tier.maintenance_amount for tier in stored_tiers("BTCUSDT")]
    assert btc[:8] == pytest.approx([0, 300, 1500, 12000, 132000, 482000, 2982000, 14482000])
    assert (btc[8], btc[11]) == pytest.approx((26_482_000, 421_482_000))
    zrx = stored_tiers("ZRXUSDT")
    assert [tier.maintenance_amount for tier in zrx] == pytest.approx([0, 50, 300, 1300, 2550, 12975, 54625, 1929625])
    assert [tier.notional_cap for tier in zrx] == [5e3, 10e3, 20e3, 50e3, 250e3, 500e3, 7.5e6, 12.5e6]
    pepe = [tier.maintenance_amount for tier in stored_tiers("1000PEPEUSDT")]
    assert pepe[:7] == pytest.approx([0, 70, 1070, 2570, 10070, 85070, 835070])


@given(st.sampled_from(["BTCUSDT", "ETHUSDT", "ZRXUSDT", "币安人生USDT"]), st.floats(1, 200))
def test_stored_tiers_are_sound_for_any_leverage(symbol: str, leverage: float) -> None:
    tiers = stored_tiers(symbol, leverage)
    assert tiers_fault(tiers) is None
    assert tiers[0].max_leverage <= leverage
    assert tiers[0].maintenance_margin_rate < 1 / tiers[0].max_leverage


@pytest.mark.parametrize(
    ("leverage", "rate"),
    [
        (150, 0.004),
        (125, 0.004),
        (100, 0.005),
        (75, 0.0065),
        (50, 0.015),
        (40, 0.015),
        (25, 0.02),
        (20, 0.025),
        (10, 0.05),
        (5, 0.1),
    ],
)
def test_the_first_stored_tier_is_the_usual_one_of_its_leverage(leverage: float, rate: float) -> None:
    first = stored_tiers("NEWUSDT", leverage)[0]
    assert (first.max_leverage, first.maintenance_margin_rate) == (leverage, rate)


def test_an_unknown_symbol_gets_the_most_frequent_leverage() -> None:
    assert stored_tiers("NEWUSDT") == stored_tiers("ZRXUSDT")


BAD_TABLES = [
    ([(1, *BTC_ROWS[0][1:])], "not contiguous"),
    ([BTC_ROWS[0], (300001, *BTC_ROWS[1][1:])], "not contiguous"),
    ([(0, 0, "0.004", 0, 150)], "not contiguous"),
    ([BTC_ROWS[0], (300000, 800000, "0.003", 300, 100)], "maintenance rates fall or are no fractions"),
    ([(0, 300000, "NaN", 0, 150)], "maintenance rates fall or are no fractions"),
    ([(0, 300000, "1.5", 0, 150)], "maintenance rates fall or are no fractions"),
    ([BTC_ROWS[0], (300000, 800000, "0.005", 300, 151)], "leverages do not fall"),
    ([BTC_ROWS[0], (300000, 800000, "0.005", 400, 100)], "maintenance amounts do not follow from the rates"),
]


@pytest.mark.parametrize(("rows", "cause"), BAD_TABLES)
def test_tiers_that_contradict_themselves_are_dropped(rows: list[tuple[int, int, str, int, int]], cause: str) -> None:
    bad = BadRows("Binance")
    payload = answer(rows)
    payload["data"]["brackets"] += answer(BTC_ROWS, "ETHUSDT")["data"]["brackets"]
    assert set(parse_brackets(payload, least_symbols=1, bad=bad)) == {"ETHUSDT"}
    assert bad.counts == {f"risk tiers: {cause}": 1}


@pytest.mark.parametrize(
    "entry", ["BTCUSDT", {"symbol": "A"}, {"symbol": "A", "riskBrackets": []}, {"riskBrackets": [1]}]
)
def test_entries_without_symbol_or_tiers_are_dropped(entry: object) -> None:
    bad = BadRows("Binance")
    payload = answer(BTC_ROWS)
    payload["data"]["brackets"].append(entry)
    assert set(parse_brackets(payload, least_symbols=1, bad=bad)) == {"BTCUSDT"}
    assert bad.counts == {"risk tiers: no symbol or no tiers": 1}


@pytest.mark.parametrize(
    "payload",
    [
        {"code": "000002", "message": "illegal parameter"},
        {"code": "000000", "data": None},
        {"code": "000000", "data": {"brackets": {}}},
        [],
        None,
    ],
)
def test_an_error_body_or_another_shape_is_refused(payload: object) -> None:
    with pytest.raises(ExchangeUnavailableError):
        parse_brackets(payload, least_symbols=0, bad=BadRows("Binance"))


def test_a_table_of_too_few_symbols_is_refused() -> None:
    payload = copy.deepcopy(answer(BTC_ROWS))
    with pytest.raises(ExchangeUnavailableError, match="holds 1 sound symbols; at least 100"):
        parse_brackets(payload, least_symbols=100, bad=BadRows("Binance"))
