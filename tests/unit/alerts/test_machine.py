"""The state machine as timelines, in the spirit of Prometheus' TestForStateRestore and TestKeepFiringFor."""

import pytest

from bot.alerts.machine import Decision, Observation, Sight, Terms, rearm_ms, step
from bot.alerts.types import Phase, RuleState
from bot.liquidation.values import replace

HIT, OUT, BETWEEN, UNKNOWN = Sight.HIT, Sight.OUT, Sight.BETWEEN, Sight.UNKNOWN
ARMED, PENDING, FIRED, RECOVERING = Phase.ARMED, Phase.PENDING, Phase.FIRED, Phase.RECOVERING
MINUTE = 60_000
T0 = 1_764_547_200_000

AT_ONCE = Terms(hold=1, recover_ms=5 * MINUTE, cooldown_ms=30 * MINUTE)
HELD = Terms(hold=2, recover_ms=10 * MINUTE, cooldown_ms=60 * MINUTE)


def run(terms: Terms, *looks: tuple[float, Sight]) -> tuple[RuleState, list[Decision]]:
    """Steps at minutes after T0."""
    return observe(terms, *(Observation(T0 + round(minute * MINUTE), sight) for minute, sight in looks))


def observe(terms: Terms, *looks: Observation, state: RuleState | None = None) -> tuple[RuleState, list[Decision]]:
    state = state or RuleState(1, "L1")
    decisions: list[Decision] = []
    for look in looks:
        state, decision = step(state, look, terms)
        decisions.append(decision)
    return state, decisions


# Terms, looks at minutes, the phase at the end, and at how many of the looks an alert was due.
TIMELINES = [
    # nothing is near
    (AT_ONCE, [(0, OUT), (1, BETWEEN)], ARMED, 0),
    # no hold: the first hit fires
    (AT_ONCE, [(0, OUT), (1, HIT)], FIRED, 1),
    # still hit: told once
    (AT_ONCE, [(0, HIT), (1, HIT), (600, HIT)], FIRED, 1),
    # back over the threshold but not past the exit: still fired, however often
    (AT_ONCE, [(0, HIT), (1, BETWEEN), (40, HIT), (41, BETWEEN), (80, HIT)], FIRED, 1),
    # past the exit
    (AT_ONCE, [(0, HIT), (1, OUT)], RECOVERING, 1),
    # hit again before it has recovered: silent
    (AT_ONCE, [(0, HIT), (1, OUT), (5.9, HIT)], FIRED, 1),
    # recovered, but the cooldown runs: silent
    (AT_ONCE, [(0, HIT), (1, OUT), (6, OUT), (29.9, HIT)], FIRED, 1),
    # cooldown over, but out for less than five minutes: silent
    (AT_ONCE, [(0, HIT), (40, OUT), (44.9, HIT)], FIRED, 1),
    # both over: armed
    (AT_ONCE, [(0, HIT), (1, OUT), (30, OUT)], ARMED, 1),
    # the exit need not be held: between it and the threshold recovers too
    (AT_ONCE, [(0, HIT), (1, OUT), (2, BETWEEN), (30, BETWEEN)], ARMED, 1),
    # armed and hit: the second alert
    (AT_ONCE, [(0, HIT), (1, OUT), (30, OUT), (31, HIT)], FIRED, 2),
    # the look that would arm it is itself a hit: silent, for nobody saw it away
    (AT_ONCE, [(0, HIT), (1, OUT), (31, HIT)], FIRED, 1),
    # a silent hit starts the recovery anew
    (AT_ONCE, [(0, HIT), (1, OUT), (28, HIT), (29, OUT), (33.9, OUT)], RECOVERING, 1),
    (AT_ONCE, [(0, HIT), (1, OUT), (28, HIT), (29, OUT), (34, OUT)], ARMED, 1),
    # a hold of two: the first hit waits
    (HELD, [(0, HIT)], PENDING, 0),
    # held
    (HELD, [(0, HIT), (5, HIT)], FIRED, 1),
    # a miss between starts anew, whether just under or far off
    (HELD, [(0, HIT), (5, BETWEEN), (10, HIT)], PENDING, 0),
    (HELD, [(0, HIT), (5, OUT), (10, HIT), (15, HIT)], FIRED, 1),
    # no data between is not a miss
    (HELD, [(0, HIT), (5, UNKNOWN), (10, HIT)], FIRED, 1),
    # no data is not false: fired stays fired
    (AT_ONCE, [(0, HIT), (1, UNKNOWN), (500, UNKNOWN)], FIRED, 1),
    # nor true: armed stays armed
    (AT_ONCE, [(0, UNKNOWN), (1, UNKNOWN)], ARMED, 0),
    # the same moment twice changes nothing
    (HELD, [(0, HIT), (0, HIT), (0, HIT)], PENDING, 0),
    (AT_ONCE, [(0, HIT), (0, OUT)], FIRED, 1),
    # the clock goes back by an hour: nothing until it has caught up
    (AT_ONCE, [(60, HIT), (0, OUT), (35, OUT), (59, HIT)], FIRED, 1),
    # and a second alert still needs its exit and its cooldown
    (AT_ONCE, [(60, HIT), (0, OUT), (61, OUT), (91, OUT), (92, HIT)], FIRED, 2),
]


@pytest.mark.parametrize(("terms", "looks", "phase", "alerts"), TIMELINES)
def test_timeline(terms: Terms, looks: list[tuple[float, Sight]], phase: Phase, alerts: int) -> None:
    state, decisions = run(terms, *looks)
    assert (state.phase, decisions.count(Decision.FIRED), state.episode) == (phase, alerts, alerts)


# Look by look: the minute, what was seen, and the reason that the step names.
REASONS = [
    (0, OUT, Decision.STAYED),
    (1, HIT, Decision.FIRED),
    (2, BETWEEN, Decision.STAYED),
    (3, OUT, Decision.LEFT),
    (4, HIT, Decision.HIT_AGAIN),
    (5, OUT, Decision.LEFT),
    (5, OUT, Decision.SEEN_BEFORE),
    (9, OUT, Decision.COOLING),
    (31, OUT, Decision.REARMED),
    (32, UNKNOWN, Decision.NO_DATA),
]


def test_every_step_names_its_reason() -> None:
    _, decisions = run(AT_ONCE, *((minute, sight) for minute, sight, _ in REASONS))
    assert decisions == [reason for _, _, reason in REASONS]


def test_timers_stand_still_while_nothing_is_seen() -> None:
    left, _ = run(AT_ONCE, (0, HIT), (40, OUT))
    blind = Observation(T0 + 50 * MINUTE, OUT, unseen_ms=8 * MINUTE)
    state, _ = observe(AT_ONCE, blind, state=left)
    assert state.phase is RECOVERING, "ten minutes by the clock, of which two were seen"
    assert rearm_ms(state, AT_ONCE) == T0 + 53 * MINUTE
    state, _ = observe(AT_ONCE, Observation(T0 + 53 * MINUTE, OUT), state=state)
    assert state.phase is ARMED


@pytest.mark.parametrize(("unseen_minutes", "phase"), [(0, FIRED), (60, FIRED), (61, PENDING)])
def test_a_gap_of_over_an_hour_restarts_a_pending_state(unseen_minutes: int, phase: Phase) -> None:
    pending, _ = run(HELD, (0, HIT))
    back = Observation(T0 + 70 * MINUTE, HIT, unseen_ms=unseen_minutes * MINUTE)
    assert observe(HELD, back, state=pending)[0].phase is phase


def test_a_pending_state_keeps_the_time_of_its_first_hit() -> None:
    state, _ = run(replace(HELD, hold=3), (0, HIT), (5, HIT))
    assert (state.phase, state.held, state.since_ms) == (PENDING, 2, T0)


def test_a_silenced_rule_fires_when_it_wakes_and_the_condition_still_holds() -> None:
    asleep = Observation(T0, HIT, silenced=True)
    state, decisions = observe(AT_ONCE, asleep, replace(asleep, time_ms=T0 + 1), Observation(T0 + 2, HIT))
    assert decisions == [Decision.SILENCED, Decision.SILENCED, Decision.FIRED]
    assert state.episode == 1


def test_a_silenced_rule_still_sees_price_leave() -> None:
    state, _ = observe(AT_ONCE, Observation(T0, HIT), Observation(T0 + 1, OUT, silenced=True))
    assert state.phase is RECOVERING


def test_what_is_not_worth_telling_does_not_fire() -> None:
    old_news = Observation(T0, HIT, worth=False)
    state, decisions = observe(AT_ONCE, old_news)
    assert (state.phase, decisions) == (ARMED, [Decision.NOT_MORE_THAN_TOLD])


def test_a_firing_remembers_what_it_told() -> None:
    state, _ = observe(AT_ONCE, Observation(T0, HIT, tells=42.0))
    assert (state.told, state.fired_ms) == (42.0, T0)


def test_an_armed_state_within_its_cooldown_waits() -> None:
    """It comes of an edited rule only."""
    armed = RuleState(1, "L1", episode=1, fired_ms=T0, last_ms=T0)
    _, decisions = observe(AT_ONCE, Observation(T0 + MINUTE, HIT), Observation(T0 + 30 * MINUTE, HIT), state=armed)
    assert decisions == [Decision.COOLING, Decision.FIRED]


@pytest.mark.parametrize("phase", [Phase.DONE, Phase.CLOSED])
def test_what_has_ended_never_moves(phase: Phase) -> None:
    state = RuleState(1, "L1", phase=phase)
    assert observe(AT_ONCE, Observation(T0, HIT), state=state) == (state, [Decision.ENDED])


@pytest.mark.parametrize(("firings", "minutes"), [(0, 30), (1, 30), (2, 60), (3, 120), (4, 240), (5, 240), (400, 240)])
def test_the_same_thing_again_is_told_later_each_time(firings: int, minutes: int) -> None:
    patient = Terms(hold=1, recover_ms=5 * MINUTE, cooldown_ms=30 * MINUTE, longest_cooldown_ms=240 * MINUTE)
    assert patient.cooldown_after(firings) == minutes * MINUTE
    assert AT_ONCE.cooldown_after(firings) == 30 * MINUTE
