"""What the judgement remembers: states of rules, tracks of clusters, how clusters stood at each recompute."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from bot.alerts.pulse import Pulse
from bot.alerts.types import CloseReason, Market, Phase, RuleState, Track
from bot.liquidation.types import Cluster, Side
from bot.storage.access import Access
from bot.storage.blobs import pack, unpack
from bot.storage.codec import samples_from_blob, samples_to_blob
from bot.storage.series import DAY_MS
from bot.storage.statements import upsert
from bot.storage.tables import cluster_history, pulses, rule_states, rules, tracks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterSample:
    """A cluster as it stood at one recompute; prices in quote currency."""

    track_id: str
    side: Side
    low: float
    high: float
    peak: float
    usd: float
    strength: int


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """All clusters of one market at one slot."""

    market: Market
    slot_ms: int
    clusters: tuple[ClusterSample, ...]


class AlertsState:
    """Reads of states, tracks, pulses and the history of clusters; `Database.commit_changes` writes them."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def states(self) -> Sequence[RuleState]:
        """Every open state of every rule that is not removed, also of chats that are away."""
        statement = (
            select(rule_states)
            .join(rules, rules.c.id == rule_states.c.rule_id)
            .where(rules.c.deleted_ms.is_(None), rule_states.c.phase != Phase.CLOSED.value)
            .order_by(rule_states.c.rule_id, rule_states.c.track_id)
        )
        return await self._access.read(lambda connection: [_state(row) for row in connection.execute(statement)])

    async def states_of(self, rule_id: int) -> Sequence[RuleState]:
        """The open states of one rule: for one that has just been restored."""
        statement = select(rule_states).where(
            rule_states.c.rule_id == rule_id, rule_states.c.phase != Phase.CLOSED.value
        )
        return await self._access.read(lambda connection: [_state(row) for row in connection.execute(statement)])

    async def open_tracks(self) -> Sequence[Track]:
        """Every track that is not closed, by market and birth."""
        statement = (
            select(tracks)
            .where(tracks.c.closed.is_(None))
            .order_by(tracks.c.exchange, tracks.c.symbol, tracks.c.born_ms, tracks.c.id)
        )
        return await self._access.read(lambda connection: [_track(row) for row in connection.execute(statement)])

    async def swept_tracks(self, *, since_ms: int) -> Sequence[Track]:
        """The tracks that were swept at `since_ms` or later, which the judgement still follows."""
        statement = (
            select(tracks)
            .where(tracks.c.closed == CloseReason.SWEPT.value, tracks.c.seen_ms >= since_ms - DAY_MS)
            .where(tracks.c.closed_ms >= since_ms)
            .order_by(tracks.c.exchange, tracks.c.symbol, tracks.c.closed_ms, tracks.c.id)
        )
        return await self._access.read(lambda connection: [_track(row) for row in connection.execute(statement)])

    async def pulses(self) -> Sequence[Pulse]:
        """What is usual for each market; one of another version is left out and learned anew."""
        statement = select(pulses).order_by(pulses.c.exchange, pulses.c.symbol)
        rows = await self._access.read(lambda connection: connection.execute(statement).all())
        return [pulse for row in rows if (pulse := _pulse(row)) is not None]

    async def track(self, market: Market, track_id: str) -> Track | None:
        """One track, open or closed."""

        def work(connection: Connection) -> Track | None:
            key = {"exchange": market.exchange, "symbol": market.symbol, "id": track_id}
            row = connection.execute(select(tracks).filter_by(**key)).first()
            return _track(row) if row else None

        return await self._access.read(work)

    async def swept(self, market: Market, *, since_ms: int) -> Sequence[Track]:
        """The clusters that price went through since then, the newest first."""
        statement = (
            select(tracks)
            .filter_by(exchange=market.exchange, symbol=market.symbol, closed=CloseReason.SWEPT.value)
            .where(tracks.c.closed_ms >= since_ms)
            .order_by(tracks.c.closed_ms.desc(), tracks.c.id)
        )
        return await self._access.read(lambda connection: [_track(row) for row in connection.execute(statement)])

    async def history(self, market: Market, *, start_ms: int, end_ms: int) -> Sequence[HistoryRow]:
        """The clusters at each slot with start_ms <= slot_ms < end_ms, oldest first."""
        statement = (
            select(cluster_history.c.slot_ms, cluster_history.c.payload)
            .filter_by(exchange=market.exchange, symbol=market.symbol)
            .where(cluster_history.c.slot_ms >= start_ms, cluster_history.c.slot_ms < end_ms)
            .order_by(cluster_history.c.slot_ms)
        )
        return await self._access.read(
            lambda connection: [
                HistoryRow(market, slot_ms, _samples_from_blob(payload))
                for slot_ms, payload in connection.execute(statement)
            ]
        )


def write_states(connection: Connection, states: Sequence[RuleState]) -> None:
    """Write states; one whose rule is gone for good is left out, for it can fire no more."""
    wanted = {state.rule_id for state in states}
    there: set[int] = set()
    for start in range(0, len(ids := sorted(wanted)), 500):
        some = select(rules.c.id).where(rules.c.id.in_(ids[start : start + 500]))
        there.update(connection.execute(some).scalars())
    upsert(connection, rule_states, [_state_row(state) for state in states if state.rule_id in there])


def write_tracks(connection: Connection, changed: Sequence[Track]) -> None:
    upsert(connection, tracks, [_track_row(track) for track in changed])


def write_pulses(connection: Connection, changed: Sequence[Pulse]) -> None:
    rows = [
        {
            "exchange": pulse.market.exchange,
            "symbol": pulse.market.symbol,
            "time_ms": int(pulse.slot_ms),
            "payload": json.dumps(pulse.to_plain(), allow_nan=False),
        }
        for pulse in changed
    ]
    upsert(connection, pulses, rows)


def write_history(connection: Connection, history: Sequence[HistoryRow]) -> None:
    rows = [
        {
            "exchange": row.market.exchange,
            "symbol": row.market.symbol,
            "slot_ms": row.slot_ms,
            "payload": _samples_to_blob(row.clusters),
        }
        for row in history
    ]
    upsert(connection, cluster_history, rows)


def _state_row(state: RuleState) -> dict[str, Any]:
    return {
        "rule_id": state.rule_id,
        "track_id": state.track_id,
        "phase": state.phase.value,
        "episode": state.episode,
        "since_ms": int(state.since_ms),
        "fired_ms": int(state.fired_ms),
        "held": state.held,
        "told": float(state.told),
        "last_ms": int(state.last_ms),
    }


def _state(row: Row[Any]) -> RuleState:
    return RuleState(**{**row._mapping, "phase": Phase(row.phase)})


_CLUSTER = ("low", "high", "peak", "usd", "share", "strength", "expected_usd", "expected_high_usd")


def _track_row(track: Track) -> dict[str, Any]:
    return {
        "exchange": track.market.exchange,
        "symbol": track.market.symbol,
        "id": track.id,
        "side": track.cluster.side.value,
        **{name: getattr(track.cluster, name) for name in _CLUSTER},
        "strength": int(track.cluster.strength),
        "born_ms": int(track.born_ms),
        "seen_ms": int(track.seen_ms),
        "missed": track.missed,
        "samples": samples_to_blob(track.sizes, track.spans),
        "model_version": track.model_version,
        "appeared": int(track.appeared),
        "closed": track.closed.value if track.closed else None,
        "closed_ms": int(track.closed_ms),
        "best_strength": int(track.best_strength),
    }


def _track(row: Row[Any]) -> Track:
    sizes, spans = samples_from_blob(row.samples)
    return Track(
        id=row.id,
        market=Market(row.exchange, row.symbol),
        cluster=Cluster(side=Side(row.side), **{name: row._mapping[name] for name in _CLUSTER}),
        born_ms=row.born_ms,
        seen_ms=row.seen_ms,
        missed=row.missed,
        sizes=sizes,
        model_version=row.model_version,
        closed=CloseReason(row.closed) if row.closed else None,
        spans=spans,
        appeared=bool(row.appeared),
        closed_ms=row.closed_ms,
        best_strength=row.best_strength,
    )


def _pulse(row: Row[Any]) -> Pulse | None:
    try:
        return Pulse.from_plain(Market(row.exchange, row.symbol), row.time_ms, json.loads(row.payload))
    except (KeyError, TypeError, ValueError) as error:
        log.warning("what is usual for %s %s is of another version: %s", row.exchange, row.symbol, error)
        return None


_SAMPLE = ("low", "high", "peak", "usd", "strength")


def _samples_to_blob(samples: Sequence[ClusterSample]) -> bytes:
    columns = {name: np.array([getattr(sample, name) for sample in samples], dtype=np.float64) for name in _SAMPLE}
    facts = {"ids": [sample.track_id for sample in samples], "sides": [sample.side.value for sample in samples]}
    return pack(columns, facts)


def _samples_from_blob(blob: bytes) -> tuple[ClusterSample, ...]:
    columns, facts = unpack(blob)
    numbers = zip(*(columns[name].tolist() for name in _SAMPLE), strict=True)
    return tuple(
        ClusterSample(track_id, Side(side), low, high, peak, usd, int(strength))
        for track_id, side, (low, high, peak, usd, strength) in zip(facts["ids"], facts["sides"], numbers, strict=True)
    )
