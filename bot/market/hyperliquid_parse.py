"""Hyperliquid's answers into Liqwatch's types: everything about all contracts comes in one, joined by position.

Open interest counts both sides and is halved. Every parser takes decoded JSON. A wrong shape raises
ExchangeUnavailableError; a wrong row is counted in BadRows. Fields that are not read may come, go and change.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.crowd_rows import depth_of
from bot.market.rows import BarRow, bars_of, rows_of, wrong_shape
from bot.market.tiers import Tiers, tiers_fault, with_amounts
from bot.market.types import Bars, Depth, Instrument

EXCHANGE = "hyperliquid"
VENUE = "Hyperliquid"

NO_CAP_USD = 1e12
"""No cap is published for the last tier of a table."""

_PRICE_FIGURES = 5
_PRICE_AND_SIZE_DECIMALS = 6
_PLAIN_TABLES = 50

Tables = Mapping[int, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Asset:
    """One contract at one moment. NaN where the venue gave no number; `coins` is open interest, one side."""

    instrument: Instrument
    mark_price: float
    coins: float
    volume_usd: float
    tiers: Tiers


def parse_assets(payload: object, bad: BadRows) -> tuple[Asset, ...]:
    """The contracts of metaAndAssetCtxs that trade: universe and contexts belong together by their position."""
    if not isinstance(payload, list) or len(payload) != 2 or not isinstance(payload[0], dict):
        raise wrong_shape(VENUE, "metaAndAssetCtxs", "a pair of universe and contexts")
    universe = rows_of(payload[0].get("universe"), "metaAndAssetCtxs", VENUE)
    contexts = rows_of(payload[1], "metaAndAssetCtxs", VENUE)
    if len(universe) != len(contexts):
        raise wrong_shape(VENUE, "metaAndAssetCtxs", "as many contexts as contracts")
    tables = _tables(payload[0].get("marginTables"))
    found = []
    for entry, context in zip(universe, contexts, strict=True):
        if not isinstance(entry, dict) or not isinstance(context, dict):
            bad.drop("instruments", "not an object")
        elif not entry.get("isDelisted") and (asset := _asset(entry, context, tables, bad)) is not None:
            found.append(asset)
    return tuple(found)


def canonical_base(name: str) -> str:
    """1000PEPE of kPEPE: a small k before a name is a thousand of the coin."""
    return "1000" + name[1:] if name[:1] == "k" and name[1:2].isupper() else name


def _asset(entry: Mapping[str, object], context: Mapping[str, object], tables: Tables, bad: BadRows) -> Asset | None:
    name = entry.get("name")
    if not isinstance(name, str) or not name or ":" in name:  # "xyz:TSLA" is a market of somebody else
        bad.drop("instruments", "no name")
        return None
    price, leverage = number(context.get("markPx")), number(entry.get("maxLeverage"))
    tick_size = tick_size_at(price, number(entry.get("szDecimals")))
    if not tick_size > 0:
        bad.drop("instruments", "no size decimals")
        return None
    base = canonical_base(name)
    instrument = Instrument(
        exchange=EXCHANGE,
        symbol=base + "USDT",
        native=name,
        base=base,
        quote="USDT",
        tick_size=tick_size,
        max_leverage=leverage if leverage >= 1 else None,
    )
    return Asset(
        instrument=instrument,
        mark_price=price,
        coins=number(context.get("openInterest")) / 2,
        volume_usd=number(context.get("dayNtlVlm")),
        tiers=_tiers(entry, tables, bad),
    )


def tick_size_at(price: float, size_decimals: float) -> float:
    """The step of prices: five figures, at most 6 - szDecimals decimals (all of them without a price), 1 at most."""
    if not 0 <= size_decimals <= _PRICE_AND_SIZE_DECIMALS:
        return math.nan
    decimals = _PRICE_AND_SIZE_DECIMALS - int(size_decimals)
    if price > 0:
        decimals = min(decimals, _PRICE_FIGURES - 1 - math.floor(math.log10(price)))
    return float(f"1e-{max(0, decimals)}")


def _tables(payload: object) -> Tables:
    """Rungs of (lower bound, highest leverage) by the table's id."""
    found: dict[int, list[tuple[float, float]]] = {}
    for pair in payload if isinstance(payload, list) else ():
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], dict):
            continue
        tiers = pair[1].get("marginTiers")
        rungs = [tier for tier in tiers if isinstance(tier, dict)] if isinstance(tiers, list) else []
        found[int(number(pair[0]))] = [(number(row.get("lowerBound")), number(row.get("maxLeverage"))) for row in rungs]
    return found


def _tiers(entry: Mapping[str, object], tables: Tables, bad: BadRows) -> Tiers:
    """The contract's table; without one, or by an id of 50 or less, one tier. Empty where it contradicts itself."""
    table_id = number(entry.get("marginTableId"))
    rungs = tables.get(int(table_id)) if math.isfinite(table_id) else None
    if rungs is None and table_id > _PLAIN_TABLES:
        bad.drop("risk tiers", "no such margin table")
        return ()
    plain = number(entry.get("maxLeverage")) if math.isnan(table_id) else table_id
    bounds = rungs or [(0.0, plain)]
    caps = [bound for bound, _ in bounds[1:]] + [NO_CAP_USD]
    if bounds[0][0] != 0 or not all(leverage >= 1 for _, leverage in bounds):
        bad.drop("risk tiers", "not contiguous, or no leverage")
        return ()
    # Maintenance is half of the initial margin at the tier's highest leverage.
    tiers = with_amounts([(leverage, 0.5 / leverage, cap) for (_, leverage), cap in zip(bounds, caps, strict=True)])
    fault = tiers_fault(tiers)
    if fault is not None:
        bad.drop("risk tiers", fault)
        return ()
    return tiers


def parse_bars(payload: object, *, now_ms: int, bad: BadRows) -> Bars:
    """The closed bars of candleSnapshot, oldest first; v is in coins, and there is no quote volume."""
    return bars_of(map(_bar, rows_of(payload, "candleSnapshot", VENUE)), now_ms=now_ms, bad=bad)


def _bar(row: object) -> BarRow | None:
    if not isinstance(row, dict):
        return None
    return BarRow(milliseconds(row.get("t")), *[number(row.get(key)) for key in "ohlcv"])


def parse_depth(payload: object, *, levels: int, bad: BadRows) -> Depth:
    """l2Book: bids, then asks, as objects of px and sz, in coins."""
    sides = payload.get("levels") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(sides, list) or len(sides) != 2:
        raise wrong_shape(VENUE, "l2Book", "an object with two sides")
    bids, asks = (map(_level, rows_of(side, "l2Book", VENUE)) for side in sides)
    return depth_of(payload.get("time"), bids, asks, venue=VENUE, levels=levels, bad=bad)


def _level(row: object) -> tuple[float, float]:
    if not isinstance(row, dict):
        return math.nan, math.nan
    return number(row.get("px")), number(row.get("sz"))
