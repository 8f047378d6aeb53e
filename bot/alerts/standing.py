"""Where a rule stands with its market, for the confirmation of a new rule and for the list of rules."""

from collections.abc import Iterable

import numpy as np

from bot.alerts import concentration, exposure, flip, swept
from bot.alerts.filters import distance_pct, in_price_range, meets_floor
from bot.alerts.growth import metric as growth_metric
from bot.alerts.judge import Measured
from bot.alerts.kinds import AFTER_SWEEPS, JUDGES, MEASURED_AT_TICKS, OF_CLUSTERS, judge_of
from bot.alerts.machine import Sight, rearm_ms
from bot.alerts.market_book import MarketBook
from bot.alerts.new_cluster import metric as new_metric
from bot.alerts.proximity import passed
from bot.alerts.readings import FirstLook, MapReading, Standing
from bot.alerts.types import Kind, Phase, Rule, RuleState, Track
from bot.liquidation.values import replace


def take_first_look(book: MarketBook, rule: Rule, *, price: float, price_ms: int) -> FirstLook:
    """What a rule finds true already: those tracks start as FIRED, silently.

    Episodes go on from what is known of the rule, so that no two alerts ever share a key.
    """
    if rule.kind not in JUDGES:
        return FirstLook(())
    time_ms = price_ms if rule.kind in MEASURED_AT_TICKS else book.slot_ms
    states: list[RuleState] = []
    hits: list[tuple[float, str]] = []
    for measured in measured_now(book, rule, price=price, time_ms=time_ms):
        judge, state = judge_of(rule.kind, measured.matter), book.state(rule.id, measured.track_id)
        if judge.sight(rule, measured) is Sight.HIT:
            states.append(_started(state, Phase.FIRED, measured.time_ms, judge.tells(measured)))
            if measured.track is not None:
                hits.append((distance_pct(price, measured.track.cluster), measured.track.id))
        elif state.last_ms:
            states.append(_started(state, Phase.ARMED, measured.time_ms, 0.0))
    if rule.kind in AFTER_SWEEPS:
        # What was swept before anybody asked is no news, whatever price does now.
        states += [_started(book.state(rule.id, each), Phase.DONE, time_ms, 0.0) for each in book.fallen]
    if not hits:
        return FirstLook(tuple(states))
    distance, track_id = min(hits)
    return FirstLook(tuple(states), book.tracks[track_id], distance)


def take_edited_look(book: MarketBook, old: Rule, new: Rule, *, price: float, price_ms: int) -> FirstLook:
    """What an edited rule goes on from: what it has told of stays told, and what it was about to tell is still told.

    What is true only since the edit starts as FIRED, silently, as of a new rule. What the edit asks more of begins
    anew, so that the nearer (or bigger) is told of without a cooldown. A rule that measures otherwise is a new one.
    """
    if new.kind not in JUDGES:
        return FirstLook(())
    alike = JUDGES[new.kind].measure
    if old.kind is not new.kind or alike(old) != alike(new) or (old.level, old.side) != (new.level, new.side):
        return take_first_look(book, new, price=price, price_ms=price_ms)
    time_ms = price_ms if new.kind in MEASURED_AT_TICKS else book.slot_ms
    asks_more = JUDGES[new.kind].hit_at(new) < JUDGES[new.kind].hit_at(old)
    before = {
        measured.track_id: judge_of(old.kind, measured.matter).sight(old, measured)
        for measured in measured_now(book, old, price=price, time_ms=time_ms)
    }
    states: list[RuleState] = []
    hits: list[tuple[float, str]] = []
    for measured in measured_now(book, new, price=price, time_ms=time_ms):
        judge, state = judge_of(new.kind, measured.matter), book.state(new.id, measured.track_id)
        sight = judge.sight(new, measured)
        was_hit = before.get(measured.track_id) is Sight.HIT
        if sight is Sight.HIT and measured.track is not None:
            hits.append((distance_pct(price, measured.track.cluster), measured.track.id))
        if sight is Sight.HIT and not was_hit:
            # Told of lately, it keeps the time of that; otherwise the edit itself has just shown it.
            told = state.fired_ms if state.phase in (Phase.FIRED, Phase.RECOVERING) else measured.time_ms
            started = _started(state, Phase.FIRED, measured.time_ms, judge.tells(measured))
            states.append(replace(started, fired_ms=told))
        elif sight in (Sight.BETWEEN, Sight.OUT) and state.last_ms and (was_hit or asks_more):
            states.append(_started(state, Phase.ARMED, measured.time_ms, 0.0))
    if not hits:
        return FirstLook(tuple(states))
    distance, track_id = min(hits)
    return FirstLook(tuple(states), book.tracks[track_id], distance)


def find_nearest(book: MarketBook, rule: Rule, *, price: float) -> Standing | None:
    """The nearest track that is on the rule's side, between its prices and big enough; a rule that finds none stands
    armed without one, as does one that watches its market as a whole. None where there is no map to look at yet.
    """
    if rule.kind is Kind.EXPOSURE:
        found = _with_market(book, rule)
        return None if book.reading is None else replace(found, distance_pct=exposure.away_pct(rule, price))
    if rule.kind not in OF_CLUSTERS:
        return _with_market(book, rule)
    fit = [
        (distance_pct(price, track.cluster), track.id)
        for track in book.tracks.values()
        if track.missed == 0
        and meets_floor(rule, track.cluster)
        and in_price_range(rule.where, track.cluster)
        and not passed(price, track.cluster)
        and not (rule.where.confluence and not book.surroundings[1](track.cluster))
    ]
    if not fit:
        return None if book.reading is None else Standing(None, None, Phase.ARMED)
    distance, track_id = min(fit)
    state = book.state(rule.id, track_id)
    return _standing(rule, state, book.tracks[track_id], distance)


def _with_market(book: MarketBook, rule: Rule) -> Standing:
    states = [held for matter in book.matters() if (held := book.states_of(matter).get(rule.id)) is not None]
    newest = max(states, key=lambda state: (state.fired_ms, state.last_ms), default=RuleState(rule.id, ""))
    return _standing(rule, newest)


def _standing(rule: Rule, state: RuleState, track: Track | None = None, distance: float | None = None) -> Standing:
    return Standing(track, distance, state.phase, _cooling_until_ms(rule, state), told=state.episode > 0)


def _cooling_until_ms(rule: Rule, state: RuleState) -> int:
    if rule.kind not in JUDGES:
        return 0
    terms = JUDGES[rule.kind].terms(rule)
    if state.phase is Phase.FIRED:
        return state.fired_ms + terms.cooldown_after(state.episode)
    return rearm_ms(state, terms) if state.phase is Phase.RECOVERING else 0


def measured_now(book: MarketBook, rule: Rule, *, price: float, time_ms: int) -> Iterable[Measured]:
    """What the rule's kind would measure of the market as it stands."""
    reading = book.reading
    if rule.kind in OF_CLUSTERS:
        return [_of_track(book, rule, track, price=price, time_ms=time_ms) for track in book.tracks.values()]
    if reading is None or reading.whole is None:
        return ()
    if rule.kind is Kind.EXPOSURE:
        return _of_level(book, rule, reading, price=price, time_ms=time_ms)
    if rule.kind is Kind.FLIP:
        # Whichever side leads now, by however little, is where the rule starts from.
        found = flip.measure(near_usd=reading.whole.standing_near, slot_ms=time_ms, price=price)
        return [replace(each, metric=-100.0 if (each.metric or 0.0) < 0.0 else 0.0) for each in found]
    if rule.kind is Kind.CONCENTRATION:
        deviation = book.pulse.band.deviation(reading.whole.evenness)
        return concentration.measure(deviation, slot_ms=time_ms, price=price)
    return ()


def _of_track(book: MarketBook, rule: Rule, track: Track, *, price: float, time_ms: int) -> Measured:
    volatility, marks = book.surroundings
    return Measured(track, time_ms, price, _metric(book, rule, track, price), volatility=volatility, marks=marks)


def _of_level(book: MarketBook, rule: Rule, reading: MapReading, *, price: float, time_ms: int) -> Iterable[Measured]:
    """Both matters of a rule that holds a liquidation price."""
    level, _ = exposure.own_level(rule)
    crowding = np.nan if reading.whole is None else float(reading.whole.crowdings(np.array([level]))[0])
    return (
        exposure.approach(rule, time_ms=time_ms, price=price),
        exposure.crowd(rule, crowding, slot_ms=book.slot_ms, price=price),
    )


def _metric(book: MarketBook, rule: Rule, track: Track, price: float) -> float | None:
    if track.missed:
        return None
    match rule.kind:
        case Kind.PROXIMITY:
            scale = book.scale(JUDGES[rule.kind].measure(rule))
            return (
                None if passed(price, track.cluster) or not scale > 0.0 else distance_pct(price, track.cluster) / scale
            )
        case Kind.SWEPT:
            return None if passed(price, track.cluster) else swept.tick_distance(price, track.cluster)
        case Kind.GROWTH:
            return growth_metric(track, slot_ms=book.slot_ms, window_ms=rule.window_ms)
        case Kind.NEW_CLUSTER:
            return new_metric(track, slot_ms=book.slot_ms)
        case _:
            return None


def _started(state: RuleState, phase: Phase, time_ms: int, told: float) -> RuleState:
    fired_ms = time_ms if phase is Phase.FIRED else 0
    return replace(state, phase=phase, since_ms=time_ms, fired_ms=fired_ms, held=0, told=told, last_ms=time_ms)
