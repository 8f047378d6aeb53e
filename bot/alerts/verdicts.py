"""One evaluation's verdicts: pairs of rule and track go before the state machine, and what comes of it is gathered."""

from collections.abc import Sequence

from bot.alerts.column import Column, silent_until_ms
from bot.alerts.judge import Judge, Measured, Telling, sight_between
from bot.alerts.machine import Decision, Observation, Sight, Terms, step
from bot.alerts.market_book import MarketBook
from bot.alerts.pulse import Pulse
from bot.alerts.readings import MapReading
from bot.alerts.reasons import LASTING, Reason
from bot.alerts.types import Changes, Event, Kind, LogEntry, Market, Phase, Repeat, Rule, RuleState, Track, Unit
from bot.liquidation.types import Cluster
from bot.liquidation.values import replace

BREAKER_MS = 3 * 60_000
BREAKER_FIRINGS = 15
"""So many firings of one rule in so short a time pause it."""

UNHEARD = 1e9
"""A metric beyond this is no measure of anything: it stands for "as much as can be"."""

BREAKER = "breaker"
"""The reason of a rule that the breaker has paused."""

SILENCE = {
    Decision.HOLDING: Reason.HOLDING,
    Decision.MISSED: Reason.MISSED,
    Decision.LEFT: Reason.LEFT,
    Decision.HIT_AGAIN: Reason.HIT_AGAIN,
    Decision.REARMED: Reason.REARMED,
    Decision.SILENCED: Reason.SNOOZED,
    Decision.NOT_MORE_THAN_TOLD: Reason.NOT_MORE_THAN_TOLD,
}
"""What the log calls a step that gave no event; the others say nothing new."""

TOLD_ONCE = "once"
"""The reason of a rule that has told what it was to tell once."""


Odds = tuple[tuple[int, float], ...]
"""(hours, probability) pairs of a touch."""


class Verdicts:
    """Gathers states, events and paused rules; `changes` gives them in an order that depends on nothing but them."""

    def __init__(self, *, breaker_firings: int = BREAKER_FIRINGS) -> None:
        self.judged = 0
        self._breaker_firings = breaker_firings
        self._states: dict[tuple[Market, str], dict[int, RuleState]] = {}
        self._events: list[Event] = []
        self._firings: dict[int, int] = {}
        self._paused: dict[int, Rule] = {}
        self._log: list[LogEntry] = []
        self._marked: dict[tuple[Market, Cluster], tuple[Odds, Cluster]] = {}

    def judge(
        self,
        book: MarketBook,
        judge: Judge,
        rule: Rule,
        measured: Measured,
        *,
        unseen_ms: int,
        event_ms: int,
        reading: MapReading | None = None,
    ) -> None:
        """Put one pair before the state machine.

        `reading` is the map that an alert would rest on, the newest one known where none is given.
        """
        states = self._states_on(book, measured.track_id)
        look = _Look(book, judge, measured, states, unseen_ms=unseen_ms, event_ms=event_ms, reading=reading)
        self._put(look, rule, judge.terms(rule), judge.sight(rule, measured))

    def judge_column(
        self,
        book: MarketBook,
        column: Column,
        asked: Sequence[int],
        measured: Measured,
        *,
        unseen_ms: int,
        event_ms: int,
        reading: MapReading | None = None,
    ) -> None:
        """Put the rules at these places of a column before the state machine, one after the other."""
        if not asked:
            return
        states = self._states_on(book, measured.track_id)
        look = _Look(book, column.judge, measured, states, unseen_ms=unseen_ms, event_ms=event_ms, reading=reading)
        eligible = column.eligible(measured.body)
        for at in asked:
            rule, fits = column.rules[at], bool(eligible >> at & 1)
            sight = sight_between(column.hit_at[at], column.exit_at[at], rule, measured, eligible=fits)
            self._put(look, rule, column.terms[at], sight)

    def _put(self, look: "_Look", rule: Rule, terms: Terms, sight: Sight) -> None:
        # One look may ask a pair more than once: what it has become meanwhile counts.
        state = look.states.get(rule.id) or look.known.get(rule.id) or RuleState(rule.id, look.track_id)
        seen = look.seen(sight)
        worth = look.judge.worth
        if worth is not None and not worth(rule, state, look.measured):
            seen = replace(seen, worth=False)
        if rule.id in self._paused or silent_until_ms(rule) > seen.time_ms:
            seen = replace(seen, silenced=True)
        after, decision = step(state, seen, terms)
        self.judged += 1
        if after is not state:
            look.states[rule.id] = after
        reason = SILENCE.get(decision)
        if reason is not None:
            self._note(look, rule, reason, episode=after.episode)
        elif decision is Decision.FIRED:
            self._tell(look, rule, episode=after.episode)

    def _tell(self, look: "_Look", rule: Rule, *, episode: int) -> None:
        if look.reading is None:
            raise ValueError(f"{look.book.market}: judged without a map")
        if look.told is None:
            look.told = self._surroundings(look.reading, look.measured, rule.kind)
        touch, measured = look.told
        telling = look.telling(rule, measured)
        self._events.append(
            _event(look.reading, telling, rule, measured, episode=episode, event_ms=look.event_ms, touch=touch)
        )
        self._count(look.book, rule, measured.time_ms)
        if rule.repeat is Repeat.ONCE:
            self._paused[rule.id] = replace(rule, paused_reason=TOLD_ONCE)

    def close(self, book: MarketBook, track: Track, *, time_ms: int) -> None:
        """A track has ended, and with it every state on it."""
        now = {**book.states_of(track.id), **self._states.get((book.market, track.id), {})}
        for state in now.values():
            self._keep(book, replace(state, phase=Phase.CLOSED, since_ms=time_ms, last_ms=max(time_ms, state.last_ms)))

    def announce(self, book: MarketBook, event: Event, state: RuleState, *, paused: Rule | None = None) -> None:
        """An event that the clock brought, with the state that remembers it, and the rule that ends with it."""
        self._keep(book, state)
        self._events.append(event)
        if paused is not None:
            self._paused[paused.id] = paused

    def note(self, book: MarketBook, state: RuleState) -> None:
        """A state to be remembered without an event."""
        self._keep(book, state)

    def changes(self, tracks: tuple[Track, ...], observed: object, *, pulses: tuple[Pulse, ...] = ()) -> Changes:
        if not (self._states or self._events or self._paused or self._log):
            return Changes(tracks=tracks, pulses=pulses, observed=observed)
        self._events.sort(key=lambda event: (event.market, event.track_id, event.rule_id))
        return Changes(
            states=tuple(states[rule_id] for _, states in sorted(self._states.items()) for rule_id in sorted(states)),
            tracks=tracks,
            rules=tuple(self._paused.values()),
            events=tuple(self._events),
            log=tuple(self._log),
            pulses=pulses,
            observed=observed,
        )

    def _surroundings(self, reading: MapReading, measured: Measured, kind: Kind) -> tuple[Odds, Measured]:
        """The odds of a touch, and what was measured with what else stands at its cluster: found once for all rules
        that fire on a body at once.
        """
        track = measured.track
        if track is None:
            return (reading.touch(measured.body, measured.price) if kind is Kind.EXPOSURE else ()), measured
        body = track.cluster
        found = self._marked.get((reading.market, body))
        if found is None:
            marked = replace(body, confluence=reading.marks(body))
            found = self._marked[reading.market, body] = reading.touch(body, measured.price), marked
        touch, marked = found
        return touch, replace(measured, track=replace(track, cluster=marked))

    def _states_on(self, book: MarketBook, track_id: str) -> dict[int, RuleState]:
        """The states of a track that have changed, by rule."""
        return self._states.setdefault((book.market, track_id), {})

    def _keep(self, book: MarketBook, state: RuleState) -> None:
        self._states_on(book, state.track_id)[state.rule_id] = state

    def _note(self, look: "_Look", rule: Rule, reason: Reason, *, episode: int) -> None:
        """Log why a look gave no event; the same again and again, once."""
        if reason in LASTING:
            stopped = self._paused.get(rule.id, rule).paused_reason
            if stopped is not None and reason is Reason.SNOOZED:
                reason = Reason.BREAKER if stopped == BREAKER else Reason.PAUSED
            if look.book.noted(rule.id, look.track_id) is reason:
                return
        time_ms, market, track_id = look.measured.time_ms, look.book.market, look.track_id
        self._log.append(  # by position, which is the faster: most steps are logged
            LogEntry(
                time_ms, reason, market, rule.chat, rule.id, track_id, episode, look.value_pct, look.measured.price
            )
        )

    def _count(self, book: MarketBook, rule: Rule, time_ms: int) -> None:
        """The breaker. A pair fires at most once in its cooldown, so pairs that fired lately are firings."""
        if len(book.tracks) < self._breaker_firings:
            return
        firings = self._firings[rule.id] = self._firings.get(rule.id, 0) + 1
        if firings + book.firings_since(rule.id, time_ms - BREAKER_MS) >= self._breaker_firings:
            self._paused[rule.id] = replace(rule, paused_reason=BREAKER)


class _Look:
    """What was measured, before one rule after the other: all that is the same to them. `states` are those of its track
    that have changed in this evaluation, `told` is what the alerts of this look have in common.
    """

    __slots__ = (
        *("_seen", "_tellings", "_tells", "_unseen_ms", "book", "event_ms", "judge", "known", "measured", "reading"),
        *("states", "told", "track_id", "value_pct"),
    )

    def __init__(
        self,
        book: MarketBook,
        judge: Judge,
        measured: Measured,
        states: dict[int, RuleState],
        *,
        unseen_ms: int,
        event_ms: int,
        reading: MapReading | None,
    ) -> None:
        self.book, self.judge, self.measured, self.states = book, judge, measured, states
        self.track_id = measured.track_id
        self.known = book.states_of(self.track_id)
        self.reading = book.reading if reading is None else reading
        self.event_ms = event_ms
        self.value_pct = _value(measured)
        self.told: tuple[Odds, Measured] | None = None
        self._tells = judge.tells(measured)
        self._unseen_ms = unseen_ms
        self._seen: dict[Sight, Observation] = {}
        self._tellings: dict[tuple[Unit, float, int], Telling] = {}

    def seen(self, sight: Sight) -> Observation:
        """The look as rules take it to which it is this sight."""
        seen = self._seen.get(sight)
        if seen is None:
            seen = self._seen[sight] = Observation(self.measured.time_ms, sight, self._tells, unseen_ms=self._unseen_ms)
        return seen

    def telling(self, rule: Rule, measured: Measured) -> Telling:
        """The words of an alert, found once for all rules that ask for as much of a cluster."""
        if measured.track is None:
            return self.judge.tell(rule, measured)
        asked = (rule.unit, rule.threshold_pct, rule.window_ms)
        found = self._tellings.get(asked)
        if found is None:
            found = self._tellings[asked] = self.judge.tell(rule, measured)
        return found


def _value(measured: Measured) -> float | None:
    """What was measured; None where it stands for "nothing to compare with"."""
    return None if measured.metric is None or abs(measured.metric) > UNHEARD else abs(measured.metric)


def _event(
    reading: MapReading,
    telling: Telling,
    rule: Rule,
    measured: Measured,
    *,
    episode: int,
    event_ms: int,
    touch: Odds,
) -> Event:
    cluster = None if measured.track is None else measured.track.cluster
    return Event(
        time_ms=event_ms,
        kind=telling.kind,
        market=rule.market,
        rule_id=rule.id,
        chat=rule.chat,
        track_id=measured.track_id,
        episode=episode,
        severity=telling.severity,
        price=measured.price,
        cluster=cluster,
        value_pct=telling.value_pct,
        threshold_pct=rule.threshold_pct,
        window_ms=rule.window_ms,
        reason=telling.reason,
        map_ms=reading.map_ms,
        open_interest=reading.open_interest,
        touch=touch,
        limits=reading.limits,
        proven=reading.proven,
        side=measured.side,
        unit=rule.unit,
        figures=measured.figures,
        label=rule.label,
    )
