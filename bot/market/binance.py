"""The Binance USDT-M futures client: public data, no key, within half of every limit."""

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from bot.clock import Clock
from bot.liquidation.margin import RiskTier
from bot.liquidation.values import replace
from bot.market import binance_parse as parse
from bot.market.binance_brackets import BRACKETS_PATH, LEAST_SYMBOLS, parse_brackets, stored_tiers
from bot.market.binance_errors import judge, spent_weight
from bot.market.crowd_rows import join_ratios, not_given
from bot.market.exchange import ExchangeError, ExchangeUnavailableError
from bot.market.limits import Budget, BudgetStatus, Gate
from bot.market.line import Line, LineStatus, OnLine
from bot.market.rest import Rest, Transport
from bot.market.rows import join_bars, join_open_interest
from bot.market.ticks import on_tick
from bot.market.tiers import Tiers
from bot.market.types import BAR_MS, Bars, Crowd, Depth, Instrument, LongShortRatios, OpenInterest, Tick

API_URL = "https://fapi.binance.com"
WEB_URL = "https://www.binance.com"

# Limits: 2400 request weight a minute and address, told back in a header; 1000 requests in 5 minutes on /futures/data,
# told by nobody.
# 499 bars cost 2 weight, 500 cost 5: the cheapest page per bar.
_BARS_PER_PAGE = 499
# One below the limit of 500, so that a row on the edge of a window can never push out another.
_SAMPLES_PER_PAGE = 499
# Only 30 days are kept; a start before them is refused, and clocks differ a little.
_HISTORY_MS = 30 * 86_400_000 - 600_000

# A look at all prices every 2 s costs 300 a minute: that lane stays free while history is fetched.
_WEIGHT_FOR_PRICES = 350

_RATIOS = {
    Crowd.ACCOUNTS: "/futures/data/globalLongShortAccountRatio",
    Crowd.TOP_ACCOUNTS: "/futures/data/topLongShortAccountRatio",
    Crowd.TOP_POSITIONS: "/futures/data/topLongShortPositionRatio",
}
# Levels a side that may be asked for, and what each costs.
_DEPTHS = ((5, 2), (10, 2), (20, 2), (50, 2), (100, 5), (500, 10), (1000, 20))

_WEIGHT = "weight"
_DATA = "data requests"

_TIERS_FRESH_MS = 6 * 3_600_000
_TIERS_RETRY_MS = 600_000
# The public table lags behind a change that the stream told; after a day it does not.
_TOLD_TIERS_MS = 86_400_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BinanceStatus(LineStatus):
    """The line's books, those of the web host among them, and whether the risk tiers are published or stored ones."""

    tiers: str

    @property
    def weight(self) -> BudgetStatus:
        return self.budgets[_WEIGHT]

    @property
    def data_requests(self) -> BudgetStatus:
        return self.budgets[_DATA]


class BinanceExchange(OnLine):
    """An `Exchange`. Safe to use from many tasks at once; requests wait for their budget and share its pauses.

    `banned_until_ms` is a ban known from an earlier run (see the property of the same name). `least_symbols` is how
    many symbols the public table of risk tiers must hold to be believed. `transport` is httpx's seam for tests.
    """

    name = parse.EXCHANGE
    gives_open_interest_history = True
    crowds = tuple(_RATIOS)

    def __init__(
        self,
        *,
        clock: Clock,
        api_url: str = API_URL,
        web_url: str = WEB_URL,
        banned_until_ms: int | None = None,
        least_symbols: int = LEAST_SYMBOLS,
        transport: httpx.AsyncBaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
        timeout_s: float = 10.0,
    ) -> None:
        self._clock = clock
        self._weight = Budget(clock, limit=2400, window_s=60, reserved_for_urgent=_WEIGHT_FOR_PRICES)
        self._data = Budget(clock, limit=1000, window_s=300)
        self._web_budget = Budget(clock, limit=20, window_s=60)
        travel = Transport(transport, jitter, timeout_s)
        self._line = Line(
            parse.VENUE,
            api_url,
            clock=clock,
            budgets={_WEIGHT: self._weight, _DATA: self._data},
            judge=judge,
            count=spent_weight,
            banned_until_ms=banned_until_ms,
            transport=travel,
        )
        self._api, self._bad = self._line.rest, self._line.bad
        self._web = Rest(
            web_url,
            venue=parse.VENUE,
            clock=clock,
            gate=Gate(clock, parse.VENUE),
            judge=judge,
            transport=travel,
            headers={"clienttype": "web"},
        )
        self._least_symbols = least_symbols
        self._instruments: tuple[Instrument, ...] = ()
        self._ticks: dict[str, float] = {}
        self._tiers: dict[str, tuple[RiskTier, ...]] = {}
        self._told_tiers: dict[str, tuple[int, Tiers]] = {}
        self._tiers_due_ms = 0
        self._tiers_lock = asyncio.Lock()

    async def aclose(self) -> None:
        await self._api.aclose()
        await self._web.aclose()

    async def instruments(self) -> Sequence[Instrument]:
        """The USDT perpetuals that trade now; highest leverage where the risk tiers are known already."""
        answer = await self._api.get("/fapi/v1/exchangeInfo", budget=self._weight)
        found = parse.parse_instruments(answer.payload, self._bad)
        if not found:
            raise ExchangeUnavailableError("Binance lists no trading USDT perpetual, which cannot be.")
        self._instruments = tuple(
            replace(one, max_leverage=self._tiers[one.symbol][0].max_leverage) if one.symbol in self._tiers else one
            for one in found
        )
        self._ticks = {one.symbol: one.tick_size for one in found}
        return self._instruments

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        """Closed 5-minute bars with start_ms <= open_ms < end_ms, pages joined; what the venue lacks stays a gap.

        Whether a bar is closed is told by the venue's clock. One page of 499 bars costs 2 weight, below 100 bars 1.
        """
        pages: list[Bars] = []
        cursor = math.ceil(start_ms / BAR_MS) * BAR_MS
        while cursor < end_ms:
            limit = min(_BARS_PER_PAGE, math.ceil((end_ms - cursor) / BAR_MS))
            answer = await self._api.get(
                "/fapi/v1/klines",
                {"symbol": symbol, "interval": "5m", "startTime": cursor, "endTime": end_ms - 1, "limit": limit},
                budget=self._weight,
                weight=1 if limit < 100 else 2,
            )
            pages.append(parse.parse_bars(answer.payload, now_ms=answer.server_ms, bad=self._bad))
            if len(answer.payload) < limit:
                break
            last_ms = max((ms for row in answer.payload if (ms := parse.open_time(row)) is not None), default=0)
            if last_ms < cursor:
                raise ExchangeUnavailableError(f"Binance answers bars of {symbol} that were not asked for.")
            cursor = last_ms + BAR_MS
        return on_tick(join_bars(pages, start_ms=start_ms, end_ms=end_ms), self._ticks.get(symbol), self._bad)

    async def open_interest_history(self, symbol: str, *, start_ms: int, end_ms: int) -> OpenInterest:
        """Samples every 5 minutes with start_ms < time_ms <= end_ms, in coins; at most the latest 30 days exist.

        A period without trades has no row, and the newest row comes up to a minute late: both are simply absent.
        """
        path = "/futures/data/openInterestHist"
        windows = self._windows(path, symbol, start_ms=start_ms, end_ms=end_ms)
        pages = [parse.parse_open_interest_history(payload, self._bad) async for payload in windows]
        return join_open_interest(pages, start_ms=start_ms, end_ms=end_ms)

    async def long_short_ratios(self, symbol: str, crowd: Crowd, *, start_ms: int, end_ms: int) -> LongShortRatios:
        """Ratios every 5 minutes with start_ms < time_ms <= end_ms; at most the latest 30 days exist.

        A new listing and a period without trades have no row. The traders are the top 20 % by margin balance.
        """
        if crowd not in _RATIOS:
            raise not_given(parse.VENUE, crowd)
        windows = self._windows(_RATIOS[crowd], symbol, start_ms=start_ms, end_ms=end_ms)
        pages = [parse.parse_ratios(payload, self._bad) async for payload in windows]
        return join_ratios(pages, start_ms=start_ms, end_ms=end_ms)

    async def _windows(self, path: str, symbol: str, *, start_ms: int, end_ms: int) -> AsyncIterator[object]:
        """The pages of one series of /futures/data, window by window, as far back as it goes."""
        now_ms = self.server_now_ms()
        cursor, end_ms = max(start_ms, now_ms - _HISTORY_MS), min(end_ms, now_ms)
        while cursor < end_ms:
            until_ms = min(cursor + _SAMPLES_PER_PAGE * BAR_MS, end_ms)
            answer = await self._api.get(
                path,
                {"symbol": symbol, "period": "5m", "startTime": cursor + 1, "endTime": until_ms, "limit": 500},
                budget=self._data,
            )
            yield answer.payload
            cursor = until_ms

    async def depth(self, symbol: str, *, levels: int = 100) -> Depth:
        """The book now, at most `levels` (and 1000) a side; 100 cost 5 weight, 1000 cost 20."""
        limit, weight = next((one for one in _DEPTHS if one[0] >= levels), _DEPTHS[-1])
        asked: dict[str, str | int] = {"symbol": symbol, "limit": limit}
        answer = await self._api.get("/fapi/v1/depth", asked, budget=self._weight, weight=weight)
        return parse.parse_depth(answer.payload, levels=levels, bad=self._bad)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """The open interest now: one row, in coins. A contract that settles has none: ExchangeUnavailableError."""
        answer = await self._api.get("/fapi/v1/openInterest", {"symbol": symbol}, budget=self._weight)
        now = parse.parse_open_interest_now(answer.payload, self._bad)
        if not len(now):
            raise ExchangeUnavailableError(f"Binance gives no open interest for {symbol} now.")
        return now

    async def mark_prices(self) -> Tick:
        """The mark price of every symbol, in one request (weight 10), ahead of all history."""
        answer = await self._api.get("/fapi/v1/premiumIndex", budget=self._weight, weight=10, urgent=True, retries=1)
        return parse.parse_mark_prices(answer.payload, self._bad)

    async def volumes(self) -> Mapping[str, float]:
        """Quote volume (USDT) of the last 24 h by symbol, in one request (weight 40)."""
        answer = await self._api.get("/fapi/v1/ticker/24hr", budget=self._weight, weight=40)
        return parse.parse_volumes(answer.payload, self._bad)

    async def server_time_ms(self) -> int:
        """The venue's clock, ms UTC."""
        answer = await self._api.get("/fapi/v1/time", budget=self._weight)
        return parse.parse_server_time(answer.payload)

    async def risk_tiers(self) -> Mapping[str, Sequence[RiskTier]]:
        """Risk tiers by symbol: the public table, at most 6 hours old; where it is not to be had, the last good one,
        and where there never was one, stored tiers by the usual highest leverage.

        Raises only where even the list of instruments cannot be had.
        """
        async with self._tiers_lock:
            if self._clock.now_ms() >= self._tiers_due_ms and self._line.banned_until_ms is None:
                await self._refresh_tiers()
        instruments = () if self._tiers else self._instruments or await self.instruments()
        known = self._tiers or {one.symbol: stored_tiers(one.symbol) for one in instruments}
        since_ms = self._clock.now_ms() - _TOLD_TIERS_MS
        return {**known, **{symbol: tiers for symbol, (at, tiers) in self._told_tiers.items() if at > since_ms}}

    def keep_tiers(self, symbol: str, tiers: Tiers) -> None:
        """Take tiers that the venue told unasked: for a day they are newer than the public table."""
        self._told_tiers[symbol] = (self._clock.now_ms(), tiers)

    async def risk_tiers_of(self, symbol: str) -> Sequence[RiskTier]:
        """One contract's tiers out of the whole table, which is one request in six hours."""
        return (await self.risk_tiers()).get(symbol, ())

    async def _refresh_tiers(self) -> None:
        wait_ms = _TIERS_FRESH_MS
        try:
            answer = await self._web.get(BRACKETS_PATH, budget=self._web_budget, exact=True, retries=1)
            self._tiers = parse_brackets(answer.payload, least_symbols=self._least_symbols, bad=self._bad)
        except ExchangeError as error:
            wait_ms = _TIERS_RETRY_MS
            log.warning("risk tiers of Binance: %s; %s tiers are used", error, "earlier" if self._tiers else "stored")
        self._tiers_due_ms = self._clock.now_ms() + wait_ms

    def status(self) -> BinanceStatus:
        """The client's books at this moment."""
        line = self._line.status()
        return BinanceStatus(
            budgets=line.budgets,
            requests=line.requests + self._web.requests,
            retried=line.retried + self._web.retried,
            last_answer_ms=line.last_answer_ms,
            clock_skew_ms=line.clock_skew_ms,
            banned_until_ms=line.banned_until_ms,
            geo_blocked_until_ms=line.geo_blocked_until_ms,
            dropped_rows=line.dropped_rows,
            tiers="published" if self._tiers else "stored",
        )
