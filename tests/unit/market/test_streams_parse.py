"""What streams say, frame by frame: real captures, the documents' examples, and nonsense of every kind."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.margin import RiskTier
from bot.market.binance_stream import BinanceScript
from bot.market.bybit_stream import BybitScript
from bot.market.feed import ContractNews, Print
from bot.market.okx_parse import Swap
from bot.market.okx_stream import OkxScript
from bot.market.stream import Script
from bot.market.stream_book import StreamBook
from bot.market.tiers import Tiers
from bot.market.types import Instrument
from tests.fakes.clock import VirtualClock
from tests.shared import SHARED, needs_shared

FIXTURES = SHARED / "fixtures"
NOW_MS = 1_791_700_000_000


def listed(exchange: str, symbol: str, native: str) -> Instrument:
    base = symbol.removesuffix("USDT")
    return Instrument(exchange, symbol, native, base, "USDT", tick_size=0.1)


BYBIT_COINS = ("BTC", "ETH", "STRK", "ADA", "PIPPIN", "ROSE", "1000PEPE")
BYBIT = {f"{coin}USDT": listed("bybit", f"{coin}USDT", f"{coin}USDT") for coin in BYBIT_COINS}
BYBIT["SHIB1000USDT"] = listed("bybit", "1000SHIBUSDT", "SHIB1000USDT")
FACES = {"BTC": 0.01, "CELO": 1.0, "IOST": 1000.0, "ETH": 0.1}
OKX = {
    f"{base}-USDT-SWAP": Swap(listed("okx", f"{base}USDT", f"{base}-USDT-SWAP"), face, f"{base}-USDT")
    for base, face in FACES.items()
}


class Rig:
    """A book and a script that fills it."""

    def __init__(self, venue: str) -> None:
        self.clock = VirtualClock(NOW_MS)
        self.book = StreamBook(venue.lower(), venue, self.clock)
        self.tiers: dict[str, Tiers] = {}
        scripts: dict[str, Callable[[], Script]] = {
            "Binance": lambda: BinanceScript(self.book, self.tiers.__setitem__),
            "Bybit": lambda: BybitScript(self.book, self.clock, lambda: BYBIT, lambda: ()),
            "OKX": lambda: OkxScript(self.book, self.clock, lambda: OKX, lambda: ()),
        }
        self.script = scripts[venue]()

    def hear(self, *messages: Any) -> list[bool]:
        return [self.script.hear(json.dumps(message)) for message in messages]

    def prints(self) -> list[Print]:
        return list(self.book.take().prints)

    def prices(self) -> dict[str, tuple[int, float]]:
        tick = self.book.prices.news()
        return {row[0]: row[1:] for row in zip(tick.symbols, tick.time_ms.tolist(), tick.price.tolist(), strict=True)}

    def dropped(self) -> int:
        return sum(self.book.bad.counts.values())


def captures(pattern: str) -> list[Any]:
    """The messages of the fixtures of this pattern; a file holds one or a list."""
    found = [json.loads(path.read_text()) for path in sorted(FIXTURES.glob(pattern))]
    assert found
    return [message for one in found for message in (one if isinstance(one, list) else [one])]


def binance(data: Any, stream: str = "!forceOrder@arr") -> Any:
    return data if "stream" in data else {"stream": stream, "data": data}


@needs_shared
def test_every_captured_forced_order_is_its_average_fill_times_all_that_was_filled() -> None:
    rig = Rig("Binance")
    frames = [*captures("binance/ws_recorded/forceOrder*.json"), *captures("binance/sdk_spec/ws_market_*liquid*.json")]
    frames += captures("binance/nautilus/liquidation_stream.json")
    rig.hear(*map(binance, frames))
    found = {row.time_ms: row for row in rig.prints()}
    assert len(found) == 6, "the documents' three examples are one liquidation"
    assert found[1791565602120] == Print(1791565602120, "BTCUSDT", is_long=True, price=82651.9, coins=0.19)
    assert found[1791091174219] == Print(1791091174219, "XRPUSDT", is_long=False, price=1.4912, coins=127.2)
    assert not any(row.at_bankruptcy for row in found.values())
    assert rig.dropped() == 0


@needs_shared
def test_every_captured_mark_price_of_binance_is_read_alone_or_in_a_list() -> None:
    rig = Rig("Binance")
    single = [*captures("binance/ws_recorded/markPrice*.json"), *captures("binance/nautilus/mark_price_stream.json")]
    single += captures("binance/sdk_spec/ws_market_mark_price_stream.json")
    assert all(rig.hear(*(binance(frame, "btcusdt@markPrice@1s") for frame in single)))
    assert rig.prices() == {"BTCUSDT": (1597536008000, 11857.56)}
    rig = Rig("Binance")
    [row] = captures("binance/sdk_spec/ws_market_mark_price_stream_for_all_market.json")
    other = {"e": "markPriceUpdate", "E": 1562305380001, "s": "哈基米USDT", "p": "0.02", "unheard_of": {"of": []}}
    coin_margined = {**row, "s": "BTCUSD_PERP", "st": 2}
    assert rig.hear({"stream": "!markPrice@arr@1s", "data": [row, other, coin_margined]}) == [True]
    assert rig.prices() == {"BTCUSDT": (1562305380000, 11185.87786614), "哈基米USDT": (1562305380001, 0.02)}
    assert rig.dropped() == 0


@needs_shared
def test_contract_news_of_binance_tell_tiers_state_and_end() -> None:
    rig = Rig("Binance")
    [spec] = captures("binance/sdk_spec/ws_market_contract_info_stream.json")
    assert rig.hear(binance(spec, "!contractInfo")) == [False]
    assert rig.book.contract_news() == {
        "IOTAUSDT": ContractNews(1669356423908, "IOTAUSDT", trades=True, delist_ms=None)
    }
    assert rig.tiers == {"IOTAUSDT": (RiskTier(0.0, 5000.0, 0.01, 0.0, 50.0),)}
    second = {"bs": 2, "bnf": 5000, "bnc": 25000, "mmr": 0.025, "cf": 75, "mi": 11, "ma": 20}
    changed = {**spec, "E": spec["E"] + 1, "cs": "SETTLING", "dt": 1_791_800_000_000, "bks": [*spec["bks"], second]}
    rig.hear(binance(changed, "!contractInfo"))
    news = rig.book.contract_news()["IOTAUSDT"]
    assert (news.trades, news.delist_ms) == (False, 1_791_800_000_000)
    assert len(rig.tiers["IOTAUSDT"]) == 2
    wrong = {**changed, "bks": [second]}
    rig.hear(binance(wrong, "!contractInfo"), binance({**changed, "ct": "CURRENT_QUARTER"}, "!contractInfo"))
    assert len(rig.tiers["IOTAUSDT"]) == 2
    assert rig.book.bad.counts == {"risk tiers: not contiguous": 1}


@needs_shared
def test_every_captured_liquidation_of_bybit_is_the_positions_side_at_bankruptcy() -> None:
    rig = Rig("Bybit")
    frames = [*captures("bybit/ws_recorded/allLiquidation*.json"), *captures("bybit/docs/*all-liquidation*.json")]
    rig.hear(*frames)
    found = {(row.symbol, row.time_ms): row for row in rig.prints()}
    assert len(found) == 6
    first = found["BTCUSDT", 1791565600992]
    assert first == Print(1791565600992, "BTCUSDT", is_long=True, price=82396.9, coins=0.006, at_bankruptcy=True)
    assert not found["ADAUSDT", 1786014946933].is_long
    assert rig.dropped() == 0


@needs_shared
def test_a_ticker_of_bybit_is_a_snapshot_and_then_what_changed() -> None:
    rig = Rig("Bybit")
    deltas = captures("bybit/ws_recorded/tickers_delta*.json")
    rig.hear(*deltas)
    assert rig.prices() == {}, "a change of a price that is not known says nothing"
    [snapshot] = captures("bybit/nautilus/ws_ticker_linear.json")
    snapshot["ts"] = deltas[0]["ts"] - 1
    rig.hear(snapshot)
    assert rig.prices() == {"BTCUSDT": (snapshot["ts"], 17217.33)}
    rig.hear(*deltas)
    assert rig.prices() == {"BTCUSDT": (deltas[1]["ts"], 17217.33)}, "absent is unchanged: the price is of now"
    rig.hear(
        {
            "topic": "tickers.BTCUSDT",
            "type": "delta",
            "ts": 1791091008000,
            "data": {"symbol": "BTCUSDT", "markPrice": "17218"},
        }
    )
    assert rig.prices() == {"BTCUSDT": (1791091008000, 17218.0)}
    assert rig.dropped() == 0


def test_a_contract_of_bybit_goes_by_its_canonical_name() -> None:
    rig = Rig("Bybit")
    row = {"T": NOW_MS, "s": "SHIB1000USDT", "S": "Sell", "v": "5", "p": "0.01"}
    rig.hear({"topic": "allLiquidation.SHIB1000USDT", "type": "snapshot", "ts": NOW_MS, "data": [row]})
    assert rig.prints() == [Print(NOW_MS, "1000SHIBUSDT", is_long=False, price=0.01, coins=5.0, at_bankruptcy=True)]


@needs_shared
def test_answers_and_pongs_of_bybit_are_no_news_and_no_fault() -> None:
    rig = Rig("Bybit")
    [pong] = captures("bybit/ws_recorded/pong*.json")
    [granted] = captures("bybit/nautilus/ws_subscription_ack.json")
    assert rig.hear(pong, granted) == [False, False]
    assert rig.dropped() == 0


@needs_shared
def test_every_captured_liquidation_of_okx_is_in_coins_at_bankruptcy() -> None:
    rig = Rig("OKX")
    rig.hear(*captures("okx/ws_recorded/liquidation_orders*.json"))
    found = {row.symbol: row for row in rig.prints()}
    assert set(found) == {"BTCUSDT", "CELOUSDT", "IOSTUSDT"}, "inverse futures are not among the swaps"
    assert found["BTCUSDT"].coins == pytest.approx(0.0855)
    assert (found["BTCUSDT"].is_long, found["BTCUSDT"].price) == (True, 82655.7)
    assert (found["IOSTUSDT"].is_long, found["IOSTUSDT"].coins) == (False, 13_000.0)
    assert all(row.at_bankruptcy for row in found.values())
    assert rig.dropped() == 0


@needs_shared
def test_a_mark_price_of_okx_is_read_once_the_line_hears_liquidations() -> None:
    rig = Rig("OKX")
    [mark] = captures("okx/ws_recorded/mark_price_*.json")
    assert rig.hear(mark) == [False]
    assert rig.prices() == {"BTCUSDT": (1790358817778, 83679.8)}
    answer = {"event": "subscribe", "arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "connId": "a"}
    assert rig.hear(answer, mark) == [False, True]
    [error] = captures("okx/ws_recorded/error_60018*.json")
    rig.hear(error)
    before = rig.script.ends_soon
    rig.hear({"event": "notice", "code": "64008", "msg": "The connection will soon be closed.", "connId": "a"})
    assert (before, rig.script.ends_soon) == (False, True)
    assert rig.book.bad.counts == {"subscriptions: refused": 1}


@pytest.mark.parametrize("pos_side", ["net", "long"])
def test_the_order_tells_the_side_on_okx_whatever_the_position_is_called(pos_side: str) -> None:
    rig = Rig("OKX")
    detail = {"bkPx": "100", "posSide": pos_side, "side": "sell", "sz": "2", "ts": str(NOW_MS)}
    row = {"details": [detail, {**detail, "ts": str(NOW_MS + 1)}], "instId": "BTC-USDT-SWAP"}
    rig.hear({"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [row]})
    assert [found.is_long for found in rig.prints()] == [True, True]


def changed(frame: Any, path: Iterable[Any], value: Any) -> Any:
    """The frame with one value in it replaced."""
    copy = json.loads(json.dumps(frame))
    *way, last = path
    inner = copy
    for step in way:
        inner = inner[step]
    inner[last] = value
    return copy


LIQUIDATION = {
    "Binance": (
        {
            "stream": "!forceOrder@arr",
            "data": {
                "e": "forceOrder",
                "E": NOW_MS,
                "o": {"s": "BTCUSDT", "S": "SELL", "ap": "100", "z": "1", "T": NOW_MS, "st": 1},
            },
        },
        ("data", "o"),
        ("S", "ap", "z", "T"),
    ),
    "Bybit": (
        {
            "topic": "allLiquidation.BTCUSDT",
            "ts": NOW_MS,
            "data": [{"T": NOW_MS, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "100"}],
        },
        ("data", 0),
        ("T", "s", "S", "v", "p"),
    ),
    "OKX": (
        {
            "arg": {"channel": "liquidation-orders"},
            "data": [
                {"instId": "BTC-USDT-SWAP", "details": [{"bkPx": "100", "side": "sell", "sz": "1", "ts": str(NOW_MS)}]}
            ],
        },
        ("data", 0, "details", 0),
        ("bkPx", "side", "sz", "ts"),
    ),
}


@pytest.mark.parametrize("venue", LIQUIDATION)
@pytest.mark.parametrize("nonsense", [None, "", "NaN", "inf", "-1", "0", [], {}, True, "1e999"])
def test_a_liquidation_with_one_nonsensical_value_is_dropped_counted_and_logged_once(
    venue: str, nonsense: Any, caplog: pytest.LogCaptureFixture
) -> None:
    frame, way, fields = LIQUIDATION[venue]
    rig = Rig(venue)
    rig.hear(frame)
    assert len(rig.prints()) == 1
    for field in fields:
        for _ in range(2):
            rig.hear(changed(frame, (*way, field), nonsense))
    assert rig.prints() == []
    assert rig.dropped() == 2 * len(fields)
    assert len(caplog.records) == len(rig.book.bad.counts)


@pytest.mark.parametrize("venue", LIQUIDATION)
def test_a_liquidation_of_the_far_future_is_dropped(venue: str) -> None:
    frame, way, fields = LIQUIDATION[venue]
    rig = Rig(venue)
    time = next(field for field in fields if field in ("T", "ts"))
    rig.hear(changed(frame, (*way, time), str(NOW_MS + 86_400_000)))
    assert rig.prints() == []
    assert rig.book.bad.counts == {"liquidations: of the future": 1}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    [
        "forceOrder",
        "contractInfo",
        "markPriceUpdate",
        "allLiquidation.BTCUSDT",
        "tickers.BTCUSDT",
        "liquidation-orders",
        "mark-price",
        "subscribe",
        "error",
        "BTCUSDT",
        "BTC-USDT-SWAP",
    ]
)
KEYS = st.sampled_from(
    [
        "stream",
        "data",
        "e",
        "o",
        "s",
        "S",
        "bks",
        "topic",
        "ts",
        "op",
        "arg",
        "channel",
        "event",
        "details",
        "instId",
        "symbol",
        "markPrice",
        "success",
        "req_id",
        "ct",
        "cs",
        "E",
    ]
)
FRAMES = st.recursive(
    PLAIN | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(st.sampled_from(["Binance", "Bybit", "OKX"]), FRAMES)
def test_no_frame_is_so_strange_that_it_breaks_a_line(venue: str, frame: Any) -> None:
    rig = Rig(venue)
    rig.hear(frame)
    for price in rig.prices().values():
        assert price[1] > 0


@given(st.text(max_size=40) | st.binary(max_size=40))
def test_no_text_breaks_a_line(frame: str | bytes) -> None:
    for venue in ("Binance", "Bybit", "OKX"):
        rig = Rig(venue)
        assert not rig.script.hear(frame)
