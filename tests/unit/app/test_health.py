"""Health and metrics: what is wrong is said, over HTTP too, and never a secret."""

import asyncio
import json
import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError

import pytest

from bot.failures import FailedError
from bot.figures import Figures
from bot.health import LONGEST_WAIT_S, Health, Look, Waiting
from bot.health_server import health_server
from bot.market.limits import BudgetStatus
from bot.market.line import LineStatus
from bot.metrics import Metrics
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.storage.outbox import OutboxRow
from bot.telegram.desk import StreamView
from bot.telegram.findings import Finding, Trouble
from tests.fakes.clock import VirtualClock
from tests.fakes.faulty_disk import FULL, READ_ONLY, FaultyDisk
from tests.unit.storage.values import NOW, event


class Patient:
    """A bot as health sees it, every organ of which a test can make ill."""

    def __init__(self, db: Database, *, look_s: float = 5.0) -> None:
        self.ages: Mapping[str, float | None] = {"binance": 1.0, "okx": 900.0}
        self.ears = "listening"
        self.still: list[Finding] = []
        self.clock = VirtualClock(NOW)
        self.looks: list[Look] = []
        self.health = Health(
            db,
            self.clock,
            price_ages=lambda: self.ages,
            ears=lambda: self.ears,
            standstills=lambda: self.still,
            seen=self.looks.append,
            look_s=look_s,
        )

    async def troubles(self) -> list[str]:
        await self.health.look()
        return self.health.troubles()


async def test_all_is_well_while_one_exchange_is_fresh_and_messages_go_out() -> None:
    async with await Database.open("sqlite://", inline=True) as db:
        assert await Patient(db).troubles() == []


async def test_each_trouble_is_named() -> None:
    async with await Database.open("sqlite://", inline=True) as db:
        patient = Patient(db)
        patient.ages = {"binance": 500.0, "okx": 900.0}
        assert await patient.troubles() == ["no exchange gives fresh prices"]
        patient.ages = {"binance": None}
        assert await patient.troubles() == [], "a bot that has just started may have no price yet"
        patient.ears = "conflict"
        assert await patient.troubles() == ["Telegram is not heard (conflict)"]
        patient.ears, patient.still = "starting", [Finding(Trouble.JOB_STUCK, "prices", 90.0)]
        assert await patient.troubles() == ["the job prices has not ended in 90 s"]
        patient.still = []
        await db.outbox.add([OutboxRow("key", 1, {}, created_ms=NOW)])
        patient.clock.advance(LONGEST_WAIT_S + 1)
        assert await patient.troubles() == ["a message has waited 601 s to be delivered"]
        assert patient.looks[-1].waiting == {"ready": Waiting(1, LONGEST_WAIT_S + 1)}
        await db.close()
        assert await patient.troubles() == ["the database does not answer"]


async def test_a_disk_that_refuses_is_a_trouble_until_it_takes_a_write_again(tmp_path: Path) -> None:
    disk = await FaultyDisk.open(tmp_path, inline=True)
    patient = Patient(disk.db)
    for fault, words in ((FULL, "the disk is full"), (READ_ONLY, "it is read-only")):
        disk.suffer(fault)
        with pytest.raises(StorageError):
            await disk.db.kv.set("key", "x" * 100_000)
        [trouble] = await patient.troubles()
        assert words in trouble
        disk.heal()
        await disk.db.kv.set("key", fault)
        assert await patient.troubles() == []
    await disk.db.close()


def get(port: int, path: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


FIGURES = Figures(
    look=Look({"binance": 1.5, "okx": None}, {"ready": Waiting(2, 7.0)}),
    findings=(Finding(Trouble.NO_PRICES),),
    streams={"okx": StreamView(age_ms=250, late_ms=40, reconnects=2, gaps=1, dropped=9, unread=0)},
    books={"binance": LineStatus({"weight": BudgetStatus(12, 1200, 60.0)}, 40, 1, NOW, 0, None, None, {"klines": 3})},
    bar_lag_s={"binance": 90.0},
    database_failures={"DiskFullError": 2},
    loop_lag_s=0.02,
    loop_stalls=1,
    rules=5,
    markets=2,
)


def test_health_and_metrics_are_served_and_nothing_else() -> None:
    wrong: list[str] = []
    metrics = Metrics()
    metrics.count("sent", 3)
    metrics.decided([event(), event()])
    metrics.timed("recompute", 0.4, True)
    metrics.timed("recompute", 0.1, False)
    metrics.logged("ERROR")
    metrics.seen(FIGURES)
    with health_server("127.0.0.1", 0, troubles=lambda: wrong, page=metrics.page) as port:
        status, kind, body = get(port, "/healthz")
        assert (status, kind, json.loads(body)) == (200, "application/json", {"status": "ok", "troubles": []})
        wrong.append("the event loop has stood still for 12 s")
        status, _, body = get(port, "/healthz?verbose")
        assert (status, json.loads(body)) == (503, {"status": "bad", "troubles": wrong})
        status, kind, body = get(port, "/metrics")
        assert (status, kind.split(";")[0]) == (200, "text/plain")
        assert get(port, "/")[0] == 404
    figures = dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
    for name, value in {
        'liqwatch_messages_total{outcome="sent"}': 3.0,
        'liqwatch_messages_total{outcome="ambiguous"}': 0.0,
        'liqwatch_alerts_total{kind="proximity"}': 2.0,
        'liqwatch_job_duration_seconds_count{name="recompute"}': 2.0,
        'liqwatch_job_failures_total{name="recompute"}': 1.0,
        'liqwatch_log_records_total{level="ERROR"}': 1.0,
        'liqwatch_price_age_seconds{exchange="binance"}': 1.5,
        'liqwatch_bar_lag_seconds{exchange="binance"}': 90.0,
        'liqwatch_outbox_messages{state="ready"}': 2.0,
        'liqwatch_outbox_oldest_seconds{state="ready"}': 7.0,
        'liqwatch_outbox_messages{state="ambiguous"}': 0.0,
        'liqwatch_stream_age_seconds{exchange="okx"}': 0.25,
        'liqwatch_stream_lag_seconds{exchange="okx"}': 0.04,
        'liqwatch_stream_gaps_total{exchange="okx"}': 1.0,
        'liqwatch_stream_lost_liquidations_total{exchange="okx"}': 9.0,
        'liqwatch_exchange_requests_total{exchange="binance"}': 40.0,
        'liqwatch_exchange_budget_used{budget="weight",exchange="binance"}': 12.0,
        'liqwatch_database_errors_total{error="DiskFullError"}': 2.0,
        'liqwatch_trouble{trouble="no_prices"}': 1.0,
        'liqwatch_trouble{trouble="deaf"}': 0.0,
        "liqwatch_loop_lag_seconds": 0.02,
        "liqwatch_loop_stalls_total": 1.0,
        "liqwatch_healthy": 0.0,
        "liqwatch_rules": 5.0,
    }.items():
        assert float(figures[name]) == value, name
    assert float(figures["process_resident_memory_bytes"]) > 1e6
    assert not re.search(r"\d{6,12}:[A-Za-z0-9_-]{30,}", body)


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with (
        health_server("127.0.0.1", 0, troubles=list, page=bytes) as port,
        pytest.raises(FailedError, match=f"METRICS_PORT {port} on 127.0.0.1 cannot be served"),
        health_server("127.0.0.1", port, troubles=list, page=bytes),
    ):
        pass


async def test_health_that_nobody_has_looked_after_is_bad() -> None:
    async with await Database.open("sqlite://", inline=True) as db:
        patient = Patient(db, look_s=0.01)
        running = asyncio.create_task(patient.health.run())
        await asyncio.sleep(0.05)
        assert len(patient.looks) > 1
        assert patient.health.troubles() == []
        running.cancel()
        await asyncio.sleep(0.1)
        assert patient.health.troubles()[0].startswith("health was last looked at")
