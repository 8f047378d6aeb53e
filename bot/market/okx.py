"""The OKX v5 client for linear USDT swaps: public data, no key, within half of each path's limit."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from bot.clock import Clock
from bot.liquidation.margin import RiskTier
from bot.market import okx_parse as parse
from bot.market.crowd_rows import join_ratios, not_given
from bot.market.exchange import ExchangeUnavailableError
from bot.market.limits import Budget
from bot.market.line import Contracts, Line, OnLine
from bot.market.okx_errors import judge
from bot.market.okx_parse import SizeTier, Swap
from bot.market.rest import RETRIES, Answer, Transport
from bot.market.rows import join_bars, join_open_interest
from bot.market.ticks import on_tick
from bot.market.tiers import TierShelf
from bot.market.types import BAR_MS, Bars, Crowd, Depth, Instrument, LongShortRatios, OpenInterest, Tick

API_URL: Final = "https://www.okx.com"

_WINDOW_S: Final = 2.0
# Requests in 2 s and address, by path.
_PATHS: Final = {
    "instruments": ("/api/v5/public/instruments", 20),
    "tickers": ("/api/v5/market/tickers", 20),
    "candles": ("/api/v5/market/candles", 40),
    "history-candles": ("/api/v5/market/history-candles", 20),
    "mark-price": ("/api/v5/public/mark-price", 10),
    "open-interest": ("/api/v5/public/open-interest", 20),
    "open-interest-history": ("/api/v5/rubik/stat/contracts/open-interest-history", 10),
    "position-tiers": ("/api/v5/public/position-tiers", 10),
    "books": ("/api/v5/market/books", 40),
    Crowd.ACCOUNTS: ("/api/v5/rubik/stat/contracts/long-short-account-ratio-contract", 5),
    Crowd.TOP_ACCOUNTS: ("/api/v5/rubik/stat/contracts/long-short-account-ratio-contract-top-trader", 5),
    Crowd.TOP_POSITIONS: ("/api/v5/rubik/stat/contracts/long-short-position-ratio-contract-top-trader", 5),
}
_MOST_LEVELS: Final = 400

_BARS_PER_PAGE: Final = 300
# The latest 1440 bars come from `candles`; a few less, because meanwhile one may close.
_RECENT_MS: Final = 1400 * BAR_MS
# One below the limit of 100, so that a row on the edge of a window can never push out another.
_SAMPLES_PER_PAGE: Final = 99
_HISTORY_MS: Final = 1440 * BAR_MS - 600_000
_FAMILIES_PER_REQUEST: Final = 5


class OkxExchange(OnLine):
    """An `Exchange`. Safe to use from many tasks at once; requests wait for their path's budget.

    There is no taker split in its bars, and open interest goes five days back. Risk tiers are published by size in
    contracts: their notionals follow the mark price. `banned_until_ms` is a silence known from an earlier run.
    """

    name = parse.EXCHANGE
    gives_open_interest_history = True
    crowds = tuple(Crowd)

    def __init__(
        self,
        *,
        clock: Clock,
        api_url: str = API_URL,
        banned_until_ms: int | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._budgets = {name: Budget(clock, limit=limit, window_s=_WINDOW_S) for name, (_, limit) in _PATHS.items()}
        self._line = Line(
            parse.VENUE,
            api_url,
            clock=clock,
            budgets=self._budgets,
            judge=judge,
            banned_until_ms=banned_until_ms,
            transport=transport,
        )
        self._contracts = Contracts(parse.VENUE, self._list)
        self._swaps: Mapping[str, Swap] = {}
        self._tiers = TierShelf(clock, self._fetch_tiers)
        self._prices: dict[str, float] = {}

    async def instruments(self) -> Sequence[Instrument]:
        """The USDT swaps that trade now, in one request."""
        return await self._contracts.refresh()

    @property
    def listed(self) -> Mapping[str, Swap]:
        """The swaps by the venue's own name as last read, without asking."""
        return self._swaps

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        """Closed 5-minute bars with start_ms <= open_ms < end_ms, pages joined; what the venue lacks stays a gap.

        A page has 300 bars; the latest five days come from `candles`, earlier ones from `history-candles`.
        """
        swap = await self._swap(symbol)
        pages: list[Bars] = []
        cursor = math.ceil(start_ms / BAR_MS) * BAR_MS
        while cursor < end_ms:
            until_ms = min(cursor + _BARS_PER_PAGE * BAR_MS, end_ms)
            path = "candles" if cursor >= self.server_now_ms() - _RECENT_MS else "history-candles"
            # Both ends are left out of the answer.
            window: dict[str, str | int] = {"before": cursor - 1, "after": until_ms}
            asked = {"instId": swap.instrument.native, "bar": "5m", "limit": _BARS_PER_PAGE, **window}
            answer = await self._ask(path, asked)
            page = parse.parse_bars(
                answer.payload, face_coins=swap.face_coins, now_ms=answer.server_ms, bad=self._line.bad
            )
            pages.append(page)
            cursor = until_ms
        joined = join_bars(pages, start_ms=start_ms, end_ms=end_ms)
        return on_tick(joined, swap.instrument.tick_size, self._line.bad)

    async def open_interest_history(self, symbol: str, *, start_ms: int, end_ms: int) -> OpenInterest:
        """Samples every 5 minutes with start_ms < time_ms <= end_ms, in coins; only the latest 1440 exist."""
        swap = await self._swap(symbol)
        windows = self._windows("open-interest-history", swap, start_ms=start_ms, end_ms=end_ms)
        face, bad = swap.face_coins, self._line.bad
        pages = [parse.parse_open_interest_history(page, face_coins=face, bad=bad) async for page in windows]
        return join_open_interest(pages, start_ms=start_ms, end_ms=end_ms)

    async def long_short_ratios(self, symbol: str, crowd: Crowd, *, start_ms: int, end_ms: int) -> LongShortRatios:
        """Ratios every 5 minutes with start_ms < time_ms <= end_ms; only the latest 1440 exist.

        The traders are the top 5 % by the value of their positions.
        """
        if crowd not in self.crowds:
            raise not_given(parse.VENUE, crowd)
        windows = self._windows(crowd, await self._swap(symbol), start_ms=start_ms, end_ms=end_ms)
        pages = [parse.parse_ratios(page, self._line.bad) async for page in windows]
        return join_ratios(pages, start_ms=start_ms, end_ms=end_ms)

    async def _windows(self, what: str, swap: Swap, *, start_ms: int, end_ms: int) -> AsyncIterator[object]:
        """The pages of one of rubik's series, window by window, as far back as it goes."""
        now_ms = self.server_now_ms()
        cursor, end_ms = max(start_ms, now_ms - _HISTORY_MS), min(end_ms, now_ms)
        while cursor < end_ms:
            until_ms = min(cursor + _SAMPLES_PER_PAGE * BAR_MS, end_ms)
            window: dict[str, str | int] = {"begin": cursor, "end": until_ms + 1}
            asked = {"instId": swap.instrument.native, "period": "5m", "limit": 100, **window}
            yield (await self._ask(what, asked)).payload
            cursor = until_ms

    async def depth(self, symbol: str, *, levels: int = 100) -> Depth:
        """The book now, at most `levels` (and 400) a side, in one request."""
        swap = await self._swap(symbol)
        asked: dict[str, str | int] = {"instId": swap.instrument.native, "sz": min(levels, _MOST_LEVELS)}
        answer = await self._ask("books", asked)
        return parse.parse_depth(answer.payload, face_coins=swap.face_coins, levels=levels, bad=self._line.bad)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """The open interest now: one row, in coins. A contract that settles has none: ExchangeUnavailableError."""
        swap = await self._swap(symbol)
        answer = await self._ask("open-interest", {"instType": "SWAP", "instId": swap.instrument.native})
        now = parse.parse_open_interest_now(answer.payload, face_coins=swap.face_coins, bad=self._line.bad)
        if not len(now):
            raise ExchangeUnavailableError(f"OKX gives no open interest for {symbol} now.")
        return now

    async def mark_prices(self) -> Tick:
        """The mark price of every symbol, in one request."""
        await self._contracts.by_native()
        answer = await self._ask("mark-price", {"instType": "SWAP"}, urgent=True, retries=1)
        tick = parse.parse_mark_prices(answer.payload, self._swaps, self._line.bad)
        self._prices = dict(zip(tick.symbols, tick.price.tolist(), strict=True))
        return tick

    async def volumes(self) -> Mapping[str, float]:
        """Volume of the last 24 h by symbol, in USDT at the last price, in one request."""
        await self._contracts.by_native()
        answer = await self._ask("tickers", {"instType": "SWAP"})
        return parse.parse_volumes(answer.payload, self._swaps, self._line.bad)

    async def risk_tiers_of(self, symbol: str) -> Sequence[RiskTier]:
        """The contract's tiers at the last mark price, ascending; sizes at most six hours old or the last known."""
        swap = await self._swap(symbol)
        return parse.priced(await self._tiers.get(swap.instrument.native), await self._price(symbol))

    async def risk_tiers(self) -> Mapping[str, Sequence[RiskTier]]:
        """Every contract's tiers at its mark price: a request for each five contracts."""
        await self.mark_prices()
        found: dict[str, tuple[SizeTier, ...]] = {}
        for some in _fives(tuple(self._swaps.values())):
            found |= await self._fetch_size_tiers(some)
        contracts = await self._contracts.by_native()
        symbols = {native: contracts[native].symbol for native in found}
        return {
            symbol: parse.priced(found[native], self._prices[symbol])
            for native, symbol in symbols.items()
            if symbol in self._prices
        }

    async def _swap(self, symbol: str) -> Swap:
        contract = await self._contracts.get(symbol)
        return self._swaps[contract.native]

    async def _price(self, symbol: str) -> float:
        if symbol not in self._prices:
            await self.mark_prices()
        if symbol not in self._prices:
            raise ExchangeUnavailableError(f"OKX gives no mark price of {symbol} now.")
        return self._prices[symbol]

    async def _list(self) -> Sequence[Instrument]:
        answer = await self._ask("instruments", {"instType": "SWAP"})
        found = parse.parse_swaps(answer.payload, self._line.bad)
        if found:
            self._swaps = {swap.instrument.native: swap for swap in found}
        return [swap.instrument for swap in found]

    async def _fetch_tiers(self, native: str) -> tuple[SizeTier, ...]:
        swap = self._swaps.get(native)
        return () if swap is None else (await self._fetch_size_tiers((swap,))).get(native, ())

    async def _fetch_size_tiers(self, swaps: Sequence[Swap]) -> dict[str, tuple[SizeTier, ...]]:
        families = {swap.family: swap for swap in swaps}
        asked: dict[str, str | int] = {"instType": "SWAP", "tdMode": "cross", "instFamily": ",".join(families)}
        answer = await self._ask("position-tiers", asked)
        return parse.parse_size_tiers(answer.payload, families, self._line.bad)

    async def _ask(
        self, what: str, params: Mapping[str, str | int], *, urgent: bool = False, retries: int = RETRIES
    ) -> Answer:
        path, _ = _PATHS[what]
        return await self._line.rest.get(path, params, budget=self._budgets[what], urgent=urgent, retries=retries)


def _fives(swaps: Sequence[Swap]) -> list[Sequence[Swap]]:
    return [swaps[at : at + _FAMILIES_PER_REQUEST] for at in range(0, len(swaps), _FAMILIES_PER_REQUEST)]
