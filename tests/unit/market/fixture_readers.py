"""Which file of the four exchanges' fixtures is read by what, why one is not read, and in which there is nothing."""

from collections.abc import Callable
from typing import Any

from bot.market import binance_parse, bybit_parse, hyperliquid_parse, okx_parse
from bot.market.bad_rows import BadRows
from bot.market.binance_brackets import parse_brackets
from bot.market.hyperliquid_accounts import parse_account
from bot.market.okx_parse import Swap
from bot.market.types import Instrument
from tests.unit.market.test_streams_parse import Rig

LATER_MS = 1_900_000_000_000
FACE = 0.01

Reader = Callable[[Any, BadRows], object]
"""Gives what was read; nothing, or something empty, is a failure."""


def instrument(exchange: str, native: str) -> Instrument:
    return Instrument(exchange, native.replace("-", "").removesuffix("SWAP"), native, native[:3], "USDT", 0.1)


def bybit_contracts() -> dict[str, Instrument]:
    return {name: instrument("bybit", name) for name in ("BTCUSDT", "ETHUSDT")}


def swap_of(native: str) -> Swap:
    return Swap(instrument("okx", native), FACE, native.removesuffix("-SWAP"))


def okx_swaps(payload: Any) -> dict[str, Swap]:
    """Whatever the example is of, taken as a swap that is listed."""
    names = [str(row.get("instId") or row.get("uly") or row.get("instFamily")) for row in payload["data"]]
    return {name: swap_of(name) for name in names}


def okx_families(payload: Any) -> dict[str, Swap]:
    names = [str(row.get("instFamily") or row.get("uly")) for row in payload["data"]]
    return {name: swap_of(name) for name in names}


def frame(venue: str) -> Reader:
    """What a line takes from one of the venue's frames: whether it is news, or at least no nonsense."""

    def read(payload: Any, bad: BadRows) -> object:
        rig = Rig(venue)
        for message in payload if isinstance(payload, list) and venue != "Binance" else [payload]:
            if venue == "Binance" and not (isinstance(message, dict) and "stream" in message):
                message = {"stream": stream_of(message), "data": message}
            rig.hear(message)
        return not rig.dropped()

    return read


def stream_of(data: Any) -> str:
    """The stream that a frame without its wrapping came by."""
    kind = (data[0] if isinstance(data, list) else data).get("e")
    return {"forceOrder": "!forceOrder@arr", "markPriceUpdate": "!markPrice@arr@1s", "contractInfo": "!contractInfo"}[
        kind
    ]


def binance_frames(payload: Any, bad: BadRows) -> object:
    return frame("Binance")(payload, bad)


READ: dict[str, list[tuple[str, Reader]]] = {
    "binance": [
        ("*exchange_info*", binance_parse.parse_instruments),
        ("*GetExchangeInfo*", binance_parse.parse_instruments),
        ("*fapi_v1_exchangeInfo*", binance_parse.parse_instruments),
        ("*/rest_exchange_information*", binance_parse.parse_instruments),
        ("*/http_futures_market_klines*", lambda p, bad: binance_parse.parse_bars(p, now_ms=LATER_MS, bad=bad)),
        ("*/rest_kline_candlestick*", lambda p, bad: binance_parse.parse_bars(p, now_ms=LATER_MS, bad=bad)),
        ("*GetKlines*", lambda p, bad: binance_parse.parse_bars(p, now_ms=LATER_MS, bad=bad)),
        ("*open_interest_historical*", binance_parse.parse_open_interest_history),
        ("*open_interest_statistics*", binance_parse.parse_open_interest_history),
        ("*openInterestHist*", binance_parse.parse_open_interest_history),
        ("*GetOpenInterestHistory*", binance_parse.parse_open_interest_history),
        ("*open_interest.json", binance_parse.parse_open_interest_now),
        ("*openInterest_*", binance_parse.parse_open_interest_now),
        ("*GetOpenInterest.json", binance_parse.parse_open_interest_now),
        ("*premium_index.json", binance_parse.parse_mark_prices),
        ("*premiumIndex_*", binance_parse.parse_mark_prices),
        ("*/rest_mark_price.json", binance_parse.parse_mark_prices),
        ("*GetMarkPrice.json", binance_parse.parse_mark_prices),
        ("*http*ticker_24hr.json", binance_parse.parse_volumes),
        ("*fapi_v1_ticker_24hr*", binance_parse.parse_volumes),
        ("*/rest_ticker24hr*", binance_parse.parse_volumes),
        ("*GetTicker.json", binance_parse.parse_volumes),
        ("*rest_*long_short_ratio*", binance_parse.parse_ratios),
        ("*http*top_long_short*", binance_parse.parse_ratios),
        ("*LongShort*Ratio*", binance_parse.parse_ratios),
        ("*http*depth.json", lambda p, bad: binance_parse.parse_depth(p, levels=9, bad=bad)),
        ("*/rest_order_book.json", lambda p, bad: binance_parse.parse_depth(p, levels=9, bad=bad)),
        ("*GetOrderBook*", lambda p, bad: binance_parse.parse_depth(p, levels=9, bad=bad)),
        ("*server_time*", lambda p, bad: binance_parse.parse_server_time(p)),
        ("*GetServerTime*", lambda p, bad: binance_parse.parse_server_time(p)),
        ("*bapi_brackets*", lambda p, bad: parse_brackets(p, least_symbols=1, bad=bad)),
        ("*forceOrder*", binance_frames),
        ("*liquidation*stream*", binance_frames),
        ("*Subscriptions*Liquidations*", binance_frames),
        ("*markPrice_1s*", binance_frames),
        ("*/mark_price_stream*", binance_frames),
        ("*ws_market_mark_price*", binance_frames),
        ("*Subscriptions*MarkPrice*", binance_frames),
        ("*ws_market_contract_info*", binance_frames),
        ("*Subscriptions*SymbolUpdates*", binance_frames),
    ],
    "bybit": [
        ("*market__instrument__*", bybit_parse.parse_instruments),
        ("*get_instruments_*", bybit_parse.parse_instruments),
        ("*GetLinearInverseSymbols*", bybit_parse.parse_instruments),
        ("*docs/market__kline*", lambda p, bad: bybit_parse.parse_bars(p, now_ms=LATER_MS, bad=bad)),
        ("*GetKlines*", lambda p, bad: bybit_parse.parse_bars(p, now_ms=LATER_MS, bad=bad)),
        ("*get_klines_linear*", lambda p, bad: bybit_parse.parse_bars(p, now_ms=LATER_MS, bad=bad)),
        ("*open-interest*", bybit_parse.parse_open_interest_history),
        ("*GetOpenInterest*", bybit_parse.parse_open_interest_history),
        ("*docs/market__tickers*", lambda p, bad: bybit_parse.parse_open_interest_now(p, otherwise_ms=1, bad=bad)),
        ("*GetLinearInverseTickers*", lambda p, bad: bybit_parse.parse_open_interest_now(p, otherwise_ms=1, bad=bad)),
        ("*tickers_linear*", lambda p, bad: bybit_parse.parse_volumes(p, bybit_contracts(), bad)),
        ("*long-short-ratio*", bybit_parse.parse_ratios),
        ("*GetLongShortRatio*", bybit_parse.parse_ratios),
        ("*docs/market__orderbook*", lambda p, bad: bybit_parse.parse_depth(p, levels=9, bad=bad)),
        ("*get_orderbook*", lambda p, bad: bybit_parse.parse_depth(p, levels=9, bad=bad)),
        ("*GetOrderbook*", lambda p, bad: bybit_parse.parse_depth(p, levels=9, bad=bad)),
        ("*risk_limit*", bybit_parse.parse_risk_limits),
        ("*GetRiskLimit*", bybit_parse.parse_risk_limits),
        ("*allLiquidation*", frame("Bybit")),
        ("*all-liquidation*", frame("Bybit")),
        ("*pong*", frame("Bybit")),
        ("*tickers_delta*", frame("Bybit")),
        ("*ws_ticker_linear*", frame("Bybit")),
        ("*websocket__public__ticker*", frame("Bybit")),
        ("*Linear__Ticker*", frame("Bybit")),
        ("*ws_subscription_*", frame("Bybit")),
    ],
    "okx": [
        ("*instruments_SWAP*", okx_parse.parse_swaps),
        ("*get_instruments*", okx_parse.parse_swaps),
        ("*GetSymbols*", okx_parse.parse_swaps),
        ("*get_candlesticks*", lambda p, bad: okx_parse.parse_bars(p, face_coins=FACE, now_ms=LATER_MS, bad=bad)),
        ("*get___candlesticks*", lambda p, bad: okx_parse.parse_bars(p, face_coins=FACE, now_ms=LATER_MS, bad=bad)),
        ("*__GetKline*", lambda p, bad: okx_parse.parse_bars(p, face_coins=FACE, now_ms=LATER_MS, bad=bad)),
        ("*open_interest*", lambda p, bad: okx_parse.parse_open_interest_now(p, face_coins=FACE, bad=bad)),
        ("*GetOpenInterests*", lambda p, bad: okx_parse.parse_open_interest_now(p, face_coins=FACE, bad=bad)),
        ("*http_get_mark_price*", lambda p, bad: okx_parse.parse_mark_prices(p, okx_swaps(p), bad)),
        ("*get_mark_price__*", lambda p, bad: okx_parse.parse_mark_prices(p, okx_swaps(p), bad)),
        ("*__GetMarkPrices*", lambda p, bad: okx_parse.parse_mark_prices(p, okx_swaps(p), bad)),
        ("*get___tickers*", lambda p, bad: okx_parse.parse_volumes(p, okx_swaps(p), bad)),
        ("*__GetTickers*", lambda p, bad: okx_parse.parse_volumes(p, okx_swaps(p), bad)),
        ("*GetRubikLongShortRatio*", okx_parse.parse_ratios),
        ("*order_book__*", lambda p, bad: okx_parse.parse_depth(p, face_coins=FACE, levels=9, bad=bad)),
        ("*__GetOrderBook*", lambda p, bad: okx_parse.parse_depth(p, face_coins=FACE, levels=9, bad=bad)),
        ("*position_tiers*", lambda p, bad: okx_parse.parse_size_tiers(p, okx_families(p), bad)),
        ("*GetPositionTiers*", lambda p, bad: okx_parse.parse_size_tiers(p, okx_families(p), bad)),
        ("*ws_recorded/liquidation_orders*", frame("OKX")),
        ("*ws_recorded/mark_price*", frame("OKX")),
        ("*ws_recorded/error_60018*", frame("OKX")),
        ("*ExchangeData__MarkPrice.txt", frame("OKX")),
    ],
    "hyperliquid": [
        ("*metaAndAssetCtxs*", hyperliquid_parse.parse_assets),
        ("*GetExchangeInfoAndTickers*", hyperliquid_parse.parse_assets),
        ("*test_get_candles_snapshot.yaml", lambda p, bad: hyperliquid_parse.parse_bars(p, now_ms=LATER_MS, bad=bad)),
        ("*test_get_l2_snapshot.yaml", lambda p, bad: hyperliquid_parse.parse_depth(p, levels=9, bad=bad)),
        ("*http_l2_book*", lambda p, bad: hyperliquid_parse.parse_depth(p, levels=9, bad=bad)),
        ("*clearinghouseState*", parse_account),
        ("*clearinghouse_state*", parse_account),
        ("*test_get_user_state.yaml", parse_account),
        ("*GetAccountInfo*", parse_account),
    ],
}

WHERE_FROM = "tells where the files come from"
PRICES_ONLY = "last prices and quotes: prices are mark prices here"
TRADES = "single trades: not used"
FUNDING = "funding and basis: not used"
INDEX = "index prices, their parts and candles of mark or premium: not used"
BOOKS = "a stream of the book: the book is asked for over REST"
CANDLES = "a stream of candles: closed bars are asked for over REST"
OTHER = "another market: options, spot, spreads, futures with a date, leveraged tokens"
SIGNED = "of an account: nothing that needs a key is asked"
NEWS = "announcements, status, limits and funds of the venue: not used"
TAKERS = "taker flow: it comes with Binance's bars, and is not asked of others"
META = "the first answer of a recorded session, without the prices that are joined by position"

UNREAD: dict[str, list[tuple[str, str]]] = {
    "binance": [
        ("*[kK]line*", INDEX),
        ("*Klines*", INDEX),
        ("*price.json", PRICES_ONLY),
        ("*ticker*", PRICES_ONLY),
        ("*Ticker*", PRICES_ONLY),
        ("*price_ticker*", PRICES_ONLY),
        ("*GetPrice*", PRICES_ONLY),
        ("*ook*icker*", PRICES_ONLY),
        ("*GetBookPrice*", PRICES_ONLY),
        ("*depth*", BOOKS),
        ("*Book*", BOOKS),
        ("*rpi_order_book*", BOOKS),
        ("*rade*", TRADES),
        ("*taker*", TAKERS),
        ("*Taker*", TAKERS),
        ("*unding*", FUNDING),
        ("*asis*", FUNDING),
        ("*ndex*", INDEX),
        ("*insurance*", NEWS),
        ("*Insurance*", NEWS),
        ("*adl_risk*", NEWS),
        ("*trading_s*", NEWS),
        ("*settlement*", OTHER),
        ("*position_risk*", SIGNED),
        ("*Account__GetBrackets*", SIGNED),
    ],
    "bybit": [
        ("*index*kline*", INDEX),
        ("*mark-kline*", INDEX),
        ("*IndexPriceKlines*", INDEX),
        ("*MarkPriceKlines*", INDEX),
        ("*index-components*", INDEX),
        ("*kline*", CANDLES),
        ("*trade*", TRADES),
        ("*Trade*", TRADES),
        ("*rderbook*", BOOKS),
        ("*full-ob*", BOOKS),
        ("*Linear__Liquidations*", "the liquidations of one print a second, gone since allLiquidation"),
        ("*unding*", FUNDING),
        ("*Option*", OTHER),
        ("*Spot*", OTHER),
        ("*Spread*", OTHER),
        ("*LeverageToken*", OTHER),
        ("*DeliveryPrice*", OTHER),
        ("*olatility*", OTHER),
        ("*__iv__*", OTHER),
        ("*positions*", SIGNED),
        ("*fee-group*", NEWS),
        ("*adl*", NEWS),
        ("*nsurance*", NEWS),
        ("*rice*imit*", NEWS),
        ("*nnouncements*", NEWS),
        ("*SystemStatus*", NEWS),
        ("*market__time*", "the clock: every answer tells it"),
    ],
    "okx": [
        ("*error_5100*", "an error: the client's judge reads it (test_okx_client)"),
        ("*ption*", OTHER),
        ("*[bB]lock*", OTHER),
        ("*elivery*", OTHER),
        ("*ettlement*", OTHER),
        ("*EstimatedPrice*", OTHER),
        ("*PutCall*", OTHER),
        ("*InterestVolume*", OTHER),
        ("*aker*", TAKERS),
        ("*unding*", FUNDING),
        ("*remium*", FUNDING),
        ("*index*", INDEX),
        ("*Index*", INDEX),
        ("*mark_price_candle*", INDEX),
        ("*MarkPriceKlines*", INDEX),
        ("*lines.txt", CANDLES),
        ("*ws_candle*", CANDLES),
        ("*rade*", TRADES),
        ("*ws_b*", BOOKS),
        ("*OrderBook.txt", BOOKS),
        ("*icker*", PRICES_ONLY),
        ("*Symbol.txt", "a stream of contracts: they are asked for over REST"),
        ("*ws_instruments*", "a stream of contracts: they are asked for over REST"),
        ("*Interest.txt", "a stream of open interest: it is asked for over REST"),
        ("*Concurrent*", "two subscriptions of one socket: candles of another market"),
        ("*positions*", SIGNED),
        ("*ime*", "the clock: every answer tells it"),
        ("*RubikSupportCoin*", "which coins rubik knows: it is asked by contract"),
        ("*RubikContractSummary*", "open interest of a coin over all contracts: it is asked by contract"),
        ("*Lending*", OTHER),
        ("*nterest*ate*", OTHER),
        ("*iscount*", OTHER),
        ("*nsurance*", NEWS),
        ("*imit*", NEWS),
        ("*uction*", NEWS),
        ("*nnouncement*", NEWS),
        ("*ystem*tatus*", NEWS),
        ("*economic*", NEWS),
        ("*Oracle*", NEWS),
        ("*olume*", NEWS),
        ("*historical_market_data*", NEWS),
        ("*xchange_rate*", NEWS),
        ("*nderlying*", NEWS),
        ("*onvert*", NEWS),
    ],
    "hyperliquid": [
        ("*.response.json", META),
        ("*GetExchangeInfo.json", META),
        ("*meta*", META),
        ("*test_get_info.yaml", META),
        ("*unding*", FUNDING),
        ("*Candle*", CANDLES),
        ("*Klines*", CANDLES),
        ("*[Tt]rades*", TRADES),
        ("*book*", BOOKS),
        ("*Book*", BOOKS),
        ("*all_mids*", PRICES_ONLY),
        ("*allmids*", PRICES_ONLY),
        ("*Prices*", PRICES_ONLY),
        ("*sset*tx*", "a stream of contexts: they are asked for over REST, all in one"),
        ("*Order*", SIGNED),
        ("*ser*", SIGNED),
        ("*MaxOpenInterest*", NEWS),
        ("*Concurrent*", "two subscriptions of one socket"),
    ],
}

NOTHING_IN: list[tuple[str, str]] = [
    ("binance/sdk_spec/rest_kline_candlestick_data.json", "a row of one cell, as documents abbreviate"),
    ("binance/sdk_spec/rest_top_trader_long_short_ratio_positions.json", "shares that are made up, and no whole"),
    ("bybit/docs/market__instrument__*", "no perpetual of a coin that trades now"),
    ("bybit/docs/market__tickers__3.json", "an option, without open interest"),
    ("bybit/docs/websocket__public__ticker__1.json", "a contract that is not listed here"),
    ("bybit/*PreListing*", "a contract that does not trade yet"),
    ("bybit/*instruments_*", "contracts of another kind"),
    ("bybit/nautilus/http_get_klines_linear.json", "a time that is on no grid of five minutes"),
    ("okx/*andlesticks*", "candles that are open, or on no grid of five minutes"),
    ("okx/*GetKline*", "candles that are open"),
    ("okx/*nstruments*", "no linear swap of a coin"),
    ("okx/*GetSymbols*", "no linear swap of a coin"),
    ("okx/*__MarkPrice.txt", "a contract that is not listed here"),
    ("okx/ws_recorded/error_60018*", "an error of the line: counted"),
    ("hyperliquid/*negative_total_raw_usd*", "an account without a position"),
]
"""Files that are read, and in which there is nothing for a map."""
