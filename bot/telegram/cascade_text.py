"""How /cascade reads: for each side where a chain runs away, and what each cluster would set off, as a band."""

import math

from bot.liquidation.chain import LEAST_SHARE, LIKELY_SHARE, MOST_SHARE, CascadeReport, ClusterChain, Fall
from bot.liquidation.types import Side
from bot.telegram.cascade_view import CascadeView
from bot.telegram.limits import CAPTION_UNITS, visible_length
from bot.telegram.market_views import MarketView
from bot.telegram.table import table
from bot.telegram.texts import Html, Texts
from bot.telegram.venues import exchange_name
from bot.telegram.wording import origin_words

FULLNESS = ((4, True, True), (4, True, False), (3, True, False), (2, True, False), (2, False, False))
"""How many clusters a side has, those of the highest loads; whether the legend is told, and how far books are known."""

LEAST_WAY_PCT = 0.02
LEAST_LOAD = 0.1
"""Any less is no load."""

MOST_LOAD = 999.0
"""Price stands next to a cluster whose load is more: nothing is between the two."""


class CascadeText:
    """Writes what one market's clusters would set off, in one language."""

    def __init__(self, view: MarketView, texts: Texts, *, now_ms: int) -> None:
        self._view = view
        self._texts = texts
        self._figures = texts.figures
        self._now_ms = now_ms
        self._names_usd = view.names_usd and not texts.in_shares

    def no_book(self) -> Html:
        """That no book is known, or none but thin ones."""
        return self._texts("place.cascade.no_book", base=self._view.base)

    def no_cluster(self) -> Html:
        return self._texts("place.cascade.none", base=self._view.base)

    def told(self, cascade: CascadeView, *, room: int = CAPTION_UNITS) -> Html:
        """Both sides, the upper one first, with what the books and the figures are, in so many visible units.

        What has no room is left out: how far the books are known, which the picture tells too, loads, the legend.
        """
        text = Html("")
        for rows, legend, seen in FULLNESS:
            text = self._told(cascade, rows=rows, legend=legend, seen=seen)
            if visible_length(text) <= room:
                break
        return text

    def _told(self, cascade: CascadeView, *, rows: int, legend: bool, seen: bool) -> Html:
        texts, figures, view = self._texts, self._figures, self._view
        price = figures.price(view.price, view.tick_size)
        lines = [texts("place.cascade.head", base=view.base, price=price)]
        if view.simulated:
            lines.append(texts("alert.note_simulated"))
        calm = all(is_held(chain.most) for report in cascade.sides for chain in report.chains)
        lines += self._loads(cascade, rows) if calm else self._chains(cascade, rows)
        if legend:
            lines.append(texts(f"place.cascade.{'loads' if calm else 'legend'}", **self._shares()))
        if seen:
            reach = {"below": figures.percent(cascade.below.seen_pct), "above": figures.percent(cascade.above.seen_pct)}
            lines.append(texts("place.cascade.seen", **reach))
        if cascade.missing:
            names = texts("venues.join").join(exchange_name(name, texts) for name in cascade.missing)
            lines.append(texts("place.cascade.missing", exchanges=Html(names)))
        lines.append(texts("alert.small", text=origin_words(view, texts, now_ms=self._now_ms)))
        return Html("\n".join(lines))

    def _chains(self, cascade: CascadeView, rows: int) -> list[Html]:
        """For each side where a chain runs away, and how far that of each cluster goes."""
        lines = []
        for name, report in zip(("above", "below"), cascade.sides, strict=True):
            if not report.chains:
                lines.append(self._texts(f"place.levels.none_{name}"))
                continue
            loads = [self._row(chain) for chain in report.chains[:rows]]
            lines += [self._runaway(report), table(self._header(), loads)]
        return lines

    def _loads(self, cascade: CascadeView, rows: int) -> list[Html]:
        """That no cluster sets off anything: the loads of both sides in order of price, and no ways."""
        shown = [chain for report in cascade.sides for chain in report.chains[:rows]]
        shown.sort(key=lambda chain: -chain.cluster.peak)
        loads = [self._row(chain)[:2] for chain in shown]
        held = self._texts("place.cascade.calm", share=self._figures.percent(100 * MOST_SHARE))
        empty = [name for name, report in zip(("above", "below"), cascade.sides, strict=True) if not report.chains]
        return [held, table(self._header()[:2], loads), *(self._texts(f"place.levels.none_{name}") for name in empty)]

    def _runaway(self, report: CascadeReport) -> Html:
        """From where a chain runs from cluster to cluster, how far, and how much it would force."""
        chain, texts = report.runaway, self._texts
        if chain is None and len(report.chains) == 1:
            return texts.of("place.alone", report.side)
        if chain is None:
            return texts.of("place.held", report.side, share=self._figures.percent(100 * MOST_SHARE))
        said = [self._farthest(report.side, chain.most), self._middle(chain.likely)]
        if self._names_usd:
            money = self._figures.money
            size = "size_most" if is_held(chain.likely) else "size"
            forced = {"likely": money(chain.likely.usd), "most": money(chain.most.usd)}
            said.append(texts(f"place.cascade.{size}", **forced))
        return texts.sentences(said)

    def _farthest(self, side: Side, fall: Fall) -> Html:
        start = self._level(fall.start)
        if fall.end is None or fall.way_pct is None:
            return self._texts.of("place.runs_beyond", side, start=start)
        percent = self._figures.percent(fall.way_pct)
        return self._texts.of("place.runs_away", side, start=start, most=self._level(fall.end), percent=percent)

    def _middle(self, fall: Fall) -> Html:
        if fall.end is None:
            return self._texts("place.cascade.middle_beyond")
        if is_held(fall):
            return self._texts("place.cascade.middle_held")
        return self._texts("place.cascade.middle", end=self._level(fall.end))

    def _header(self) -> list[str]:
        names = (self._texts.label(f"place.column.{name}") for name in ("zone", "load"))
        return [*names, *self._shares().values()]

    def _shares(self) -> dict[str, str]:
        shares = {"least": LEAST_SHARE, "likely": LIKELY_SHARE, "most": MOST_SHARE}
        return {name: self._figures.percent(100 * share) for name, share in shares.items()}

    def _row(self, chain: ClusterChain) -> list[str]:
        near = chain.cluster.low if chain.cluster.side is Side.SHORT else chain.cluster.high
        ways = (self._way(fall, chain.cluster.side) for fall in (chain.least, chain.likely, chain.most))
        return [self._level(near), load_words(chain.absorption, self._texts), *ways]

    def _way(self, fall: Fall, side: Side) -> str:
        """How far a chain goes, in percent of its start; at least as far as the map's end where nothing holds it."""
        if fall.way_pct is not None:
            return self._figures.percent(0.0 if is_held(fall) else fall.way_pct)
        return ">" + self._figures.percent(100 * abs(self._edge(side) / fall.start - 1.0))

    def _edge(self, side: Side) -> float:
        """Where the map ends."""
        return float(self._view.map.low[0] if side is Side.LONG else self._view.map.high[-1])

    def _level(self, price: float) -> str:
        return self._figures.level(price, self._view.tick_size)


def is_held(fall: Fall) -> bool:
    """Whether the orders hold a chain as good as at its start."""
    return fall.way_pct is not None and fall.way_pct < LEAST_WAY_PCT


def load_words(absorption: float, texts: Texts) -> str:
    """A cluster's absorption in two figures, as "1.9×"; "<0.1×" where it is small, a dash where price stands at it."""
    if not math.isfinite(absorption) or absorption > MOST_LOAD:
        return "\N{EM DASH}"
    small = "<" if absorption < LEAST_LOAD else ""
    return f"{small}{texts.figures.plain(float(f'{max(absorption, LEAST_LOAD):.2g}'))}\N{MULTIPLICATION SIGN}"
