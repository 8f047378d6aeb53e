"""Answers to "why was I told?" and "why was I not?": from the decision log, and from the judge as it stands now."""

from collections.abc import Callable, Mapping, Sequence

from bot.alerts.reasons import HELD, TELLS, Reason
from bot.alerts.silence import Silence, refusal
from bot.alerts.types import Event, Kind, LogEntry, Market, Rule, Track
from bot.clock import Clock
from bot.liquidation.values import replace
from bot.market.exchange import Exchange
from bot.storage.codec import event_from_plain
from bot.storage.database import Database
from bot.telegram.desk import PassedView, ToldView, WhyView
from bot.telegram.headlines import Contract
from bot.watch import Watch

DAY_MS = 86_400_000
PATH_MS = 2 * DAY_MS
MOST_TOLD = 3
"""So many events of one message are explained."""

MOST_PASSED = 3
STRONG = 60


class Why:
    """Reads the log; `contract_of` knows an event's market by its short name."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        watch: Watch,
        exchanges: Mapping[str, Exchange],
        contract_of: Callable[[Market], Contract],
    ) -> None:
        self._db = db
        self._clock = clock
        self._watch = watch
        self._exchanges = exchanges
        self._contract_of = contract_of

    async def told(self, chat: int, message_id: int) -> Sequence[ToldView]:
        """What a message told, with the log of each event's rule and cluster."""
        views = []
        for key in (await self._db.told.keys_of(chat, message_id))[:MOST_TOLD]:
            payload = await self._db.told.payload(chat, key)
            if payload is not None and "kind" in payload:
                views.append(await self._told(chat, event_from_plain(payload)))
        return views

    async def silent(self, chat: int, rule_id: int) -> WhyView | None:
        """Why a rule says nothing now, and what became of the last day."""
        rule = await self._db.rules.get(chat, rule_id)
        if rule is None:
            return None
        since_ms = max(self._clock.now_ms() - DAY_MS, rule.created_ms)
        log = await self._db.decisions.of_rule(rule.id, since_ms=since_ms)
        stale = _intervals(await self._db.decisions.of_exchange(rule.market.exchange, since_ms=since_ms))
        contract = self._contract_of(rule.market)
        return WhyView(
            rule=rule,
            base=contract.base,
            tick_size=contract.tick_size,
            now=tuple(self._reasons(rule)),
            log=tuple(log),
            passed=await self._passed(rule, log, stale, since_ms=since_ms),
            stale=stale,
        )

    def _reasons(self, rule: Rule) -> Sequence[Silence]:
        """Why a rule says nothing now; a digest waits for its hour."""
        reasons = self._watch.why_silent(rule, now_ms=self._exchange_now_ms(rule.market))
        if rule.kind is not Kind.DIGEST:
            return reasons
        return [replace(one, until_ms=one.until_ms or self._watch.digest_due_ms(rule)) for one in reasons]

    async def lately(self, chat: int) -> Sequence[LogEntry]:
        """What became of a chat's alerts in the last day, newest first."""
        return await self._db.decisions.of_chat(chat, since_ms=self._clock.now_ms() - DAY_MS, limit=10)

    async def _told(self, chat: int, event: Event) -> ToldView:
        log = await self._db.decisions.of_rule(event.rule_id, since_ms=event.time_ms - PATH_MS, limit=500)
        about = [entry for entry in log if entry.track_id == event.track_id and entry.episode <= event.episode]
        decided = [entry.time_ms for entry in about if entry.key == event.dedupe_key]
        until_ms = max(decided, default=event.time_ms)
        path = [entry for entry in reversed(about) if entry.time_ms <= until_ms]
        contract = self._contract_of(event.market)
        rule = await self._db.rules.get(chat, event.rule_id)
        return ToldView(event, contract.base, contract.tick_size, rule, tuple(path))

    async def _passed(
        self,
        rule: Rule,
        log: Sequence[LogEntry],
        stale: Sequence[tuple[int, int | None]],
        *,
        since_ms: int,
    ) -> tuple[PassedView, ...]:
        """The clusters that price went through and that a trader may have missed, the newest first."""
        swept = await self._db.alerts.swept(rule.market, since_ms=since_ms)
        notable = [track for track in swept if track.cluster.strength >= STRONG or refusal(rule, track.cluster) is None]
        return tuple(
            PassedView(track.cluster, track.closed_ms, _fate(rule, track, log, stale))
            for track in notable[:MOST_PASSED]
        )

    def _exchange_now_ms(self, market: Market) -> int:
        exchange = self._exchanges.get(market.exchange)
        return self._clock.now_ms() if exchange is None else exchange.server_now_ms()


def _fate(rule: Rule, track: Track, log: Sequence[LogEntry], stale: Sequence[tuple[int, int | None]]) -> Silence:
    """What became of a rule's alert of a cluster that was swept."""
    of_track = [entry for entry in log if entry.track_id == track.id]
    decided = next((entry for entry in of_track if entry.reason in TELLS | HELD), None)
    if decided is not None:
        return Silence(decided.reason, track.cluster, since_ms=decided.time_ms, until_ms=decided.until_ms)
    refused = refusal(rule, track.cluster)
    if refused is not None:
        return refused
    for start_ms, end_ms in stale:
        if start_ms <= track.closed_ms and (end_ms is None or track.seen_ms <= end_ms):
            return Silence(Reason.STALE, track.cluster, since_ms=start_ms, until_ms=end_ms or 0)
    snoozed = next(
        (entry for entry in log if entry.reason is Reason.SNOOZED and entry.time_ms <= track.closed_ms), None
    )
    if snoozed is not None and snoozed.until_ms > track.seen_ms:
        return Silence(Reason.SNOOZED, track.cluster, since_ms=snoozed.time_ms, until_ms=snoozed.until_ms)
    if of_track:
        return Silence(of_track[0].reason, track.cluster, since_ms=of_track[0].time_ms)
    return Silence(Reason.NOT_MET, track.cluster)


def _intervals(log: Sequence[LogEntry]) -> tuple[tuple[int, int | None], ...]:
    """The times without data, newest first, from an exchange's lines, which come newest first."""
    found: list[tuple[int, int | None]] = []
    back_ms: int | None = None
    for entry in log:
        if entry.reason is Reason.BACK:
            back_ms = entry.time_ms
        else:
            found.append((entry.until_ms, back_ms))
            back_ms = None
    return tuple(found)
