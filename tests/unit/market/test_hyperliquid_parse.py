"""Hyperliquid's answers: every fixture the client claims to read, joins by position, margin tables, impossible rows."""

import json
import re
from typing import Any

import numpy as np
import pytest

from bot.liquidation.margin import RiskTier
from bot.market.bad_rows import BadRows
from bot.market.exchange import ExchangeUnavailableError
from bot.market.hyperliquid_parse import NO_CAP_USD, canonical_base, parse_assets, parse_bars, tick_size_at
from bot.market.types import BAR_MS
from tests.shared import SHARED, needs_shared
from tests.unit.market.grown import grown

FIXTURES = SHARED / "fixtures" / "hyperliquid"
LIVE = "live2026/info_metaAndAssetCtxs_first16.json"
LATER_MS = 1_900_000_000_000
T0 = 1_766_188_800_000


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def bad_rows() -> BadRows:
    return BadRows("Hyperliquid")


@needs_shared
def test_live_contracts_are_joined_by_position_and_delisted_ones_left_out() -> None:
    bad = bad_rows()
    assets = {one.instrument.native: one for one in parse_assets(grown(fixture(LIVE)), bad)}
    assert len(assets) == 15
    assert "MATIC" not in assets
    assert (assets["BTC"].mark_price, assets["BTC"].coins) == (76519.0, 35726.7251 / 2)
    assert (assets["DYDX"].mark_price, assets["DYDX"].coins) == (0.11524, 14492766.4000000004 / 2)
    assert assets["kPEPE"].volume_usd == pytest.approx(13297478.4958269987)
    assert bad.counts == {}


@needs_shared
def test_live_contracts_have_canonical_symbols_and_keep_the_venues_names() -> None:
    found = [one.instrument for one in parse_assets(fixture(LIVE), bad_rows())]
    names = {one.native: (one.symbol, one.base, one.quote) for one in found}
    assert names["BTC"] == ("BTCUSDT", "BTC", "USDT")
    assert names["kPEPE"] == ("1000PEPEUSDT", "1000PEPE", "USDT")
    assert {one.native: one.max_leverage for one in found}["kPEPE"] == 10


@needs_shared
def test_live_margin_tables_give_half_of_the_initial_margin_and_amounts_by_recursion() -> None:
    tiers = {one.instrument.native: one.tiers for one in parse_assets(fixture(LIVE), bad_rows())}
    assert tiers["BTC"] == (
        RiskTier(0, 150e6, 0.0125, 0, 40),
        RiskTier(150e6, NO_CAP_USD, 0.025, 150e6 * 0.0125, 20),
    )
    assert [(one.notional_cap, one.max_leverage) for one in tiers["ETH"]] == [(100e6, 25), (NO_CAP_USD, 15)]
    assert tiers["ATOM"] == (RiskTier(0, NO_CAP_USD, 0.1, 0, 5),)  # table 5 is a plain one
    assert tiers["kPEPE"][0].maintenance_margin_rate == 0.05


@needs_shared
def test_an_older_answer_without_tables_has_one_tier_by_the_highest_leverage() -> None:
    bad = bad_rows()
    name = "jkorf/Endpoints__Futures__ExchangeData__GetExchangeInfoAndTickers.json"
    assets = {one.instrument.native: one for one in parse_assets(fixture(name), bad)}
    assert set(assets) == {"BTC", "ETH", "HPOS"}
    assert assets["HPOS"].tiers == (RiskTier(0, NO_CAP_USD, 0.5 / 3, 0, 3),)
    assert bad.counts == {}


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "nautilus/http_meta_perp_sample.json",
        "jkorf/Endpoints__Futures__ExchangeData__GetExchangeInfo.json",
        "nautilus/http_all_perp_metas_non_usdc_collateral.json",
    ],
)
def test_answers_to_another_question_have_the_wrong_shape(name: str) -> None:
    with pytest.raises(ExchangeUnavailableError, match="shape"):
        parse_assets(fixture(name), bad_rows())


@needs_shared
@pytest.mark.parametrize(
    "name", ["nautilus/http_meta_perp_sample.json", "jkorf/Endpoints__Futures__ExchangeData__GetExchangeInfo.json"]
)
def test_every_recorded_universe_can_be_read_beside_contexts(name: str) -> None:
    meta, bad = fixture(name), bad_rows()
    contexts = [{"markPx": "2", "openInterest": "1", "dayNtlVlm": "1"} for _ in meta["universe"]]
    found = parse_assets([meta, contexts], bad)
    assert len(found) == sum(not entry.get("isDelisted") for entry in meta["universe"])
    assert bad.counts == {}


@needs_shared
def test_recorded_candles_are_bars_in_coins_without_quote_volume() -> None:
    cassette = (FIXTURES / "sdk_cassettes/test_get_candles_snapshot.yaml").read_text(encoding="utf-8")
    (recorded,) = re.findall(r"string: '(\[\{\"T\".*\])'", cassette)
    bad = bad_rows()
    bars = parse_bars(grown(json.loads(recorded)), now_ms=LATER_MS, bad=bad)
    assert (len(bars), bars.open_ms[0]) == (24, 1684699200000)
    first = (bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0])
    assert first == (0.001601, 0.001616, 0.001601, 0.001604, 520665683.0)
    assert np.isnan(bars.quote_volume).all()
    assert np.isnan(bars.taker_buy_volume).all()
    assert bad.counts == {}


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("kPEPE", "1000PEPE"),
        ("kSHIB", "1000SHIB"),
        ("kBONK", "1000BONK"),
        ("KAVA", "KAVA"),
        ("BTC", "BTC"),
        ("k", "k"),
        ("kava", "kava"),
    ],
)
def test_only_a_small_k_before_capitals_is_a_thousand(name: str, base: str) -> None:
    assert canonical_base(name) == base


@pytest.mark.parametrize(
    ("price", "size_decimals", "tick"),
    [
        (76519.0, 5, 1.0),
        (2450.2, 4, 0.1),
        (101.04, 2, 0.01),
        (1.5616, 2, 0.0001),
        (0.11524, 1, 0.00001),
        (0.003642, 0, 0.000001),
        (123456.0, 5, 1.0),
        (float("nan"), 2, 0.0001),
    ],
)
def test_ticks_follow_five_figures_and_the_size_decimals(price: float, size_decimals: float, tick: float) -> None:
    assert tick_size_at(price, size_decimals) == tick


def entry(**change: object) -> dict[str, object]:
    return {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56} | change


def context(**change: object) -> dict[str, object]:
    return {"markPx": "90000", "openInterest": "10", "dayNtlVlm": "5"} | change


TABLE = [56, {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": 40}]}]


def answer(entry_: object, context_: object, *tables: object) -> list[object]:
    good = entry(name="ETH", marginTableId=25, maxLeverage=25)
    meta = {"universe": [entry_, good], "marginTables": list(tables or (TABLE,))}
    return [meta, [context_, context(markPx="2000")]]


@pytest.mark.parametrize(
    ("entry_", "context_", "cause"),
    [
        ("BTC", context(), "not an object"),
        (entry(), None, "not an object"),
        (entry(name=None), context(), "no name"),
        (entry(name="xyz:TSLA"), context(), "no name"),
        (entry(szDecimals=None), context(), "no size decimals"),
        (entry(szDecimals=7), context(), "no size decimals"),
    ],
)
def test_a_contract_that_cannot_be_used_is_dropped_and_the_next_keeps_its_own_context(
    entry_: object, context_: object, cause: str
) -> None:
    bad = bad_rows()
    (good,) = parse_assets(answer(entry_, context_), bad)
    assert (good.instrument.symbol, good.mark_price) == ("ETHUSDT", 2000)
    assert bad.counts == {f"instruments: {cause}": 1}


def test_a_contract_without_numbers_is_listed_with_none() -> None:
    first, _ = parse_assets(answer(entry(), context(markPx=None, openInterest=None, dayNtlVlm="x")), bad_rows())
    assert np.isnan([first.mark_price, first.coins, first.volume_usd]).all()
    assert first.instrument.tick_size == 0.1


def table(*rungs: tuple[object, object]) -> list[object]:
    return [56, {"marginTiers": [{"lowerBound": bound, "maxLeverage": leverage} for bound, leverage in rungs]}]


BAD_TABLES = [
    ([57, {"marginTiers": []}], "no such margin table"),
    (table(("5.0", 40)), "not contiguous, or no leverage"),
    (table(("0.0", None)), "not contiguous, or no leverage"),
    (table(("0.0", 40), ("0.0", 20)), "not contiguous"),
    (table(("0.0", 20), ("100.0", 40)), "maintenance rates fall or are no fractions"),
]


@pytest.mark.parametrize(("rungs", "cause"), BAD_TABLES)
def test_a_table_that_contradicts_itself_leaves_the_contract_without_tiers(rungs: object, cause: str) -> None:
    bad = bad_rows()
    first, second = parse_assets(answer(entry(), context(), rungs), bad)
    assert (first.tiers, len(second.tiers)) == ((), 1)
    assert bad.counts == {f"risk tiers: {cause}": 1}


def candle(open_ms: int = T0, **change: object) -> dict[str, object]:
    row = {"o": "10", "h": "12", "l": "9", "c": "11", "v": "100", "n": 5, "s": "BTC", "i": "5m"}
    return {"t": open_ms, "T": open_ms + BAR_MS - 1, **row, **change}


def test_the_open_bar_and_impossible_ones_are_left_out() -> None:
    bad = bad_rows()
    rows = [candle(), candle(T0 + BAR_MS, h="8"), "row", candle(T0 + 2 * BAR_MS, v=None), candle(T0 + 3 * BAR_MS)]
    assert parse_bars(rows, now_ms=T0 + 3 * BAR_MS + 5, bad=bad).open_ms.tolist() == [T0]
    assert bad.counts == {
        "bars: high below low": 1,
        "bars: short row": 1,
        "bars: a volume that is not a number": 1,
    }


@pytest.mark.parametrize(
    "payload",
    [None, 7, [], {"universe": []}, [{}, []], [{"universe": []}, {}], [{"universe": [{}]}, []], [[], []]],
)
def test_a_wrong_shape_is_one_clear_error(payload: object) -> None:
    with pytest.raises(ExchangeUnavailableError, match=r"Hyperliquid answered .* in a shape"):
        parse_assets(payload, bad_rows())


@pytest.mark.parametrize("payload", [None, 7, "text", {"rows": []}])
def test_candles_of_a_wrong_shape_are_one_clear_error(payload: object) -> None:
    with pytest.raises(ExchangeUnavailableError, match=r"Hyperliquid answered .* in a shape"):
        parse_bars(payload, now_ms=0, bad=bad_rows())
