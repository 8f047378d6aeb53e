"""The whole path: exchange data to the phone, over a kill -9 in the middle, with every process a real one."""

import asyncio
import json
import re
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.crossings import RAMP_MS, Crossing, find_crossing, inside_a_bar, stage
from tests.e2e.processes import EMULATOR, Running, bot, emulator, eventually, fake
from tests.e2e.wire import Wire
from tests.fakes.recorded_market import BAR_MS
from tests.shared import SHARED, needs_shared

TOKEN = "123456789:" + "AAEndToEndToken_0123456789-abcdefg"
ADA = {"id": 42, "is_bot": False, "first_name": "Ada", "language_code": "en"}
CHAT = {"id": 42, "type": "private", "first_name": "Ada"}
PNG = b"\x89PNG\r\n\x1a\n"

FIRST_CROSSING_S, SECOND_CROSSING_S = 35, 60
"""After the processes are started: so long has the bot to start and to set both watches, and then to start again."""

pytestmark = [
    needs_shared,
    pytest.mark.skipif(not EMULATOR.exists(), reason="needs lo-bot-api-emulator beside this Python"),
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("e2e"),
]


class Phone:
    """Ada's side of the emulator."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._said = 0

    async def say(self, text: str) -> None:
        self._said += 1
        message = {"message_id": 1000 + self._said, "date": 1, "chat": CHAT, "from": ADA, "text": text}
        async with aiohttp.ClientSession() as session:
            body = {"token": TOKEN, "update": {"message": message}}
            async with session.post(f"{self._url}/__fixture/updates", json=body) as reply:
                assert reply.status == 200, await reply.text()


async def test_alerts_with_pictures_arrive_and_a_kill_in_the_middle_loses_none(tmp_path: Path) -> None:
    journal, database, recording = tmp_path / "journal.jsonl", tmp_path / "liqwatch.db", tmp_path / "recording"
    btc, zrx = await staged_market(recording)
    moments = [f"--at={one.symbol}={iso(one.at_ms)}" for one in (btc, zrx)]
    symbols = f"--symbols={btc.symbol},{zrx.symbol}"
    async with (
        emulator(journal, folder=tmp_path) as telegram_url,
        Wire(telegram_url) as wire,
        fake("binance", f"--recording={recording}", symbols, *moments, folder=tmp_path) as binance_url,
    ):
        settings = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": wire.url,
            "BINANCE_API_URL": binance_url,
            "BINANCE_WEB_URL": binance_url,
            "DATABASE_URL": f"sqlite:///{database}",
            "TICK_SECONDS": 0.5,
        }
        phone = Phone(telegram_url)

        async with bot(tmp_path, settings, name="first") as first:
            await phone.say("/watch BTC 1%")
            await phone.say("/watch ZRX-USDT-SWAP 2%")
            await arrives(wire, "Watching BTC", first, by_ms=btc.cross_ms)
            await arrives(wire, "Watching ZRX", first, by_ms=btc.cross_ms)
            assert not outbox(database), f"no rule is satisfied yet\n{first.tail()}"
            await asyncio.sleep(seconds_until(btc.cross_ms) - 1)
            await eventually(lambda: outbox(database), "an alert is decided", first, within_s=30, every_s=0.002)
            await first.kill()
        decided = outbox(database)
        assert {event(row)["market"][1] for row in decided} == {"BTCUSDT"}
        assert time.time() * 1000 < zrx.cross_ms, "the kill comes before the second crossing"

        async with bot(tmp_path, settings, name="second") as second:
            await arrives(wire, "Rule #1", second, by_ms=zrx.cross_ms)
            await arrives(wire, "Rule #2", second, by_ms=zrx.cross_ms + RAMP_MS + 20_000)
            await settled(database, second)
            await phone.say("/rules")
            await arrives(wire, "rules 2/25", second, within_s=15)
            second.process.send_signal(signal.SIGTERM)
            assert await second.ends(within_s=10) == 0

    rules = wire.reading("rules 2/25")[0].text
    assert "#1 within 1%" in rules
    assert "#2 within 2%" in rules
    for alert in (wire.reading("Rule #1")[0], wire.reading("Rule #2")[0]):
        assert alert.method == "sendPhoto"
        assert (alert.picture or b"").startswith(PNG)
    check_deliveries(outbox(database), wire)
    accepted_by(journal, wire)
    for process in (first, second):
        assert not re.search(r"\d{6,12}:[A-Za-z0-9_-]{30,}|" + TOKEN.partition(":")[2], process.out + process.err)
        assert "Traceback" not in process.err, process.tail()


async def staged_market(recording: Path) -> tuple[Crossing, Crossing]:
    """BTC in December 2025 and ZRX in the autumn of its crash, each about to cross into a strong cluster."""
    phase_s = time.time() % (BAR_MS / 1000)
    if phase_s > 285:  # the processes must find the bar open that they are staged for
        await asyncio.sleep(BAR_MS / 1000 - phase_s + 1)
    now_ms = int(time.time() * 1000)
    staged = []
    for symbol, within_pct, after_s in (("BTCUSDT", 1.0, FIRST_CROSSING_S), ("ZRXUSDT", 2.0, SECOND_CROSSING_S)):
        cross_ms = inside_a_bar(now_ms + after_s * 1000)
        source = SHARED / "recordings"
        crossing = find_crossing(source, symbol, within_pct=within_pct, now_ms=now_ms, cross_ms=cross_ms)
        assert crossing is not None, f"{symbol} never comes within {within_pct:g} % of a strong cluster"
        stage(source, recording, crossing)
        staged.append(crossing)
    return staged[0], staged[1]


async def arrives(wire: Wire, words: str, running: Running, *, by_ms: int | None = None, within_s: float = 0.0) -> None:
    """Wait for a message that holds these words."""
    within_s = within_s if by_ms is None else seconds_until(by_ms)
    what = f"a message with {words!r}; there are {[call.text[:200] for call in wire.messages]}"
    await eventually(lambda: wire.reading(words), what, running, within_s=within_s)


async def settled(database: Path, running: Running) -> None:
    """Wait until every message has its end; repeats wait some seconds."""
    await eventually(
        lambda: {row["state"] for row in outbox(database)} <= {"sent", "dead"},
        "every message is sent",
        running,
        within_s=30,
    )


def check_deliveries(rows: list[dict[str, Any]], wire: Wire) -> None:
    """Nothing lost, and a copy only where the outcome was unknown: then silent and marked."""
    assert {row["state"] for row in rows} == {"sent"}, rows
    alerts = wire.reading("Rule #")
    assert len(rows) <= len(alerts) <= len(rows) + sum(row["unsure"] for row in rows)
    marked = [alert for alert in alerts if "Repeat:" in alert.text]
    assert all(alert.silent for alert in marked)
    assert len(alerts) - len(marked) <= len(rows), "no unmarked copy"
    episodes = Counter(row["dedupe_key"] for row in rows)
    assert max(episodes.values()) == 1
    assert {event(row)["rule_id"] for row in rows} == {1, 2}


def accepted_by(journal: Path, wire: Wire) -> None:
    """The server refused nothing but a poll while the killed bot's was still open, and knows the same messages."""
    entries = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    requests = [entry for entry in entries if "method" in entry]
    assert [entry for entry in requests if entry["status"] not in (200, 409)] == []
    assert {entry["method"] for entry in requests if entry["status"] == 409} <= {"getUpdates"}
    pictures = [entry for entry in requests if entry["method"] == "sendPhoto" and entry["files"]]
    assert len(pictures) == sum(call.picture is not None for call in wire.messages)


def outbox(database: Path) -> list[dict[str, Any]]:
    """Every row; none where the bot has not made the table yet."""
    if not database.exists():
        return []
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute("SELECT * FROM outbox ORDER BY id")]
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise
    finally:
        connection.close()


def event(row: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(row["payload"])
    return payload


def iso(time_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ms / 1000))


def seconds_until(time_ms: int) -> float:
    return time_ms / 1000 - time.time()
