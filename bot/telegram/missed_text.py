"""What a chat reads after an outage: one message in place of many alerts that came too late."""

from collections.abc import Callable, Sequence

from bot.alerts.types import Event
from bot.delivery.messenger import Message
from bot.telegram.callbacks import key, market_arg
from bot.telegram.headlines import Contract, first_line
from bot.telegram.limits import fit
from bot.telegram.texts import Html, Texts

LINES = 20


def missed_message(
    entries: Sequence[tuple[int, int, Event]],
    contract: Callable[[Event], Contract],
    *,
    texts: Texts,
    now_ms: int,
    repeat: bool = False,
) -> Message:
    """(alerts, ms UTC of the first, the newest) by market, kind and side: one line each, the newest first."""
    clock = texts.figures.clock
    since = clock(min(since_ms for _, since_ms, _ in entries), now_ms=now_ms)
    until = clock(max(event.time_ms for _, _, event in entries), now_ms=now_ms)
    head = texts("missed.title", n=sum(alerts for alerts, _, _ in entries))
    if repeat:
        head = texts("alert.repeat", line=head)
    lines = [_line(alerts, event, contract(event), texts, now_ms=now_ms) for alerts, _, event in entries[:LINES]]
    if len(entries) > LINES:
        lines.append(texts("missed.more", n=sum(alerts for alerts, _, _ in entries[LINES:])))
    newest = entries[0][2]
    keys = (key(texts.label("button.map"), "m", market_arg(newest.market)), key(texts.label("button.rules"), "rn"))
    parts = [texts("alert.head", text=head), texts("missed.note", since=since, until=until), "", *lines]
    return fit(Message("\n".join(parts), (keys,), silent=repeat))


def _line(alerts: int, event: Event, contract: Contract, texts: Texts, *, now_ms: int) -> Html:
    """The headline of the newest, its time, and how many there were."""
    line = first_line(event, contract, texts)
    if contract.simulated:
        line = texts("alert.simulated", line=line)
    return texts("missed.line", n=alerts, line=line, time=texts.figures.clock(event.time_ms, now_ms=now_ms))
