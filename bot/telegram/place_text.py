"""How /position, /stop and /levels read: estimates with their reason, in the words of the catalogue."""

import math
from collections.abc import Sequence

from bot.liquidation.ground import CROWDED, QUIET
from bot.liquidation.levels import Level
from bot.liquidation.own_exposure import ExposureReport, Spot, WayOut
from bot.liquidation.position import Bound, PositionError
from bot.liquidation.stop_placement import Seat, StopReport
from bot.liquidation.types import Cluster, Side
from bot.telegram.confluence_text import SIGN, features_words
from bot.telegram.ground import GroundView
from bot.telegram.table import fits, table
from bot.telegram.texts import Html, Texts
from bot.telegram.venues import exchange_name
from bot.telegram.wording import origin_words, size_words

DAY_H = 24
GAP, DAY_ODDS = 3, 4
"""Columns that are left out where a phone has no room."""
ROUGH_PCT = 10.0


class PlaceText:
    """Writes the answers about one market in one language."""

    def __init__(self, place: GroundView, texts: Texts, *, now_ms: int) -> None:
        self._place = place
        self._view = place.view
        self._texts = texts
        self._figures = texts.figures
        self._now_ms = now_ms
        self._names_usd = place.view.names_usd and not texts.in_shares

    def position(self, report: ExposureReport, *, size_said: bool) -> Html:
        """A position's exposure."""
        own, spot, texts, figures = report.position, report.spot, self._texts, self._figures
        named = {
            "base": self._view.base,
            "leverage": figures.plain(_round_leverage(own.leverage)),
            "entry": self._entry(own.entry),
        }
        rules = texts(
            "place.rules_cross" if own.cross else "place.rules",
            exchange=exchange_name(self._place.tiers_from.exchange, texts),
            margin=figures.money(own.margin),
        )
        if spot is None:
            return self._joined([texts.of("place.never", own.side, **named), rules])
        level, percent = self._price(spot.level), figures.signed_percent(spot.distance_pct)
        lines = [
            texts.of("place.head", own.side, level=level, percent=percent, **named),
            self._standing(spot),
            texts.sentences(self._way_there(report)),
            self._touch(spot),
            *self._ways(report),
            rules if size_said else texts.sentences([rules, texts("place.assumed", size=figures.money(own.size_usd))]),
        ]
        if abs(spot.distance_pct) > ROUGH_PCT:
            lines.append(texts("place.rough"))
        return self._joined(lines)

    def stop(self, report: StopReport) -> Html:
        """A stop's placement."""
        texts, figures, zone = self._texts, self._figures, report.zone
        named = {"base": self._view.base, "stop": self._price(report.stop.level)}
        if zone is None:
            head = texts.of("place.stop_clear", report.side, **named)
        else:
            if report.seat is not Seat.INSIDE:
                named["gap"] = figures.percent(report.gap_pct)
            head = texts.of(f"place.stop_{report.seat}", report.side, **named, **self._zone_fields(zone))
        percent = figures.percent(abs(report.loss_pct))
        family = "place.stop_gain" if report.loss_pct < 0 else "place.stop_loss"
        lines = [head, texts.of(family, report.side, percent=percent, entry=self._entry(report.entry))]
        spots = [("nearer", report.nearer), ("stop", report.stop), ("farther", report.farther)]
        rows = [self._stop_row(name, spot) for name, spot in spots if spot is not None]
        if report.nearer is not None or report.farther is not None:
            lines.append(texts("place.stop.quieter"))
        else:
            lines.append(texts("place.stop.quiet" if report.seat is Seat.CLEAR else "place.stop.none"))
        header = self._columns("", "at", "distance", "crowd", "day")
        lines += [table(header, rows, spare=(DAY_ODDS,)), texts("place.stop.crowd_legend")]
        return self._joined(lines)

    def levels(self, above: Sequence[Level], below: Sequence[Level]) -> Html:
        """The clusters of both sides with what clearing each releases."""
        texts = self._texts
        price = self._price(self._place.ground.price)
        lines = [texts("place.levels.head", base=self._view.base, price=price)]
        size = "size" if self._names_usd else "share"
        header = self._columns("zone", size, "distance", "gap", "day")
        for name, levels in (("above", above), ("below", below)):
            if levels:
                rows = [self._level_row(level) for level in levels]
                if not fits([header, *rows]):
                    rows = [self._level_row(level, edge=True) for level in levels]
                lines += [texts(f"place.levels.{name}"), table(header, rows, spare=(GAP,))]
            else:
                lines.append(texts(f"place.levels.none_{name}"))
        marked = [level.cluster for level in (*above, *below) if level.cluster.confluence]
        if marked:
            lines += [texts("confluence.legend", sign=SIGN), *map(self._marked, marked)]
        return self._joined([*lines, texts("place.levels.legend")])

    def _marked(self, cluster: Cluster) -> Html:
        """What else stands at a cluster's near edge."""
        edge, features = self._rounded(_near(cluster)), features_words(cluster.confluence, self._texts)
        return self._texts("confluence.line", sign=SIGN, edge=edge, features=features)

    def fault(self, error: PositionError, *, size_usd: float = 0.0) -> Html:
        """Why a position or a stop cannot be: one sentence with the range that can."""
        figures, side = self._figures, Side.LONG if error.high <= self._place.ground.price else Side.SHORT
        writers = {Bound.LEVERAGE: figures.plain, Bound.SIZE: figures.money, Bound.MARGIN: figures.money}
        write = writers.get(error.bound, self._rounded)
        return self._texts.of(
            "error.place",
            f"stop_{side}" if error.bound is Bound.STOP else error.bound,
            value=figures.own_price(error.value) if error.bound in (Bound.ENTRY, Bound.STOP) else write(error.value),
            low=write(error.low),
            high=write(error.high) if math.isfinite(error.high) else "",
            price=self._price(self._place.ground.price),
            size=figures.money(size_usd),
            exchange=exchange_name(self._place.tiers_from.exchange, self._texts),
        )

    def no_tiers(self) -> Html:
        """Why no position can be reckoned here."""
        exchange = exchange_name(self._place.tiers_from.exchange, self._texts)
        return self._texts("place.no_tiers", exchange=exchange, base=self._view.base)

    def _joined(self, lines: Sequence[str]) -> Html:
        """The lines with the origin under them, and over them that the market is a simulated one, where it is."""
        texts = self._texts
        origin = texts("alert.small", text=origin_words(self._view, texts, now_ms=self._now_ms))
        notes = [texts("alert.note_simulated")] if self._view.simulated else []
        return Html("\n".join([lines[0], *notes, *lines[1:], origin]))

    def _standing(self, spot: Spot) -> Html:
        """Whether it is crowded there: in a dense zone, or by how its density compares."""
        texts, figures = self._texts, self._figures
        percent = "" if spot.crowding is None else figures.percent(spot.crowding)
        if spot.cluster is not None:
            return texts.of("place.inside", spot.cluster.side, percent=percent, **self._zone_fields(spot.cluster))
        if spot.crowding is None:
            return texts("place.off_map", percent=figures.percent(self._place.ground.reach_pct))
        name = "crowded" if spot.crowding >= CROWDED else "quiet" if spot.crowding < QUIET else "usual"
        return texts(f"place.{name}", percent=percent)

    def _zone_fields(self, zone: Cluster) -> dict[str, str]:
        return {
            "band": self._band(zone),
            "size": size_words(zone, self._texts, names_usd=self._names_usd),
        }

    def _way_there(self, report: ExposureReport) -> list[Html]:
        texts, figures = self._texts, self._figures
        if self._names_usd:
            lines = [texts("place.on_the_way", usd=figures.money(report.usd_before))]
        else:
            percent = figures.percent(100 * report.share_before)
            lines = [texts.of("place.on_the_way_share", report.position.side, percent=percent)]
        if report.before:
            lines.append(texts("place.before", n=len(report.before), band=self._band(report.before[0])))
        return lines

    def _touch(self, spot: Spot) -> Html:
        hour, four, day = (self._figures.odds(odds) for _, odds in spot.touch)
        return self._texts("place.odds", hour=hour, four=four, day=day)

    def _ways(self, report: ExposureReport) -> list[Html]:
        spot, own = report.spot, report.position
        if spot is None or not spot.crowded:
            return []
        ways = [way for way in (report.by_margin, report.by_leverage) if way is not None]
        if len({_round_leverage(way.leverage) for way in ways}) < len(ways):
            del ways[1]  # It would read the same.
        if not ways:
            return [self._texts("place.no_way_margin" if own.cross else "place.no_way")]
        stays = WayOut(own.size_usd / own.margin, own.margin, 0.0, spot)
        rows = [self._way_row(way) for way in (stays, *ways)]
        header = self._columns("leverage", "margin", "price", "crowd", "day")
        return [self._texts("place.ways"), table(header, rows, spare=(DAY_ODDS,))]

    def _way_row(self, way: WayOut) -> list[str]:
        figures = self._figures
        margin = f"+{figures.money(way.added)}" if way.added else figures.money(way.margin)
        return [f"{figures.plain(_round_leverage(way.leverage))}×", margin, *self._spot_cells(way.spot)]

    def _stop_row(self, name: str, spot: Spot) -> list[str]:
        price, *odds = self._spot_cells(spot)
        return [
            self._texts.label(f"place.column.{name}"),
            price,
            self._figures.signed_percent(spot.distance_pct),
            *odds,
        ]

    def _spot_cells(self, spot: Spot) -> list[str]:
        crowd = "" if spot.crowding is None else self._figures.percent(spot.crowding)
        return [self._rounded(spot.level), crowd, self._figures.odds(dict(spot.touch)[DAY_H])]

    def _level_row(self, level: Level, *, edge: bool = False) -> list[str]:
        """The cells of one cluster, told by both its edges, or by the one that price comes to first."""
        figures, cluster = self._figures, level.cluster
        zone = self._rounded(_near(cluster)) if edge else self._band(cluster)
        return [
            f"{zone} {SIGN}" if cluster.confluence else zone,
            figures.money(cluster.usd) if self._names_usd else figures.percent(100 * cluster.share),
            figures.signed_percent(level.near_pct) if level.near_pct else self._texts.label("clusters.at_price"),
            "" if level.gap_pct is None else figures.percent(level.gap_pct),
            figures.odds(dict(level.clear)[DAY_H]),
        ]

    def _columns(self, *names: str) -> list[str]:
        return [self._texts.label(f"place.column.{name}") if name else "" for name in names]

    def _band(self, cluster: Cluster) -> str:
        return self._figures.band(cluster.low, cluster.high, self._view.tick_size)

    def _entry(self, price: float) -> str:
        """An entry as it was typed; who typed none enters at the price now, whose many digits nobody reads."""
        return self._price(price) if price == self._place.ground.price else self._figures.own_price(price)

    def _price(self, price: float) -> str:
        return self._figures.price(price, self._view.tick_size)

    def _rounded(self, price: float) -> str:
        return self._figures.level(price, self._view.tick_size)


def _near(cluster: Cluster) -> float:
    """The edge that price comes to first."""
    return cluster.low if cluster.side is Side.SHORT else cluster.high


def _round_leverage(leverage: float) -> float:
    """As finely as a venue sets it, and never more than it is: whole from ten on, else tenths."""
    return math.floor(leverage) if leverage >= 10 else math.floor(10 * leverage + 1e-9) / 10
