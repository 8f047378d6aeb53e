"""Long/short ratios and order books: the recorded answers of each venue, and rows that cannot be true."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.market import binance_parse, bybit_parse, hyperliquid_parse, okx_parse
from bot.market.bad_rows import BadRows
from bot.market.crowd_rows import depth_of, join_ratios, ratios_of, share_of, share_of_ratio, with_farther
from bot.market.exchange import ExchangeUnavailableError
from bot.market.types import Depth, Floats, LongShortRatios
from tests.shared import SHARED, needs_shared
from tests.unit.market.grown import grown

T0 = 1_766_188_800_000
NOT_WHOLE = "long/short ratios: no share, or two that do not make a whole"


def fixture(name: str) -> Any:
    return json.loads((SHARED / "fixtures" / name).read_text(encoding="utf-8"))


RATIOS: list[tuple[str, Callable[[object, BadRows], LongShortRatios], list[float], int]] = [
    (
        "binance/live2026/futures_data_globalLongShortAccountRatio_ETHUSDT_5m_limit1.json",
        binance_parse.parse_ratios,
        [0.7424],
        0,
    ),
    ("binance/sdk_spec/rest_long_short_ratio.json", binance_parse.parse_ratios, [0.6622], 0),
    ("binance/sdk_spec/rest_top_trader_long_short_ratio_accounts.json", binance_parse.parse_ratios, [0.6442], 0),
    # Made up by the documentation: 0.5344 and 0.4238 are not a whole.
    ("binance/sdk_spec/rest_top_trader_long_short_ratio_positions.json", binance_parse.parse_ratios, [], 1),
    (
        "binance/nautilus/http_futures_market_top_long_short_position_ratio.json",
        binance_parse.parse_ratios,
        [0.5891, 0.3583],
        0,
    ),
    (
        "binance/jkorf/Endpoints__UsdFutures__ExchangeData__GetGlobalLongShortAccountRatio.json",
        binance_parse.parse_ratios,
        [0.6622, 0.6617],
        0,
    ),
    (
        "binance/jkorf/Endpoints__UsdFutures__ExchangeData__GetTopLongShortAccountRatio.json",
        binance_parse.parse_ratios,
        [0.6442, 0.3580],
        0,
    ),
    (
        "binance/jkorf/Endpoints__UsdFutures__ExchangeData__GetTopLongShortPositionRatio.json",
        binance_parse.parse_ratios,
        [0.3583],
        1,
    ),
    ("bybit/docs/market__long-short-ratio__1.json", bybit_parse.parse_ratios, [0.4927, 0.49], 0),
    ("bybit/jkorf/Endpoints__V5Api__ExchangeData__GetLongShortRatio.json", bybit_parse.parse_ratios, [0.5777], 0),
    (
        "okx/jkorf/Endpoints__UnifiedApi__ExchangeData__GetRubikLongShortRatio.json",
        okx_parse.parse_ratios,
        [1.25 / 2.25],
        0,
    ),
]


@needs_shared
@pytest.mark.parametrize(("name", "parse", "shares", "dropped"), RATIOS)
def test_ratios_are_shares_of_longs_oldest_first(
    name: str, parse: Callable[[object, BadRows], LongShortRatios], shares: list[float], dropped: int
) -> None:
    bad = BadRows("a venue")
    found = parse(fixture(name), bad)
    assert found.long_share == pytest.approx(shares)
    assert (np.diff(found.time_ms) > 0).all()
    assert bad.counts == ({NOT_WHOLE: dropped} if dropped else {})
    assert parse(grown(fixture(name)), bad).long_share == pytest.approx(shares)


def okx_depth(payload: object, *, levels: int, bad: BadRows) -> Depth:
    return okx_parse.parse_depth(payload, face_coins=0.01, levels=levels, bad=bad)


BOOKS: list[tuple[str, Callable[..., Depth], int, tuple[float, float], tuple[float, float]]] = [
    ("binance/sdk_spec/rest_order_book.json", binance_parse.parse_depth, 1, (4.0, 431.0), (4.000002, 12.0)),
    ("binance/nautilus/http_futures_market_depth.json", binance_parse.parse_depth, 1, (4.0, 431.0), (4.000002, 12.0)),
    (
        "binance/jkorf/Endpoints__UsdFutures__ExchangeData__GetOrderBook.json",
        binance_parse.parse_depth,
        1,
        (4.0, 431.0),
        (4.000002, 12.0),
    ),
    ("bybit/docs/market__orderbook__1.json", bybit_parse.parse_depth, 1, (65485.47, 47.081829), (65557.7, 16.606555)),
    ("bybit/nautilus/http_get_orderbook.json", bybit_parse.parse_depth, 3, (27450.5, 1.5), (27451.0, 1.2)),
    (
        "bybit/jkorf/Endpoints__V5Api__ExchangeData__GetOrderbook.json",
        bybit_parse.parse_depth,
        1,
        (62710.2, 5.52),
        (62710.3, 0.01),
    ),
    ("okx/docs/get___order_book__1.json", okx_depth, 1, (41006.3, 0.0030178218), (41006.8, 0.0060038921)),
    ("okx/docs/get___full_order_book__1.json", okx_depth, 1, (41006.3, 0.0030178218), (41006.8, 0.0060038921)),
    (
        "okx/jkorf/Endpoints__UnifiedApi__ExchangeData__GetOrderBook.json",
        okx_depth,
        1,
        (41006.3, 0.0030178218),
        (41006.8, 0.0060038921),
    ),
    (
        "hyperliquid/nautilus/http_l2_book_btc.json",
        hyperliquid_parse.parse_depth,
        5,
        (110427.0, 4.11882),
        (110428.0, 3.72573),
    ),
    ("hyperliquid/nautilus/http_l2_book_snapshot.json", hyperliquid_parse.parse_depth, 5, (98450.5, 2.5), (98451, 1.5)),
]


@needs_shared
@pytest.mark.parametrize(("name", "parse", "levels", "bid", "ask"), BOOKS)
def test_books_are_in_coins_and_best_first(
    name: str, parse: Callable[..., Depth], levels: int, bid: tuple[float, float], ask: tuple[float, float]
) -> None:
    bad = BadRows("a venue")
    for payload in (fixture(name), grown(fixture(name))):
        found = parse(payload, levels=1000, bad=bad)
        assert len(found.bid_price) == len(found.ask_price) == levels
        assert (found.bid_price[0], found.bid_coins[0]) == pytest.approx(bid)
        assert (found.ask_price[0], found.ask_coins[0]) == pytest.approx(ask)
    assert bad.counts == {}


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ((None, 0.5), "long/short ratios: no time"),
        ((T0 + 1, float("nan")), NOT_WHOLE),
        ((T0 + 1, 0.0), NOT_WHOLE),
        ((T0 + 1, 1.0), NOT_WHOLE),
        ((T0, 0.5), "long/short ratios: out of order"),
    ],
)
def test_a_ratio_that_cannot_be_true_is_dropped_and_counted(row: tuple[int | None, float], cause: str) -> None:
    bad = BadRows("a venue")
    found = ratios_of([(T0, 0.6), row, (T0 + 2, 0.7)], bad=bad)
    assert found.long_share.tolist() == [0.6, 0.7]
    assert bad.counts == {cause: 1}


@given(st.floats(0.01, 0.99))
def test_both_ways_of_telling_a_share_agree(share: float) -> None:
    assert share_of(round(share, 4), round(1 - share, 4)) == pytest.approx(share, abs=1e-4)
    assert share_of_ratio(share / (1 - share)) == pytest.approx(share)


def test_pages_that_overlap_join_into_each_time_once() -> None:
    first = ratios_of([(1, 0.1), (2, 0.2)], bad=BadRows("a venue"))
    second = ratios_of([(2, 0.3), (3, 0.4)], bad=BadRows("a venue"))
    joined = join_ratios([first, second], start_ms=1, end_ms=3)
    assert (joined.time_ms.tolist(), joined.long_share.tolist()) == ([2, 3], [0.3, 0.4])
    assert len(join_ratios([], start_ms=0, end_ms=9)) == 0


def book(bids: list[tuple[float, float]], asks: list[tuple[float, float]], time: object = T0) -> tuple[Depth, BadRows]:
    bad = BadRows("a venue")
    return depth_of(time, bids, asks, venue="A venue", levels=10, bad=bad), bad


def test_levels_that_cannot_be_true_are_dropped_and_counted() -> None:
    found, bad = book([(9, 1), (9, 2), (10, 1), (8, 0), (7, 1)], [(11, 1), (float("nan"), 1), (10.5, 1), (12, 3)])
    assert found.bid_price.tolist() == [9, 7]
    assert found.ask_price.tolist() == [11, 12]
    assert bad.counts == {
        "order book: out of order": 3,
        "order book: a price or size that is not a positive number": 2,
    }


def test_a_crossed_book_and_one_without_a_time_are_refused() -> None:
    with pytest.raises(ExchangeUnavailableError, match="best bid is not below"):
        book([(10, 1)], [(10, 1)])
    with pytest.raises(ExchangeUnavailableError, match="without a time"):
        book([(10, 1)], [(11, 1)], time="soon")


@pytest.mark.parametrize("payload", [None, [], {}, {"bids": 1}, {"data": []}, {"result": {}}, {"levels": [1, 2]}, "x"])
def test_another_shape_is_an_error_of_the_venue(payload: object) -> None:
    bad = BadRows("a venue")
    for parse in (binance_parse.parse_depth, bybit_parse.parse_depth, okx_depth, hyperliquid_parse.parse_depth):
        with pytest.raises(ExchangeUnavailableError):
            parse(payload, levels=5, bad=bad)


@given(
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=300),
    seen=st.integers(1, 40),
    step=st.integers(2, 30),
    steps=st.integers(1, 20),
)
def test_a_book_filled_up_with_its_coarser_steps_counts_every_order_once(
    sizes: list[int], seen: int, step: int, steps: int
) -> None:
    away: Floats = np.arange(1.0, len(sizes) + 1.0)
    coins = np.array(sizes, dtype=np.float64)
    ends = (np.arange(len(sizes)) // step).tolist()  # the step each order is added up in, told by its outer edge
    sums = np.asarray(np.bincount(ends, coins)[:steps], dtype=np.float64)
    edges = np.asarray(step * (np.arange(len(sums)) + 1.0), dtype=np.float64)
    finest = Depth(1, 10_000.0 - away[:seen], coins[:seen], 10_000.0 + away[:seen], coins[:seen])
    coarse = Depth(2, 10_000.0 - edges, sums, 10_000.0 + edges, sums)
    whole = with_farther(finest, coarse)
    told = max(len(finest.bid_price), min(steps * step, len(sizes)))
    assert whole.bid_coins.sum() == whole.ask_coins.sum() == coins[:told].sum()
    assert (np.diff(whole.bid_price) < 0).all()
    assert (np.diff(whole.ask_price) > 0).all()
    assert whole.time_ms == 1
