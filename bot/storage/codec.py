"""Events as plain data (for JSON), maps and samples as blobs, and back.

What is written here is read by later versions: a field may be added with a default, never renamed or removed.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from bot.alerts.types import Event, Kind, Market, Severity, Unit
from bot.liquidation.types import Cluster, Feature, LiquidationMap, MapLimit, Mark, Side
from bot.storage.blobs import pack, unpack

Plain = dict[str, Any]


def cluster_to_plain(cluster: Cluster) -> Plain:
    marks = [[mark.feature.value, mark.price, mark.times] for mark in cluster.confluence]
    return {**structs.asdict(cluster), "side": cluster.side.value, "confluence": marks}


def cluster_from_plain(plain: Mapping[str, Any]) -> Cluster:
    marks = tuple(Mark(Feature(name), price, times) for name, price, times in plain.get("confluence", ()))
    return Cluster(**{**plain, "side": Side(plain["side"]), "confluence": marks})


def event_to_plain(event: Event) -> Plain:
    """An event as JSON can hold it, in no language."""
    return {
        **structs.asdict(event),
        "kind": event.kind.value,
        "market": list(event.market),
        "severity": event.severity.value,
        "cluster": None if event.cluster is None else cluster_to_plain(event.cluster),
        "side": None if event.side is None else event.side.value,
        "unit": event.unit.value,
        "figures": [list(pair) for pair in event.figures],
        "touch": [list(pair) for pair in event.touch],
        "limits": [limit.value for limit in event.limits],
    }


def event_from_plain(plain: Mapping[str, Any]) -> Event:
    """An event from what was stored of it; what else a message has to say is passed over."""
    known = {name: plain[name] for name in Event.__struct_fields__ if name in plain}
    return Event(
        **{
            **known,
            "kind": Kind(plain["kind"]),
            "market": Market(*plain["market"]),
            "severity": Severity(plain["severity"]),
            "cluster": None if plain["cluster"] is None else cluster_from_plain(plain["cluster"]),
            "side": Side(plain["side"]) if plain.get("side") else None,
            "unit": Unit(plain.get("unit", Unit.PERCENT)),
            "figures": tuple((str(name), float(value)) for name, value in plain.get("figures", ())),
            "touch": tuple((int(hours), float(odds)) for hours, odds in plain.get("touch", ())),
            "limits": tuple(MapLimit(limit) for limit in plain.get("limits", ())),
        }
    )


def map_to_parts(reading: LiquidationMap) -> tuple[dict[str, NDArray[Any]], Plain]:
    """A map as arrays, and as facts that JSON can hold."""
    return (
        {"low": reading.low, "high": reading.high, "long_usd": reading.long_usd, "short_usd": reading.short_usd},
        {
            "time_ms": int(reading.time_ms),
            "price": float(reading.price),
            "long_total_usd": float(reading.long_total_usd),
            "short_total_usd": float(reading.short_total_usd),
            "open_interest": reading.open_interest,
            "limits": [limit.value for limit in reading.limits],
        },
    )


def map_from_parts(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> LiquidationMap:
    fields: Plain = {**arrays, **facts, "limits": tuple(MapLimit(limit) for limit in facts.get("limits", ()))}
    return LiquidationMap(**fields)


def map_to_blob(reading: LiquidationMap) -> bytes:
    return pack(*map_to_parts(reading))


def map_from_blob(blob: bytes) -> LiquidationMap:
    """Raises UnreadableBlobError."""
    return map_from_parts(*unpack(blob))


_SAMPLE = np.dtype([("slot_ms", "<i8"), ("usd", "<f8"), ("low", "<f8"), ("high", "<f8")])

Sizes = tuple[tuple[int, float], ...]
Spans = tuple[tuple[float, float], ...]


def samples_to_blob(sizes: Sizes, spans: Spans) -> bytes:
    """A track's sizes, each with its edges: spans belong to the newest sizes, the edges of older ones are NaN."""
    samples = np.empty(len(sizes), dtype=_SAMPLE)
    samples["slot_ms"] = [slot_ms for slot_ms, _ in sizes]
    samples["usd"] = [usd for _, usd in sizes]
    unknown = [math.nan] * (len(sizes) - len(spans))
    spans = spans[max(0, len(spans) - len(sizes)) :]
    samples["low"] = [*unknown, *(low for low, _ in spans)]
    samples["high"] = [*unknown, *(high for _, high in spans)]
    return samples.tobytes()


def samples_from_blob(blob: bytes) -> tuple[Sizes, Spans]:
    samples = np.frombuffer(blob, dtype=_SAMPLE)
    known = samples[~np.isnan(samples["low"])]
    return _pairs(samples["slot_ms"], samples["usd"]), _pairs(known["low"], known["high"])


def _pairs(first: NDArray[Any], second: NDArray[Any]) -> tuple[tuple[Any, float], ...]:
    return tuple(zip(first.tolist(), second.tolist(), strict=True))
