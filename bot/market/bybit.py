"""The Bybit v5 client for linear USDT perpetuals: public data, no key, within half of the limit."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from bot.clock import Clock
from bot.liquidation.margin import RiskTier
from bot.market import bybit_parse as parse
from bot.market.bybit_errors import judge
from bot.market.crowd_rows import join_ratios, not_given
from bot.market.exchange import ExchangeUnavailableError
from bot.market.limits import Budget
from bot.market.line import Contracts, Line, OnLine
from bot.market.rest import Answer, Transport
from bot.market.rows import join_bars, join_open_interest
from bot.market.ticks import on_tick
from bot.market.tiers import Tiers, TierShelf
from bot.market.types import BAR_MS, Bars, Crowd, Depth, Instrument, LongShortRatios, OpenInterest, Tick

API_URL: Final = "https://api.bybit.com"

# 600 requests in 5 s and address, over all paths; beyond that the address is shut out for ten minutes.
_REQUESTS: Final = 600
_WINDOW_S: Final = 5.0
_KEPT_FOR_PRICES: Final = 20

_BARS_PER_PAGE: Final = 1000
# One below the limit of 200, so that a row on the edge of a window can never push out another.
_SAMPLES_PER_PAGE: Final = 199
_RATIOS_PER_PAGE: Final = 499
_MOST_LEVELS: Final = 1000
_MOST_PAGES: Final = 500


class BybitExchange(OnLine):
    """An `Exchange`. Safe to use from many tasks at once; requests wait for their budget and share its pauses.

    There is no taker split in its bars. `banned_until_ms` is a silence known from an earlier run.
    """

    name = parse.EXCHANGE
    gives_open_interest_history = True
    crowds: tuple[Crowd, ...] = (Crowd.ACCOUNTS,)

    def __init__(
        self,
        *,
        clock: Clock,
        api_url: str = API_URL,
        banned_until_ms: int | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._budget = Budget(clock, limit=_REQUESTS, window_s=_WINDOW_S, reserved_for_urgent=_KEPT_FOR_PRICES)
        self._line = Line(
            parse.VENUE,
            api_url,
            clock=clock,
            budgets={"requests": self._budget},
            judge=judge,
            banned_until_ms=banned_until_ms,
            transport=transport,
        )
        self._contracts = Contracts(parse.VENUE, self._list)
        self._tiers = TierShelf(clock, self._fetch_tiers)

    async def instruments(self) -> Sequence[Instrument]:
        """The USDT perpetuals that trade now, 1000 a page."""
        return await self._contracts.refresh()

    @property
    def listed(self) -> Mapping[str, Instrument]:
        """The contracts by the venue's own name as last read, without asking."""
        return self._contracts.known

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        """Closed 5-minute bars with start_ms <= open_ms < end_ms, pages joined; what the venue lacks stays a gap.

        Whether a bar is closed is told by the venue's clock. A page of 1000 bars is one request.
        """
        contract = await self._contracts.get(symbol)
        native = contract.native
        pages: list[Bars] = []
        cursor = math.ceil(start_ms / BAR_MS) * BAR_MS
        while cursor < end_ms:
            until_ms = min(cursor + _BARS_PER_PAGE * BAR_MS, end_ms)
            answer = await self._ask(
                "kline",
                {"symbol": native, "interval": "5", "start": cursor, "end": until_ms - 1, "limit": _BARS_PER_PAGE},
            )
            now_ms = parse.answered_ms(answer.payload, answer.server_ms)
            pages.append(parse.parse_bars(answer.payload, now_ms=now_ms, bad=self._line.bad))
            cursor = until_ms
        return on_tick(join_bars(pages, start_ms=start_ms, end_ms=end_ms), contract.tick_size, self._line.bad)

    async def open_interest_history(self, symbol: str, *, start_ms: int, end_ms: int) -> OpenInterest:
        """Samples every 5 minutes with start_ms < time_ms <= end_ms, in coins, one side; back to the listing.

        Pages are windows of time and not the venue's cursors: a row that comes meanwhile cannot shift them.
        """
        native = (await self._contracts.get(symbol)).native
        end_ms = min(end_ms, self.server_now_ms())
        pages: list[OpenInterest] = []
        cursor = start_ms
        while cursor < end_ms:
            until_ms = min(cursor + _SAMPLES_PER_PAGE * BAR_MS, end_ms)
            window: dict[str, str | int] = {"startTime": cursor + 1, "endTime": until_ms}
            asked = {"symbol": native, "intervalTime": "5min", "limit": 200, **window}
            answer = await self._ask("open-interest", asked)
            pages.append(parse.parse_open_interest_history(answer.payload, self._line.bad))
            cursor = until_ms
        return join_open_interest(pages, start_ms=start_ms, end_ms=end_ms)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """The open interest now: one row, in coins. A contract that settles has none: ExchangeUnavailableError."""
        native = (await self._contracts.get(symbol)).native
        answer = await self._ask("tickers", {"symbol": native})
        now = parse.parse_open_interest_now(answer.payload, otherwise_ms=answer.server_ms, bad=self._line.bad)
        if not len(now):
            raise ExchangeUnavailableError(f"Bybit gives no open interest for {symbol} now.")
        return now

    async def long_short_ratios(self, symbol: str, crowd: Crowd, *, start_ms: int, end_ms: int) -> LongShortRatios:
        """Ratios of accounts every 5 minutes with start_ms < time_ms <= end_ms; back to July 2020."""
        if crowd not in self.crowds:
            raise not_given(parse.VENUE, crowd)
        native = (await self._contracts.get(symbol)).native
        end_ms = min(end_ms, self.server_now_ms())
        pages: list[LongShortRatios] = []
        cursor = start_ms
        while cursor < end_ms:
            until_ms = min(cursor + _RATIOS_PER_PAGE * BAR_MS, end_ms)
            window: dict[str, str | int] = {"startTime": cursor + 1, "endTime": until_ms}
            answer = await self._ask("account-ratio", {"symbol": native, "period": "5min", "limit": 500, **window})
            pages.append(parse.parse_ratios(answer.payload, self._line.bad))
            cursor = until_ms
        return join_ratios(pages, start_ms=start_ms, end_ms=end_ms)

    async def depth(self, symbol: str, *, levels: int = 100) -> Depth:
        """The book now, at most `levels` (and 1000) a side, in one request."""
        native = (await self._contracts.get(symbol)).native
        answer = await self._ask("orderbook", {"symbol": native, "limit": min(levels, _MOST_LEVELS)})
        return parse.parse_depth(answer.payload, levels=levels, bad=self._line.bad)

    async def mark_prices(self) -> Tick:
        """The mark price of every symbol, in one request, ahead of all history."""
        contracts = await self._contracts.by_native()
        answer = await self._ask("tickers", {}, urgent=True, retries=1)
        return parse.parse_mark_prices(answer.payload, contracts, otherwise_ms=answer.server_ms, bad=self._line.bad)

    async def volumes(self) -> Mapping[str, float]:
        """Quote volume (USDT) of the last 24 h by symbol, in one request."""
        contracts = await self._contracts.by_native()
        answer = await self._ask("tickers", {})
        return parse.parse_volumes(answer.payload, contracts, self._line.bad)

    async def risk_tiers_of(self, symbol: str) -> Sequence[RiskTier]:
        """The contract's tiers, ascending, at most six hours old or the last known; empty where they contradict."""
        return await self._tiers.get((await self._contracts.get(symbol)).native)

    async def risk_tiers(self) -> Mapping[str, Sequence[RiskTier]]:
        """Every contract's risk tiers: some 55 requests of 15 contracts each."""
        contracts = await self._contracts.by_native()
        found: dict[str, Tiers] = {}
        for payload in await self._pages("risk-limit", {}):
            found |= parse.parse_risk_limits(payload, self._line.bad)
        return {contracts[native].symbol: tiers for native, tiers in found.items() if native in contracts}

    async def _list(self) -> Sequence[Instrument]:
        pages = await self._pages("instruments-info", {"limit": 1000})
        return [one for page in pages for one in parse.parse_instruments(page, self._line.bad)]

    async def _fetch_tiers(self, native: str) -> Tiers:
        answer = await self._ask("risk-limit", {"symbol": native})
        return parse.parse_risk_limits(answer.payload, self._line.bad).get(native, ())

    async def _pages(self, what: str, params: Mapping[str, str | int]) -> Sequence[object]:
        """Every page of a list, by the venue's cursor."""
        pages: list[object] = []
        cursor = ""
        while len(pages) < _MOST_PAGES:
            answer = await self._ask(what, {**params, "cursor": cursor} if cursor else params)
            pages.append(answer.payload)
            seen, cursor = cursor, parse.next_cursor(answer.payload)
            if not cursor:
                return pages
            if cursor == seen:
                break
        raise ExchangeUnavailableError(f"Bybit's pages of {what} never end.")

    async def _ask(
        self, what: str, params: Mapping[str, str | int], *, urgent: bool = False, retries: int = 3
    ) -> Answer:
        asked = {"category": "linear", **params}
        return await self._line.rest.get(
            f"/v5/market/{what}", asked, budget=self._budget, urgent=urgent, retries=retries
        )
