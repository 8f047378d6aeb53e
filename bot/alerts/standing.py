"""Where a rule stands with the tracks of its market, for the confirmation of a new rule and for the list of rules."""

from dataclasses import replace

from bot.alerts.floors import meets_floor
from bot.alerts.growth import metric as growth_metric
from bot.alerts.judge import Measured
from bot.alerts.kinds import JUDGES
from bot.alerts.machine import Sight, rearm_ms
from bot.alerts.market_book import MarketBook
from bot.alerts.proximity import distance_pct, passed
from bot.alerts.readings import FirstLook, Standing
from bot.alerts.types import Kind, Phase, Rule, RuleState, Track


def take_first_look(book: MarketBook, rule: Rule, *, price: float, price_ms: int) -> FirstLook:
    """What a rule finds true already: those tracks start as FIRED, silently.

    Episodes go on from what is known of the rule, so that no two alerts ever share a key.
    """
    judge = JUDGES[rule.kind]
    time_ms = price_ms if rule.kind is Kind.PROXIMITY else book.slot_ms
    states: list[RuleState] = []
    hits: list[tuple[float, str]] = []
    for track in book.tracks.values():
        measured = Measured(track, time_ms, price, _metric(rule, track, price, book.slot_ms))
        state = book.state(rule.id, track.id)
        if judge.sight(rule, measured) is Sight.HIT:
            hits.append((distance_pct(price, track.cluster), track.id))
            states.append(_started(state, Phase.FIRED, time_ms, judge.tells(measured)))
        elif state.last_ms:
            states.append(_started(state, Phase.ARMED, time_ms, 0.0))
    if not hits:
        return FirstLook(tuple(states))
    distance, track_id = min(hits)
    return FirstLook(tuple(states), book.tracks[track_id], distance)


def find_nearest(book: MarketBook, rule: Rule, *, price: float) -> Standing | None:
    """The nearest track on the rule's side and big enough for it; None where there is none."""
    fit = [
        (distance_pct(price, track.cluster), track.id)
        for track in book.tracks.values()
        if track.missed == 0 and meets_floor(rule, track.cluster) and not passed(price, track.cluster)
    ]
    if not fit:
        return None
    distance, track_id = min(fit)
    state = book.state(rule.id, track_id)
    terms = JUDGES[rule.kind].terms(rule)
    cooling_until_ms = 0
    if state.phase is Phase.FIRED:
        cooling_until_ms = state.fired_ms + terms.cooldown_ms
    elif state.phase is Phase.RECOVERING:
        cooling_until_ms = rearm_ms(state, terms)
    return Standing(book.tracks[track_id], distance, state.phase, cooling_until_ms)


def _metric(rule: Rule, track: Track, price: float, slot_ms: int) -> float | None:
    if track.missed:
        return None
    if rule.kind is Kind.PROXIMITY:
        return None if passed(price, track.cluster) else distance_pct(price, track.cluster)
    return growth_metric(track, slot_ms=slot_ms, window_ms=rule.window_ms)


def _started(state: RuleState, phase: Phase, time_ms: int, told: float) -> RuleState:
    fired_ms = time_ms if phase is Phase.FIRED else 0
    return replace(state, phase=phase, since_ms=time_ms, fired_ms=fired_ms, held=0, told=told, last_ms=time_ms)
