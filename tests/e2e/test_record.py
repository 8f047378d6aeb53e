"""`liqwatch record` as a process: killed in the middle, what it wrote is whole, and the same command goes on."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.market.recording import Recording, gaps
from bot.market.types import BAR_MS
from tests.e2e.processes import Running, environment, eventually, fake, free_port
from tests.shared import SHARED, needs_shared

pytestmark = [needs_shared, pytest.mark.timeout(180), pytest.mark.xdist_group("e2e-record")]

RECORDED = SHARED / "recordings"


@asynccontextmanager
async def recorder(folder: Path, url: str, *words: str, name: str) -> AsyncIterator[Running]:
    settings = {"BINANCE_API_URL": url, "BINANCE_WEB_URL": url, "TICK_SECONDS": 0.5, "HISTORY_DAYS": 2}
    command = (sys.executable, "-m", "bot", "record", "--out", "taken", *words)
    running = await Running.start(*command, name=name, folder=folder, cwd=folder, env=environment(settings))
    try:
        yield running
    finally:
        await running.kill()


async def test_a_kill_leaves_a_recording_that_is_read_and_continued(tmp_path: Path) -> None:
    out = tmp_path / "taken"
    arguments = (f"--recording={RECORDED}", "--symbols=BTCUSDT,ARBUSDT", "--at=2025-12-20T00:00:00Z")
    async with fake("binance", *arguments, folder=tmp_path) as url:
        async with recorder(tmp_path, url, "--symbols", "btc,ARB", name="first") as first:
            await eventually(lambda: whole(out), "both markets are written", first, within_s=60)
            await first.kill()
        before = Recording(out).bars("binance", "BTCUSDT")
        assert len(before) >= 2 * 288 - 1
        async with recorder(tmp_path, url, name="second") as second:
            await second.says("recording binance to taken", within_s=30)
            async with recorder(tmp_path, url, name="third") as third:
                assert await third.ends(within_s=30) == 1
                assert "liqwatch: another liqwatch record writes to taken" in third.err
            await eventually(lambda: prices(out) > 5, "prices are written", second, within_s=90)
            second.process.send_signal(signal.SIGTERM)
            assert await second.ends(within_s=15) == 0
            assert "recorded binance: 2 contracts, " in second.out
    after = Recording(out)
    assert gaps(after.bars("binance", "BTCUSDT")) == ()
    assert len(after.bars("binance", "BTCUSDT")) - len(before) <= 1
    assert after.symbols("binance") == ("ARBUSDT", "BTCUSDT")
    assert after.tiers("binance")["BTCUSDT"]
    assert "Traceback" not in first.err + second.err


async def test_the_time_that_was_given_ends_it(tmp_path: Path) -> None:
    arguments = (f"--recording={RECORDED}", "--symbols=BTCUSDT", "--at=2025-12-20T00:00:00Z")
    async with (
        fake("binance", *arguments, folder=tmp_path) as url,
        recorder(tmp_path, url, "--for", "3s", name="short") as running,
    ):
        assert await running.ends(within_s=40) == 0, running.tail()
    newest = Recording(tmp_path / "taken").bars("binance", "BTCUSDT").open_ms[-1]
    assert newest % BAR_MS == 0


@pytest.mark.parametrize(
    ("words", "takes"),
    [
        (("--for", "soon"), "--for takes a length of time from 1s to 366d"),
        (("--exchanges", "mtgox"), "--exchanges takes a list out of binance, bybit, okx, hyperliquid, not 'mtgox'"),
    ],
)
async def test_a_wrong_argument_is_told_in_one_line(tmp_path: Path, words: tuple[str, ...], takes: str) -> None:
    async with recorder(tmp_path, f"http://127.0.0.1:{free_port()}", *words, name="wrong") as running:
        assert await running.ends(within_s=30) == 2
        assert running.err.startswith("liqwatch: ")
        assert takes in running.err
        assert running.err.count("\n") == 1


def whole(out: Path) -> bool:
    return all((out / "binance" / symbol / "prices.csv.gz").exists() for symbol in ("BTCUSDT", "ARBUSDT"))


def prices(out: Path) -> int:
    found = Recording(out).prices("binance", "BTCUSDT")
    return 0 if found is None else len(found)
