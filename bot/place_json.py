"""What /position, /stop and /levels answer, as the JSON of `liqwatch position`, `stop` and `levels`."""

from math import isfinite

from bot.liquidation.chain import LEAST_SHARE, LIKELY_SHARE, MOST_SHARE, CascadeReport, ClusterChain, Fall
from bot.liquidation.levels import Level
from bot.liquidation.own_exposure import ExposureReport, Odds, Spot, WayOut
from bot.liquidation.stop_placement import StopReport
from bot.liquidation.types import Cluster
from bot.reading import confluence_json
from bot.telegram.cascade_view import CascadeView
from bot.telegram.ground import GroundView


def position_json(report: ExposureReport, place: GroundView, *, size_said: bool) -> dict[str, object]:
    """A position's exposure; `liquidation` is null where no price liquidates it."""
    own, spot = report.position, report.spot
    ways = {"margin": report.by_margin, "leverage": report.by_leverage}
    return {
        **_head(place),
        "position": {
            "side": own.side.value,
            "entry": own.entry,
            "leverage": own.leverage,
            "size_usd": own.size_usd,
            "size_assumed": not size_said,
            "margin": own.margin,
            "mode": "cross" if own.cross else "isolated",
        },
        "tiers_from": place.tiers_from.exchange,
        "liquidation": None if spot is None else _spot(spot),
        "clusters_before": [_cluster(each) for each in report.before],
        "on_the_way": {"usd": report.usd_before, "share": report.share_before},
        "ways_out": [_way(change, way) for change, way in ways.items() if way is not None],
        "left_out": _left_out(report, place),
        "model": _model(place),
    }


def stop_json(report: StopReport, place: GroundView) -> dict[str, object]:
    """A stop's placement; `nearer` and `farther` are null where the stop is quiet already, or the map has no such."""
    return {
        **_head(place),
        "side": report.side.value,
        "entry": report.entry,
        "stop": _spot(report.stop),
        "loss_pct": report.loss_pct,
        "seat": report.seat.value,
        "zone": None if report.zone is None else _cluster(report.zone),
        "gap_pct": None if report.zone is None else report.gap_pct,
        "nearer": None if report.nearer is None else _spot(report.nearer),
        "farther": None if report.farther is None else _spot(report.farther),
        "model": _model(place),
    }


def levels_json(above: tuple[Level, ...], below: tuple[Level, ...], place: GroundView) -> dict[str, object]:
    """The clusters of both sides, from the price outwards."""
    sides = {"above": above, "below": below}
    return {
        **_head(place),
        **{name: [_level(each) for each in levels] for name, levels in sides.items()},
        "model": _model(place),
    }


def cascade_json(cascade: CascadeView | None, place: GroundView) -> dict[str, object]:
    """The chains of both sides, highest absorption first; without an order book that is what is left out."""
    return {
        **_head(place),
        "above": None if cascade is None else _cascade(cascade.above),
        "below": None if cascade is None else _cascade(cascade.below),
        "left_out": [f"depth: no order book of {place.view.market.symbol}"] if cascade is None else [],
        "model": _model(place),
    }


def _cascade(report: CascadeReport) -> dict[str, object]:
    return {
        "book_seen_pct": report.seen_pct,
        "forced_share": {"least": LEAST_SHARE, "likely": LIKELY_SHARE, "most": MOST_SHARE},
        "runaway": None if report.runaway is None else _chain(report.runaway),
        "chains": [_chain(chain) for chain in report.chains],
    }


def _chain(chain: ClusterChain) -> dict[str, object]:
    return {
        "cluster": _cluster(chain.cluster),
        "depth_usd": chain.depth_usd,
        "absorption": chain.absorption if isfinite(chain.absorption) else None,
        "least": _fall(chain.least),
        "likely": _fall(chain.likely),
        "most": _fall(chain.most),
    }


def _fall(fall: Fall) -> dict[str, object]:
    """`end` is null where the chain runs beyond the map."""
    return {
        "start": fall.start,
        "end": fall.end,
        "way_pct": fall.way_pct,
        "usd": fall.usd,
        "clusters_through": len(fall.clusters),
    }


def _head(place: GroundView) -> dict[str, object]:
    view = place.view
    return {
        "symbol": view.market.symbol,
        "exchange": view.market.exchange,
        "time_ms": view.map.time_ms,
        "price": place.ground.price,
    }


def _model(place: GroundView) -> dict[str, object]:
    drawn = place.view.map
    return {
        "proven": place.view.proven,
        "open_interest": drawn.open_interest,
        "limits": [limit.value for limit in drawn.limits],
    }


def _left_out(report: ExposureReport, place: GroundView) -> list[str]:
    """What could not be told, by name."""
    if report.spot is None:
        return ["liquidation: the margin covers every price"]
    if report.spot.crowding is None:
        return [f"crowding: the map ends at {place.ground.reach_pct:.0f} % from the price"]
    return []


def _spot(spot: Spot) -> dict[str, object]:
    return {
        "price": spot.level,
        "distance_pct": spot.distance_pct,
        "crowding_percentile": spot.crowding,
        "crowded": spot.crowded,
        "cluster": None if spot.cluster is None else _cluster(spot.cluster),
        "touch_probability": _odds(spot.touch),
    }


def _way(change: str, way: WayOut) -> dict[str, object]:
    return {
        "change": change,
        "leverage": way.leverage,
        "margin": way.margin,
        "added_margin": way.added,
        "liquidation": _spot(way.spot),
    }


def _level(level: Level) -> dict[str, object]:
    return {
        "cluster": _cluster(level.cluster),
        "near_pct": level.near_pct,
        "far_pct": level.far_pct,
        "touch_probability": _odds(level.touch),
        "clear_probability": _odds(level.clear),
        "releases_usd": level.cluster.usd,
        "usd_by_then": level.usd_by_then,
        "share_by_then": level.share_by_then,
        "behind": None if level.behind is None else _cluster(level.behind),
        "gap_pct": level.gap_pct,
    }


def _cluster(cluster: Cluster) -> dict[str, object]:
    return {
        "side": cluster.side.value,
        "low": cluster.low,
        "high": cluster.high,
        "peak": cluster.peak,
        "usd": cluster.usd,
        "share": cluster.share,
        "strength": cluster.strength,
        "confluence": confluence_json(cluster.confluence),
    }


def _odds(odds: Odds) -> dict[str, float]:
    return {f"{hours}h": probability for hours, probability in odds}
