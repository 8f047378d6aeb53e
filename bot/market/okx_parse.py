"""OKX v5 answers into Liqwatch's types: contracts become coins here, and rows that come newest first are turned.

Coins are contracts x ctVal x ctMult, the contract's face; it is read, never known. Every parser takes decoded JSON.
A wrong shape raises ExchangeUnavailableError; a wrong row is counted in BadRows. Unread fields may come and go.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.liquidation.margin import RiskTier
from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.crowd_rows import depth_of, ratios_of, share_of_ratio
from bot.market.rows import BarRow, bars_of, rows_of, samples_of, tick_of, wrong_shape
from bot.market.tiers import Tiers, tiers_fault
from bot.market.types import Bars, Depth, Instrument, LongShortRatios, OpenInterest, Tick

EXCHANGE = "okx"
VENUE = "OKX"

_COINS = ("1", "", None)  # instCategory: 3 and above are stocks, metals, currencies
_CLOSED = "1"


@dataclass(frozen=True, slots=True)
class Swap:
    """A contract and what one of it is in coins; `family` is what its risk tiers are asked by."""

    instrument: Instrument
    face_coins: float
    family: str


@dataclass(frozen=True, slots=True)
class SizeTier:
    """A risk tier as published: up to `cap_coins`, whatever the price is."""

    cap_coins: float
    maintenance_margin_rate: float
    max_leverage: float


def rows(payload: object, what: str) -> list[object]:
    """The rows of an answer's `data`."""
    if not isinstance(payload, dict):
        raise wrong_shape(VENUE, what, "an object with data")
    return rows_of(payload.get("data"), what, VENUE)


def parse_swaps(payload: object, bad: BadRows) -> tuple[Swap, ...]:
    """The live linear USDT swaps of public/instruments; inverse ones, pre-market, stocks and metals are left out."""
    found = []
    for row in rows(payload, "instruments"):
        if not isinstance(row, dict):
            bad.drop("instruments", "not an object")
        elif _is_wanted(row) and (swap := _swap(row, bad)) is not None:
            found.append(swap)
    return tuple(found)


def _is_wanted(row: Mapping[str, object]) -> bool:
    kind = (row.get("instType"), row.get("ctType"), row.get("settleCcy"), row.get("state"))
    is_coin = row.get("instCategory") in _COINS and row.get("ruleType") != "pre_market"
    return kind == ("SWAP", "linear", "USDT", "live") and is_coin


def _swap(row: Mapping[str, object], bad: BadRows) -> Swap | None:
    native, family = row.get("instId"), row.get("instFamily") or row.get("uly")
    # baseCcy is empty on swaps.
    base, _, quote = family.partition("-") if isinstance(family, str) else ("", "", "")
    if not isinstance(native, str) or not isinstance(family, str) or not base or quote != "USDT":
        bad.drop("instruments", "no instrument or family")
        return None
    tick_size, face = number(row.get("tickSz")), number(row.get("ctVal")) * number(row.get("ctMult"))
    if not tick_size > 0:
        bad.drop("instruments", "no tick size")
        return None
    if not face > 0 or row.get("ctValCcy") != base:
        bad.drop("instruments", "no contract value in coins")
        return None
    leverage = number(row.get("lever"))
    instrument = Instrument(
        exchange=EXCHANGE,
        symbol=base + "USDT",
        native=native,
        base=base,
        quote="USDT",
        tick_size=tick_size,
        onboard_ms=milliseconds(row.get("listTime")),
        delist_ms=milliseconds(row.get("expTime")),  # "" on a swap that stays
        max_leverage=leverage if leverage >= 1 else None,
    )
    return Swap(instrument, face, family)


def parse_bars(payload: object, *, face_coins: float, now_ms: int, bad: BadRows) -> Bars:
    """The closed bars of one page of candles: ts, open, high, low, close, contracts, coins, USDT, confirm."""
    found = reversed(rows(payload, "candles"))
    closed = (row for row in found if not (isinstance(row, list) and len(row) >= 9 and row[8] != _CLOSED))
    return bars_of((_bar(row, face_coins) for row in closed), now_ms=now_ms, bad=bad)


def _bar(row: object, face_coins: float) -> BarRow | None:
    if not isinstance(row, list) or len(row) < 9:
        return None
    first, high, low, last, contracts, _, quote_volume = (number(value) for value in row[1:8])
    return BarRow(milliseconds(row[0]), first, high, low, last, contracts * face_coins, quote_volume)


def parse_open_interest_history(payload: object, *, face_coins: float, bad: BadRows) -> OpenInterest:
    """Rows of rubik's open-interest-history: ts, contracts, coins, USD."""

    def sample(row: object) -> tuple[int | None, float]:
        if not isinstance(row, list) or len(row) < 2:
            return None, math.nan
        return milliseconds(row[0]), number(row[1]) * face_coins

    return samples_of(map(sample, reversed(rows(payload, "open-interest-history"))), bad=bad)


def parse_open_interest_now(payload: object, *, face_coins: float, bad: BadRows) -> OpenInterest:
    """The one row of public/open-interest of one contract; zero (a contract that settles) gives no row."""
    found = [row for row in rows(payload, "open-interest") if isinstance(row, dict)]
    return samples_of(((milliseconds(row.get("ts")), number(row.get("oi")) * face_coins) for row in found[:1]), bad=bad)


def parse_mark_prices(payload: object, swaps: Mapping[str, Swap], bad: BadRows) -> Tick:
    """The rows of public/mark-price that are among `swaps` (by the venue's name)."""
    known = (
        (swap.instrument.symbol, milliseconds(row.get("ts")), number(row.get("markPx")))
        for swap, row in _listed(payload, "mark-price", swaps)
    )
    return tick_of(EXCHANGE, known, bad=bad)


def parse_volumes(payload: object, swaps: Mapping[str, Swap], bad: BadRows) -> dict[str, float]:
    """Volume of the last 24 h by symbol, in USDT at the last price: tickers tell contracts only."""
    volumes: dict[str, float] = {}
    for swap, row in _listed(payload, "tickers", swaps):
        volume = number(row.get("vol24h")) * swap.face_coins * number(row.get("last"))
        if volume >= 0:
            volumes[swap.instrument.symbol] = volume
        else:
            bad.drop("volumes", "no number")
    return volumes


def _listed(payload: object, what: str, swaps: Mapping[str, Swap]) -> Iterator[tuple[Swap, Mapping[str, object]]]:
    for row in rows(payload, what):
        swap = swaps.get(str(row.get("instId"))) if isinstance(row, dict) else None
        if isinstance(row, dict) and swap is not None:
            yield swap, row


def parse_ratios(payload: object, bad: BadRows) -> LongShortRatios:
    """Rows of rubik's long/short ratios: ts, longs over shorts."""

    def ratio(row: object) -> tuple[int | None, float]:
        if not isinstance(row, list) or len(row) < 2:
            return None, math.nan
        return milliseconds(row[0]), share_of_ratio(number(row[1]))

    return ratios_of(map(ratio, reversed(rows(payload, "long/short ratios"))), bad=bad)


def parse_depth(payload: object, *, face_coins: float, levels: int, bad: BadRows) -> Depth:
    """The one row of market/books: levels of price, contracts and more."""
    found = [row for row in rows(payload, "books") if isinstance(row, dict)]
    if not found:
        raise wrong_shape(VENUE, "books", "a list with a book")

    def level(row: object) -> tuple[float, float]:
        if not isinstance(row, list) or len(row) < 2:
            return math.nan, math.nan
        return number(row[0]), number(row[1]) * face_coins

    bids, asks = (map(level, rows_of(found[0].get(side), "books", VENUE)) for side in ("bids", "asks"))
    return depth_of(found[0].get("ts"), bids, asks, venue=VENUE, levels=levels, bad=bad)


def parse_size_tiers(payload: object, swaps: Mapping[str, Swap], bad: BadRows) -> dict[str, tuple[SizeTier, ...]]:
    """Rows of public/position-tiers by the venue's name of the swap, ascending; `swaps` by family."""
    tables: dict[str, list[Mapping[str, object]]] = {}
    for row in rows(payload, "position-tiers"):
        family = (row.get("instFamily") or row.get("uly")) if isinstance(row, dict) else None
        if isinstance(row, dict) and isinstance(family, str) and family in swaps:
            tables.setdefault(family, []).append(row)
        else:
            bad.drop("risk tiers", "of no family that was asked for")
    found: dict[str, tuple[SizeTier, ...]] = {}
    for family, table in tables.items():
        fault, tiers = _size_tiers(table, swaps[family].face_coins)
        if fault is None:
            found[swaps[family].instrument.native] = tiers
        else:
            bad.drop("risk tiers", fault)
    return found


def _size_tiers(table: list[Mapping[str, object]], face_coins: float) -> tuple[str | None, tuple[SizeTier, ...]]:
    tiers: list[SizeTier] = []
    last = 0.0
    for row in sorted(table, key=lambda row: number(row.get("maxSz"))):
        floor, cap = number(row.get("minSz")), number(row.get("maxSz"))
        # The next tier begins at the last one's end, or at the next whole contract.
        if not 0 <= floor - last <= 1:
            return "not contiguous", ()
        tiers.append(SizeTier(cap * face_coins, number(row.get("mmr")), number(row.get("maxLever"))))
        last = cap
    return tiers_fault(priced(tiers, 1.0), stepped=True), tuple(tiers)


def priced(tiers: Sequence[SizeTier], price: float) -> Tiers:
    """The tiers in quote currency at a price. The rates step: there is no maintenance amount."""
    found: list[RiskTier] = []
    floor = 0.0
    for tier in tiers:
        cap = tier.cap_coins * price
        found.append(RiskTier(floor, cap, tier.maintenance_margin_rate, 0.0, tier.max_leverage))
        floor = cap
    return tuple(found)
