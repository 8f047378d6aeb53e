"""From a price to the request that carries the alert: a tick over many rules, a thousand of which it satisfies.

Everything between is the real thing: the judge, the commit to a database, the outbox, the limits, HTTP on loopback to a
server that only notes when each request came. The alerts wait for no group, as urgent ones, and carry no picture.
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from bot.alerts.engine import Engine
from bot.alerts.types import Kind, Market, Rule
from bot.bench_matching import map_at_100
from bot.clock import SystemClock
from bot.compose import Composer
from bot.delivery.limits import TOKEN_RATE, RateLimiter
from bot.delivery.worker import OutboxWorker
from bot.doorbell import Doorbell
from bot.heap import settled
from bot.liquidation import Cluster, Side
from bot.market.types import Floats, Tick
from bot.markets import Markets
from bot.pictures import PictureDesk
from bot.storage.database import Database
from bot.telegram.connection import open_line
from bot.telegram.messenger import TelegramMessenger
from bot.telegram.texts import Catalogue
from bot.watch import Watch

FIRST = 25
"""The limit lets so many go at once after silence; the rest wait their turn by design."""

NO_TOKEN = "123456789:" + "A" * 35
"""Well formed, and nobody's."""

HEART_S = 0.005


@dataclass(frozen=True, slots=True)
class DeliveryLoad:
    """`due` of the `rules` are satisfied by one price; the rate is measured over the `rate_of` messages after FIRST."""

    symbols: int = 500
    rules: int = 100_000
    due: int = 1_000
    rate_of: int = 125


FULL_DELIVERY = DeliveryLoad()
Figures = dict[str, float | dict[str, float]]


def measure_delivery(database_url: str, load: DeliveryLoad = FULL_DELIVERY) -> Figures:
    """`tick_to_request_ms` of the first 25, `send_rate_share` of the allowed rate, `loop_stall_ms` at worst.

    The database is filled with rules and messages.
    """
    with _server() as (url, came_s):
        return asyncio.run(_measure(load, database_url, url, came_s))


async def _measure(load: DeliveryLoad, database_url: str, url: str, came_s: list[float]) -> Figures:
    clock, line = SystemClock(), open_line(NO_TOKEN, api_url=url)
    async with await Database.open(database_url) as db:
        limiter = RateLimiter(clock)
        composer = Composer(
            db=db,
            markets=Markets(exchanges={}, db=db, history_days=1),
            pictures=PictureDesk(),
            catalogue=Catalogue.load(),
            clock=clock,
            simulated=frozenset(),
        )
        messenger = TelegramMessenger(line)
        worker = OutboxWorker(db=db, messenger=messenger, compose=composer.compose, clock=clock, limiter=limiter)
        engine = await _engine(load, db, now_ms=clock.now_ms())
        bell = Doorbell(db, per_hour=1_000, group_ms=0)
        watch = Watch(db=db, clock=clock, engine=engine, on_events=lambda _: worker.wake(), bell=bell)
        await watch.take_prices(_tick(load, clock.now_ms(), near=False), now_ms=clock.now_ms())
        stalls: list[float] = []
        with settled():
            heart = asyncio.create_task(_beat(stalls))
            sending = asyncio.create_task(worker.run())
            await clock.sleep(0.2)
            began_s = time.perf_counter()
            await watch.take_prices(_tick(load, clock.now_ms(), near=True), now_ms=clock.now_ms())
            wanted = min(load.due, FIRST + load.rate_of)
            while len(came_s) < wanted:
                await clock.sleep(0.05)
            await worker.stop()
            await sending
            heart.cancel()
    await line.shutdown()
    return _figures(np.array(came_s[:wanted]) - began_s, stalls)


def _figures(came_s: Floats, stalls: list[float]) -> Figures:
    first, steady = came_s[:FIRST], came_s[FIRST:]
    rate = (len(steady) - 1) / (steady[-1] - steady[0]) if len(steady) > 1 else TOKEN_RATE
    return {
        "tick_to_request_ms": {
            "p50": round(1e3 * float(np.percentile(first, 50)), 1),
            "p99": round(1e3 * float(np.percentile(first, 99)), 1),
        },
        "send_rate_share": round(float(rate) / TOKEN_RATE, 3),
        "loop_stall_ms": round(1e3 * max(stalls), 3),
    }


async def _engine(load: DeliveryLoad, db: Database, *, now_ms: int) -> Engine:
    """Rules of all markets, the first market's at a distance that one price reaches; those are in the database too."""
    rng, markets = np.random.default_rng(3), _markets(load)
    due = [
        (await db.rules.add(Rule(0, chat, markets[0], Kind.PROXIMITY, threshold_pct=1.0, created_ms=now_ms)))[0]
        for chat in range(1, load.due + 1)
    ]
    percents = rng.uniform(0.2, 3.0, load.rules - load.due).round(2).tolist()
    others = (
        Rule(number, number % 5_000, markets[1 + number % (load.symbols - 1)], Kind.PROXIMITY, threshold_pct=percent)
        for number, percent in enumerate(percents, start=load.due + 1)
    )
    engine = Engine([*due, *others])
    clusters = tuple(
        Cluster(side, level * 0.995, level * 1.005, level, 1e7, 0.2, 80)
        for side, level in ((Side.LONG, 96.0), (Side.SHORT, 104.0))
    )
    for market in markets:
        engine.apply(engine.evaluate_map(map_at_100(market, clusters, now_ms)))
    return engine


def _markets(load: DeliveryLoad) -> list[Market]:
    return [Market("bench", f"S{number:03}USDT") for number in range(load.symbols)]


def _tick(load: DeliveryLoad, now_ms: int, *, near: bool) -> Tick:
    prices = np.full(load.symbols, 100.0)
    prices[0] = 103.0 if near else 100.0
    symbols = tuple(market.symbol for market in _markets(load))
    return Tick("bench", symbols, np.full(load.symbols, now_ms, dtype=np.int64), prices)


async def _beat(stalls: list[float]) -> None:
    """Note how late the loop comes round, again and again."""
    while True:
        due_s = time.perf_counter() + HEART_S
        await asyncio.sleep(HEART_S)
        stalls.append(max(0.0, time.perf_counter() - due_s))


@contextmanager
def _server() -> Iterator[tuple[str, list[float]]]:
    """A Bot API that takes every message; gives its URL and, as they come, when each did (perf_counter seconds)."""
    came_s: list[float] = []
    sent = {"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "x"}}
    body = json.dumps(sent).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            came_s.append(time.perf_counter())
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """A bench prints its figures only."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", came_s
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
