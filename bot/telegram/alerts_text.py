"""An alert as a person reads it: the first line is all that a lock screen shows, so it says it all."""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from bot.alerts.exposure import CROWDING
from bot.alerts.types import Event, Kind, Severity, Unit
from bot.delivery.messenger import Button, Keyboard, Message
from bot.liquidation.types import Cluster, Side
from bot.liquidation.values import replace
from bot.telegram.callbacks import copy_key, key, market_arg
from bot.telegram.confluence_text import features_words
from bot.telegram.desk import ClusterView, MarketView
from bot.telegram.headlines import Contract, first_line
from bot.telegram.limits import fit
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import DAY_MS, HOUR_MS, MINUTE_MS
from bot.telegram.venues import exchange_name
from bot.telegram.wording import estimate_words, threshold_words

__all__ = ["Contract", "alert_message", "alert_text", "details", "headline", "odds_words", "sample_event"]

LATE_MS = 60_000

AFTERWARDS = frozenset({Kind.SWEPT, Kind.BREAKOUT, Kind.STOP_HUNT})
"""Kinds that tell of a cluster that price has been through: the odds of a touch are no question any more."""

WITHOUT_PRICE = frozenset({Kind.DIGEST, Kind.EXPIRY})
"""Kinds that speak of a chat's rules and not of a market."""


def alert_message(
    event: Event,
    contract: Contract,
    *,
    texts: Texts,
    sent_ms: int,
    repeat: bool = False,
    sample: bool = False,
    below: Sequence[Html] = (),
    photo: bytes | None = None,
    photo_name: str | None = None,
) -> Message:
    """One event as a message within Telegram's limits: its text with what a trader does next. A `repeat` is silent."""
    return fit(
        Message(
            text=alert_text(event, contract, texts=texts, sent_ms=sent_ms, repeat=repeat, sample=sample, below=below),
            buttons=alert_keys(event, contract, texts, sample=sample),
            photo=photo,
            photo_name=photo_name,
            silent=repeat or event.severity is Severity.INFO,
        )
    )


def alert_text(
    event: Event,
    contract: Contract,
    *,
    texts: Texts,
    sent_ms: int,
    repeat: bool = False,
    sample: bool = False,
    below: Sequence[Html] = (),
) -> str:
    """One event in words, however long.

    `sent_ms` is when it goes out: later than a minute after the event, the first line says by how much. A `repeat`
    (the first delivery is unconfirmed) says so; a `sample` shows what an alert looks like. `below` are lines under the
    rule's, or all that stands under a headline without figures.
    """
    if event.kind in WITHOUT_PRICE:
        above = _above(event, contract, texts, sent_ms, repeat, sample)
        return "\n".join([*above, *below] if below else above[:-1])
    told = _kept_tell(Matter(event), contract, texts, sent_ms, repeat, sample)
    own = () if sample else (rule_line(event, texts), *below)
    return "\n".join((told.above, *own, told.source))


_RULES_OWN: dict[str, Any] = {"rule_id": 0, "chat": 0, "episode": 0, "reason": "", "label": None}
_ASKED: dict[str, Any] = {"threshold_pct": 0.0, "window_ms": 0, "unit": Unit.PERCENT}
"""What a rule asked for: of other kinds than proximity the lines that rules share name it too."""

_NAMES = tuple(name for name in Event.__struct_fields__ if name not in _RULES_OWN)
_told_of = attrgetter(*_NAMES)
_told_of_distance = attrgetter(*(name for name in _NAMES if name not in _ASKED))


class Matter:
    """What an event tells, whichever rule asked: equal where texts differ in no more than the rule's line."""

    __slots__ = ("_told", "event")

    def __init__(self, event: Event) -> None:
        self.event = event
        self._told = _told_of_distance(event) if event.kind is Kind.PROXIMITY else _told_of(event)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Matter) and self._told == other._told

    def __hash__(self) -> int:
        return hash(self._told)

    def without_rule(self) -> Event:
        """The event without whatever is its rule's own, so that no shared line can name it."""
        asked = _ASKED if self.event.kind is Kind.PROXIMITY else {}
        return replace(self.event, **_RULES_OWN, **asked)


class Told(NamedTuple):
    """What all alerts of one matter say: the lines over the rule's, and the one below."""

    above: str
    source: Html


def tell(
    matter: Matter, contract: Contract, texts: Texts, sent_ms: int, repeat: bool = False, sample: bool = False
) -> Told:
    """The lines that the rules which tell of this matter share."""
    event = matter.without_rule()
    above = "\n".join(_above(event, contract, texts, sent_ms, repeat, sample))
    return Told(above, texts("alert.small", text=_origin(event, texts, age_ms=sent_ms - event.map_ms)))


_kept_tell = lru_cache(maxsize=128)(tell)
"""One cluster is told of to many chats at once."""


def _above(event: Event, contract: Contract, texts: Texts, sent_ms: int, repeat: bool, sample: bool) -> Sequence[str]:
    """The lines over the rule's: headline, notes, an empty line and the details."""
    notes = [
        texts("alert.note_sample") if sample else None,
        texts("alert.note_simulated") if contract.simulated else None,
        texts("alert.note_repeat") if repeat else None,
    ]
    head = headline(event, contract, texts, sent_ms=sent_ms, repeat=repeat, sample=sample)
    return (texts("alert.head", text=head), *(note for note in notes if note), "", *details(event, contract, texts))


def headline(
    event: Event, contract: Contract, texts: Texts, *, sent_ms: int, repeat: bool = False, sample: bool = False
) -> Html:
    """The first line: what happened, where and how big, with a mark where it is late, a repeat or not real."""
    figures, line = texts.figures, first_line(event, contract, texts)
    if sent_ms - event.time_ms > LATE_MS:
        line = texts("alert.late", line=line, late=figures.duration(sent_ms - event.time_ms))
    if event.severity is Severity.CRITICAL:
        line = texts("alert.critical", line=line)
    if repeat:
        line = texts("alert.repeat", line=line)
    if contract.simulated:
        line = texts("alert.simulated", line=line)
    return texts("alert.sample", line=line) if sample else line


def details(event: Event, contract: Contract, texts: Texts) -> Sequence[Html]:
    """The lines under the first: price, then the cluster's range, size and odds, or the market's own figures."""
    if event.kind in WITHOUT_PRICE:
        return ()
    price = texts("alert.price", price=texts.figures.price(event.price, contract.tick_size), symbol=event.market.symbol)
    if event.cluster is None:
        return (price, *_market_lines(event, texts))
    return (price, *_cluster_lines(event, event.cluster, contract, texts))


def _cluster_lines(event: Event, cluster: Cluster, contract: Contract, texts: Texts) -> Sequence[Html]:
    figures, tick = texts.figures, contract.tick_size
    peak = figures.within(cluster.peak, cluster.low, cluster.high, tick)
    lines = [
        texts("alert.range", band=figures.band(cluster.low, cluster.high, tick), peak=peak),
        _size_line(event, cluster, texts),
    ]
    if cluster.confluence:
        lines.append(texts("confluence.alert", features=features_words(cluster.confluence, texts)))
    if cluster.expected_usd is not None and event.names_usd:
        high = cluster.expected_high_usd or cluster.expected_usd
        key_of_text = "alert.was_expected" if event.kind in AFTERWARDS else "alert.expected"
        lines.append(texts(key_of_text, usd=figures.money(cluster.expected_usd), high=figures.money(high)))
    if event.touch and event.kind not in AFTERWARDS and not cluster.low <= event.price <= cluster.high:
        lines.append(texts("alert.touch", odds=odds_words(event.touch, texts)))
    return lines


def _market_lines(event: Event, texts: Texts) -> Sequence[Html]:
    """What was measured of the market as a whole."""
    figures = texts.figures
    if event.kind is Kind.FLIP and event.names_usd and not texts.in_shares:
        short, long = event.figure("short_usd") or 0.0, event.figure("long_usd") or 0.0
        return (texts("map.balance", short=figures.money(short), long=figures.money(long)),)
    if event.kind is Kind.EXPOSURE:
        return _own_level_lines(event, texts)
    if event.kind is Kind.CONCENTRATION:
        return (texts("alert.unusual", percent=figures.exact_percent(event.threshold_pct)),)
    return ()


def _own_level_lines(event: Event, texts: Texts) -> Sequence[Html]:
    """How crowded it is at a liquidation price, where that was asked, and the odds that price comes to it."""
    crowding, lines = event.figure(CROWDING), []
    if crowding is not None:
        lines.append(texts("alert.crowding", percent=texts.figures.percent(crowding)))
    if event.touch and event.value_pct > 0.0:
        lines.append(texts("alert.touch", odds=odds_words(event.touch, texts)))
    return lines


def _size_line(event: Event, cluster: Cluster, texts: Texts) -> Html:
    figures = texts.figures
    share = texts.of("alert.share", cluster.side, percent=figures.percent(cluster.share * 100))
    strength = texts("proof.proven" if event.proven else "proof.not_proven", strength=str(cluster.strength))
    names_usd = event.names_usd and not texts.in_shares
    if event.kind in AFTERWARDS:
        usd = texts("size.usd", usd=figures.money(cluster.usd)) if names_usd else None
        return texts("alert.was", size=Html(texts("rule.join").join(each for each in (usd, strength) if each)))
    if names_usd:
        return texts("alert.size", usd=figures.money(cluster.usd), share=share, strength=strength)
    return texts("alert.size_share", share=share, strength=strength)


asked_of = attrgetter("rule_id", "label", "kind", "unit", "threshold_pct", "window_ms", "figures")
"""All of an event that its rule's line names."""


def rule_line(event: Event, texts: Texts) -> Html:
    """Which rule asked, by its number and its label, and for what."""
    # Growth tells of a new cluster too, where there was nothing to compare with.
    asked = Kind.GROWTH if event.kind is Kind.NEW_CLUSTER and event.threshold_pct else event.kind
    words = threshold_words(
        asked,
        texts,
        unit=event.unit,
        threshold_pct=event.threshold_pct,
        window_ms=event.window_ms,
        level=event.figure("level"),
    )
    if event.label is not None:
        return texts("alert.rule_labelled", rule=str(event.rule_id), label=event.label, words=words)
    return texts("alert.rule", rule=str(event.rule_id), words=words)


def _origin(event: Event, texts: Texts, *, age_ms: int) -> Html:
    """Where the figures come from: a cascade was printed by the exchange, everything else is an estimate."""
    if event.kind is Kind.CASCADE:
        return texts("estimate.printed", exchange=exchange_name(event.market.exchange, texts))
    return estimate_words(event.market.exchange, event.limits, age_ms, texts)


def odds_words(touch: Sequence[tuple[int, float]], texts: Texts) -> Html:
    """Odds over several horizons: "34% in 1 hr, 61% in 4 hr"."""
    parts = [_odds_within(hours, texts.figures.odds(probability), texts) for hours, probability in touch]
    return Html(texts("alert.odds_join").join(parts))


@lru_cache(maxsize=512)
def _odds_within(hours: int, odds: str, texts: Texts) -> Html:
    return texts("alert.odds", odds=odds, window=texts.figures.duration(hours * HOUR_MS))


def alert_keys(event: Event, contract: Contract, texts: Texts, *, sample: bool = False) -> Keyboard:
    """What a trader does next: look, copy the level, quiet the rule."""
    if event.kind is Kind.EXPIRY:
        return expiry_keys(event, texts)
    if event.kind is Kind.DIGEST:
        return ((key(texts.label("button.rules"), "rn"),),)
    shown = key(texts.label("button.map"), "m", market_arg(event.market))
    copied: tuple[Button, ...] = ()
    if event.cluster is not None:
        edge = event.cluster.low if event.cluster.side is Side.SHORT else event.cluster.high
        copied = (copy_key(edge, contract.tick_size, texts),)
    if sample:
        return ((shown, *copied),)
    quiet = (
        key(texts.label("button.snooze_hour"), "z", event.rule_id),
        key(texts.label("button.snooze_eight"), "z", event.rule_id, 8),
        key(texts.label("button.rule", number=str(event.rule_id)), "pf", event.rule_id),
    )
    look = (key(texts.label("button.refresh"), "a"), shown, key(texts.label("button.why"), "y"))
    return (quiet, look, copied) if copied else (quiet, look)


def expiry_keys(event: Event, texts: Texts) -> Keyboard:
    """Renew for as long as the rule was made for, or for good; what the buttons carry outlives a restart."""
    life_ms = int(event.figure("life_ms") or DAY_MS)
    again = texts.label("button.renew", life=texts.figures.duration(life_ms))
    return (
        (
            key(again, "e", event.rule_id, life_ms // MINUTE_MS),
            key(texts.label("button.renew_for_good"), "e", event.rule_id, 0),
        ),
        (key(texts.label("button.rules"), "rn"),),
    )


def sample_event(view: MarketView, nearest: ClusterView, *, now_ms: int) -> Event:
    """What an alert about this cluster would be, had it fired now."""
    distance = abs(nearest.distance_pct)
    return Event(
        time_ms=now_ms,
        kind=Kind.PROXIMITY,
        market=view.market,
        rule_id=0,
        chat=0,
        track_id=nearest.track_id,
        episode=0,
        severity=Severity.INFO,
        price=view.price,
        cluster=nearest.cluster,
        value_pct=distance,
        threshold_pct=max(distance, 0.1),
        window_ms=0,
        reason="sample",
        map_ms=view.map.time_ms,
        open_interest=view.map.open_interest,
        touch=nearest.touch,
        limits=view.map.limits,
        proven=view.proven,
    )
