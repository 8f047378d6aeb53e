"""The judge without arrays: every rule asks every track at every moment. Slow, plain, and right by inspection."""

from collections.abc import Iterable

from bot.alerts.filters import distance_pct
from bot.alerts.growth import metric as growth_metric
from bot.alerts.judge import Measured
from bot.alerts.kinds import JUDGES
from bot.alerts.machine import Decision, Observation, step
from bot.alerts.proximity import passed
from bot.alerts.tracks import covers
from bot.alerts.types import Kind, Rule, RuleState, Track
from bot.liquidation.values import replace

MAX_AGE_MS = 6_000
SLOT_MS = 300_000

Told = tuple[int, int, str, int]
"""Time, rule, track, episode."""


class Naive:
    """One market. Takes the engine's tracks as given and judges the rules by itself."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = {rule.id: rule for rule in rules}
        self.states: dict[tuple[int, str], RuleState] = {}
        self.tracks: dict[str, Track] = {}
        self.told: list[Told] = []
        self._price: tuple[float, int] | None = None
        self._slot_ms = 0
        self._seen_ms: dict[tuple[int, str], int] = {}

    def map(self, slot_ms: int, tracks: Iterable[Track]) -> None:
        self._slot_ms = slot_ms
        tracks = tuple(tracks)
        for born in (track for track in tracks if track.born_ms == slot_ms):
            self._inherit(born)
        self.tracks = {track.id: track for track in tracks if track.closed is None}
        self.states = {key: state for key, state in self.states.items() if key[1] in self.tracks}
        for rule, track in self._pairs(Kind.GROWTH):
            value = growth_metric(track, slot_ms=slot_ms, window_ms=rule.window_ms)
            self._ask(rule, Measured(track, slot_ms, 0.0, value), usual_ms=2 * SLOT_MS)

    def tick(self, time_ms: int, price: float) -> None:
        last, last_ms = self._price or (price, 0)
        self._price = (price, time_ms)
        if time_ms > self._slot_ms + 6 * SLOT_MS:
            return
        for rule, track in self._pairs(Kind.PROXIMITY):
            value: float | None = distance_pct(price, track.cluster)
            if passed(price, track.cluster):
                jumped = not passed(last, track.cluster) and time_ms - last_ms <= MAX_AGE_MS
                value = 0.0 if jumped else None
            self._ask(rule, Measured(track, time_ms, price, value), usual_ms=MAX_AGE_MS)

    def _inherit(self, born: Track) -> None:
        """A part of a body has been told of with the whole."""
        parents = [track for track in self.tracks.values() if covers(track.cluster, born.cluster)]
        if not parents:
            return
        parent = max(parents, key=lambda track: (track.cluster.usd, track.id))
        for (rule_id, track_id), state in list(self.states.items()):
            if track_id == parent.id and state.fired_ms and self.rules[rule_id].kind is Kind.PROXIMITY:
                self.states[rule_id, born.id] = replace(state, track_id=born.id)

    def _pairs(self, kind: Kind) -> list[tuple[Rule, Track]]:
        tracks = [track for track in self.tracks.values() if track.missed == 0]
        return [(rule, track) for rule in self.rules.values() if rule.kind is kind for track in tracks]

    def _ask(self, rule: Rule, measured: Measured, *, usual_ms: int) -> None:
        key = (rule.id, measured.track_id)
        if measured.metric is None:
            return
        judge = JUDGES[rule.kind]
        state = self.states.get(key, RuleState(*key))
        seen_ms = self._seen_ms.get(key, measured.time_ms)
        self._seen_ms[key] = measured.time_ms
        look = Observation(
            measured.time_ms,
            judge.sight(rule, measured),
            tells=judge.tells(measured),
            worth=judge.worth is None or judge.worth(rule, state, measured),
            silenced=rule.paused_reason is not None or rule.snoozed_until_ms > measured.time_ms,
            unseen_ms=max(0, measured.time_ms - seen_ms - usual_ms),
        )
        after, decision = step(state, look, judge.terms(rule))
        if after is not state:
            self.states[key] = after
        if decision is Decision.FIRED:
            self.told.append((measured.time_ms, *key, after.episode))
