"""Which coin a contract is of, and how many of it one unit is: 1000PEPEUSDT here and PEPE-USDT-SWAP there are one coin.

A prefix is a multiplier only by the table, or where another venue lists the rest: 1000XEC is a thousand XEC, and 1000X
is a coin. A small `k` multiplies on Hyperliquid alone.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from bot.market.types import Instrument

_THOUSANDS: Final = ("BONK", "CAT", "CHEEMS", "FLOKI", "LUNC", "PEPE", "RATS", "SATS", "SHIB", "WHY", "XEC")
_MILLIONS: Final = ("BOB", "MOG")
_PREFIXES: Final = {"1000000": 1e6, "10000": 1e4, "1000": 1e3, "1M": 1e6}
_WHOLE_NAMES: Final = frozenset({"0G", "1INCH", "2Z", "4", "42", "1000X"})
_K_VENUE: Final = "hyperliquid"


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin's own name, and how many of it one unit of a contract is: 1000 of PEPE in 1000PEPEUSDT."""

    name: str
    units: float = 1.0


@dataclass(frozen=True, slots=True)
class Listing:
    """One venue's contract of a coin. A price of it over `units` is the price of one coin."""

    instrument: Instrument
    units: float


MULTIPLIED: Final = {
    **{"1000" + name: Coin(name, 1e3) for name in _THOUSANDS},
    **{"1000000" + name: Coin(name, 1e6) for name in _MILLIONS},
    "1MBABYDOGE": Coin("BABYDOGE", 1e6),
}
"""The contracts that are known to be of many coins, by their base."""

MULTIPLES: Final = {coin.name: (base, "K" + coin.name) for base, coin in MULTIPLIED.items()}
"""What venues call many of a coin, by the coin."""

Listed = Mapping[str, Set[str]]
"""The venues that list each name, with the coins of the table under their own names too."""


def listed_names(instruments: Iterable[Instrument]) -> Listed:
    """Where each base is listed."""
    found: dict[str, set[str]] = {}
    for instrument in instruments:
        base = instrument.base.upper()
        for name in (base, MULTIPLIED[base].name if base in MULTIPLIED else base):
            found.setdefault(name, set()).add(instrument.exchange)
    return found


def coin_of(instrument: Instrument, listed: Listed) -> Coin:
    """The coin of a contract, by the table or by what other venues list."""
    base = instrument.base.upper()
    if base in MULTIPLIED:
        return MULTIPLIED[base]
    if base in _WHOLE_NAMES:
        return Coin(base)
    if instrument.exchange == _K_VENUE and instrument.native[:1] == "k" and instrument.native[1:2].isupper():
        return Coin(instrument.native[1:].upper(), 1e3)
    for prefix, units in _PREFIXES.items():
        rest = base.removeprefix(prefix)
        if rest not in ("", base) and listed.get(rest, frozenset()) - {instrument.exchange}:
            return Coin(rest, units)
    return Coin(base)
