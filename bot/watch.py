"""The watch: what the market does goes to the judge, and what the judge decides is stored before it counts.

One evaluation at a time: evaluate, commit state and outbox rows in one transaction, apply. A commit that fails leaves
the judge where it was, so that the same is found again at the next tick and nothing is lost.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.aftermath import NOTHING, Aftermath, Aftermaths
from bot.alerts.engine import Engine
from bot.alerts.expiry import EXPIRED, life_ms
from bot.alerts.gate import ALERTS_PER_HOUR
from bot.alerts.manners import QuietHours
from bot.alerts.preferences import Preferences
from bot.alerts.readings import FirstLook, Liquidation, MapReading, Standing
from bot.alerts.reasons import Reason
from bot.alerts.silence import Silence
from bot.alerts.types import Changes, Event, Kind, LogEntry, Market, Phase, Repeat, Rule, RuleState, Track
from bot.alerts.verdicts import TOLD_ONCE
from bot.clock import Clock
from bot.doorbell import Doorbell, breaker_notices, outbox_rows
from bot.freshness import STALE_MS
from bot.liquidation.totals import average_true_range_pct
from bot.liquidation.values import replace
from bot.liquidation.whole import Whole
from bot.market.types import BAR_MS, Tick
from bot.markets import LiveMarket
from bot.reading import touch_odds
from bot.storage.alerts_state import ClusterSample, HistoryRow
from bot.storage.database import Database
from bot.storage.outbox import OutboxRow
from bot.storage.slots import Slot

RECOMPUTE = "recompute"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Added:
    """A rule as stored, whether it was there before, and what satisfies it already; `first` of its chat's rules."""

    rule: Rule
    existed: bool
    look: FirstLook
    first: bool = False


class Watch:
    """The judge and the memory, kept in step. `on_events` is called after each commit that queued messages."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        engine: Engine,
        on_events: Callable[[Sequence[Event]], None],
        bell: Doorbell | None = None,
        aftermath: Aftermath | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._engine = engine
        self._on_events = on_events
        self._bell = bell or Doorbell(db, per_hour=ALERTS_PER_HOUR)
        self._aftermath = aftermath or Aftermath(db, clock)
        self._turn = asyncio.Lock()

    async def take_map(self, live: LiveMarket) -> Changes:
        """Judge a recompute; a slot that was judged before changes nothing."""
        reading, volatility = live.reading, live.reading.volatility
        slot_ms = reading.map.time_ms
        async with self._turn:
            before_ms = max((track.seen_ms for track in self._engine.tracks(live.market)), default=slot_ms - BAR_MS)
            low, high = live.extremes_since(before_ms)
            changes = self._engine.evaluate_map(
                MapReading(
                    market=live.market,
                    slot_ms=slot_ms,
                    now_ms=self._clock.now_ms(),
                    clusters=reading.clusters,
                    price=live.price,
                    low=low,
                    high=high,
                    map_ms=slot_ms,
                    # Sizes out of part of the history are not comparable to those out of the whole.
                    model_version=reading.version if live.whole else f"{reading.version} partial",
                    open_interest=reading.map.open_interest,
                    limits=reading.map.limits,
                    proven=reading.proven,
                    touch=lambda cluster, price: touch_odds(cluster, price, volatility),
                    whole=Whole.of(reading.map, reading.clusters, day_volatility=volatility.day),
                    volatility=volatility,
                    atr_pct=lambda: average_true_range_pct(live.history),
                    marks=live.surroundings.marks,
                )
            )
            if changes.observed is None:
                log.debug("%s: %s %s at %d", Reason.DUPLICATE_SLOT, *live.market, slot_ms)
            history = () if not changes else (_history_row(live.market, slot_ms, changes.tracks),)
            ended = await self._aftermath.due(live, changes.tracks)
            slots = (Slot(RECOMPUTE, slot_ms, live.market),)
            return await self._commit(changes, slots=slots, history=history, ended=ended)

    async def take_prices(self, tick: Tick, *, now_ms: int) -> Changes:
        """Judge one tick of one exchange; `now_ms` is that exchange's clock, which alone can tell how old it is."""
        async with self._turn:
            self._aftermath.see(tick)
            changes = self._engine.evaluate_tick(tick.exchange, tick.symbols, tick.price, tick.time_ms, now_ms=now_ms)
            return await self._commit(changes) if changes else self._applied(changes)

    async def take_prints(self, exchange: str, news: Sequence[Liquidation], *, heard_ms: int) -> Changes:
        """Judge the liquidations of one exchange, heard until `heard_ms`. What could not be stored is given again."""
        async with self._turn:
            changes = self._engine.evaluate_prints(exchange, news, heard_ms=heard_ms)
            return await self._commit(changes) if changes else self._applied(changes)

    async def take_time(self) -> Changes:
        """Judge what is due by the clock alone: digests, reminders of rules that end, and their ends."""
        async with self._turn:
            changes = self._engine.evaluate_clock(self._clock.now_ms())
            return await self._commit(changes) if changes else self._applied(changes)

    async def add(self, rule: Rule, *, limit: int) -> Added:
        """Store a rule and judge it from now on. Raises RuleLimitError."""
        async with self._turn:
            first = await self._db.rules.none_ever(rule.chat)
            stored, existed = await self._db.rules.add(rule, limit=limit)
            look = self._engine.first_look(stored)
            known = self._engine.rule(stored.id)
            if known is None or known.paused_reason is not None:
                await self._begin_again(stored)
            elif known != stored:
                self._engine.replace_rule(stored)
            return Added(stored, existed, look, first)

    async def edit(self, rule: Rule) -> Added | None:
        """Let a chat's rule ask for something else under its own number; None where the chat has none such.

        Another rule of the chat that asks for that already is given back instead, and nothing is changed. A rule that
        had told once, or ended, runs again where the edit takes that reason away.
        """
        async with self._turn:
            known = await self._db.rules.get(rule.chat, rule.id)
            if known is None:
                return None
            twin = await self._db.rules.twin(rule)
            if twin is not None:
                return Added(twin, True, FirstLook(()))
            stopped = known.paused_reason
            if (stopped == TOLD_ONCE and rule.repeat is not Repeat.ONCE) or (
                stopped == EXPIRED and rule.expires_ms != known.expires_ms
            ):
                stopped = None
            changed = replace(rule, snoozed_until_ms=known.snoozed_until_ms, paused_reason=stopped)
            woken = known.paused_reason is not None and stopped is None
            look = self._engine.first_look(changed) if woken else self._engine.edited_look(known, changed)
            log = self._true_now(changed, look)
            await self._db.commit_changes(Changes(states=look.states), log=log, edited=(changed,))
            self._engine.replace_rule(changed, look.states)
            return Added(changed, False, look)

    async def stop(self, chat: int, rule_id: int, reason: str) -> Rule | None:
        """Let a rule say nothing until it is woken; None where the chat has none such."""
        async with self._turn:
            known = await self._db.rules.get(chat, rule_id)
            if known is None:
                return None
            stopped = replace(known, paused_reason=reason)
            await self._db.commit_changes(Changes(rules=(stopped,)))
            return self._replaced(stopped)

    async def remove(self, chat: int, rule_id: int) -> Rule | None:
        async with self._turn:
            removed = await self._db.rules.remove(chat, rule_id, now_ms=self._clock.now_ms())
            if removed is not None:
                self._engine.remove_rule(removed.id)
            return removed

    async def restore(self, chat: int, rule_id: int, *, removed_since_ms: int) -> Rule | None:
        """Undo a removal; what is true now is not news, it was told before."""
        async with self._turn:
            restored = await self._db.rules.restore(chat, rule_id, removed_since_ms=removed_since_ms)
            if restored is not None:
                self._engine.add_rule(restored, await self._states_for(restored))
            return restored

    async def snooze(self, chat: int, rule_id: int, until_ms: int) -> Rule | None:
        """Silence a rule until then; 0 wakes it, and one that has ended is renewed for as long as it was made for."""
        now_ms = self._clock.now_ms()
        known = self._engine.rule(rule_id)
        if until_ms == 0 and known is not None and known.expires_ms and known.expires_ms <= now_ms:
            return await self.renew(chat, rule_id, now_ms + life_ms(known))
        async with self._turn:
            changed = await self._db.rules.snooze(chat, rule_id, until_ms)
            if changed is None:
                return None
            if until_ms:
                snoozed = _about(changed, Reason.SNOOZED, now_ms, until_ms=until_ms)
                await self._db.commit_changes(Changes(), log=[snoozed])
            told_once = until_ms == 0 and known is not None and known.paused_reason == TOLD_ONCE
            return await self._begin_again(changed) if told_once else self._replaced(changed)

    async def renew(self, chat: int, rule_id: int, expires_ms: int) -> Rule | None:
        """Let a rule run until `expires_ms` (0: for good), also one that has ended."""
        async with self._turn:
            known = self._engine.rule(rule_id)
            changed = await self._db.rules.renew(chat, rule_id, expires_ms, now_ms=self._clock.now_ms())
            if changed is None:
                return None
            ended = known is None or known.paused_reason is not None
            return await self._begin_again(changed) if ended else self._replaced(changed)

    def rules_on(self, market: Market) -> Sequence[Rule]:
        """Every rule on a market, in the order they were made."""
        return [rule for rule in self._engine.rules() if rule.market == market]

    async def pause(self, rules: Sequence[Rule], reason: str, notices: Sequence[OutboxRow]) -> None:
        """Stop these rules for a reason, in one commit with the messages that tell of it."""
        async with self._turn:
            changes = Changes(rules=tuple(replace(rule, paused_reason=reason) for rule in rules))
            await self._db.commit_changes(changes, notices)
            self._engine.apply(changes)

    async def resume(self, market: Market, reason: str) -> None:
        """Let the rules on a market run again that had stopped for this reason; what is true now is no news."""
        async with self._turn:
            for rule in self.rules_on(market):
                if rule.paused_reason == reason:
                    changes = Changes(rules=(replace(rule, paused_reason=None),))
                    await self._db.commit_changes(changes)
                    await self._begin_again(changes.rules[0])

    async def _begin_again(self, rule: Rule) -> Rule:
        """A rule that had stopped starts as a new one does: what is true now is no news."""
        look = self._engine.first_look(rule)
        await self._db.commit_changes(Changes(states=look.states), log=self._true_now(rule, look))
        self._engine.replace_rule(rule, look.states)
        return rule

    def _true_now(self, rule: Rule, look: FirstLook) -> Sequence[LogEntry]:
        """The log of what a rule finds true already."""
        now_ms = self._clock.now_ms()
        true_now = [state.track_id for state in look.states if state.phase is Phase.FIRED]
        return [_about(rule, Reason.TRUE_WHEN_MADE, now_ms, track_id=track_id) for track_id in true_now]

    def _replaced(self, rule: Rule) -> Rule:
        self._engine.replace_rule(rule)
        return rule

    async def set_quiet(self, chat: int, quiet: QuietHours | None) -> None:
        """Keep a chat's quiet hours. Raises UnknownZoneError."""
        async with self._turn:
            await self._bell.set_quiet(chat, quiet, now_ms=self._clock.now_ms())
            self._engine.follow_days(self._bell.day)
        self._on_events(())

    async def prefer(self, chat: int, chosen: Preferences) -> None:
        """Keep what a chat has chosen. Raises UnknownZoneError."""
        async with self._turn:
            await self._bell.prefer(chat, chosen, now_ms=self._clock.now_ms())
            self._engine.follow_days(self._bell.day)
        self._on_events(())

    async def mute(self, chat: int, until_ms: int) -> None:
        """Hold all of a chat's alerts until then; 0 ends it."""
        async with self._turn:
            await self._bell.mute(chat, until_ms, now_ms=self._clock.now_ms())
        self._on_events(())

    async def forget(self, chat: int) -> None:
        """Delete everything of a chat, and judge nothing for it any more."""
        async with self._turn:
            await self._db.whole_chat.forget(chat)
            rule_ids = {rule.id for rule in self._engine.rules() if rule.chat == chat}
            for rule_id in rule_ids:
                self._engine.remove_rule(rule_id)
            self._bell.forget(chat, rule_ids)
            self._aftermath.forget(chat)

    async def follow_stored_rules(self) -> None:
        """Judge by the rules of chats that can be written to: some left since, came back, or have another id now."""
        async with self._turn:
            await self._bell.follow_stored_wishes()
            self._engine.follow_days(self._bell.day)
            self._bell.forget_idle(now_ms=self._clock.now_ms())
            stored = {rule.id: rule for rule in await self._db.rules.all()}
            for rule_id in self._engine.rule_ids() - stored.keys():
                self._engine.remove_rule(rule_id)
            for rule in stored.values():
                known = self._engine.rule(rule.id)
                if known is None:
                    self._engine.add_rule(rule, await self._states_for(rule))
                elif known != rule:
                    self._engine.replace_rule(rule)

    async def rules_of(self, chat: int) -> Sequence[Rule]:
        return await self._db.rules.of_chat(chat)

    def rules(self) -> Sequence[Rule]:
        """Every rule that is judged."""
        return self._engine.rules()

    def tracks(self, market: Market) -> Sequence[Track]:
        return self._engine.tracks(market)

    def asks_surroundings(self, market: Market) -> bool:
        return self._engine.asks_surroundings(market)

    def why_silent(self, rule: Rule, *, now_ms: int) -> Sequence[Silence]:
        """Why a rule says nothing now. `now_ms` is its exchange's clock."""
        return self._engine.why_silent(rule, now_ms=now_ms, max_age_ms=STALE_MS)

    def follow_days(self) -> None:
        """Let digests come by the days of their chats, as these are remembered."""
        self._engine.follow_days(self._bell.day)

    def digest_due_ms(self, rule: Rule) -> int:
        """When a digest comes next; 0 for every other rule."""
        return self._engine.digest_due_ms(rule) if rule.kind is Kind.DIGEST else 0

    def standing(self, rule: Rule) -> Standing | None:
        return self._engine.nearest(rule)

    def markets(self, *, but: str | None = None) -> Sequence[Market]:
        """Every market that some rule watches, in a fixed order; `but` where all rules have stopped for this reason."""
        markets = self._engine.markets()
        if but is not None:
            markets &= {rule.market for rule in self._engine.rules() if rule.paused_reason != but}
        return sorted(markets)

    async def _states_for(self, rule: Rule) -> Sequence[RuleState]:
        """The states of a rule that comes back: those stored, and for new clusters what is true already."""
        states = {state.track_id: state for state in self._engine.first_look(rule).states}
        states |= {state.track_id: state for state in await self._db.alerts.states_of(rule.id)}
        return tuple(states.values())

    async def _commit(
        self,
        changes: Changes,
        *,
        slots: Sequence[Slot] = (),
        history: Sequence[HistoryRow] = (),
        ended: Aftermaths = NOTHING,
    ) -> Changes:
        now_ms = self._clock.now_ms()
        begun = self._aftermath.begin(changes.events)
        rulings = self._bell.rule(changes, now_ms=now_ms)
        await self._db.commit_changes(
            changes,
            [*outbox_rows(rulings, now_ms=now_ms), *ended.rows, *breaker_notices(changes.rules, now_ms=now_ms)],
            slots=slots,
            history=history,
            log=(*changes.log, *rulings.log(now_ms)),
            outcomes=(*ended.outcomes, *begun.outcomes),
            now_ms=now_ms,
        )
        self._bell.apply(rulings)
        self._aftermath.apply(ended)
        self._aftermath.apply(begun)
        for row in ended.rows:
            log.info("receipt: %s", row.dedupe_key)
        for ruling in rulings.rulings:
            log.info("alert %s: %s (%s)", ruling.reason, ruling.event.dedupe_key, ruling.event.reason)
        return self._applied(changes)

    def _applied(self, changes: Changes) -> Changes:
        self._engine.apply(changes)
        if changes.events:
            self._on_events(changes.events)
        return changes


def _about(rule: Rule, reason: Reason, time_ms: int, *, track_id: str = "", until_ms: int = 0) -> LogEntry:
    """A line of the log on what was done to a rule."""
    return LogEntry(time_ms, reason, rule.market, chat=rule.chat, rule_id=rule.id, track_id=track_id, until_ms=until_ms)


def _history_row(market: Market, slot_ms: int, tracks: Sequence[Track]) -> HistoryRow:
    samples = (
        ClusterSample(
            track_id=track.id,
            side=track.cluster.side,
            low=track.cluster.low,
            high=track.cluster.high,
            peak=track.cluster.peak,
            usd=track.cluster.usd,
            strength=track.cluster.strength,
        )
        for track in tracks
        if track.seen_ms == slot_ms and track.closed is None
    )
    return HistoryRow(market, slot_ms, tuple(samples))
