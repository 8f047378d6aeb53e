"""`liqwatch demo` and `liqwatch simulate`: the pipeline from a simulated market to the printed alert."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bot.clock import StepClock
from bot.demo import Show, present, recorded_show, watches
from bot.failures import UsageError
from bot.market.binance_brackets import stored_tiers
from bot.market.recording import Recording
from bot.market.recording_writer import RecordingWriter
from bot.market.simulator import EXCHANGE, SimulatedMarket
from bot.market.types import BAR_MS
from tests.unit.app.conftest import Console
from tests.unit.app.cuts import HOUR_MS


@pytest.fixture(scope="module")
def show(market: SimulatedMarket) -> Show:
    """The last hours of the small market, with a rule of each kind that is easily met."""
    end_ms = int(market.bars.open_ms[-1]) + BAR_MS
    typed = ("/start", "/watch SIM 2% strength 1", "/watch SIM grow 5% 3h strength 1")
    return Show(None, (market,), EXCHANGE, end_ms - 5 * HOUR_MS, end_ms, typed)


async def shown(show: Show, folder: Path, capsys: pytest.CaptureFixture[str], *, json: bool = True) -> list[str]:
    """The lines of a show that ended by itself."""
    capsys.readouterr()
    await present(show, speed=None, json=json, charts=folder)
    return capsys.readouterr().out.splitlines()


def saved(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


async def test_a_show_ends_by_itself_with_alerts_of_both_kinds_and_their_pictures_and_repeats_exactly(
    show: Show, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = await shown(show, tmp_path, capsys)
    assert await shown(show, tmp_path, capsys) == lines
    alerts: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert {alert["kind"] for alert in alerts} == {"proximity", "growth"}
    for alert in alerts:
        assert show.start_ms < alert["time_ms"] <= show.end_ms
        assert (alert["exchange"], alert["symbol"]) == ("simulated", "SIMUSDT")
        assert "simulated" in alert["text"].splitlines()[0].lower()
        assert " late" not in alert["text"].splitlines()[0]
    pictures = saved(tmp_path)
    assert {png[:8] for png in pictures.values()} == {b"\x89PNG\r\n\x1a\n"}
    assert sum("alert" in name for name in pictures) >= 2


async def test_in_the_terminal_the_market_is_called_simulated_and_each_typed_line_is_answered(
    show: Show, market: SimulatedMarket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = Show(None, (market,), EXCHANGE, show.end_ms - HOUR_MS, show.end_ms, show.typed)
    printed = "\n".join(await shown(short, tmp_path, capsys, json=False))
    assert "simulated" in printed.lower()
    for line in (*show.typed, "/rules"):
        assert f": {line}\n" in printed
    assert printed.count("Watching SIM") >= 2


def test_a_recording_is_played_with_the_tiers_that_a_replay_would_use(
    market: SimulatedMarket, recording: Path, tmp_path: Path
) -> None:
    RecordingWriter(tmp_path, "binance").bars("BTCUSDT", market.bars)
    for folder, name, symbol, tiers in (
        (recording, "simulated", "SIMUSDT", market.tiers),
        (tmp_path, "binance", "BTCUSDT", stored_tiers("BTCUSDT")),
    ):
        played = Show(Recording(folder), (), name, 0, 0, ()).playback(StepClock(0))
        assert asyncio.run(played.risk_tiers()) == {symbol: tiers}


def test_what_is_typed_names_each_symbol_once_for_each_kind() -> None:
    assert watches(["BTC", "ETH"]) == (
        *("/start", "/watch BTC 1%", "/watch BTC grow 5% 4h"),
        *("/watch ETH 1%", "/watch ETH grow 5% 4h"),
    )
    assert watches(["BTC", "ETH"], each=1) == ("/start", "/watch BTC 1%", "/watch ETH 1%")


def test_a_recording_too_short_to_play_is_told(liqwatch: Console, recording: Path) -> None:
    with pytest.raises(UsageError, match="has no symbol with four days of bars up to the recording's end"):
        recorded_show(Recording(recording))
    assert "four days of bars" in liqwatch("demo", "--recording", recording, "--json").refused()


@pytest.mark.parametrize("speed", ["fast", "0", "-1", "0.5", "1e9", "nan", ""])
def test_a_bad_speed_is_told(liqwatch: Console, speed: str) -> None:
    said = liqwatch("demo", f"--speed={speed}").refused()
    assert said == f"--speed takes max or a number from 1 to 100000, not '{speed}'"


def test_a_simulation_is_written_as_a_recording_with_its_truth(liqwatch: Console, tmp_path: Path) -> None:
    lines = liqwatch("simulate", "--seed", "3", "--days", "1", "--out", tmp_path / "sim").lines()
    recording = Recording(tmp_path / "sim")
    assert len(lines) == len(recording.symbols(EXCHANGE)) == 3
    for line, symbol in zip(sorted(lines), recording.symbols(EXCHANGE), strict=True):
        assert line.startswith(f"{tmp_path / 'sim' / EXCHANGE / symbol}: 288 bars, ")
        truth = recording.truth(EXCHANGE, symbol)
        assert truth is not None
        assert len(truth) > 0
    assert liqwatch("map", "SIMB", "--recording", tmp_path / "sim").lines()


def test_a_simulation_that_cannot_be_written_is_told(liqwatch: Console, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    said = liqwatch("simulate", "--days", "1", "--out", tmp_path / "file").refused()
    assert said == f"--out {tmp_path / 'file'} cannot be written: Not a directory"
    assert "--days" in liqwatch("simulate", "--days", "0", "--out", tmp_path / "sim").refused()
