"""Contracts that leave their exchange: their watchers are told once ahead and once at the end, and the rules pause."""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final

from bot.alerts.types import Market
from bot.clock import Clock
from bot.liquidation.combining import COMBINED
from bot.markets import Markets
from bot.storage.errors import StorageError
from bot.storage.outbox import OutboxRow
from bot.watch import Watch

DELISTED: Final = "delisted"
"""The reason of a rule whose contract is no longer traded."""

SURE_AFTER_MS: Final = 240_000
"""A contract must be missing from two lists so far apart: one list may be short by mistake."""

log = logging.getLogger(__name__)


class Delistings:
    """Holds the lists of contracts against the rules. `queued` is called when messages were queued."""

    def __init__(self, *, markets: Markets, watch: Watch, clock: Clock, queued: Callable[[], None]) -> None:
        self._markets = markets
        self._watch = watch
        self._clock = clock
        self._queued = queued
        self._missing_since: dict[Market, int] = {}
        self._announced: set[tuple[Market, int, int]] = set()
        self._doubted = False
        self.gone: frozenset[Market] = frozenset()
        """The markets of which no rule is judged any more: as of the last check, for very many rules take a while."""

    @property
    def in_doubt(self) -> bool:
        """Whether the lists should be read anew: a watched contract was missing from one, or is unknown."""
        return self._doubted or bool(self._missing_since)

    def doubt(self) -> None:
        """An exchange says that it does not know a watched contract."""
        self._doubted = True

    async def check(self, answered: Collection[str]) -> None:
        """Look at the lists just read from these exchanges; what cannot be stored is told at the next look."""
        self._doubted = False
        for market in self._watch.markets():
            if not self._has_answered(market, answered):
                continue
            try:
                if self._is_listed(market):
                    self._missing_since.pop(market, None)
                    await self._watch.resume(market, DELISTED)
                    await self._announce(market)
                else:
                    await self._end(market)
            except StorageError as failure:
                log.warning("that %s %s leaves could not be stored and is told later: %s", *market, failure)
        self.gone = frozenset(self._watch.markets()) - frozenset(self._watch.markets(but=DELISTED))

    async def _announce(self, market: Market) -> None:
        instrument = self._markets.book.get(market.symbol, market.exchange)
        until_ms = None if instrument is None else instrument.delist_ms
        if until_ms is None or until_ms <= self._clock.now_ms():
            return
        rules = self._watch.rules_on(market)
        chats = {rule.chat for rule in rules if (market, until_ms, rule.chat) not in self._announced}
        if chats:
            rows = self._notices("delisting", market, sorted(chats), until_ms)
            await self._watch.pause((), DELISTED, rows)
            self._announced |= {(market, until_ms, chat) for chat in chats}
            log.info("%s %s will be delisted; %d chats are told", *market, len(chats))
            self._queued()

    async def _end(self, market: Market) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._missing_since.setdefault(market, now_ms) < SURE_AFTER_MS:
            return
        rules = [rule for rule in self._watch.rules_on(market) if rule.paused_reason != DELISTED]
        if rules:
            chats = sorted({rule.chat for rule in rules})
            await self._watch.pause(rules, DELISTED, self._notices("delisted", market, chats, now_ms))
            log.warning("%s %s is no longer listed: %d rules pause", *market, len(rules))
            self._queued()
        del self._missing_since[market]

    def _notices(self, notice: str, market: Market, chats: Sequence[int], time_ms: int) -> Sequence[OutboxRow]:
        now_ms = self._clock.now_ms()
        # Of an end the day belongs to the key: a contract that came back and leaves again is news.
        key = f"{notice}:{market.exchange}:{market.symbol}:{time_ms // 86_400_000}"
        payload = {"notice": notice, "exchange": market.exchange, "symbol": market.symbol, "time_ms": time_ms}
        return [OutboxRow(f"{key}:{chat}", chat, payload, created_ms=now_ms) for chat in chats]

    def _has_answered(self, market: Market, answered: Collection[str]) -> bool:
        return not self._markets.unlisted() if market.exchange == COMBINED else market.exchange in answered

    def _is_listed(self, market: Market) -> bool:
        if market.exchange == COMBINED:
            return bool(self._markets.parts(market))
        return market.symbol in self._markets.listed(market.exchange)
