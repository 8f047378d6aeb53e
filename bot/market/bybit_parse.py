"""Bybit v5 answers into Liqwatch's types: numbers are strings, rows come newest first, open interest counts both sides.

Every parser takes decoded JSON. A wrong shape raises ExchangeUnavailableError; a wrong row is counted in BadRows.
Fields that are not read may come, go and change.
"""

import math
from collections.abc import Iterator, Mapping

from bot.liquidation.margin import RiskTier
from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.crowd_rows import depth_of, ratios_of, share_of
from bot.market.rows import BarRow, bars_of, rows_of, samples_of, tick_of, wrong_shape
from bot.market.tiers import Tiers, tiers_fault
from bot.market.types import Bars, Depth, Instrument, LongShortRatios, OpenInterest, Tick

EXCHANGE = "bybit"
VENUE = "Bybit"

_NO_COINS = {"stock", "commodity", "forex"}

# Where Bybit writes a multiplier otherwise than the other venues.
_CANONICAL_BASE = {"SHIB1000": "1000SHIB", "1000000BABYDOGE": "1MBABYDOGE"}


def rows(payload: object, what: str) -> list[object]:
    """The rows of an answer's `result.list`."""
    result = payload.get("result") if isinstance(payload, dict) else None
    if not isinstance(result, dict):
        raise wrong_shape(VENUE, what, "an object with a result")
    return rows_of(result.get("list"), what, VENUE)


def next_cursor(payload: object) -> str:
    """Where the next page begins; empty after the last one."""
    result = payload.get("result") if isinstance(payload, dict) else None
    cursor = result.get("nextPageCursor") if isinstance(result, dict) else None
    return cursor if isinstance(cursor, str) else ""


def answered_ms(payload: object, otherwise_ms: int) -> int:
    """When the venue made this answer, ms UTC: rows of tickers have no time of their own."""
    told = milliseconds(payload.get("time")) if isinstance(payload, dict) else None
    return otherwise_ms if told is None else told


def parse_instruments(payload: object, bad: BadRows) -> tuple[Instrument, ...]:
    """The trading USDT perpetuals of one page of instruments-info; futures, USDC, stocks, metals are left out."""
    found = []
    for row in rows(payload, "instruments-info"):
        if not isinstance(row, dict):
            bad.drop("instruments", "not an object")
        elif _is_wanted(row) and (instrument := _instrument(row, bad)) is not None:
            found.append(instrument)
    return tuple(found)


def _is_wanted(row: Mapping[str, object]) -> bool:
    kind = (row.get("contractType"), row.get("quoteCoin"), row.get("settleCoin"), row.get("status"))
    return kind == ("LinearPerpetual", "USDT", "USDT", "Trading") and row.get("symbolType") not in _NO_COINS


def _instrument(row: Mapping[str, object], bad: BadRows) -> Instrument | None:
    native, coin = row.get("symbol"), row.get("baseCoin")
    if not isinstance(native, str) or not native or not isinstance(coin, str) or not coin:
        bad.drop("instruments", "no symbol or base")
        return None
    tick_size = number(_inner(row, "priceFilter", "tickSize"))
    if not tick_size > 0:
        bad.drop("instruments", "no tick size")
        return None
    leverage = number(_inner(row, "leverageFilter", "maxLeverage"))
    base = _CANONICAL_BASE.get(coin, coin)
    return Instrument(
        exchange=EXCHANGE,
        symbol=base + "USDT" if native == coin + "USDT" else native,
        native=native,
        base=base,
        quote="USDT",
        tick_size=tick_size,
        onboard_ms=milliseconds(row.get("launchTime")),
        delist_ms=milliseconds(row.get("deliveryTime")),  # "0" on a perpetual that stays
        max_leverage=leverage if leverage >= 1 else None,
    )


def _inner(row: Mapping[str, object], name: str, key: str) -> object:
    inner = row.get(name)
    return inner.get(key) if isinstance(inner, dict) else None


def parse_bars(payload: object, *, now_ms: int, bad: BadRows) -> Bars:
    """The closed bars of one page of kline: start, open, high, low, close, volume (coins), turnover (USDT)."""
    return bars_of(map(_bar, reversed(rows(payload, "kline"))), now_ms=now_ms, bad=bad)


def _bar(row: object) -> BarRow | None:
    if not isinstance(row, list) or len(row) < 7:
        return None
    return BarRow(milliseconds(row[0]), *(number(value) for value in row[1:7]))


def parse_open_interest_history(payload: object, bad: BadRows) -> OpenInterest:
    """Rows of open-interest: coins, one side."""
    return samples_of(map(_sample, reversed(rows(payload, "open-interest"))), bad=bad)


def _sample(row: object) -> tuple[int | None, float]:
    if not isinstance(row, dict):
        return None, math.nan
    return milliseconds(row.get("timestamp")), _one_side(row)


def _one_side(row: Mapping[str, object]) -> float:
    """`openInterest` counts the longs and the shorts; the single figure is there since June 2026."""
    single = number(row.get("singleOpenInterest"))
    return single if single > 0 else number(row.get("openInterest")) / 2


def parse_open_interest_now(payload: object, *, otherwise_ms: int, bad: BadRows) -> OpenInterest:
    """The open interest of a ticker of one symbol, as one row; zero (a contract that settles) gives no row."""
    time_ms = answered_ms(payload, otherwise_ms)
    found = [(time_ms, _one_side(row)) for row in rows(payload, "tickers") if isinstance(row, dict)]
    return samples_of(found[:1], bad=bad)


def parse_mark_prices(payload: object, contracts: Mapping[str, Instrument], *, otherwise_ms: int, bad: BadRows) -> Tick:
    """The mark prices of all tickers that are among `contracts` (by the venue's name)."""
    time_ms = answered_ms(payload, otherwise_ms)
    known = [(symbol, time_ms, number(row.get("markPrice"))) for symbol, row in _listed(payload, contracts)]
    return tick_of(EXCHANGE, known, bad=bad)


def parse_volumes(payload: object, contracts: Mapping[str, Instrument], bad: BadRows) -> dict[str, float]:
    """Quote volume (USDT) of the last 24 h by symbol."""
    volumes: dict[str, float] = {}
    for symbol, row in _listed(payload, contracts):
        volume = number(row.get("turnover24h"))
        if volume >= 0:
            volumes[symbol] = volume
        else:
            bad.drop("volumes", "no number")
    return volumes


def _listed(payload: object, contracts: Mapping[str, Instrument]) -> Iterator[tuple[str, Mapping[str, object]]]:
    for row in rows(payload, "tickers"):
        contract = contracts.get(str(row.get("symbol"))) if isinstance(row, dict) else None
        if isinstance(row, dict) and contract is not None:
            yield contract.symbol, row


def parse_ratios(payload: object, bad: BadRows) -> LongShortRatios:
    """Rows of account-ratio: shares of accounts, `buyRatio` the longs."""
    return ratios_of(map(_ratio, reversed(rows(payload, "account-ratio"))), bad=bad)


def _ratio(row: object) -> tuple[int | None, float]:
    if not isinstance(row, dict):
        return None, math.nan
    return milliseconds(row.get("timestamp")), share_of(number(row.get("buyRatio")), number(row.get("sellRatio")))


def parse_depth(payload: object, *, levels: int, bad: BadRows) -> Depth:
    """orderbook: pairs of price and coins; the time is that of the matching engine, or of the snapshot without it."""
    result = payload.get("result") if isinstance(payload, dict) else None
    if not isinstance(result, dict):
        raise wrong_shape(VENUE, "orderbook", "an object with a result")
    bids, asks = (map(_level, rows_of(result.get(side), "orderbook", VENUE)) for side in "ba")
    return depth_of(result.get("cts") or result.get("ts"), bids, asks, venue=VENUE, levels=levels, bad=bad)


def _level(row: object) -> tuple[float, float]:
    if not isinstance(row, list) or len(row) < 2:
        return math.nan, math.nan
    return number(row[0]), number(row[1])


def parse_risk_limits(payload: object, bad: BadRows) -> dict[str, Tiers]:
    """Tiers by the venue's symbol, ascending, out of risk-limit. A table that contradicts itself is dropped."""
    tables: dict[str, list[Mapping[str, object]]] = {}
    for row in rows(payload, "risk-limit"):
        if isinstance(row, dict) and isinstance(row.get("symbol"), str):
            tables.setdefault(row["symbol"], []).append(row)
        else:
            bad.drop("risk tiers", "no symbol")
    found: dict[str, Tiers] = {}
    for native, table in tables.items():
        tiers = _tiers(table)
        fault = tiers_fault(tiers)
        if fault is None:
            found[native] = tiers
        else:
            bad.drop("risk tiers", fault)
    return found


def _tiers(table: list[Mapping[str, object]]) -> Tiers:
    tiers: list[RiskTier] = []
    floor = 0.0
    for row in sorted(table, key=lambda row: number(row.get("riskLimitValue"))):
        cap = number(row.get("riskLimitValue"))
        deduction = row.get("mmDeduction")
        tiers.append(
            RiskTier(
                notional_floor=floor,
                notional_cap=cap,
                maintenance_margin_rate=number(row.get("maintenanceMargin")),
                maintenance_amount=0.0 if deduction in ("", None) else number(deduction),
                max_leverage=number(row.get("maxLeverage")),
            )
        )
        floor = cap
    return tuple(tiers)
