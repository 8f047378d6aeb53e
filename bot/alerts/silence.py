"""Why a rule says nothing now: worked out when somebody asks, so that no tick pays for it.

The reasons come in the order in which they would have to go away: what stops the rule itself, what its market lacks,
the cluster that is nearest to an alert, and the nearer ones that the rule does not take.
"""

from dataclasses import dataclass

from bot.alerts.filters import distance_pct, floors, lies_where
from bot.alerts.judge import Judge, Measured
from bot.alerts.kinds import JUDGES, OF_CLUSTERS, judge_of
from bot.alerts.machine import Sight, rearm_ms
from bot.alerts.market_book import MarketBook
from bot.alerts.reasons import Reason
from bot.alerts.standing import measured_now
from bot.alerts.types import ANYWHERE, Kind, Phase, Rule, RuleState
from bot.alerts.verdicts import UNHEARD
from bot.liquidation.types import Cluster
from bot.liquidation.values import replace

MOST_REFUSED = 2
"""So many of the nearer clusters that a rule does not take are named."""


@dataclass(frozen=True, slots=True)
class Silence:
    """One reason with its numbers; what does not apply is None or 0.

    `measured` and `asked` are in the reason's own unit: percent, strength or USD. `since_ms` is when it began.
    """

    reason: Reason
    cluster: Cluster | None = None
    distance_pct: float | None = None
    measured: float | None = None
    asked: float | None = None
    since_ms: int = 0
    until_ms: int = 0


def why_silent(
    book: MarketBook | None, rule: Rule, seen: tuple[float, int] | None, *, now_ms: int, max_age_ms: int
) -> tuple[Silence, ...]:
    """Why a rule says nothing now, what weighs most first.

    `seen` is its market's last price and that price's time; older than `max_age_ms` at `now_ms` it is stale.
    """
    own = _of_rule(rule, now_ms=now_ms)
    found = [] if own is None else [own]
    if rule.kind not in JUDGES:
        return tuple(found) or (Silence(Reason.NOT_MET),)
    if book is None or book.reading is None or seen is None:
        return (*found, Silence(Reason.NO_MAP))
    price, price_ms = seen
    if now_ms - price_ms > max_age_ms:
        found.append(Silence(Reason.STALE, since_ms=price_ms))
    return (*found, *_of_market(book, rule, price=price, price_ms=price_ms))


def refusal(rule: Rule, cluster: Cluster) -> Silence | None:
    """Why a rule does not take a cluster; None where its side and its floors allow it."""
    min_strength, min_usd = floors(rule)
    if rule.side is not None and rule.side is not cluster.side:
        return Silence(Reason.OTHER_SIDE, cluster)
    if cluster.strength < min_strength:
        return Silence(Reason.TOO_WEAK, cluster, measured=float(cluster.strength), asked=min_strength)
    if cluster.usd < min_usd:
        return Silence(Reason.TOO_SMALL, cluster, measured=cluster.usd, asked=min_usd)
    return None


def _of_rule(rule: Rule, *, now_ms: int) -> Silence | None:
    """What stops a rule whatever its market does."""
    if 0 < rule.expires_ms <= now_ms:
        return Silence(Reason.ENDED, since_ms=rule.expires_ms)
    if rule.paused_reason is not None:
        return Silence(Reason.PAUSED)
    if rule.snoozed_until_ms > now_ms:
        return Silence(Reason.SNOOZED, until_ms=rule.snoozed_until_ms)
    return None


def _of_market(book: MarketBook, rule: Rule, *, price: float, price_ms: int) -> tuple[Silence, ...]:
    volatility, marks = book.surroundings
    known = [one for one in measured_now(book, rule, price=price, time_ms=price_ms) if one.metric is not None]
    known.sort(key=lambda one: (one.metric, one.track_id))
    taken: list[Measured] = []
    refused: list[Silence] = []
    for one in known:
        cluster = None if one.track is None else one.track.cluster
        why = None if cluster is None else refusal(rule, cluster)
        if why is None and cluster is not None and not lies_where(rule.where, cluster, price, volatility, marks):
            alone = rule.where.confluence and not marks(cluster)
            why = Silence(Reason.NO_CONFLUENCE if alone else Reason.OUT_OF_PLACE, cluster)
        if why is None:
            taken.append(one)
        elif not taken and JUDGES[rule.kind].sight(_as_if_it_took_all(rule), one) is Sight.HIT:
            refused.append(replace(why, distance_pct=distance_pct(price, one.body)))
    if taken:
        first = _of_pair(book, rule, judge_of(rule.kind, taken[0].matter), taken[0], price=price)
    else:
        first = Silence(Reason.NO_CLUSTER if rule.kind in OF_CLUSTERS else Reason.NOT_MET)
    return (first, *refused[:MOST_REFUSED])


def _as_if_it_took_all(rule: Rule) -> Rule:
    """The rule as if it took every cluster: for the question whether one that it does not take would have been told."""
    return replace(rule, min_strength=1, min_usd=None, side=None, where=ANYWHERE)


def _of_pair(book: MarketBook, rule: Rule, judge: Judge, one: Measured, *, price: float) -> Silence:
    """Why a pair of rule and cluster, or of rule and market, gives no alert."""
    state, cluster = book.state(rule.id, one.track_id), None if one.track is None else one.track.cluster
    away = None if cluster is None else distance_pct(price, cluster)
    waits = _waits(rule, judge, state)
    if waits is not None:
        return replace(waits, cluster=cluster, distance_pct=away)
    value = None if one.metric is None or abs(one.metric) > UNHEARD else abs(one.metric)
    if judge.sight(rule, one) is not Sight.HIT:
        reason = {Kind.PROXIMITY: Reason.TOO_FAR, Kind.GROWTH: Reason.GREW_TOO_LITTLE}.get(rule.kind, Reason.NOT_MET)
        grown = value if one.metric is not None and one.metric < 0.0 else 0.0
        return Silence(reason, cluster, away, grown if rule.kind is Kind.GROWTH else value, rule.threshold_pct)
    is_news = judge.worth is None or judge.worth(rule, state, one)
    reason = Reason.HOLDING if is_news else Reason.NOT_MORE_THAN_TOLD
    return Silence(reason, cluster, away, value, rule.threshold_pct)


def _waits(rule: Rule, judge: Judge, state: RuleState) -> Silence | None:
    """Why a pair that has fired does not fire again; None where it has not, or is ready."""
    match state.phase:
        case Phase.FIRED:
            reason = Reason.TOLD_ALREADY if state.episode else Reason.TRUE_WHEN_MADE
            return Silence(reason, since_ms=state.fired_ms)
        case Phase.RECOVERING:
            until_ms = rearm_ms(state, judge.terms(rule))
            return Silence(Reason.COOLING, since_ms=state.fired_ms, until_ms=until_ms)
        case Phase.DONE:
            return Silence(Reason.ENDED, since_ms=state.fired_ms)
        case _:
            return None
