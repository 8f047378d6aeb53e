"""An alert as a person reads it: the first line is all that a lock screen shows, so it says it all."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.alerts.types import Event, Kind, Severity
from bot.delivery.messenger import Button, Keyboard, Message
from bot.liquidation.types import Side
from bot.telegram.callbacks import key, market_arg
from bot.telegram.desk import ClusterView, MarketView
from bot.telegram.limits import fit
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import copied_price
from bot.telegram.wording import estimate_words, size_words

LATE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Contract:
    """What a text needs to know of an event's market: its short name, its tick, and whether it is a real one."""

    base: str
    tick_size: float
    simulated: bool = False


def alert_message(
    event: Event,
    contract: Contract,
    *,
    texts: Texts,
    sent_ms: int,
    repeat: bool = False,
    sample: bool = False,
    photo: bytes | None = None,
    photo_name: str | None = None,
) -> Message:
    """One event as a message within Telegram's limits.

    `sent_ms` is when it goes out: later than a minute after the event, the first line says by how much. A `repeat`
    (the first delivery is unconfirmed) says so and is silent; a `sample` shows what an alert looks like.
    """
    notes = [
        texts("alert.note_sample") if sample else None,
        texts("alert.note_simulated") if contract.simulated else None,
        texts("alert.note_repeat") if repeat else None,
    ]
    head = headline(event, contract, texts, sent_ms=sent_ms, repeat=repeat, sample=sample)
    parts = [texts("alert.head", text=head), *(note for note in notes if note), "", *details(event, contract, texts)]
    if not sample:
        parts.append(_rule_line(event, texts))
    age_ms = sent_ms - event.map_ms
    origin = estimate_words(event.market.exchange, event.limits, age_ms, texts)
    return fit(
        Message(
            text="\n".join([*parts, texts("alert.small", text=origin)]),
            buttons=alert_keys(event, contract, texts, sample=sample),
            photo=photo,
            photo_name=photo_name,
            silent=repeat or event.severity is Severity.INFO,
        )
    )


def headline(
    event: Event, contract: Contract, texts: Texts, *, sent_ms: int, repeat: bool = False, sample: bool = False
) -> Html:
    """The first line: what happened, where and how big, with a mark where it is late, a repeat or not real."""
    figures, cluster = texts.figures, event.cluster
    line = {
        Kind.PROXIMITY: _proximity_line,
        Kind.GROWTH: _growth_line,
        Kind.NEW_CLUSTER: _new_line,
    }[event.kind](event, contract, texts, size_words(cluster, texts, names_usd=event.names_usd))
    if sent_ms - event.time_ms > LATE_MS:
        line = texts("alert.late", line=line, late=figures.duration(sent_ms - event.time_ms))
    if event.severity is Severity.CRITICAL:
        line = texts("alert.critical", line=line)
    if repeat:
        line = texts("alert.repeat", line=line)
    if contract.simulated:
        line = texts("alert.simulated", line=line)
    return texts("alert.sample", line=line) if sample else line


def _proximity_line(event: Event, contract: Contract, texts: Texts, size: Html) -> Html:
    figures, cluster = texts.figures, event.cluster
    side = texts.of("side_name", cluster.side)
    if cluster.low <= event.price <= cluster.high:
        band = figures.band(cluster.low, cluster.high, contract.tick_size)
        return texts("alert.inside", base=contract.base, side=side, band=band, size=size)
    below = event.price < cluster.low
    if below is (cluster.side is Side.LONG):
        band = figures.band(cluster.low, cluster.high, contract.tick_size)
        return texts("alert.through", base=contract.base, side=side, band=band, size=size)
    level = figures.level(cluster.low if below else cluster.high, contract.tick_size)
    percent = figures.percent(event.value_pct)
    return texts(
        "alert.below" if below else "alert.above",
        base=contract.base,
        percent=percent,
        side=side,
        level=level,
        size=size,
    )


def _growth_line(event: Event, contract: Contract, texts: Texts, size: Html) -> Html:
    figures = texts.figures
    return texts(
        "alert.grew",
        base=contract.base,
        side=texts.of("side_name", event.cluster.side),
        level=figures.level(event.cluster.peak, contract.tick_size),
        percent=figures.percent(event.value_pct),
        window=figures.duration(event.window_ms),
        size=size,
    )


def _new_line(event: Event, contract: Contract, texts: Texts, size: Html) -> Html:
    return texts(
        "alert.new",
        base=contract.base,
        side=texts.of("side_name", event.cluster.side),
        level=texts.figures.level(event.cluster.peak, contract.tick_size),
        size=size,
    )


def details(event: Event, contract: Contract, texts: Texts) -> Sequence[Html]:
    """The lines under the first: price, range, size and odds of a touch."""
    figures, cluster, tick = texts.figures, event.cluster, contract.tick_size
    lines = [
        texts("alert.price", price=figures.price(event.price, tick), symbol=event.market.symbol),
        texts(
            "alert.range",
            band=figures.band(cluster.low, cluster.high, tick),
            peak=figures.within(cluster.peak, cluster.low, cluster.high, tick),
        ),
        _size_line(event, texts),
    ]
    if cluster.expected_usd is not None and event.names_usd:
        high = cluster.expected_high_usd or cluster.expected_usd
        lines.append(
            texts("alert.expected", usd=figures.money(cluster.expected_usd), high=figures.money(high)),
        )
    if event.touch and not cluster.low <= event.price <= cluster.high:
        lines.append(texts("alert.touch", odds=odds_words(event.touch, texts)))
    return lines


def _size_line(event: Event, texts: Texts) -> Html:
    cluster, figures = event.cluster, texts.figures
    share = texts("alert.share", percent=figures.percent(cluster.share * 100), side=texts.of("holders", cluster.side))
    strength = texts("proof.proven" if event.proven else "proof.not_proven", strength=str(cluster.strength))
    if event.names_usd:
        return texts("alert.size", usd=figures.money(cluster.usd), share=share, strength=strength)
    return texts("alert.size_share", share=share, strength=strength)


def _rule_line(event: Event, texts: Texts) -> Html:
    percent = texts.figures.exact_percent(event.threshold_pct)
    if event.kind is Kind.PROXIMITY:
        return texts("alert.rule_proximity", rule=str(event.rule_id), percent=percent)
    window = texts.figures.duration(event.window_ms)
    return texts("alert.rule_growth", rule=str(event.rule_id), percent=percent, window=window)


def odds_words(touch: Sequence[tuple[int, float]], texts: Texts) -> Html:
    """Odds over several horizons: "34% in 1 hr, 61% in 4 hr"."""
    figures = texts.figures
    parts = [
        texts("alert.odds", odds=figures.odds(probability), window=figures.duration(hours * 3_600_000))
        for hours, probability in touch
    ]
    return Html(texts("alert.odds_join").join(parts))


def alert_keys(event: Event, contract: Contract, texts: Texts, *, sample: bool = False) -> Keyboard:
    """What a trader does next: look, copy the level, quiet the rule."""
    edge = event.cluster.low if event.cluster.side is Side.SHORT else event.cluster.high
    level = texts.figures.level(edge, contract.tick_size)
    look = (
        key(texts.label("button.map"), "m", market_arg(event.market)),
        Button(texts.label("button.copy", level=level), copy=copied_price(edge, contract.tick_size)),
    )
    if sample:
        return (look,)
    quiet = (
        key(texts.label("button.snooze_hour"), "z", event.rule_id),
        key(texts.label("button.rule_off"), "x", event.rule_id),
    )
    return (quiet, look)


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
