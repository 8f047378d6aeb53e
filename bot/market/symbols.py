"""What a person typed, matched against the instruments that venues really list.

A name is never put together and trusted: every answer of a SymbolBook is one of the instruments it was given.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from bot.liquidation.combining import COMBINED
from bot.market.coins import MULTIPLES, Listed, Listing, coin_of, listed_names
from bot.market.types import Instrument

QUOTES: Final = ("USDT", "USDC", "USD1", "USD")
TAILS: Final = (":USDT", ":USDC", ".P", "SWAP", "PERPETUAL", "PERP")
SEPARATORS: Final = str.maketrans("", "", "/-_ \t\n")
LEADING: Final = " \t\r\n$#@/\"'`([{<*"
TRAILING: Final = " \t\r\n\"'`)]}>*?!,;.:"
LONGEST_NAME: Final = 80

VENUES: Final = {
    "BINANCE": "binance",
    "BINANCEUSDM": "binance",
    "BYBIT": "bybit",
    "OKX": "okx",
    "OKEX": "okx",
    "HYPERLIQUID": "hyperliquid",
    "BITGET": "bitget",
    "GATE": "gate",
    "GATEIO": "gate",
    "MEXC": "mexc",
    "KUCOIN": "kucoin",
    "KRAKEN": "kraken",
    "COINBASE": "coinbase",
    "DERIBIT": "deribit",
    "BITMEX": "bitmex",
    "ALL": COMBINED,
    "COMBINED": COMBINED,
}

COIN_NAMES: Final = {
    "BITCOIN": "BTC",
    "XBT": "BTC",
    "ETHEREUM": "ETH",
    "ETHER": "ETH",
    "SOLANA": "SOL",
    "RIPPLE": "XRP",
    "DOGECOIN": "DOGE",
    "CARDANO": "ADA",
    "AVALANCHE": "AVAX",
    "ARBITRUM": "ARB",
    "OPTIMISM": "OP",
    "POLKADOT": "DOT",
    "CHAINLINK": "LINK",
    "LITECOIN": "LTC",
    "TONCOIN": "TON",
    "TRON": "TRX",
    "UNISWAP": "UNI",
    "HYPERLIQUID": "HYPE",
    "DOGWIFHAT": "WIF",
    "SHIBA": "SHIB",
    "COSMOS": "ATOM",
    "MONERO": "XMR",
    "STELLAR": "XLM",
    "APTOS": "APT",
    "FILECOIN": "FIL",
    "CELESTIA": "TIA",
    "0X": "ZRX",
}


class SymbolBook:
    """The instruments of one or more venues, found by whatever spelling a person or another venue uses.

    Where several venues list a market, the one whose instruments came first answers, unless the text names a venue.
    """

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._instruments = tuple(instruments)
        self._exchanges = tuple(dict.fromkeys(instrument.exchange for instrument in self._instruments))
        self._venues = {**VENUES, **{fold(name): name for name in self._exchanges}}
        self._by_symbol: dict[str, Instrument] = {}
        self._by_key: dict[str, Instrument] = {}
        self._by_venue_and_key: dict[tuple[str, str], Instrument] = {}
        self._coins: dict[str, Instrument] = {}
        self._coin_of: dict[Instrument, tuple[str, str]] = {}
        self._listings: dict[tuple[str, str], dict[str, Listing]] = {}
        for instrument in self._instruments:
            self._by_symbol.setdefault(instrument.symbol, instrument)
        self._index()

    def __len__(self) -> int:
        return len(self._instruments)

    def get(self, symbol: str, exchange: str | None = None) -> Instrument | None:
        """The instrument of exactly this canonical symbol, on this exchange where one is named."""
        if exchange is None:
            return self._by_symbol.get(symbol)
        found = self._by_venue_and_key.get((exchange, fold(symbol)))
        return found if found is not None and found.symbol == symbol else None

    def resolve(self, text: str) -> Instrument | None:
        """The instrument that `text` means, or None; a venue named in it must be the one that lists it.

        Of all venues together (`all BTC`) the first answers, as where none is named.
        """
        venue, name = self._split_venue(clean(text))
        for key in spellings(name):
            found = self._by_key.get(key) if venue in (None, COMBINED) else self._by_venue_and_key.get((venue, key))
            if found is not None:
                return found
        return None

    def venue_named(self, text: str) -> str | None:
        """The venue that `text` names before or after the symbol; `combined` for all of them, None for none."""
        return self._split_venue(clean(text))[0]

    def everywhere(self, instrument: Instrument) -> tuple[Listing, ...]:
        """The contracts of the same coin in the same quote, one a venue, in the venues' order."""
        return tuple(self._listings.get(self._coin_of.get(instrument, ("", "")), {}).values())

    def nearest(self, text: str, n: int = 3) -> tuple[str, ...]:
        """The `n` canonical symbols whose spelling is nearest to `text`, nearest first, then in the book's order."""
        _, name = self._split_venue(clean(text))
        wanted = coin_part(name)[:24]
        best: dict[str, tuple[float, int]] = {}
        for order, (key, instrument) in enumerate(self._coins.items()):
            rank = (dissimilarity(wanted, key), order)
            if instrument.symbol not in best or rank < best[instrument.symbol]:
                best[instrument.symbol] = rank
        return tuple(sorted(best, key=best.__getitem__)[:n])

    def _split_venue(self, name: str) -> tuple[str | None, str]:
        """('binance', 'ZRXUSDT.P') of 'BINANCE:ZRXUSDT.P', 'BINANCE ZRXUSDT.P' or 'ZRXUSDT.P BINANCE'; None where no
        venue is named.
        """
        before, last = name.partition(" "), name.rpartition(" ")
        for word, rest in (name.partition(":")[::2], before[::2], last[::-2]):
            if rest.strip() and (venue := self._venues.get(fold(word))) is not None:
                return venue, clean(rest)
        return None, name

    def _index(self) -> None:
        """Enter every spelling; a stronger kind of spelling, entered earlier, is never overwritten by a weaker one."""
        listed = listed_names(self._instruments)
        for instrument in self._instruments:
            coin = coin_of(instrument, listed)
            self._coin_of[instrument] = coin.name, instrument.quote
            same = self._listings.setdefault(self._coin_of[instrument], {})
            same.setdefault(instrument.exchange, Listing(instrument, coin.units))
            for name in (instrument.symbol, instrument.native, instrument.base + instrument.quote):
                if instrument.quote in fold(name):
                    self._enter(fold(name), instrument)
        for quote in QUOTES:
            for instrument in self._instruments:
                if instrument.quote == quote:
                    self._enter_coin(fold(instrument.base), instrument)
        for instrument in self._instruments:
            for other in other_names(instrument, listed):
                self._enter(other + instrument.quote, instrument)
                self._enter_coin(other, instrument)
        for instrument in self._instruments:
            # A venue that calls the contract BTC after its coin does not have the word to itself.
            self._enter(fold(instrument.native), instrument)
        for name, key in COIN_NAMES.items():
            for exchange in self._exchanges:
                if (known := self._by_venue_and_key.get((exchange, key))) is not None:
                    self._enter(name, known)
            if (known := self._by_key.get(key)) is not None:
                self._enter_coin(name, known)

    def _enter(self, key: str, instrument: Instrument) -> None:
        self._by_key.setdefault(key, instrument)
        self._by_venue_and_key.setdefault((instrument.exchange, key), instrument)

    def _enter_coin(self, coin: str, instrument: Instrument) -> None:
        self._enter(coin, instrument)
        self._coins.setdefault(coin, instrument)


def clean(text: str) -> str:
    """Compatibility forms composed, upper case, invisible characters and surrounding punctuation cut."""
    composed = unicodedata.normalize("NFKC", text[:LONGEST_NAME]).upper()
    visible = "".join(" " if char.isspace() else char for char in composed if unicodedata.category(char) != "Cf")
    return visible.lstrip(LEADING).rstrip(TRAILING)


def fold(name: str) -> str:
    """The spelling under which a name is kept: `clean`, with separators dropped."""
    return clean(name).translate(SEPARATORS)


def spellings(name: str) -> Iterator[str]:
    """The keys that a cleaned name may stand for: as it is, then with one contract tail after another cut."""
    yield fold(name)
    cut = True
    while cut:
        cut = False
        for tail in TAILS:
            if name.endswith(tail) and len(name) > len(tail):
                name = name[: -len(tail)].rstrip(TRAILING + "-_/")
                yield fold(name)
                cut = True
                break


def coin_part(name: str) -> str:
    """The coin of a cleaned name, by its looks alone: 'ZRX' of 'ZRX/USDT:USDT'. Good for comparing, not for trading."""
    key = list(spellings(name))[-1]
    for quote in QUOTES:
        if key.endswith(quote) and len(key) > len(quote):
            return key[: -len(quote)]
    return key


def other_names(instrument: Instrument, listed: Listed) -> tuple[str, ...]:
    """What other venues call the same coin: 'PEPE' and 'KPEPE' for '1000PEPE', '1000PEPE' and 'KPEPE' for 'PEPE'."""
    base, coin = fold(instrument.base), coin_of(instrument, listed)
    return tuple(name for name in (coin.name, *MULTIPLES.get(coin.name, ())) if name != base)


def dissimilarity(wanted: str, key: str) -> float:
    """Edits (a swap of neighbours is one) over the longer length, less where one name begins the other; 0 to 1."""
    longer = max(len(wanted), len(key))
    if not wanted or not key:
        return 1.0
    share = edits(wanted, key) / longer
    begins = key.startswith(wanted) or wanted.startswith(key)
    return 0.6 * share if begins else share


def edits(left: str, right: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours between the two (Damerau, restricted)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        following = [i]
        for j, b in enumerate(right, start=1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1]
