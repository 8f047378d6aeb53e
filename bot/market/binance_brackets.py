"""Binance's risk tiers: the public table of its web site, and a stored one for when that is not to be had.

The official endpoint is signed. The web site's own is public and undocumented, so it can vanish, and its answer is
checked before it is believed: tiers contiguous, and each maintenance amount following from the one before by
cum_n = cum_(n-1) + floor_n (mmr_n - mmr_(n-1)).
"""

from collections.abc import Mapping
from decimal import Decimal

from bot.liquidation.margin import RiskTier
from bot.market.bad_rows import BadRows, number
from bot.market.exchange import ExchangeUnavailableError
from bot.market.tiers import tiers_fault, with_amounts

BRACKETS_PATH = "/bapi/futures/v1/friendly/future/common/brackets"
LEAST_SYMBOLS = 100


def parse_brackets(payload: object, *, least_symbols: int, bad: BadRows) -> dict[str, tuple[RiskTier, ...]]:
    """Tiers by symbol, ascending. A symbol whose tiers contradict themselves is dropped and counted.

    Raises ExchangeUnavailableError where the answer is an error body, has another shape, or holds fewer than
    `least_symbols` sound symbols.
    """
    if not isinstance(payload, dict) or payload.get("code") != "000000":
        raise ExchangeUnavailableError("Binance's web site refused the table of risk tiers.")
    data = payload.get("data")
    brackets = data.get("brackets") if isinstance(data, dict) else None
    if not isinstance(brackets, list):
        raise ExchangeUnavailableError("Binance's table of risk tiers has a shape this program does not know.")
    tiers: dict[str, tuple[RiskTier, ...]] = {}
    for entry in brackets:
        symbol = entry.get("symbol") if isinstance(entry, dict) else None
        rows = entry.get("riskBrackets") if isinstance(entry, dict) else None
        if not isinstance(symbol, str) or not isinstance(rows, list) or not rows:
            bad.drop("risk tiers", "no symbol or no tiers")
            continue
        table = tuple(_tier(row if isinstance(row, dict) else {}) for row in rows)
        fault = tiers_fault(table)
        if fault is None:
            tiers[symbol] = table
        else:
            bad.drop("risk tiers", fault)
    if len(tiers) < least_symbols:
        raise ExchangeUnavailableError(
            f"Binance's table of risk tiers holds {len(tiers)} sound symbols; at least {least_symbols} were expected."
        )
    return tiers


def _tier(row: Mapping[str, object]) -> RiskTier:
    return RiskTier(
        notional_floor=_plain(row.get("bracketNotionalFloor")),
        notional_cap=_plain(row.get("bracketNotionalCap")),
        maintenance_margin_rate=_plain(row.get("bracketMaintenanceMarginRate")),
        maintenance_amount=_plain(row.get("cumFastMaintenanceAmount")),
        max_leverage=_plain(row.get("maxOpenPosLeverage")),
    )


def _plain(value: object) -> float:
    return number(str(value) if isinstance(value, Decimal) else value)


# Rungs of (highest leverage, maintenance rate, notional cap in USDT), as published in 2026 for four contracts.
_Rungs = tuple[tuple[float, float, float], ...]

_BTC: _Rungs = (
    (150, 0.004, 300e3),
    (100, 0.005, 800e3),
    (75, 0.0065, 3e6),
    (50, 0.01, 12e6),
    (25, 0.02, 70e6),
    (20, 0.025, 100e6),
    (10, 0.05, 230e6),
    (5, 0.1, 480e6),
    (4, 0.125, 600e6),
    (3, 0.15, 800e6),
    (2, 0.25, 1.2e9),
    (1, 0.5, 1.8e9),
)
_ETH: _Rungs = (
    *_BTC[:4],
    (25, 0.02, 50e6),
    (20, 0.025, 65e6),
    (10, 0.05, 150e6),
    (5, 0.1, 320e6),
    (4, 0.125, 400e6),
    (3, 0.15, 530e6),
    (2, 0.25, 800e6),
    (1, 0.5, 1.2e9),
)
_LIQUID: _Rungs = (  # 1000PEPE
    (75, 0.0065, 20e3),
    (50, 0.01, 200e3),
    (40, 0.015, 300e3),
    (25, 0.02, 1.5e6),
    (20, 0.025, 3e6),
    (10, 0.05, 15e6),
    (5, 0.1, 20e6),
    (4, 0.125, 25e6),
    (2, 0.25, 30e6),
    (1, 0.5, 35e6),
)
_SMALL: _Rungs = (  # ZRX
    (50, 0.015, 5e3),
    (20, 0.025, 10e3),
    (10, 0.05, 20e3),
    (5, 0.1, 50e3),
    (4, 0.125, 250e3),
    (3, 0.1667, 500e3),
    (2, 0.25, 7.5e6),
    (1, 0.5, 12.5e6),
)
# The usual rate of the first tier where a contract's highest leverage is not a rung of its ladder.
_FIRST_RATE = {125.0: 0.004, 40.0: 0.015, 25.0: 0.02}

_MAX_LEVERAGE = {"BTCUSDT": 150.0, "ETHUSDT": 150.0, "1000PEPEUSDT": 75.0, "ZRXUSDT": 50.0} | dict.fromkeys(
    # Large contracts, known to allow at least this much.
    ("SOLUSDT", "XRPUSDT", "BNBUSDT", "DOGEUSDT", "ADAUSDT", "AVAXUSDT", "LINKUSDT", "LTCUSDT", "BCHUSDT", "SUIUSDT"),
    75.0,
)
_USUAL_MAX_LEVERAGE = 50.0  # the most frequent over Binance's 907 markets in 2026


def stored_tiers(symbol: str, max_leverage: float | None = None) -> tuple[RiskTier, ...]:
    """Tiers from the stored table, chosen by the contract's highest leverage; an approximation for most symbols.

    Without `max_leverage`, what is known of the symbol, else the most frequent one, is taken. Maintenance amounts
    follow by recursion, so the margin curve is continuous.
    """
    leverage = max_leverage or _MAX_LEVERAGE.get(symbol, _USUAL_MAX_LEVERAGE)
    ladder = _BTC if symbol == "BTCUSDT" else _ETH if leverage > 75 else _LIQUID if leverage > 50 else _SMALL
    rungs = [rung for rung in ladder if rung[0] <= leverage] or [ladder[-1]]
    highest, _, cap = rungs[0]
    if leverage > highest and leverage in _FIRST_RATE:
        rungs.insert(0, (leverage, _FIRST_RATE[leverage], cap / 2))
    return with_amounts(rungs)
