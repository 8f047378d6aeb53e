"""One evaluation's verdicts: pairs of rule and track go before the state machine, and what comes of it is gathered."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bot.alerts.column import Column, silent_until_ms
from bot.alerts.judge import Judge, Measured, Telling, sight_between
from bot.alerts.machine import Decision, Observation, Sight, Terms, step
from bot.alerts.market_book import MarketBook
from bot.alerts.pulse import Pulse
from bot.alerts.readings import MapReading
from bot.alerts.reasons import Reason
from bot.alerts.types import Changes, Event, Kind, LogEntry, Market, Phase, Repeat, Rule, RuleState, Track

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

LASTING = frozenset({Reason.SNOOZED, Reason.BREAKER, Reason.PAUSED, Reason.NOT_MORE_THAN_TOLD})
"""Reasons that a look finds again while nothing has changed."""
TOLD_ONCE = "once"
"""The reason of a rule that has told what it was to tell once."""


class Verdicts:
    """Gathers states, events and paused rules; `changes` gives them in an order that depends on nothing but them."""

    def __init__(self, *, breaker_firings: int = BREAKER_FIRINGS) -> None:
        self.judged = 0
        self._breaker_firings = breaker_firings
        self._states: dict[tuple[Market, str], dict[int, RuleState]] = {}
        self._events: list[Event] = []
        self._firings: defaultdict[int, int] = defaultdict(int)
        self._paused: dict[int, Rule] = {}
        self._log: list[LogEntry] = []
        self._tracks: dict[tuple[Market, str, int], Track] = {}
        self._touch: dict[tuple[Market, str, float], tuple[tuple[int, float], ...]] = {}
        self._tellings: dict[tuple[object, ...], Telling] = {}

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
        seen = _observed(measured, unseen_ms=unseen_ms, judge=judge)._replace(sight=judge.sight(rule, measured))
        self._put(book, judge, rule, judge.terms(rule), measured, seen, event_ms=event_ms, reading=reading)

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
        seen = _observed(measured, unseen_ms=unseen_ms, judge=column.judge)
        looks = {seen.sight: seen}
        eligible = column.eligible(measured.body)
        for at in asked:
            rule, fits = column.rules[at], bool(eligible >> at & 1)
            sight = sight_between(column.hit_at[at], column.exit_at[at], rule, measured, eligible=fits)
            look = looks.get(sight)
            if look is None:
                look = looks[sight] = seen._replace(sight=sight)
            self._put(book, column.judge, rule, column.terms[at], measured, look, event_ms=event_ms, reading=reading)

    def _put(
        self,
        book: MarketBook,
        judge: Judge,
        rule: Rule,
        terms: Terms,
        measured: Measured,
        seen: Observation,
        *,
        event_ms: int,
        reading: MapReading | None,
    ) -> None:
        # One look may ask a pair more than once: what it has become meanwhile counts.
        states = self._states_on(book, measured.track_id)
        state = states.get(rule.id) or book.state(rule.id, measured.track_id)
        if judge.worth is not None and not judge.worth(rule, state, measured):
            seen = seen._replace(worth=False)
        if rule.id in self._paused or silent_until_ms(rule) > seen.time_ms:
            seen = seen._replace(silenced=True)
        after, decision = step(state, seen, terms)
        self.judged += 1
        if after is not state:
            states[rule.id] = after
        if decision is Decision.FIRED:
            self._tell(book, judge, rule, measured, episode=after.episode, event_ms=event_ms, reading=reading)
        elif (reason := SILENCE.get(decision)) is not None:
            self._note(book, rule, measured, reason, episode=after.episode)

    def _tell(
        self,
        book: MarketBook,
        judge: Judge,
        rule: Rule,
        measured: Measured,
        *,
        episode: int,
        event_ms: int,
        reading: MapReading | None,
    ) -> None:
        known = book.reading if reading is None else reading
        if known is None:
            raise ValueError(f"{book.market}: judged without a map")
        touch = self._touch_of(known, rule, measured)
        marked = self._marked(known, measured)
        telling = self._telling(judge, rule, marked)
        self._events.append(_event(known, telling, rule, marked, episode=episode, event_ms=event_ms, touch=touch))
        self._count(book, rule, measured.time_ms)
        if rule.repeat is Repeat.ONCE:
            self._paused[rule.id] = replace(rule, paused_reason=TOLD_ONCE)

    def close(self, book: MarketBook, track: Track, *, time_ms: int) -> None:
        """A track has ended, and with it every state on it."""
        now = {**book.states_of(track.id), **self._states.get((book.market, track.id), {})}
        for state in now.values():
            self._keep(book, state._replace(phase=Phase.CLOSED, since_ms=time_ms, last_ms=max(time_ms, state.last_ms)))

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

    def _touch_of(self, reading: MapReading, rule: Rule, measured: Measured) -> tuple[tuple[int, float], ...]:
        """The odds of a touch, worked out once for all rules that fire on a track at once."""
        if rule.kind is Kind.EXPOSURE:
            return reading.touch(measured.body, measured.price)
        if measured.track is None:
            return ()
        key = (reading.market, measured.track.id, measured.price)
        if key not in self._touch:
            self._touch[key] = reading.touch(measured.track.cluster, measured.price)
        return self._touch[key]

    def _marked(self, reading: MapReading, measured: Measured) -> Measured:
        """What was measured, its cluster with what else stands there: found once for all rules that fire on it."""
        if measured.track is None:
            return measured
        key = (reading.market, measured.track.id, measured.time_ms)
        if key not in self._tracks:
            track, marks = measured.track, reading.marks(measured.track.cluster)
            if marks != track.cluster.confluence:
                track = track._replace(cluster=replace(track.cluster, confluence=marks))
            self._tracks[key] = track
        return measured._replace(track=self._tracks[key])

    def _telling(self, judge: Judge, rule: Rule, measured: Measured) -> Telling:
        """The words of an alert, found once for all rules that ask for as much of the same thing."""
        track = measured.track
        if track is None:
            return judge.tell(rule, measured)
        asked = (rule.kind, rule.unit, rule.threshold_pct, rule.window_ms)
        key = (track.market, track.id, measured.time_ms, measured.price, measured.metric, asked)
        found = self._tellings.get(key)
        if found is None:
            found = self._tellings[key] = judge.tell(rule, measured)
        return found

    def _states_on(self, book: MarketBook, track_id: str) -> dict[int, RuleState]:
        """The states of a track that have changed, by rule."""
        return self._states.setdefault((book.market, track_id), {})

    def _keep(self, book: MarketBook, state: RuleState) -> None:
        self._states_on(book, state.track_id)[state.rule_id] = state

    def _note(self, book: MarketBook, rule: Rule, measured: Measured, reason: Reason, *, episode: int) -> None:
        """Log why a look gave no event; the same again and again, once."""
        if reason is Reason.SNOOZED and (rule.paused_reason is not None or rule.id in self._paused):
            stopped = self._paused.get(rule.id, rule).paused_reason
            reason = Reason.BREAKER if stopped == BREAKER else Reason.PAUSED
        if reason in LASTING and book.noted(rule.id, measured.track_id) is reason:
            return
        self._log.append(
            LogEntry(
                time_ms=measured.time_ms,
                reason=reason,
                market=book.market,
                chat=rule.chat,
                rule_id=rule.id,
                track_id=measured.track_id,
                episode=episode,
                value_pct=_value(measured),
                price=measured.price,
            )
        )

    def _count(self, book: MarketBook, rule: Rule, time_ms: int) -> None:
        """The breaker. A pair fires at most once in its cooldown, so pairs that fired lately are firings."""
        self._firings[rule.id] += 1
        if len(book.tracks) < self._breaker_firings:
            return
        recent = self._firings[rule.id] + book.firings_since(rule.id, time_ms - BREAKER_MS)
        if recent >= self._breaker_firings:
            self._paused[rule.id] = replace(rule, paused_reason=BREAKER)


def _observed(measured: Measured, *, unseen_ms: int, judge: Judge) -> Observation:
    """The look at what was measured, before any rule's own part of it."""
    return Observation(measured.time_ms, Sight.OUT, judge.tells(measured), unseen_ms=unseen_ms)


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
    touch: tuple[tuple[int, float], ...],
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
