"""The skill meter, live: what the map knew is stored before the fact, and scored when the hour is over.

Every quarter of an hour the map of each watched market goes into the database in brief, beside the path alone and the
model before it learned anything. Every hour the last week of them is held against the liquidations that were heard.
What comes of it is a verdict for each market, proven here or not, and a guard: the learned map is shown unless what
was learned does not pay.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from bot.alerts.types import Market
from bot.clock import Clock
from bot.liquidation import RiskTier, Turnover
from bot.liquidation.score import HOUR_MS, MOMENT_MS
from bot.liquidation.skill import Skill, Verdict
from bot.liquidation.turnover import WINDOW_MS, guarded
from bot.liquidation.types import Floats
from bot.liquidation.values import replace
from bot.live_score import (
    LEARNED,
    PRIOR,
    TUNED,
    Record,
    WeekScore,
    briefs_at,
    learn_week,
    score_week,
)
from bot.market.feed import FeedStatus, Heard, LiquidationFeed, Stretch, joined_stretches
from bot.market.history import liquidations_of_cover
from bot.market_skill import MarketSkill, all_of, skill_of, stored_skill
from bot.markets import LiveMarket
from bot.reading import UNPROVEN, Calibration
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.storage.slots import Slot

DAY_MS = 86_400_000
FORGOTTEN_MS = 2 * DAY_MS
"""A score that was not renewed for so long speaks for nothing any more."""

BRIEF, SCORE, LEARN = "brief", "score", "turnover"

log = logging.getLogger(__name__)


class SkillMeter:
    """Listens, remembers, scores and learns. A disk that fails costs a sample, never a map."""

    def __init__(self, *, db: Database, clock: Clock, feeds: Mapping[str, LiquidationFeed]) -> None:
        self._db = db
        self._clock = clock
        self._feeds = feeds
        self._unsaved: dict[str, Heard] = {}
        self._skills: dict[Market, MarketSkill] = {}
        self._noted: dict[Market, int] = {}
        self._turn = asyncio.Lock()

    async def restore(self) -> None:
        """Remember what was scored and learned before a restart, unless it is older than what a score rests on."""
        oldest_ms = self._clock.now_ms() - WINDOW_MS
        for stored in await self._db.briefs.scores():
            if stored.time_ms >= oldest_ms:
                try:
                    self._skills[stored.market] = skill_of(stored)
                except (KeyError, TypeError, ValueError) as error:
                    log.warning("a stored score of %s %s is of another version: %s", *stored.market, error)

    def calibration(self, market: Market) -> Calibration:
        """How a market's map is read: its own verdict, or that of the whole exchange where its own has too few."""
        if market.exchange not in self._feeds:
            return UNPROVEN
        own = self._skills.get(market, MarketSkill(market, 0))
        judge = self.judge(market)
        proven = judge is not None and judge.score is not None and judge.score.verdict is Verdict.PROVEN
        weights = own.turnover.weights if own.turnover is not None and own.shipped == TUNED else None
        return Calibration(learned=own.shipped == LEARNED, weights=weights, proven=proven, kappa=own.kappa)

    def judge(self, market: Market) -> MarketSkill | None:
        """Whose score speaks for a market: its own where that can tell, else its exchange's; never an old one."""
        own, pooled = self._skills.get(market), self.pooled(market.exchange)
        chosen = own if own is not None and own.tells else pooled
        return chosen if chosen is not None and chosen.time_ms > self._clock.now_ms() - FORGOTTEN_MS else None

    def skill(self, market: Market) -> MarketSkill | None:
        """What is known of one market."""
        return self._skills.get(market)

    def pooled(self, exchange: str) -> MarketSkill | None:
        """What is known of all of an exchange's markets together."""
        return self._skills.get(all_of(exchange))

    def feed_status(self, exchange: str) -> FeedStatus | None:
        """How the feed of an exchange does; None where it has none."""
        feed = self._feeds.get(exchange)
        return None if feed is None else feed.status()

    def take(self, exchange: str) -> Heard:
        """What an exchange's feed has brought since the last take; it is stored with the next `hear`."""
        feed = self._feeds.get(exchange)
        if feed is None:
            return Heard()
        news = feed.take()
        self._unsaved[exchange] = _both(self._unsaved.get(exchange, Heard()), news)
        return news

    def hears(self, exchange: str) -> bool:
        """Whether liquidations of an exchange are listened to at all."""
        return exchange in self._feeds

    async def hear(self) -> None:
        """Store what the feeds brought; what cannot be stored now is tried again with what comes next."""
        for exchange in self._feeds:
            self.take(exchange)
            both = self._unsaved.pop(exchange)
            try:
                await self._db.prints.save(exchange, both)
            except StorageError:
                log.exception("liquidations of %s could not be stored and are kept", exchange)
                self._unsaved[exchange] = _both(both, self._unsaved.get(exchange, Heard()))

    async def note(self, live: LiveMarket) -> None:
        """Store a market's map in brief, once every quarter of an hour."""
        market, slot_ms = live.market, live.history.end_ms // MOMENT_MS * MOMENT_MS
        if market.exchange not in self._feeds or self._noted.get(market) == slot_ms:
            return
        slot = Slot(BRIEF, slot_ms, market)
        try:
            if not await self._db.slots.is_done(slot):
                (made,) = await asyncio.to_thread(
                    briefs_at,
                    market,
                    live.history,
                    live.tiers,
                    [live.history.end_ms],
                    turnover=self._turnover(market),
                    parameters=live.parameters,
                )
                await self._db.briefs.save(made, slot, now_ms=self._clock.now_ms())
        except StorageError:
            log.exception("the map of %s %s could not be noted", *market)
        else:
            self._noted[market] = slot_ms

    async def measure(self, markets: Sequence[LiveMarket]) -> None:
        """Learn turnover where its day is not done, then score the week where its hour is not done."""
        async with self._turn:
            await self.hear()
            now_ms = self._clock.now_ms()
            try:
                for exchange in self._feeds:
                    mine = [live for live in markets if live.market.exchange == exchange]
                    await self._measure_exchange(exchange, mine, now_ms)
            except StorageError:
                log.exception("the maps could not be scored and are scored later")

    async def _measure_exchange(self, exchange: str, markets: Sequence[LiveMarket], now_ms: int) -> None:
        hour = Slot(SCORE, now_ms // HOUR_MS * HOUR_MS, all_of(exchange))
        if not markets or await self._db.slots.is_done(hour):
            return
        since_ms = now_ms - WINDOW_MS
        cover = await self._db.prints.cover(exchange, start_ms=since_ms, end_ms=now_ms)
        records = []
        for live in markets:
            record = await self._record(live, cover, since_ms, now_ms)
            records.append(record)
            await self._learn(record, live.tiers, cover, now_ms)
        scored = await asyncio.to_thread(score_week, records, cover)
        await self._settle(exchange, scored, now_ms)
        await self._db.slots.mark(hour, now_ms=now_ms)

    async def _record(self, live: LiveMarket, cover: Sequence[Stretch], since_ms: int, now_ms: int) -> Record:
        briefs = await self._db.briefs.load(live.market, start_ms=since_ms, end_ms=now_ms)
        prints = await self._db.prints.load(live.market, start_ms=since_ms, end_ms=now_ms)
        printed = liquidations_of_cover(prints, cover, exchange=live.market.exchange, tiers=live.tiers)
        return Record(live.market, live.history, briefs, printed)

    async def _learn(
        self, record: Record, tiers: Sequence[RiskTier] | None, cover: Sequence[Stretch], now_ms: int
    ) -> None:
        """Learn a market's turnover, once a day."""
        market = record.market
        slot = Slot(LEARN, now_ms // DAY_MS * DAY_MS, market)
        if await self._db.slots.is_done(slot):
            return
        turnover = await asyncio.to_thread(learn_week, record.history, tiers, record.prints, cover)
        known = self._skills.get(market, MarketSkill(market, now_ms))
        self._skills[market] = replace(known, turnover=turnover, time_ms=now_ms)
        await self._db.briefs.save_scores([stored_skill(self._skills[market])])
        await self._db.slots.mark(slot, now_ms=now_ms)

    async def _settle(self, exchange: str, scored: WeekScore, now_ms: int) -> None:
        """Remember everything. Once a day each market's map is chosen: a map that changes its mind is no help."""
        pooled = scored.pooled
        together = MarketSkill(all_of(exchange), now_ms, pooled, shipped=chosen(None, pooled))
        kappas = {name: scored.kappas(name) for name in (PRIOR, TUNED, LEARNED)}
        found = [together]
        for market, skill in scored.each.items():
            known = self._skills.get(market, MarketSkill(market, now_ms))
            if known.decided_ms // DAY_MS != now_ms // DAY_MS:
                judge = skill if skill.model(LEARNED).verdict is not Verdict.TOO_FEW else pooled
                known = replace(known, shipped=chosen(known.turnover, judge), decided_ms=now_ms)
            kappa = kappas[known.shipped].get(market.symbol)
            found.append(replace(known, time_ms=now_ms, skill=skill, kappa=kappa))
        await self._db.briefs.save_scores([stored_skill(one) for one in found])
        self._skills.update({one.market: one for one in found})
        verdict = together.score.verdict.value if together.score else ""
        log.info("scored %d markets of %s: %s", len(found) - 1, exchange, verdict)

    def _turnover(self, market: Market) -> Floats | None:
        known = self._skills.get(market)
        return known.turnover.weights if known is not None and known.turnover is not None else None


def _both(before: Heard, after: Heard) -> Heard:
    return Heard(before.prints + after.prints, joined_stretches(before.stretches + after.stretches))


def chosen(turnover: Turnover | None, skill: Skill) -> str:
    """The guard: the learned map is shown unless enough liquidations put it no higher than the prior.

    Then the prior is, with `turnover` where that scores better.
    """
    learned, prior = skill.model(LEARNED), skill.model(PRIOR)
    if learned.verdict is Verdict.TOO_FEW or learned.skill > prior.skill:
        return LEARNED
    if turnover is None:
        return PRIOR
    tuned = guarded(turnover, learned_skill=skill.model(TUNED).skill, prior_skill=prior.skill)
    return TUNED if tuned.trust > 0 else PRIOR
