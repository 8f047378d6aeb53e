"""Several alerts in one message: those of the same few seconds, a sweep through many markets, and what was held."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.alerts.reasons import Reason
from bot.alerts.types import Event, Kind, Severity
from bot.delivery.messenger import Keyboard, Message
from bot.telegram.alerts_text import LATE_MS, headline
from bot.telegram.callbacks import key, market_arg
from bot.telegram.headlines import Contract
from bot.telegram.limits import CAPTION_UNITS, TEXT_UNITS, fit, visible_length
from bot.telegram.scene import rows
from bot.telegram.table import escape_lines, lines_of, narrowed
from bot.telegram.texts import Html, Texts
from bot.telegram.wording import estimate_words

SWEEP_MARKETS = 3
"""From so many markets on a group is a market sweep, and a table."""

MOST_ROWS = 20
"""More than a phone shows at once is counted, not listed."""

MAP_KEYS = 3
LOUDNESS = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a group, and its market."""

    event: Event
    contract: Contract


@dataclass(frozen=True, slots=True)
class Waited:
    """What a message of held alerts says of the wait: since when, and for what reason."""

    since_ms: int
    reason: Reason


def strongest_first(group: Sequence[Told]) -> list[Told]:
    """By severity, then by the strength and the size of the cluster; equals in order of time."""

    def rank(told: Told) -> tuple[int, int, float, int]:
        event, cluster = told.event, told.event.cluster
        strength, usd = (0, 0.0) if cluster is None else (cluster.strength, cluster.usd)
        return (LOUDNESS.index(event.severity), -strength, -usd, event.time_ms)

    return sorted(group, key=rank)


def group_message(
    group: Sequence[Told],
    texts: Texts,
    *,
    sent_ms: int,
    repeat: bool = False,
    waited: Waited | None = None,
    notes: Sequence[Html] = (),
    photo: bytes | None = None,
    photo_name: str | None = None,
) -> Message:
    """All events of a group in one message within Telegram's limits; those that find no room are counted.

    `sent_ms` is when it goes out, by the clock of the events; `waited` is given where they were held back on purpose.
    `notes` are lines below.
    """
    ordered = strongest_first(group)
    markets = list(dict.fromkeys(told.event.market for told in ordered))
    head = _head(ordered, len(markets), texts, sent_ms=sent_ms, repeat=repeat, waited=waited)
    above = [texts("alert.head", text=head)]
    if waited is not None:
        above.append(texts.of("held.cause", waited.reason))
        if texts.figures.elsewhere:  # clients write the first line's time by their own clock, but none in a table
            above.append(texts("held.zone", zone=texts.figures.zone_at(waited.since_ms)))
    if any(told.contract.simulated for told in ordered):
        above.append(texts("alert.note_simulated"))
    if repeat:
        above.append(texts("alert.note_repeat"))
    below = [*notes, texts("alert.small", text=_origin(ordered[0].event, texts, sent_ms=sent_ms))]
    tabled = waited is not None or len(markets) >= SWEEP_MARKETS
    listed = ordered if tabled else ordered[1:]
    limit = TEXT_UNITS if photo is None else CAPTION_UNITS
    return fit(
        Message(
            text=_fitting(above, listed, below, texts, tabled=tabled, timed=waited is not None, limit=limit),
            buttons=_keys(ordered, texts),
            photo=photo,
            photo_name=photo_name,
            silent=repeat or waited is not None or all(told.event.severity is Severity.INFO for told in ordered),
        )
    )


def _head(
    ordered: Sequence[Told], markets: int, texts: Texts, *, sent_ms: int, repeat: bool, waited: Waited | None
) -> Html:
    """The first line, with its marks."""
    first = ordered[0]
    if waited is not None:
        time = texts.figures.clock(waited.since_ms, now_ms=sent_ms)
        line = texts("held.head", n=len(ordered), time=time)
    elif markets < SWEEP_MARKETS:
        line = headline(first.event, first.contract, texts, sent_ms=sent_ms, repeat=repeat)
        return texts("group.and_more", line=line, n=len(ordered) - 1)
    else:
        bases = list(dict.fromkeys(told.contract.base for told in ordered))[:SWEEP_MARKETS]
        line = texts("group.sweep", n=markets, bases=texts("group.join").join(bases))
    oldest_ms = min(told.event.time_ms for told in ordered)
    if waited is None and sent_ms - oldest_ms > LATE_MS:
        line = texts("alert.late", line=line, late=texts.figures.duration(sent_ms - oldest_ms))
    if any(told.event.severity is Severity.CRITICAL for told in ordered):
        line = texts("alert.critical", line=line)
    if repeat:
        line = texts("alert.repeat", line=line)
    return texts("alert.simulated", line=line) if any(told.contract.simulated for told in ordered) else line


def _fitting(
    above: Sequence[Html],
    listed: Sequence[Told],
    below: Sequence[Html],
    texts: Texts,
    *,
    tabled: bool,
    timed: bool,
    limit: int,
) -> str:
    """The whole text with as many of the events as there is room for, and the number of the others."""
    for shown in range(min(MOST_ROWS, len(listed)), -1, -1):
        some, left = listed[:shown], len(listed) - shown
        body = _table(some, texts, timed=timed) if tabled else _lines(some, texts)
        more = [texts("group.more", n=left)] if left else []
        text = "\n".join([*above, "", *body, *more, *below])
        if visible_length(text) <= limit:
            return text
    return "\n".join([*above, texts("group.more", n=len(listed))])


def _lines(listed: Sequence[Told], texts: Texts) -> list[Html]:
    """A sentence for each event, without marks for lateness: the head has it."""
    return [
        texts(
            "group.line",
            line=headline(told.event, told.contract, texts, sent_ms=told.event.time_ms),
            rule=str(told.event.rule_id),
        )
        for told in listed
    ]


def _table(listed: Sequence[Told], texts: Texts, *, timed: bool) -> list[Html]:
    """A row for each event in columns: time, market, what happened, side, price, how much."""
    if not listed:
        return []
    rows = [_cells(told, texts, timed=timed) for told in listed]
    side, much = len(rows[0]) - 3, len(rows[0]) - 1
    fitting = narrowed(rows, spare=(much, side))
    return [texts("group.table", rows=escape_lines(lines_of(fitting, left=len(rows[0]) - 2)))]


def _cells(told: Told, texts: Texts, *, timed: bool) -> list[str]:
    event, figures = told.event, texts.figures
    side = event.side if event.cluster is None else event.cluster.side
    level = ""
    if event.cluster is not None:
        edge = min(max(event.price, event.cluster.low), event.cluster.high)
        level = figures.level(edge, told.contract.tick_size)
    much = ""
    if event.kind in (Kind.PROXIMITY, Kind.GROWTH):
        much = figures.percent(event.value_pct)
    clock = [figures.wall(event.time_ms)] if timed else []
    words = texts.label(f"did.{event.kind}")
    return [*clock, told.contract.base, words, texts.label(f"side_brief.{side}") if side else "", level, much]


def _origin(event: Event, texts: Texts, *, sent_ms: int) -> Html:
    return estimate_words(event.market.exchange, event.limits, sent_ms - event.map_ms, texts)


def _keys(ordered: Sequence[Told], texts: Texts) -> Keyboard:
    """The maps of the strongest, and what quiets the chat."""
    named = {told.event.market: told.contract.base for told in reversed(ordered)}
    first = list(dict.fromkeys(told.event.market for told in ordered))[:MAP_KEYS]
    maps = [key(texts.label("button.map_of", base=named[market]), "m", market_arg(market)) for market in first]
    quiet = (key(texts.label("button.mute_hour"), "mu", 1), key(texts.label("button.rules"), "rn"))
    return (*rows(maps, MAP_KEYS), (*quiet, key(texts.label("button.why"), "y")))
