"""How /pulse reads: which market is wound up, and by what that is told, without a forecast."""

from collections import Counter
from collections.abc import Sequence

from bot.liquidation.shape import NEAR, Standing
from bot.telegram.survey import PulseView
from bot.telegram.table import table
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import HOUR_MS
from bot.telegram.venues import exchange_name

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
UNKNOWN = DASH
NEAR_SHARE, DAY_H = 1, 24
"""The share within 2 % and the change of a day are those that are told first."""


def most_wound_up(views: Sequence[PulseView]) -> list[PulseView]:
    """The same, the most wound up first; those too young to tell come last."""
    return sorted(views, key=lambda view: (-view.tightness, view.base))


def names_of(views: Sequence[PulseView], texts: Texts) -> list[str]:
    """Each market's short name, with its exchange where the same coin stands there twice."""
    count = Counter(view.base for view in views)
    return [
        view.base if count[view.base] == 1 else f"{view.base} {exchange_name(view.market.exchange, texts)}"
        for view in views
    ]


def pulse_text(views: Sequence[PulseView], texts: Texts, *, shown: int, without: Sequence[str], pictured: bool) -> Html:
    """What stands under the picture of one market or of several, at least one, the most wound up first.

    So many are `shown` in the picture; `without` are the names of those that have no map now. Where nothing is
    `pictured` the figures stand in the text.
    """
    first = views[0]
    rank = _rank(first, texts)
    if first.tightness < 0.0:
        head = texts("pulse.young", base=first.base)
    elif len(views) == 1:
        head = texts("pulse.one", base=first.base, rank=rank)
    else:
        head = texts("pulse.most", base=first.base, rank=rank, n=len(views))
    lines = [texts("alert.head", text=texts("alert.simulated", line=head) if first.simulated else head)]
    if first.simulated:
        lines.append(texts("alert.note_simulated"))
    lines += [_near_line(first, texts), _side_line(first, texts)]
    if not pictured:
        lines.append(_small_table(views, texts))
    if len(views) > shown:
        lines.append(texts("pulse.more", n=len(views) - shown))
    if without:
        lines.append(texts("pulse.without", bases=", ".join(without)))
    lines.append(texts("alert.small", text=texts("pulse.note")))
    return Html("\n".join(lines))


def _near_line(view: PulseView, texts: Texts) -> Html:
    near = view.report.near[NEAR_SHARE]
    share = texts.figures.percent(100.0 * near.value)
    if near.low is None or near.high is None:
        return texts("pulse.near_young", base=view.base, share=share)
    return texts("pulse.near", base=view.base, share=share, band=band_words(near, texts))


def _side_line(view: PulseView, texts: Texts) -> Html:
    value = view.report.imbalance.value
    side = "long" if value >= 0.0 else "short"
    return texts.of("watch.heavier", side, percent=side_percent(value, texts))


def side_percent(imbalance: float, texts: Texts) -> str:
    """The part of the heavier side of all that stands within 5 %."""
    return texts.figures.percent(50.0 * (1.0 + abs(imbalance)))


def _small_table(views: Sequence[PulseView], texts: Texts) -> Html:
    header = ["", *(texts.label(f"pulse.column.{name}") for name in ("tight", "near", "move"))]
    rows = [
        [name, _rank(view, texts), near_words(view, texts), texts.figures.percent(view.move_pct)]
        for name, view in zip(names_of(views, texts), views, strict=True)
    ]
    return table(header, rows, spare=(3, 2))


def _rank(view: PulseView, texts: Texts) -> str:
    return rank_words(None if view.tightness < 0.0 else view.tightness, texts)


def rank_words(rank: float | None, texts: Texts) -> str:
    """A rank of 0 to 1 as `97/100`."""
    return UNKNOWN if rank is None else f"{texts.figures.fixed(100.0 * rank, 0)}/100"


def near_words(view: PulseView, texts: Texts) -> str:
    """The share of positions within 2 % of price."""
    return texts.figures.percent(100.0 * view.report.near[NEAR_SHARE].value)


def band_words(standing: Standing, texts: Texts) -> str:
    """The usual band of a share."""
    if standing.low is None or standing.high is None:
        return UNKNOWN
    low, high = (texts.figures.percent(100.0 * edge) for edge in (standing.low, standing.high))
    return low if low == high else f"{low}{DASH}{high}"


def change_words(standing: Standing, hours: int, texts: Texts) -> str:
    """A change in percentage points: `+3.1`."""
    change = dict(standing.changes).get(hours)
    if change is None:
        return UNKNOWN
    points = round(100.0 * change, 1)
    sign = "" if points == 0.0 else "+" if points > 0.0 else MINUS
    return sign + texts.figures.fixed(abs(points), 1)


def side_words(imbalance: float, texts: Texts) -> str:
    """The heavier side with its part: "longs 62%"."""
    side = texts.label("side_brief.long" if imbalance >= 0.0 else "side_brief.short")
    return f"{side} {side_percent(imbalance, texts)}"


def span_words(hours: int, texts: Texts) -> str:
    """Over what time a change is told."""
    return texts.label("pulse.column.change", span=texts.figures.duration(hours * HOUR_MS))


def distance_words(place: int, texts: Texts) -> str:
    """Within what distance of price a share is counted."""
    return texts.label("pulse.column.within", percent=texts.figures.percent(100.0 * NEAR[place]))
