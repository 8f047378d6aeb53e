"""Every market before its ticks: what maps, rules and states have changed is taken over before the next tick."""

from collections.abc import Sequence

from bot.alerts.front import Front
from bot.alerts.market_book import MarketBook
from bot.alerts.post import Post
from bot.alerts.tick_board import Look, TickBoard
from bot.alerts.types import Market
from bot.liquidation.types import Floats, Ints

Seen = tuple[Market, int, Sequence[Post]]
"""A market, the time of a tick, and the posts that it was data for."""


class Fronts:
    """The fronts of all markets, with a board of each exchange's prices.

    A price older than `max_age_ms` is no data; a market whose map is older than `valid_ms` is not judged by it.
    """

    def __init__(self, *, max_age_ms: int, valid_ms: int) -> None:
        self._max_age_ms = max_age_ms
        self._valid_ms = valid_ms
        self._boards: dict[str, TickBoard] = {}
        self._fronts: dict[Market, Front] = {}
        self._reshaped: dict[Market, MarketBook] = {}
        self._stirred: dict[Market, None] = {}

    def front(self, market: Market) -> Front:
        """A market that has been looked at before."""
        return self._fronts[market]

    def price(self, market: Market) -> tuple[float, int] | None:
        """The last price of a market and its time."""
        return self._board(market.exchange).price(market.symbol)

    def reshape(self, book: MarketBook) -> None:
        """A market's map or rules have changed."""
        self._reshaped[book.market] = book

    def stir(self, market: Market) -> None:
        """States have changed."""
        self._stirred[market] = None

    def look(self, exchange: str, symbols: tuple[str, ...], prices: Floats, times: Ints, *, now_ms: int) -> Look:
        """Which symbols of an exchange a tick stirs."""
        for market in [market for market in self._reshaped if market.exchange == exchange]:
            self._form(self._reshaped.pop(market), now_ms=now_ms)
        for market in [market for market in self._stirred if market.exchange == exchange]:
            del self._stirred[market]
            self._redraw(market, now_ms=now_ms)
        return self._board(exchange).look(symbols, prices, times, now_ms=now_ms)

    def keep(self, exchange: str, look: Look, seen: Sequence[Seen]) -> None:
        """Remember a tick that has been dealt with."""
        self._board(exchange).keep(look)
        for market, time_ms, posts in seen:
            for post in posts:
                post.seen_ms = time_ms
            self._stirred[market] = None

    def _form(self, book: MarketBook, *, now_ms: int) -> None:
        self._stirred.pop(book.market, None)
        front = self._fronts.get(book.market)
        if front is None:
            front = self._fronts[book.market] = Front(book)
        board = self._board(book.market.exchange)
        seen_ms = board.seen_ms(book.market.symbol)
        band = front.form(valid_ms=book.slot_ms + self._valid_ms, seen_ms=seen_ms, now_ms=now_ms)
        board.put_band(book.market.symbol, band)

    def _redraw(self, market: Market, *, now_ms: int) -> None:
        front = self._fronts.get(market)
        if front is not None:
            board = self._board(market.exchange)
            band = front.redraw(seen_ms=board.seen_ms(market.symbol), now_ms=now_ms)
            board.put_band(market.symbol, band)

    def _board(self, exchange: str) -> TickBoard:
        board = self._boards.get(exchange)
        if board is None:
            board = self._boards[exchange] = TickBoard(max_age_ms=self._max_age_ms)
        return board
