"""The state machine of one (rule, track): what turns an observation into an alert, and what keeps it silent.

    ARMED --hit--> PENDING --held--> FIRED --past the exit--> RECOVERING --long enough, cooldown over--> ARMED
                     |miss: ARMED     ^-------hit again, silently----|
                                      (once: DONE)

Pure: time is the observation's own. No data is not false: a state stays as it is and its timers stand still. The
same moment seen twice, or an earlier one, changes nothing.
"""

from enum import StrEnum

from msgspec import Struct

from bot.alerts.types import Phase, RuleState
from bot.liquidation.values import replace

PENDING_GAP_MS = 3_600_000
"""A longer time without data restarts the count of a pending state."""

MOST_DOUBLINGS = 16
NEVER_MS = 2**62


class Sight(StrEnum):
    """What an observation says of a rule's condition."""

    UNKNOWN = "unknown"
    OUT = "out"
    BETWEEN = "between"
    HIT = "hit"


class Decision(StrEnum):
    """Why a step did what it did: one named reason for each, for the log and the tests."""

    FIRED = "fired"
    HOLDING = "holding"
    MISSED = "missed"
    SILENCED = "silenced"
    NOT_MORE_THAN_TOLD = "not_more_than_told"
    COOLING = "cooling"
    STAYED = "stayed"
    LEFT = "left"
    HIT_AGAIN = "hit_again"
    REARMED = "rearmed"
    NO_DATA = "no_data"
    SEEN_BEFORE = "seen_before"
    ENDED = "ended"


# Members by names of their own: to ask an enum's class for one takes longer than most of a step.
_ARMED, _PENDING, _FIRED, _RECOVERING, _DONE, _CLOSED = Phase
_UNKNOWN, _OUT, _BETWEEN, _HIT = Sight


class Terms(Struct, frozen=True, gc=False):
    """The conditions a rule's kind puts: observations in a row before firing, and the two waits after it.

    `once` ends the pair at its first firing; `every_ms` above 0 fires again after that long while the hit lasts. Where
    `longest_cooldown_ms` is above 0 the cooldown doubles with each episode up to it: the same thing is less news each
    time. `firm` asks for two looks past the exit in a row before it arms again.
    """

    hold: int
    recover_ms: int
    cooldown_ms: int
    once: bool = False
    every_ms: int = 0
    longest_cooldown_ms: int = 0
    firm: bool = False

    def cooldown_after(self, episode: int) -> int:
        """How long to be silent after so many firings, in ms."""
        if not self.longest_cooldown_ms:
            return self.cooldown_ms
        doublings = min(max(episode - 1, 0), MOST_DOUBLINGS)
        return min(self.cooldown_ms << doublings, self.longest_cooldown_ms)


class Observation(Struct, frozen=True, gc=False):
    """One look at a (rule, track) at `time_ms`.

    `unseen_ms` is the time before it in which nothing was known, beyond the usual pace. `tells` is what a firing now
    would be remembered by; `worth` is False where that is not enough news after the last firing; `silenced` is True
    while the rule is snoozed or paused.
    """

    time_ms: int
    sight: Sight
    tells: float = 0.0
    worth: bool = True
    silenced: bool = False
    unseen_ms: int = 0


def step(state: RuleState, seen: Observation, terms: Terms) -> tuple[RuleState, Decision]:
    """The state after one observation and the reason. An alert is due exactly where the decision is FIRED."""
    go_on = _STEPS.get(state.phase)
    if go_on is None:
        return state, Decision.ENDED
    if seen.time_ms <= state.last_ms:
        return state, Decision.SEEN_BEFORE
    if seen.sight is _UNKNOWN:
        return state, Decision.NO_DATA
    return go_on(state, seen, terms)


def _waiting(state: RuleState, seen: Observation, terms: Terms) -> tuple[RuleState, Decision]:
    """ARMED or PENDING: count hits in a row until they suffice."""
    if seen.sight is not _HIT:
        if state.phase is _ARMED:
            return state, Decision.STAYED
        return _moved(state, _ARMED, seen.time_ms), Decision.MISSED
    if seen.silenced:
        return state, Decision.SILENCED
    if not seen.worth:
        return state, Decision.NOT_MORE_THAN_TOLD
    if state.fired_ms and seen.time_ms < state.fired_ms + terms.cooldown_after(state.episode):
        return state, Decision.COOLING
    held = 1 + (0 if seen.unseen_ms > PENDING_GAP_MS else state.held)
    if held < terms.hold:
        since_ms = state.since_ms if held > 1 else seen.time_ms
        return replace(state, phase=_PENDING, held=held, since_ms=since_ms, last_ms=seen.time_ms), Decision.HOLDING
    return _fire(state, seen, terms), Decision.FIRED


def _fire(state: RuleState, seen: Observation, terms: Terms) -> RuleState:
    phase, time_ms = _DONE if terms.once else _FIRED, seen.time_ms
    return RuleState(state.rule_id, state.track_id, phase, state.episode + 1, time_ms, time_ms, 0, seen.tells, time_ms)


def _fired(state: RuleState, seen: Observation, terms: Terms) -> tuple[RuleState, Decision]:
    if seen.sight is _OUT:
        return _moved(state, _RECOVERING, seen.time_ms), Decision.LEFT
    again = terms.every_ms and seen.sight is _HIT and seen.time_ms >= state.fired_ms + terms.every_ms
    if again and seen.silenced:
        return state, Decision.SILENCED
    return (_fire(state, seen, terms), Decision.FIRED) if again else (state, Decision.STAYED)


def _recovering(state: RuleState, seen: Observation, terms: Terms) -> tuple[RuleState, Decision]:
    if seen.sight is _HIT or (terms.firm and seen.sight is _BETWEEN):
        return _moved(state, _FIRED, seen.time_ms), Decision.HIT_AGAIN
    if terms.firm and seen.unseen_ms > PENDING_GAP_MS:
        return _moved(state, _RECOVERING, seen.time_ms), Decision.LEFT
    waited = replace(state, since_ms=state.since_ms + seen.unseen_ms) if seen.unseen_ms else state
    if seen.time_ms >= rearm_ms(waited, terms):
        return _moved(state, _ARMED, seen.time_ms), Decision.REARMED
    return (replace(waited, last_ms=seen.time_ms) if seen.unseen_ms else state), Decision.COOLING


_STEPS = {_ARMED: _waiting, _PENDING: _waiting, _FIRED: _fired, _RECOVERING: _recovering}
"""Pairs in the other phases have come to their end."""


def due_ms(state: RuleState, terms: Terms) -> int:
    """When the wait that a state is in ends, so that it has to be looked at whatever is measured; NEVER_MS for none."""
    if state.phase is _RECOVERING:
        return rearm_ms(state, terms)
    return state.fired_ms + terms.every_ms if state.phase is _FIRED and terms.every_ms else NEVER_MS


def rearm_ms(state: RuleState, terms: Terms) -> int:
    """When a recovering state may arm again, if nothing comes between."""
    return max(state.since_ms + terms.recover_ms, state.fired_ms + terms.cooldown_after(state.episode))


def _moved(state: RuleState, phase: Phase, time_ms: int) -> RuleState:
    # By position, which is the faster: most steps come here.
    return RuleState(
        state.rule_id, state.track_id, phase, state.episode, time_ms, state.fired_ms, 0, state.told, time_ms
    )
