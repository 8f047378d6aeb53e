"""Why an alert came, or why none did, as a person reads it: one sentence a reason, from the decision log."""

from collections.abc import Sequence

from bot.alerts.reasons import HELD, TELLS, Reason
from bot.alerts.silence import Silence
from bot.alerts.types import Kind, LogEntry, Rule
from bot.liquidation.types import Cluster
from bot.telegram.desk import ToldView, WhyView
from bot.telegram.texts import Html, Texts
from bot.telegram.wording import rule_brief

PATH = 8
"""So many steps of a path are shown, the newest of them."""

RECENT = 6


def told_words(view: ToldView, market: Html, texts: Texts, *, now_ms: int) -> Html:
    """Why one alert came: the rule, what was measured, each step that led to it, and what the gate made of it.

    `market` is what the event's market is called.
    """
    event = view.event
    head = texts("why.told_head", rule=str(event.rule_id), base=market, what=texts(f"did.{event.kind}"))
    lines = [texts("alert.head", text=head)]
    if view.rule is not None:
        lines.append(texts("why.rule", rule=rule_brief(view.rule, texts)))
    else:
        lines.append(texts("why.rule_gone"))
    measured = [texts("why.price", price=texts.figures.price(event.price, view.tick_size))]
    if event.cluster is not None:
        measured.append(texts("why.cluster", cluster=_cluster(event.cluster, view.tick_size, texts)))
    if event.kind in (Kind.PROXIMITY, Kind.GROWTH):
        value, asked = (texts.figures.percent(each) for each in (event.value_pct, event.threshold_pct))
        measured.append(texts.of("why.asked", event.kind, value=value, asked=asked))
    lines.append(texts.sentences(measured))
    lines += [_step(entry, texts, now_ms=now_ms) for entry in view.path[-PATH:]]
    return Html("\n".join(lines))


def silent_words(view: WhyView, market: Html, texts: Texts, *, now_ms: int) -> Html:
    """Why a rule says nothing now, which clusters price went through, and what became of its alerts in the last day."""
    head = texts("why.silent_head", rule=str(view.rule.id), base=market)
    lines = [texts("alert.head", text=head), texts("why.rule", rule=rule_brief(view.rule, texts))]
    lines += [
        texts("why.point", text=silence_words(each, view.rule, view.tick_size, texts, now_ms=now_ms))
        for each in view.now
    ]
    for passed in view.passed:
        time = texts.figures.clock(passed.time_ms, now_ms=now_ms)
        cluster = _cluster(passed.cluster, view.tick_size, texts)
        reason = _past(passed.silence, texts, now_ms=now_ms)
        lines.append(texts("why.passed", time=time, cluster=cluster, reason=reason))
    for start_ms, end_ms in view.stale[:2]:
        start = texts.figures.clock(start_ms, now_ms=now_ms)
        end = None if end_ms is None else texts.figures.clock(end_ms, now_ms=now_ms)
        lines.append(texts("why.stale_since", start=start) if end is None else texts("why.stale", start=start, end=end))
    events = [entry for entry in view.log if entry.reason in TELLS | HELD][:RECENT]
    lines.append(texts("why.lately" if events else "why.lately_none"))
    lines += [_step(entry, texts, now_ms=now_ms) for entry in events]
    return Html("\n".join(lines))


def silence_words(silence: Silence, rule: Rule, tick_size: float, texts: Texts, *, now_ms: int) -> Html:
    """One reason for saying nothing now, in a sentence with its numbers."""
    figures = texts.figures
    cluster = "" if silence.cluster is None else _cluster(silence.cluster, tick_size, texts)
    if silence.reason is Reason.PAUSED:
        return texts("why.paused", reason=texts.of("paused", rule.paused_reason or "other"))
    name, until_ms = silence.reason.value, silence.until_ms
    if rule.kind is Kind.DIGEST and silence.reason is Reason.NOT_MET:
        name = "digest"
    if silence.reason is Reason.TOO_FAR and silence.distance_pct == 0:
        name = "not_met"
    return texts.of(
        "why.now",
        name,
        cluster=cluster,
        away=figures.percent(silence.distance_pct or 0.0),
        measured=_amount(silence, silence.measured, texts),
        asked=_amount(silence, silence.asked, texts),
        since=figures.clock(silence.since_ms, now_ms=now_ms),
        until=figures.clock(until_ms, now_ms=now_ms),
    )


def decision_words(entry: LogEntry, market: Html, texts: Texts, *, now_ms: int) -> Html:
    """What became of one alert, with its market and rule."""
    return texts("why.decision", base=market, rule=str(entry.rule_id), step=_step(entry, texts, now_ms=now_ms))


def _step(entry: LogEntry, texts: Texts, *, now_ms: int) -> Html:
    """One line of the log: when, and what."""
    figures = texts.figures
    return texts(
        "why.step",
        time=figures.clock(entry.time_ms, now_ms=now_ms),
        what=texts.of("why.log", entry.reason, until=figures.clock(entry.until_ms, now_ms=now_ms)),
    )


def _past(silence: Silence, texts: Texts, *, now_ms: int) -> Html:
    """Why an alert that may have been missed did not come."""
    return texts.of(
        "why.past",
        silence.reason,
        measured=_amount(silence, silence.measured, texts),
        asked=_amount(silence, silence.asked, texts),
        since=texts.figures.clock(silence.since_ms, now_ms=now_ms),
        until=texts.figures.clock(silence.until_ms, now_ms=now_ms),
    )


def _amount(silence: Silence, value: float | None, texts: Texts) -> str:
    """A number in the unit of its reason."""
    if value is None:
        return texts.label("why.nothing")
    match silence.reason:
        case Reason.TOO_WEAK:
            return f"{value:.0f}"
        case Reason.TOO_SMALL:
            return texts.figures.money(value)
        case _:
            return texts.figures.percent(value)


def _cluster(cluster: Cluster, tick_size: float, texts: Texts) -> Html:
    """`longs at 85,400-85,790, strength 48`."""
    return texts.of(
        "why.zone",
        cluster.side,
        band=texts.figures.band(cluster.low, cluster.high, tick_size),
        strength=str(cluster.strength),
    )


def joined(parts: Sequence[Html]) -> Html:
    """Answers one under the other."""
    return Html("\n\n".join(parts))
