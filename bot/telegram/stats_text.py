"""Hit rates in words that fit a phone: how often price came, beside what chance gives, good or bad."""

from collections.abc import Callable, Sequence

from bot.alerts.hit_rate import HitRate
from bot.alerts.types import Kind, Rule
from bot.telegram.desk import StatsView
from bot.telegram.texts import Html, Texts

MOST_RULES = 15


def digest_lines(view: StatsView, texts: Texts) -> Sequence[Html]:
    """What came of the alerts, all together and by kind: the body of a digest."""
    if not view.total.alerts:
        return [texts("stats.none", n=view.days)]
    lines = [_line(texts("stats.all"), view.total, texts)]
    if len(view.kinds) > 1:
        lines += [_line(kind_name(kind, texts), rate, texts) for kind, rate in view.kinds]
    return lines


def stats_lines(view: StatsView, texts: Texts, *, named: Callable[[Rule], Html]) -> Sequence[Html]:
    """The same, and each rule as it is `named`; those with the fewest alerts are counted together."""
    lines = list(digest_lines(view, texts))
    if not view.rules:
        return lines
    lines += [Html(""), texts("stats.by_rule")]
    for number, rule, rate in view.rules[:MOST_RULES]:
        name = texts("stats.gone", rule=str(number))
        if rule is not None:
            name = texts("stats.rule", rule=str(number), words=named(rule))
        lines.append(_line(name, rate, texts))
    rest = view.rules[MOST_RULES:]
    if rest:
        together = sum((rate for _, _, rate in rest), HitRate())
        lines.append(_line(texts("stats.others", n=len(rest)), together, texts))
    return lines


def kind_name(kind: Kind, texts: Texts) -> Html:
    """A kind of alert, as a heading of its own."""
    return texts.of("kind_name", kind)


def _line(name: Html, rate: HitRate, texts: Texts) -> Html:
    """ "BTC 1%: 18 alerts. Reached 9 of 16 (56%), chance 52%: about like chance." """
    head = texts("stats.alerts", name=name, n=rate.alerts)
    if rate.rate is None or rate.chance is None:
        return texts("stats.undecided", head=head)
    odds = texts.figures.exact_percent
    return texts(
        "stats.line",
        head=head,
        touched=rate.touched,
        known=rate.known,
        rate=odds(round(100 * rate.rate)),
        chance=odds(round(100 * rate.chance)),
        verdict=texts.of("against", rate.against),
    )
