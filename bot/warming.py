"""History kept in store ahead of need: of what is watched first, then of what is traded most, as budgets allow.

So a map of any of these markets is there at once, and a watched market need not wait for its oldest days. Newest first:
what a map needs most. Every request here waits behind all others.
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bot.alerts.types import Market
from bot.clock import Clock
from bot.history_store import HistoryStore, What
from bot.market.exchange import Exchange, ExchangeError, GeoBlockedError, RateLimitedError, UnknownSymbolError
from bot.market.priority import Priority, asking_as
from bot.market.types import BAR_MS
from bot.markets import NEWEST_MS, Markets
from bot.storage.errors import StorageError

FIRST_MS: Final = 8 * 86_400_000
"""What a first map waits for: a week and a day, of which the model makes most of what it makes of thirty days."""

SAMPLE_DELAY_MS: Final = 10_000
SAMPLE_SPREAD_S: Final = 60.0
"""Samples begin so long after a bar's close, behind those of watched markets, and are spread over this time."""

_BANDS: Final = (0, NEWEST_MS, FIRST_MS)
"""How far back each part of the history begins, newest first; the last goes to the end."""

_TAIL_SLOTS: Final = 12
_DEEP_SLOTS: Final = 288
"""After so many bars the newest part, and an older one, is looked through again for what is missing."""

_BATCH: Final = 25
_TROUBLE_S: Final = 60.0
_MOST_FAILURES: Final = 3
"""After so many markets in a row that failed, it is the exchange that does not answer."""
_LOOK_AGAIN_S: Final = 5.0
"""How long the list of watched markets counts as known: of very many rules it takes a while to make."""
_LEFT_ALONE_MS: Final = 600_000
"""How long a market is left alone of which the exchange does not give what is asked."""

log = logging.getLogger(__name__)

Step = Callable[[str], Awaitable[float]]
"""A piece of work for one exchange; the seconds to wait until there may be more."""


@dataclass(frozen=True, slots=True)
class Warmth:
    """How much of an exchange is kept in store: `whole` of `wanted` markets have all that can be had."""

    wanted: int
    whole: int


class Warmer:
    """Fills the store of every exchange, for ever.

    `watched` tells the markets that rules watch, each on an exchange of its own; `most` is how many more are kept.
    """

    def __init__(
        self,
        *,
        exchanges: Mapping[str, Exchange],
        markets: Markets,
        clock: Clock,
        watched: Callable[[], Sequence[Market]],
        most: int,
    ) -> None:
        self._exchanges = exchanges
        self._markets = markets
        self._clock = clock
        self._watched = watched
        self._most = most
        self._ranking: dict[str, list[str]] = {}
        self._filled: dict[tuple[What, int, Market], int] = {}
        self._left_alone: dict[Market, int] = {}
        self._failures: Counter[str] = Counter()
        self._told: set[tuple[str, What]] = set()
        self._watched_now: Sequence[Market] = ()
        self._look_again_s = -math.inf

    @property
    def _store(self) -> HistoryStore:
        return self._markets.histories

    def rank(self, exchange: str, volumes: Mapping[str, float]) -> None:
        """What an exchange's contracts are traded for in a day: the most traded are kept first."""
        self._ranking[exchange] = sorted(volumes, key=lambda symbol: -volumes[symbol])

    def wanted(self, exchange: str) -> Sequence[Market]:
        """Whose history is kept: every watched market, then the most traded ones that are listed."""
        ranked = (Market(exchange, symbol) for symbol in self._ranking.get(exchange, ()))
        known = self._markets.listed(exchange)
        watched, listed = ([m for m in some if m.symbol in known] for some in (self._watched_on(exchange), ranked))
        return list(dict.fromkeys((*watched, *listed[: self._most])))

    def warmth(self, exchange: str) -> Warmth:
        """How far the work has come."""
        wanted = self.wanted(exchange)
        whats = self._whats(exchange)
        whole = [m for m in wanted if all((what, band, m) in self._filled for what in whats for band in _BANDS)]
        return Warmth(len(wanted), len(whole))

    async def run(self) -> None:
        """Work until cancelled. Trouble with an exchange or the disk is waited out."""
        with asking_as(Priority.BACKGROUND):
            async with asyncio.TaskGroup() as group:
                for name in self._exchanges:
                    group.create_task(self._forever(name, self.sample))
                    for what in self._whats(name):
                        group.create_task(self._forever(name, partial(self.fill, what=what)))

    async def sample(self, exchange: str) -> float:
        """Store the open interest of now of all wanted markets, as that of the bar that has just closed."""
        end_ms = self._markets.window(exchange)[1]
        late_ms = self._exchanges[exchange].server_now_ms() - end_ms
        wanted = [market for market in self.wanted(exchange) if not self._is_left_alone(market)]
        if SAMPLE_DELAY_MS <= late_ms < BAR_MS // 2:
            pause_s = SAMPLE_SPREAD_S * _BATCH / max(len(wanted), _BATCH)
            for at in range(0, len(wanted), _BATCH):
                if at:
                    await self._clock.sleep(pause_s)
                await self._sample(wanted[at : at + _BATCH], end_ms)
            late_ms = self._exchanges[exchange].server_now_ms() - end_ms
        wait_ms = SAMPLE_DELAY_MS - late_ms
        return (wait_ms if wait_ms > 0 else wait_ms + BAR_MS) / 1000

    async def _sample(self, some: Sequence[Market], end_ms: int) -> None:
        found = {}
        for market in some:
            try:
                sample = await self._store.sample_of_now(market, end_ms)
            except ExchangeError as error:
                self._leave_alone(market, error)
            else:
                if sample is not None:
                    found[market] = sample
        if found:
            await self._store.keep_samples(found, end_ms)

    async def fill(self, exchange: str, *, what: What) -> float:
        """Fill in what is missing of one series, newest parts first; anew when a bar closes or a rule is made."""
        start_ms, end_ms = self._markets.window(exchange)
        slot, wanted, watched = end_ms // BAR_MS, self.wanted(exchange), self._watched_on(exchange)
        for band, reach_ms in enumerate(_BANDS):
            from_ms = max(start_ms, end_ms - _BANDS[band + 1]) if band + 1 < len(_BANDS) else start_ms
            for index, market in enumerate(wanted):
                if self._is_due(what, reach_ms, market, slot, index) and not self._is_left_alone(market):
                    if await self._fill(what, market, from_ms, end_ms - reach_ms):
                        self._filled[what, reach_ms, market] = slot
                    if self._watched_on(exchange) != watched or self._markets.window(exchange)[1] != end_ms:
                        return 0.0
        if wanted and (exchange, what) not in self._told:
            self._told.add((exchange, what))
            log.info("%s: %s of %d contracts in store", exchange, what.replace("_", " "), len(wanted))
        return (end_ms + BAR_MS - self._exchanges[exchange].server_now_ms()) / 1000 + 1.0

    async def _fill(self, what: What, market: Market, start_ms: int, end_ms: int) -> bool:
        try:
            if what == "bars":
                await self._store.fill_bars(market, start_ms, end_ms)
            else:
                # The newest figure is sampled.
                await self._store.fill_open_interest(market, start_ms, end_ms - BAR_MS)
        except ExchangeError as error:
            self._leave_alone(market, error)
            return False
        self._failures[market.exchange] = 0
        return True

    def _watched_on(self, exchange: str) -> Sequence[Market]:
        now_s = self._clock.monotonic()
        if now_s >= self._look_again_s:
            self._watched_now, self._look_again_s = self._watched(), now_s + _LOOK_AGAIN_S
        return [market for market in self._watched_now if market.exchange == exchange]

    def _is_due(self, what: What, reach_ms: int, market: Market, slot: int, index: int) -> bool:
        """Whether a part was never filled, or long ago. The newest parts of all markets take turns, bar by bar."""
        last = self._filled.get((what, reach_ms, market))
        if last is None or slot - last >= _DEEP_SLOTS:
            return True
        return reach_ms == 0 and slot > last and (slot - last >= _TAIL_SLOTS or (slot - index) % _TAIL_SLOTS == 0)

    def _leave_alone(self, market: Market, error: ExchangeError) -> None:
        """What is wrong with one market is no reason to stop; what is wrong with the exchange is."""
        exchange = market.exchange
        self._failures[exchange] += not isinstance(error, UnknownSymbolError)
        if isinstance(error, RateLimitedError | GeoBlockedError) or self._failures[exchange] >= _MOST_FAILURES:
            self._failures[exchange] = 0
            raise error
        log.info("%s %s is left alone for a while: %s", *market, error)
        self._left_alone[market] = self._clock.now_ms() + _LEFT_ALONE_MS

    def _is_left_alone(self, market: Market) -> bool:
        return self._left_alone.get(market, 0) > self._clock.now_ms()

    def _whats(self, exchange: str) -> tuple[What, ...]:
        has_history = self._exchanges[exchange].gives_open_interest_history
        return ("bars", "open_interest") if has_history else ("bars",)

    async def _forever(self, exchange: str, step: Step) -> None:
        while True:
            try:
                wait_s = await step(exchange)
            except RateLimitedError as silenced:
                wait_s = max(1.0, (silenced.until_ms - self._clock.now_ms()) / 1000)
            except ExchangeError as error:
                log.info("%s is not read ahead for now: %s", exchange, error)
                wait_s = _TROUBLE_S
            except StorageError as failure:
                log.warning("history of %s could not be stored and is asked for again: %s", exchange, failure)
                wait_s = _TROUBLE_S
            await self._clock.sleep(wait_s)
