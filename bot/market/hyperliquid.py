"""The Hyperliquid client: public data by POST /info, within half of its weight."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bot.clock import Clock
from bot.liquidation.known import KnownPosition
from bot.liquidation.margin import RiskTier
from bot.market import hyperliquid_parse as parse
from bot.market.crowd_rows import not_given, with_farther
from bot.market.exchange import ExchangeUnavailableError, UnknownSymbolError
from bot.market.hyperliquid_accounts import Accounts, Positions, parse_account
from bot.market.hyperliquid_parse import Asset
from bot.market.limits import Budget
from bot.market.line import Contracts, Line, OnLine
from bot.market.reply import Reply, SilenceAskedError
from bot.market.rest import RETRIES, Answer, Transport
from bot.market.rows import join_bars, samples_of, tick_of
from bot.market.types import BAR_MS, Bars, Crowd, Depth, Instrument, LongShortRatios, OpenInterest, Tick

API_URL: Final = "https://api.hyperliquid.xyz"

# 1200 weight a minute and address, told by nobody. A question costs 20, candles one more for each 60.
_WEIGHT: Final = 1200
_WINDOW_S: Final = 60.0
_QUESTION: Final = 20
_BOOK: Final = 2
_BOOK_LEVELS: Final = 20
_COARSER: Final = (4, 3)
_ACCOUNT: Final = 2
_CANDLES_A_WEIGHT: Final = 60
_KEPT_CANDLES: Final = 5000

# Everything about all contracts is one question; asked every 6 s it takes 200 of the 600 a minute.
_FRESH_MS: Final = 5_500
_KEPT_FOR_PRICES: Final = 220
_SILENCE_S: Final = 10


@dataclass(frozen=True, slots=True)
class _Moment:
    """What one answer said of all contracts, by canonical symbol."""

    time_ms: int
    assets: Mapping[str, Asset]


class HyperliquidExchange(OnLine):
    """An `Exchange`. Safe to use from many tasks at once; requests wait for their budget and share its pauses.

    Prices are at most six seconds old. Bars go back 5000, have no quote volume and no taker split. There is no
    history of open interest: whoever wants one samples `open_interest`. Contracts are margined in USDC and quoted in
    dollars; they count as USDT here. `banned_until_ms` is a silence known from an earlier run, `addresses` are accounts
    whose positions are read.
    """

    name = parse.EXCHANGE
    gives_open_interest_history = False
    crowds: tuple[Crowd, ...] = ()

    def __init__(
        self,
        *,
        clock: Clock,
        api_url: str = API_URL,
        banned_until_ms: int | None = None,
        addresses: Sequence[str] = (),
        transport: Transport | None = None,
    ) -> None:
        self._budget = Budget(clock, limit=_WEIGHT, window_s=_WINDOW_S, reserved_for_urgent=_KEPT_FOR_PRICES)
        self._line = Line(
            parse.VENUE,
            api_url,
            clock=clock,
            budgets={"weight": self._budget},
            judge=judge,
            banned_until_ms=banned_until_ms,
            transport=transport,
        )
        self._contracts = Contracts(parse.VENUE, self._list)
        self._last: _Moment | None = None
        self._asking = asyncio.Lock()
        self._accounts = Accounts(addresses, self._positions_of, clock)

    async def instruments(self) -> Sequence[Instrument]:
        """The perpetuals that trade now, under their canonical symbols: 1000PEPEUSDT is kPEPE there."""
        return await self._contracts.refresh()

    async def bars(self, symbol: str, *, start_ms: int, end_ms: int) -> Bars:
        """Closed 5-minute bars with start_ms <= open_ms < end_ms; only the latest 5000 exist, in one request."""
        native = (await self._contracts.get(symbol)).native
        now_ms = self.server_now_ms()
        start_ms = max(math.ceil(start_ms / BAR_MS) * BAR_MS, (now_ms // BAR_MS - _KEPT_CANDLES + 1) * BAR_MS)
        if start_ms >= end_ms:
            return parse.parse_bars([], now_ms=now_ms, bad=self._line.bad)
        count = min(math.ceil((end_ms - start_ms) / BAR_MS), _KEPT_CANDLES)
        wanted = {"coin": native, "interval": "5m", "startTime": start_ms, "endTime": end_ms - 1}
        weight = _QUESTION + math.ceil(count / _CANDLES_A_WEIGHT)
        answer = await self._ask({"type": "candleSnapshot", "req": wanted}, weight=weight)
        found = parse.parse_bars(answer.payload, now_ms=answer.server_ms, bad=self._line.bad)
        return join_bars([found], start_ms=start_ms, end_ms=end_ms)

    async def open_interest_history(self, symbol: str, *, start_ms: int, end_ms: int) -> OpenInterest:
        """Empty: the venue publishes none."""
        return samples_of((), bad=self._line.bad)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """The open interest now: one row, in coins, one side. Where there is none: ExchangeUnavailableError."""
        moment = await self._now()
        coins = self._asset(moment, symbol).coins
        if not coins > 0:
            raise ExchangeUnavailableError(f"Hyperliquid gives no open interest for {symbol} now.")
        return OpenInterest(np.array([moment.time_ms], dtype=np.int64), np.array([coins], dtype=np.float64))

    async def long_short_ratios(self, symbol: str, crowd: Crowd, *, start_ms: int, end_ms: int) -> LongShortRatios:
        """Raises NotGivenError: the venue publishes none."""
        raise not_given(parse.VENUE, crowd)

    async def depth(self, symbol: str, *, levels: int = 100) -> Depth:
        """The book now, at most `levels` a side. One answer has 20; more are filled up with what rests farther away, as
        the venue adds it up by four and by three figures of the price. Weight 2 an answer.
        """
        native = (await self._contracts.get(symbol)).native
        found = []
        for figures in (None, *_COARSER) if levels > _BOOK_LEVELS else (None,):
            grouped: dict[str, object] = {} if figures is None else {"nSigFigs": figures}
            answer = await self._ask({"type": "l2Book", "coin": native, **grouped}, weight=_BOOK)
            found.append(parse.parse_depth(answer.payload, levels=levels, bad=self._line.bad))
        return with_farther(*found).nearest(levels)

    async def mark_prices(self) -> Tick:
        """The mark price of every symbol, at most six seconds old."""
        moment = await self._now(retries=1)
        known = ((symbol, moment.time_ms, asset.mark_price) for symbol, asset in moment.assets.items())
        return tick_of(parse.EXCHANGE, known, bad=self._line.bad)

    async def volumes(self) -> Mapping[str, float]:
        """Volume of the last 24 h by symbol, in dollars."""
        moment = await self._now()
        return {symbol: asset.volume_usd for symbol, asset in moment.assets.items() if asset.volume_usd >= 0}

    async def risk_tiers_of(self, symbol: str) -> Sequence[RiskTier]:
        """The contract's tiers, ascending, of the last answer about all contracts."""
        return self._asset(self._last or await self._now(), symbol).tiers

    async def risk_tiers(self) -> Mapping[str, Sequence[RiskTier]]:
        """Every contract's tiers, ascending, of the last answer about all contracts."""
        moment = self._last or await self._now()
        return {symbol: asset.tiers for symbol, asset in moment.assets.items() if asset.tiers}

    async def ask_accounts(self) -> bool:
        """Ask for the positions of the next addresses; weight 2 each."""
        await self._accounts.ask_next()
        return self._accounts.complete

    def known_positions(self, symbol: str) -> Sequence[KnownPosition]:
        """What the addresses hold of a contract, as told within the last hour."""
        return self._accounts.of(symbol)

    async def _positions_of(self, address: str) -> Positions:
        answer = await self._ask({"type": "clearinghouseState", "user": address}, weight=_ACCOUNT)
        return parse_account(answer.payload, self._line.bad)

    async def _list(self) -> Sequence[Instrument]:
        return [asset.instrument for asset in (await self._now()).assets.values()]

    async def _now(self, *, retries: int = RETRIES) -> _Moment:
        """All contracts, as of the last seconds: who asks meanwhile shares the answer."""
        async with self._asking:
            if self._last is None or self.server_now_ms() - self._last.time_ms >= _FRESH_MS:
                body = {"type": "metaAndAssetCtxs"}
                answer = await self._ask(body, weight=_QUESTION, urgent=True, retries=retries)
                assets = parse.parse_assets(answer.payload, self._line.bad)
                by_symbol = {asset.instrument.symbol: asset for asset in assets}
                self._last = _Moment(self.server_now_ms(), by_symbol)
            return self._last

    def _asset(self, moment: _Moment, symbol: str) -> Asset:
        asset = moment.assets.get(symbol)
        if asset is None:
            raise UnknownSymbolError(f"Hyperliquid does not list {symbol}, or no longer trades it.")
        return asset

    async def _ask(
        self, body: Mapping[str, object], *, weight: int, urgent: bool = False, retries: int = RETRIES
    ) -> Answer:
        return await self._line.rest.post(
            "/info", body, budget=self._budget, weight=weight, urgent=urgent, retries=retries
        )


def judge(reply: Reply) -> None:
    """429 is over weight, without a word on when it ends; nothing else has a code of its own."""
    if reply.status == 429:
        raise SilenceAskedError(reply.retry_after_s or _SILENCE_S)
