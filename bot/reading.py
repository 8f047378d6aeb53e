"""A market read: from its history to the map, its clusters and its volatility. Shared by live, replay and one map."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.alerts.types import Market, Track
from bot.liquidation import DEFAULT, Cluster, History, LiquidationMap, ModelParameters, PositionModel, RiskTier
from bot.liquidation.clusters import find_clusters
from bot.liquidation.combining import VenuePart
from bot.liquidation.expected import with_expectations
from bot.liquidation.ground import Ground
from bot.liquidation.known import KnownPosition, with_known
from bot.liquidation.strength import ShareHistory, pooled_strength
from bot.liquidation.touch import Volatility, touch_probabilities
from bot.liquidation.types import Floats, Mark

TOUCH_HOURS = (1, 4, 24)

WINDOW = 0.12
"""How far a map reaches on each side, in log price."""
WIDE_WINDOW = 1.2
"""How far it reaches for a level of one's own: a long of 1.5x is liquidated two thirds below its entry."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the skill meter lends to a reading: whether learned positions are shown or the prior, turnover weights for
    the prior (None: its own), the verdict, the feed's kappa."""

    learned: bool = True
    weights: Floats | None = None
    proven: bool = False
    kappa: float | None = None


UNPROVEN = Calibration()


@dataclass(frozen=True, slots=True)
class Reading:
    """One market at one moment. `proven` tells whether maps like this one were shown to know more than distance.

    Maps of two versions are not compared. `parts` are the venues of a combined market, the biggest first, then those
    that were left out; else empty. `known_share` is the part of the open interest whose liquidation prices are known
    exactly.
    """

    map: LiquidationMap
    clusters: tuple[Cluster, ...]
    volatility: Volatility
    version: str
    proven: bool = False
    parts: tuple[VenuePart, ...] = ()
    known_share: float = 0.0


def read_history(
    history: History,
    *,
    tiers: Sequence[RiskTier] | None,
    parameters: ModelParameters = DEFAULT,
    price: float | None = None,
    since_ms: int | None = None,
    shares: ShareHistory | None = None,
    calibration: Calibration = UNPROVEN,
    known: Sequence[KnownPosition] = (),
    window: float = WINDOW,
) -> Reading:
    """Rebuild the position model from `history` and read it at `price` (the last close if None).

    `parameters` are what was learned of the market, used unless the calibration says that the prior is better.
    `since_ms` counts only positions opened since; `shares` is the symbol's own history of cluster sizes.
    `known` are positions whose liquidation prices are known exactly. The map reaches `window` in log price.
    """
    shown = parameters if calibration.learned else DEFAULT
    model = PositionModel.rebuild(history, tiers=tiers, parameters=shown, since_ms=since_ms)
    volatility = Volatility.from_closes(history.open_ms + history.bar_ms, history.close)
    return read_model(
        model, volatility, price=price, shares=shares, calibration=calibration, known=known, window=window
    )


def read_model(
    model: PositionModel,
    volatility: Volatility,
    *,
    price: float | None = None,
    shares: ShareHistory | None = None,
    calibration: Calibration = UNPROVEN,
    known: Sequence[KnownPosition] = (),
    window: float = WINDOW,
) -> Reading:
    """Read a model as it stands."""
    drawn = model.map(price=price, window=window, weights=calibration.weights)
    return read_map(drawn, model.version, volatility, shares=shares, calibration=calibration, known=known)


def draw_history(
    history: History,
    *,
    tiers: Sequence[RiskTier] | None,
    parameters: ModelParameters = DEFAULT,
    calibration: Calibration = UNPROVEN,
) -> tuple[LiquidationMap, str]:
    """The model's map of a history, and its version: the part of a reading that takes time, and depends on nothing
    but its arguments. `read_map` makes the rest."""
    shown = parameters if calibration.learned else DEFAULT
    model = PositionModel.rebuild(history, tiers=tiers, parameters=shown)
    return model.map(window=WINDOW, weights=calibration.weights), model.version


def read_map(
    drawn: LiquidationMap,
    version: str,
    volatility: Volatility,
    *,
    shares: ShareHistory | None = None,
    calibration: Calibration = UNPROVEN,
    known: Sequence[KnownPosition] = (),
) -> Reading:
    """Read a model's map. What a sweep is expected to print is told only where the map is proven."""
    drawn, known_share = with_known(drawn, known)
    strength = pooled_strength if shares is None else shares.strength
    clusters = find_clusters(drawn, day_volatility=volatility.day, strength=strength)
    if calibration.proven and calibration.kappa is not None and drawn.open_interest == "measured":
        clusters = with_expectations(clusters, drawn, calibration.kappa)
    version = f"{version}+known" if known_share else version
    return Reading(drawn, clusters, volatility, version, calibration.proven, known_share=known_share)


def ground_of(near: LiquidationMap, clusters: Sequence[Cluster], wide: Reading) -> Ground:
    """The wide map with the `clusters` of the near one, and those of its own that peak beyond the near one's window.

    Which bodies count depends on how much stands in the window, so the wide map's clusters are not those that people
    see on the map.
    """
    low, high = float(near.low[0]), float(near.high[-1])
    beyond = [
        far
        for far in wide.clusters
        if not low <= far.peak <= high and all(far.high <= own.low or far.low >= own.high for own in clusters)
    ]
    return Ground(wide.map, (*clusters, *beyond), day_volatility=wide.volatility.day)


def touch_odds(cluster: Cluster, price: float, volatility: Volatility) -> tuple[tuple[int, float], ...]:
    """(hours, probability) pairs for the cluster's nearest edge; 1 where price stands inside it."""
    edge = min(max(price, cluster.low), cluster.high)
    return tuple(zip(TOUCH_HOURS, touch_probabilities(price, edge, TOUCH_HOURS, volatility), strict=True))


def distance_pct(cluster: Cluster, price: float) -> float:
    """Signed distance from price to the cluster's nearest edge in percent of price; 0 inside, negative below."""
    edge = min(max(price, cluster.low), cluster.high)
    return 100.0 * (edge / price - 1.0)


def cluster_json(
    cluster: Cluster, track_id: str, price: float, touch: Sequence[tuple[int, float]]
) -> dict[str, object]:
    """The cluster as `map --json` and alert lines show it; `touch` are (hours, probability) pairs."""
    expected = (
        None if cluster.expected_usd is None else {"usd": cluster.expected_usd, "high": cluster.expected_high_usd}
    )
    return {
        "id": track_id,
        "side": cluster.side.value,
        "low": cluster.low,
        "high": cluster.high,
        "peak": cluster.peak,
        "usd": cluster.usd,
        "strength": cluster.strength,
        "confluence": confluence_json(cluster.confluence),
        "expected_liquidations": expected,
        "distance_pct": distance_pct(cluster, price),
        "touch_probability": {f"{hours}h": odds for hours, odds in touch},
    }


def confluence_json(marks: Iterable[Mark]) -> list[dict[str, object]]:
    """What else stands at a cluster's near edge."""
    return [{"feature": mark.feature.value, "price": mark.price, "times": mark.times} for mark in marks]


def map_json(
    market: Market, reading: Reading, tracks: Sequence[Track], history: History, *, now_ms: int
) -> dict[str, object]:
    """The object `map --json` prints (design, "Contracts that others rely on").

    A combined market has `venues` besides: each exchange's share, open interest, age, and why it is left out, if it is.
    """
    drawn = reading.map
    found: dict[str, object] = {
        "symbol": market.symbol,
        "exchange": market.exchange,
        "time_ms": drawn.time_ms,
        "price": drawn.price,
        "bins": {
            "low": drawn.low.tolist(),
            "high": drawn.high.tolist(),
            "long_usd": drawn.long_usd.tolist(),
            "short_usd": drawn.short_usd.tolist(),
        },
        "clusters": [
            cluster_json(
                track.cluster, track.id, drawn.price, touch_odds(track.cluster, drawn.price, reading.volatility)
            )
            for track in tracks
        ],
        "model": {
            "version": reading.version,
            "calibrated": any(track.cluster.expected_usd is not None for track in tracks),
            "open_interest": drawn.open_interest,
            "limits": [limit.value for limit in drawn.limits],
            "known_share": reading.known_share,
        },
        "data": {
            "bars": len(history),
            "from_ms": int(history.open_ms[0]),
            "to_ms": history.end_ms,
            "age_s": max(0, now_ms - history.end_ms) / 1000,
        },
    }
    if reading.parts:
        found["venues"] = [_venue_json(part, now_ms) for part in reading.parts]
    return found


def _venue_json(part: VenuePart, now_ms: int) -> dict[str, object]:
    return {
        "exchange": part.venue,
        "symbol": part.symbol,
        "share": part.share,
        "open_interest_usd": part.usd,
        "known_share": part.known_share,
        "age_s": None if part.time_ms is None else max(0, now_ms - part.time_ms) / 1000,
        "left_out": None if part.left_out is None else part.left_out.value,
    }
