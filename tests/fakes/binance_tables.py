"""The fake Binance's lists: instruments in the venue's full shape, with some that must be left out, and risk tiers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes.recorded_market import RecordedMarket

_PERPETUAL_DELIVERY_MS = 4133404800000
_FILLERS = 120

# floor, cap, maintenance rate, maintenance amount, lowest and highest leverage
_Row = tuple[float, float, float, float, float, float]

_BTC: list[_Row] = [
    (0, 300_000, 0.004, 0, 101, 150),
    (300_000, 800_000, 0.005, 300, 76, 100),
    (800_000, 3_000_000, 0.0065, 1_500, 51, 75),
    (3_000_000, 12_000_000, 0.01, 12_000, 26, 50),
    (12_000_000, 70_000_000, 0.02, 132_000, 21, 25),
    (70_000_000, 100_000_000, 0.025, 482_000, 11, 20),
    (100_000_000, 230_000_000, 0.05, 2_982_000, 6, 10),
    (230_000_000, 480_000_000, 0.1, 14_482_000, 1, 5),
]
_OTHER: list[_Row] = [
    (0, 5_000, 0.015, 0, 21, 50),
    (5_000, 10_000, 0.025, 50, 11, 20),
    (10_000, 20_000, 0.05, 300, 6, 10),
    (20_000, 50_000, 0.1, 1_300, 5, 5),
    (50_000, 250_000, 0.125, 2_550, 1, 4),
]


def exchange_info_body(markets: Sequence[RecordedMarket], now_ms: int) -> dict[str, Any]:
    """/fapi/v1/exchangeInfo, with a quarterly, a metal, a settling contract and a USDC one among the real ones."""
    strangers = [
        _row("BTCUSDT_260327", "BTC", decimals=1, contractType="CURRENT_QUARTER", deliveryDate=1774598400000),
        _row("XAUUSDT", "XAU", decimals=2, contractType="TRADIFI_PERPETUAL", underlyingType="COMMODITY"),
        _row("GONEUSDT", "GONE", decimals=4, status="SETTLING", deliveryDate=now_ms - 3_600_000),
        _row("BTCUSDC", "BTC", decimals=1, quoteAsset="USDC", marginAsset="USDC"),
    ]
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [
            *(_row(market.symbol, market.symbol.removesuffix("USDT"), decimals=market.decimals) for market in markets),
            *strangers,
        ],
    }


def _row(symbol: str, base: str, *, decimals: int, **change: object) -> dict[str, Any]:
    tick = f"{10**-decimals:.{decimals}f}"
    row = {
        "symbol": symbol,
        "pair": symbol.partition("_")[0],
        "contractType": "PERPETUAL",
        "deliveryDate": _PERPETUAL_DELIVERY_MS,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": decimals + 1,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {"minQty": "0.001", "stepSize": "0.001", "filterType": "LOT_SIZE", "maxQty": "1000"},
            {"filterType": "PRICE_FILTER", "tickSize": tick, "maxPrice": "4529764", "minPrice": tick},
            {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    }
    return row | change


def brackets_body(path: Path, symbols: Sequence[str]) -> dict[str, Any]:
    """The web site's answer: the recording's own tiers where it has them, and enough other symbols to be believed."""
    recorded: dict[str, list[dict[str, float]]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    tables = {f"FILLER{number}USDT": _OTHER for number in range(_FILLERS)}
    for symbol in symbols:
        rows = [_recorded(row) for row in recorded.get(symbol, [])]
        tables[symbol] = rows or (_BTC if symbol == "BTCUSDT" else _OTHER)
    entries = [
        {
            "symbol": symbol,
            "updateTime": 1755585384254,
            "notionalLimit": 100,
            "riskBrackets": [
                {
                    "bracketSeq": number,
                    "bracketNotionalFloor": row[0],
                    "bracketNotionalCap": row[1],
                    "bracketMaintenanceMarginRate": row[2],
                    "cumFastMaintenanceAmount": row[3],
                    "minOpenPosLeverage": row[4],
                    "maxOpenPosLeverage": row[5],
                }
                for number, row in enumerate(table, start=1)
            ],
        }
        for symbol, table in tables.items()
    ]
    return {"code": "000000", "message": None, "messageDetail": None, "data": {"brackets": entries}}


def _recorded(row: dict[str, float]) -> _Row:
    floor, cap = row["notional_floor"], row["notional_cap"]
    return floor, cap, row["maintenance_margin_rate"], row["maintenance_amount"], 1, row["max_leverage"]
