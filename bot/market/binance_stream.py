"""Binance USDT-M as it happens: `!markPrice@arr@1s`, `!forceOrder@arr` and `!contractInfo` on one line.

At most one liquidation per symbol and second is sent, and none at all where nothing happens: only the mark prices on
the same line, every second, tell a quiet market from a dead line. A line that is routed wrongly is silent too.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from bot.clock import Clock
from bot.liquidation.margin import RiskTier
from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.binance_parse import EXCHANGE, NEVER_DELIVERED_MS, VENUE
from bot.market.feed import ContractNews, Print
from bot.market.stream import Manner, Stream
from bot.market.stream_book import StreamBook
from bot.market.tiers import Tiers, tiers_fault

STREAM_URL: Final = "wss://fstream.binance.com"
PATH: Final = "/market/stream?streams=!markPrice@arr@1s/!forceOrder@arr/!contractInfo"

SILENCE_S: Final = 8.0
"""No mark price for so long, where they come every second: the line is dead."""

_COIN_MARGINED: Final = 2

KeepTiers = Callable[[str, Tiers], None]


def binance_stream(
    *,
    clock: Clock,
    url: str = STREAM_URL,
    keep_tiers: KeepTiers = lambda symbol, tiers: None,
    book: StreamBook | None = None,
    manner: Manner | None = None,
) -> Stream:
    """The stream, not yet listening. Risk tiers that change are handed to `keep_tiers`."""
    kept = book or StreamBook(EXCHANGE, VENUE, clock)
    return Stream(
        EXCHANGE,
        VENUE,
        url + PATH,
        clock=clock,
        book=kept,
        script=lambda followed: BinanceScript(kept, keep_tiers),
        manner=manner or Manner(SILENCE_S),
    )


class BinanceScript:
    """Every price of every contract comes anyway, so there is nothing to ask for."""

    ends_soon = False

    def __init__(self, book: StreamBook, keep_tiers: KeepTiers = lambda symbol, tiers: None) -> None:
        self._book = book
        self._keep_tiers = keep_tiers

    def due(self) -> Sequence[str]:
        return ()

    def hear(self, frame: str | bytes) -> bool:
        """Take in a frame; True where it brought a price or a liquidation."""
        message = self._book.decoded(frame)
        if message is None:
            return False
        data = message.get("data")
        if isinstance(data, list):
            return self._prices(data)
        kind = data.get("e") if isinstance(data, dict) else None
        if isinstance(data, dict) and kind == "markPriceUpdate":
            return self._prices([data])
        if isinstance(data, dict) and kind == "forceOrder":
            return self._liquidation(data)
        if isinstance(data, dict) and kind == "contractInfo":
            self._contract(data)
        else:
            self._book.bad.drop("frames", "of no stream that was asked for")
        return False

    def _prices(self, rows: Collection[object]) -> bool:
        """Note the mark prices of one message, which may bring only part of the symbols."""
        newest_ms: int | None = None
        for row in rows:
            found = parse_mark_price(row, self._book.bad)
            if found is not None:
                self._book.prices.take(*found)
                newest_ms = found[1]
        if newest_ms is None:
            return False
        self._book.sent_at(newest_ms)
        return True

    def _liquidation(self, data: Mapping[str, Any]) -> bool:
        found = parse_liquidation(data, self._book.bad)
        if found is None:
            return False
        self._book.sent_at(milliseconds(data.get("E")))
        self._book.keep(found)
        return True

    def _contract(self, data: Mapping[str, Any]) -> None:
        if data.get("st") == _COIN_MARGINED or data.get("ct") != "PERPETUAL":
            return
        news = parse_contract(data, self._book.bad)
        if news is None:
            return
        self._book.tell(news)
        tiers = parse_tiers(data.get("bks"), self._book.bad)
        if tiers:
            self._keep_tiers(news.symbol, tiers)


def parse_mark_price(row: object, bad: BadRows) -> tuple[str, int, float] | None:
    """Symbol, time in ms and mark price of one markPriceUpdate; None where it is COIN-margined or nonsense."""
    if not isinstance(row, dict):
        bad.drop("mark prices", "not an object")
        return None
    if row.get("st") == _COIN_MARGINED:
        return None
    symbol, time_ms, price = row.get("s"), milliseconds(row.get("E")), number(row.get("p"))
    if not isinstance(symbol, str) or not symbol or time_ms is None or not price > 0:
        bad.drop("mark prices", "no symbol, no time or no positive price")
        return None
    return symbol, time_ms, price


def parse_liquidation(data: Mapping[str, Any], bad: BadRows) -> Print | None:
    """The print of one forceOrder; None where it is COIN-margined or nonsense.

    The average fill times the filled total: `p` is the limit of the forced order, `l` its last fill alone. SELL closes
    a long.
    """
    order = data.get("o")
    if not isinstance(order, dict):
        bad.drop("liquidations", "not a forced order")
        return None
    if _COIN_MARGINED in (order.get("st"), data.get("st")):
        return None
    symbol, side, time_ms = order.get("s"), order.get("S"), milliseconds(order.get("T"))
    price, coins = number(order.get("ap")), number(order.get("z"))
    if not isinstance(symbol, str) or not symbol or side not in ("BUY", "SELL") or time_ms is None:
        bad.drop("liquidations", "no symbol, side or time")
        return None
    if not (price > 0 and coins > 0):
        bad.drop("liquidations", "nothing filled")
        return None
    return Print(time_ms, symbol, side == "SELL", price, coins)


def parse_contract(data: Mapping[str, Any], bad: BadRows) -> ContractNews | None:
    """What a contractInfo says of a perpetual's state."""
    symbol, time_ms, state = data.get("s"), milliseconds(data.get("E")), data.get("cs")
    if not isinstance(symbol, str) or not symbol or time_ms is None or not isinstance(state, str):
        bad.drop("contracts", "no symbol, time or state")
        return None
    ends_ms = milliseconds(data.get("dt"))
    delist_ms = ends_ms if ends_ms is not None and ends_ms < NEVER_DELIVERED_MS else None
    return ContractNews(time_ms, symbol, state == "TRADING", delist_ms)


def parse_tiers(rows: object, bad: BadRows) -> Tiers:
    """The risk tiers in a contractInfo, ascending; empty where none are told or they contradict themselves."""
    if not isinstance(rows, list) or not rows:
        return ()
    tiers = tuple(_tier(row if isinstance(row, dict) else {}) for row in rows)
    fault = tiers_fault(tiers)
    if fault is not None:
        bad.drop("risk tiers", fault)
        return ()
    return tiers


def _tier(row: Mapping[str, Any]) -> RiskTier:
    return RiskTier(
        notional_floor=number(row.get("bnf")),
        notional_cap=number(row.get("bnc")),
        maintenance_margin_rate=number(row.get("mmr")),
        maintenance_amount=number(row.get("cf")),
        max_leverage=number(row.get("ma")),
    )
