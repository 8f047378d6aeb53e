"""OKX's answers: every fixture the client claims to read, contracts into coins, and rows that cannot be true."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bot.liquidation.margin import RiskTier
from bot.market.bad_rows import BadRows
from bot.market.exchange import ExchangeUnavailableError
from bot.market.okx_parse import (
    SizeTier,
    Swap,
    parse_bars,
    parse_mark_prices,
    parse_open_interest_history,
    parse_open_interest_now,
    parse_size_tiers,
    parse_swaps,
    parse_volumes,
    priced,
)
from bot.market.types import BAR_MS, Instrument
from tests.shared import SHARED, needs_shared
from tests.unit.market.grown import grown

FIXTURES = SHARED / "fixtures" / "okx"
LATER_MS = 1_900_000_000_000
T0 = 1_766_188_800_000


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def bad_rows() -> BadRows:
    return BadRows("OKX")


def answer(*rows: object) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": list(rows)}


def swap(base: str, face_coins: float) -> Swap:
    native = f"{base}-USDT-SWAP"
    return Swap(Instrument("okx", f"{base}USDT", native, base, "USDT", 0.1), face_coins, f"{base}-USDT")


BTC, ETH = swap("BTC", 0.01), swap("ETH", 0.1)
SWAPS = {one.instrument.native: one for one in (BTC, ETH)}

INSTRUMENTS = [
    ("live2026/public_instruments_SWAP_3.json", {"BTCUSDT": (0.1, 0.01), "ETHUSDT": (0.01, 0.1)}),
    ("nautilus/http_get_instruments_swap.json", {"BTCUSDT": (0.1, 0.01), "ETHUSDT": (0.01, 0.1)}),
    ("nautilus/http_get_instruments_futures.json", {}),
    ("nautilus/http_get_instruments_margin.json", {}),
    ("docs/get_instruments__1.json", {}),
    ("jkorf/Endpoints__UnifiedApi__ExchangeData__GetSymbols.json", {}),
]


@needs_shared
@pytest.mark.parametrize(("name", "wanted"), INSTRUMENTS)
def test_instruments_are_the_live_linear_usdt_swaps(name: str, wanted: dict[str, tuple[float, float]]) -> None:
    bad = bad_rows()
    found = parse_swaps(fixture(name), bad)
    assert {one.instrument.symbol: (one.instrument.tick_size, one.face_coins) for one in found} == wanted
    for one in found:
        assert one.instrument.native == f"{one.instrument.base}-USDT-SWAP" == f"{one.family}-SWAP"
        assert (one.instrument.max_leverage, one.instrument.delist_ms) == (100, None)
    assert bad.counts == {}
    assert parse_swaps(grown(fixture(name)), bad) == found


@needs_shared
def test_recorded_contracts_are_coins_times_the_face() -> None:
    bad, payload = bad_rows(), fixture("nautilus/http_get_candlesticks_full.json")
    for row in payload["data"]:
        row[0] = str(int(row[0]) // 60_000 * BAR_MS)  # the recording is of one-minute bars
    bars = parse_bars(payload, face_coins=0.01, now_ms=10**13, bad=bad)
    assert bars.volume == pytest.approx([float(row[6]) for row in reversed(payload["data"])])
    assert bars.quote_volume.tolist() == [7364701.57952, 1069603.34883]
    assert (bars.open[1], bars.high[0], bars.low[0], bars.close[1]) == (102806.1, 102820.5, 102783.1, 102820.4)
    assert np.isnan(bars.taker_buy_volume).all()
    assert bad.counts == {}


CANDLES = [
    ("docs/get___candlesticks__1.json", {"bars: no time on the 5-minute grid": 1}),
    ("docs/get___candlesticks_history__1.json", {"bars: no time on the 5-minute grid": 2}),
    ("jkorf/Endpoints__UnifiedApi__ExchangeData__GetKlines.json", {}),
    ("jkorf/Endpoints__UnifiedApi__ExchangeData__GetKlineHistory.json", {}),
    ("nautilus/http_get_candlesticks.json", {}),
]


@needs_shared
@pytest.mark.parametrize(("name", "dropped"), CANDLES)
def test_open_candles_are_left_out_and_times_off_the_grid_dropped(name: str, dropped: dict[str, int]) -> None:
    bad = bad_rows()
    assert len(parse_bars(fixture(name), face_coins=1, now_ms=LATER_MS, bad=bad)) == 0
    assert bad.counts == dropped


@needs_shared
def test_live_open_interest_is_contracts_times_the_face() -> None:
    payload = grown(fixture("live2026/public_open_interest_ETH-USDT-SWAP.json"))
    now = parse_open_interest_now(payload, face_coins=0.1, bad=bad_rows())
    assert now.time_ms.tolist() == [1789677927222]
    assert now.coins[0] == pytest.approx(609913.9870000016)


@needs_shared
@pytest.mark.parametrize(
    "name", ["docs/get_open_interest__1.json", "jkorf/Endpoints__UnifiedApi__ExchangeData__GetOpenInterests.json"]
)
def test_documented_open_interest_is_read(name: str) -> None:
    assert parse_open_interest_now(fixture(name), face_coins=0.01, bad=bad_rows()).coins.tolist() == [50]


MARK_PRICES = [
    ("nautilus/http_get_mark_price.json", 84660.1),
    ("docs/get_mark_price__1.json", 200),
    ("jkorf/Endpoints__UnifiedApi__ExchangeData__GetMarkPrices.json", 200),
]


@needs_shared
@pytest.mark.parametrize(("name", "price"), MARK_PRICES)
def test_mark_prices_are_told_under_the_canonical_symbol(name: str, price: float) -> None:
    tick = parse_mark_prices(grown(fixture(name)), SWAPS, bad_rows())
    assert (tick.exchange, tick.symbols, tick.price.tolist()) == ("okx", ("BTCUSDT",), [price])


@needs_shared
@pytest.mark.parametrize(
    "name", ["docs/get___tickers__1.json", "jkorf/Endpoints__UnifiedApi__ExchangeData__GetTickers.json"]
)
def test_documented_tickers_of_inverse_swaps_are_passed_over(name: str) -> None:
    bad = bad_rows()
    assert parse_volumes(fixture(name), SWAPS, bad) == {}
    inverse = Swap(BTC.instrument, 10.0, "BTC-USD")
    assert parse_volumes(fixture(name), {"BTC-USD-SWAP": inverse}, bad) == {"BTCUSDT": 2222 * 10 * 9999.99}
    assert bad.counts == {}


@needs_shared
def test_live_tiers_in_contracts_become_coins_and_at_a_price_notionals() -> None:
    bad = bad_rows()
    families = {one.family: one for one in (BTC, ETH)}
    found = parse_size_tiers(grown(fixture("live2026/public_position_tiers_SWAP_tier1.json")), families, bad)
    assert found == {
        "BTC-USDT-SWAP": (SizeTier(10, 0.004, 100),),
        "ETH-USDT-SWAP": (SizeTier(500, 0.004, 100),),
    }
    assert priced(found["BTC-USDT-SWAP"], 80_000) == (RiskTier(0, 800_000, 0.004, 0, 100),)
    assert bad.counts == {}


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "docs/get_position_tiers__1.json",
        "nautilus/http_get_position_tiers.json",
        "jkorf/Endpoints__UnifiedApi__ExchangeData__GetPositionTiers.json",
    ],
)
def test_documented_tiers_of_a_margin_pair_are_of_no_swap(name: str) -> None:
    assert parse_size_tiers(fixture(name), {BTC.family: BTC}, bad_rows()) == {}


def instrument_row(**change: object) -> dict[str, object]:
    return {
        "instType": "SWAP",
        "instId": "ZRX-USDT-SWAP",
        "instFamily": "ZRX-USDT",
        "uly": "ZRX-USDT",
        "ctType": "linear",
        "ctVal": "10",
        "ctMult": "1",
        "ctValCcy": "ZRX",
        "settleCcy": "USDT",
        "state": "live",
        "tickSz": "0.0001",
        "lever": "75",
        "listTime": "1600000000000",
        "expTime": "",
        "ruleType": "normal",
    } | change


@pytest.mark.parametrize(
    "change",
    [
        {"ctType": "inverse"},
        {"settleCcy": "USDC"},
        {"state": "suspend"},
        {"state": "preopen"},
        {"instType": "FUTURES"},
        {"ruleType": "pre_market"},
        {"instCategory": "3"},
        {"instCategory": "4"},
    ],
)
def test_what_is_no_live_swap_of_a_coin_is_left_out_without_a_complaint(change: dict[str, object]) -> None:
    bad = bad_rows()
    assert parse_swaps(answer(instrument_row(**change)), bad) == ()
    assert bad.counts == {}


def test_the_face_is_value_times_multiplier_and_a_multiplied_coin_stays_what_it_is() -> None:
    pepe = {"instId": "PEPE-USDT-SWAP", "instFamily": "PEPE-USDT", "ctValCcy": "PEPE"}
    found = parse_swaps(answer(instrument_row(**pepe, ctVal="10000000", ctMult="2", expTime=str(T0))), bad_rows())
    (one,) = found
    assert (one.instrument.symbol, one.instrument.base, one.face_coins) == ("PEPEUSDT", "PEPE", 2e7)
    assert one.instrument.delist_ms == T0


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ("ZRX", "not an object"),
        (instrument_row(instId=None), "no instrument or family"),
        (instrument_row(instFamily="", uly=""), "no instrument or family"),
        (instrument_row(instFamily="ZRX-USDC"), "no instrument or family"),
        (instrument_row(tickSz=""), "no tick size"),
        (instrument_row(ctVal="0"), "no contract value in coins"),
        (instrument_row(ctMult="NaN"), "no contract value in coins"),
        (instrument_row(ctValCcy="USDT"), "no contract value in coins"),
    ],
)
def test_an_instrument_that_cannot_be_used_is_dropped_and_counted(row: object, cause: str) -> None:
    bad = bad_rows()
    assert len(parse_swaps(answer(row, instrument_row()), bad)) == 1
    assert bad.counts == {f"instruments: {cause}": 1}


def candle(open_ms: int = T0, confirm: str = "1", **change: str) -> list[str]:
    row = {"o": "10", "h": "12", "l": "9", "c": "11", "v": "100", "coins": "1000", "q": "10500"} | change
    return [str(open_ms), *row.values(), confirm]


def test_candles_come_newest_first_and_impossible_ones_are_dropped() -> None:
    bad = bad_rows()
    rows = [candle(T0 + 3 * BAR_MS, "0"), candle(T0 + 2 * BAR_MS), candle(T0 + BAR_MS, h="9", l="12"), ["1"], candle()]
    bars = parse_bars(answer(*rows), face_coins=10, now_ms=LATER_MS, bad=bad)
    assert bars.open_ms.tolist() == [T0, T0 + 2 * BAR_MS]
    assert (bars.volume[0], bars.quote_volume[0]) == (1000, 10500)
    assert bad.counts == {"bars: high below low": 1, "bars: short row": 1}


def test_a_bar_confirmed_too_early_waits_for_the_venues_clock() -> None:
    assert len(parse_bars(answer(candle()), face_coins=1, now_ms=T0 + BAR_MS - 1, bad=bad_rows())) == 0


def test_open_interest_history_turns_contracts_into_coins_oldest_first() -> None:
    bad = bad_rows()
    rows = [[str(T0 + 2), "30", "1", "1"], [str(T0 + 1), "0", "1", "1"], [], [str(T0), "20", "1", "1"]]
    history = parse_open_interest_history(answer(*rows), face_coins=0.1, bad=bad)
    assert history.coins == pytest.approx([2, 3])
    assert bad.counts == {"open interest: not a positive number": 1, "open interest: no time": 1}


def test_a_settling_contract_has_no_open_interest_now() -> None:
    assert len(parse_open_interest_now(answer({"oi": "0", "ts": "5"}), face_coins=1, bad=bad_rows())) == 0
    assert len(parse_open_interest_now(answer(), face_coins=1, bad=bad_rows())) == 0


def test_prices_and_volumes_that_are_no_numbers_are_dropped() -> None:
    bad = bad_rows()
    rows = [
        {"instId": "BTC-USDT-SWAP", "markPx": "", "ts": str(T0), "vol24h": "", "last": "5"},
        {"instId": "ETH-USDT-SWAP", "markPx": "2000", "ts": str(T0), "vol24h": "30", "last": "2000"},
        "row",
    ]
    assert parse_mark_prices(answer(*rows), SWAPS, bad).symbols == ("ETHUSDT",)
    assert parse_volumes(answer(*rows), SWAPS, bad) == {"ETHUSDT": 6000}
    assert bad.counts == {"mark prices: no time or no positive price": 1, "volumes: no number": 1}


def tier(floor: str, cap: str, rate: str, leverage: str, family: str = "BTC-USDT") -> dict[str, str]:
    return {"instFamily": family, "minSz": floor, "maxSz": cap, "mmr": rate, "maxLever": leverage}


def test_tiers_step_and_begin_at_the_last_ones_end_or_one_contract_on() -> None:
    rows = [tier("5001", "9000", "0.02", "25"), tier("1000", "5000", "0.005", "80"), tier("0", "1000", "0.004", "100")]
    found = parse_size_tiers(answer(*rows), {BTC.family: BTC}, bad_rows())["BTC-USDT-SWAP"]
    assert found == (SizeTier(10, 0.004, 100), SizeTier(50, 0.005, 80), SizeTier(90, 0.02, 25))
    tiers = priced(found, 100)
    assert [(one.notional_floor, one.notional_cap) for one in tiers] == [(0, 1000), (1000, 5000), (5000, 9000)]
    assert {one.maintenance_amount for one in tiers} == {0}


BAD_TIERS = [
    ([tier("0", "1000", "0.004", "100"), tier("2000", "5000", "0.005", "80")], "not contiguous"),
    ([tier("0", "1000", "0.004", "100"), tier("900", "5000", "0.005", "80")], "not contiguous"),
    ([tier("5", "1000", "0.004", "100")], "not contiguous"),
    ([tier("0", "0", "0.004", "100")], "not contiguous"),
    ([tier("0", "1000", "0.004", "100"), tier("1000", "5000", "0.003", "80")], "maintenance rates fall"),
    ([tier("0", "1000", "", "100")], "maintenance rates fall"),
    ([tier("0", "1000", "0.004", "50"), tier("1000", "5000", "0.005", "80")], "leverages do not fall"),
]


@pytest.mark.parametrize(("rows", "cause"), BAD_TIERS)
def test_tiers_that_contradict_themselves_are_dropped(rows: list[dict[str, str]], cause: str) -> None:
    bad = bad_rows()
    good = tier("0", "1000", "0.01", "50", "ETH-USDT")
    families = {one.family: one for one in (BTC, ETH)}
    assert set(parse_size_tiers(answer(*rows, good), families, bad)) == {"ETH-USDT-SWAP"}
    (only,) = bad.counts
    assert only.startswith(f"risk tiers: {cause}")


PARSERS: list[Callable[[object], object]] = [
    lambda payload: parse_swaps(payload, bad_rows()),
    lambda payload: parse_bars(payload, face_coins=1, now_ms=0, bad=bad_rows()),
    lambda payload: parse_open_interest_history(payload, face_coins=1, bad=bad_rows()),
    lambda payload: parse_open_interest_now(payload, face_coins=1, bad=bad_rows()),
    lambda payload: parse_mark_prices(payload, {}, bad_rows()),
    lambda payload: parse_volumes(payload, {}, bad_rows()),
    lambda payload: parse_size_tiers(payload, {}, bad_rows()),
]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("payload", [None, 7, "text", [], {"rows": []}, {"data": {}}])
def test_a_wrong_shape_is_one_clear_error(parser: Callable[[object], object], payload: object) -> None:
    with pytest.raises(ExchangeUnavailableError, match=r"OKX answered .* in a shape"):
        parser(payload)
