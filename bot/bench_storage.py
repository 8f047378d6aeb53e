"""What the database takes for each thing that waits for it: an evaluation, a message's way out, a market's history."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median

import numpy as np

from bot.alerts.types import Changes, Market, Track
from bot.liquidation import Cluster, Side
from bot.market.types import BAR_MS, Bars
from bot.storage.alerts_state import ClusterSample, HistoryRow
from bot.storage.database import Database
from bot.storage.outbox import OutboxRow
from bot.storage.slots import Slot

MARKET = Market("bench", "S000USDT")
NOW_MS = 1_764_547_200_000
LEASE_MS = 60_000
CLUSTERS = 20


def measure_storage(url: str, *, runs: int, bars: int) -> dict[str, float]:
    """Medians in an empty database: `commit_ms` of an evaluation whole, `enqueue_1000_ms`, `claim_to_sent_ms` of one
    message in its three transactions, `bars_load_ms` of a market's history.
    """
    return asyncio.run(_measure(url, runs, bars))


async def _measure(url: str, runs: int, bars: int) -> dict[str, float]:
    async with await Database.open(url) as db:
        figures = {"commit_ms": await _median_ms(lambda number: _commit(db, number), runs)}
        figures["enqueue_1000_ms"] = await _median_ms(lambda number: _enqueue(db, number), min(runs, 10))
        figures["claim_to_sent_ms"] = await _median_ms(lambda number: _send(db), runs)
        await db.series.save_bars({MARKET: _bars(bars)})
        figures["bars_load_ms"] = await _median_ms(lambda number: _load(db, bars), runs)
    return figures


async def _median_ms(work: Callable[[int], Awaitable[object]], runs: int) -> float:
    """Of `runs` runs, the first of which is not counted."""
    took = []
    for number in range(runs + 1):
        began_s = time.perf_counter()
        await work(number)
        took.append(time.perf_counter() - began_s)
    return 1e3 * median(took[1:])


async def _commit(db: Database, number: int) -> None:
    now_ms = NOW_MS + number * BAR_MS
    tracks = tuple(_track(each, now_ms) for each in range(CLUSTERS))
    history = HistoryRow(MARKET, now_ms, tuple(_sample(track) for track in tracks))
    message = OutboxRow(f"commit:{number}", -1 - number, {"text": "x"}, now_ms)
    slots = [Slot("recompute", now_ms, MARKET)]
    await db.commit_changes(Changes(tracks=tracks), [message], slots=slots, history=[history], now_ms=now_ms)


async def _enqueue(db: Database, number: int) -> None:
    await db.outbox.add([OutboxRow(f"{number}:{chat}", chat, {"text": "x"}, NOW_MS) for chat in range(1, 1001)])


async def _send(db: Database) -> None:
    for claimed in await db.outbox.claim(NOW_MS + LEASE_MS, "bench", LEASE_MS, 1):
        begun = await db.outbox.begin(claimed, now_ms=NOW_MS, lease_ms=LEASE_MS)
        if begun is not None:
            await db.outbox.sent(begun, message_id=1, now_ms=NOW_MS)


async def _load(db: Database, bars: int) -> None:
    await db.series.load_bars(MARKET, start_ms=NOW_MS, end_ms=NOW_MS + bars * BAR_MS)


def _bars(count: int) -> Bars:
    prices = 100.0 + np.random.default_rng(4).normal(0.0, 1.0, count).cumsum()
    open_ms = NOW_MS + BAR_MS * np.arange(count, dtype=np.int64)
    return Bars(open_ms, prices, prices + 1, prices - 1, prices, prices * 3, prices * 300, prices * 150)


def _track(number: int, now_ms: int) -> Track:
    low = 90.0 + number
    cluster = Cluster(Side.LONG, low, low + 0.5, low + 0.2, 1e7, 0.05, 60)
    sizes = tuple((now_ms - each * BAR_MS, 1e7) for each in range(48, 0, -1))
    spans = ((low, low + 0.5),) * len(sizes)
    return Track(f"L{number}", MARKET, cluster, NOW_MS, now_ms, sizes=sizes, spans=spans, model_version="bench")


def _sample(track: Track) -> ClusterSample:
    one = track.cluster
    return ClusterSample(track.id, one.side, one.low, one.high, one.peak, one.usd, one.strength)
