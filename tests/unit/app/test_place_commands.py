"""`liqwatch position`, `stop` and `levels` on recordings: the answers, and one line for each wrong argument."""

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from bot.market.recording import DEPTH_FILE
from bot.market.simulator import SimulatedMarket
from tests.shared import SHARED, needs_shared
from tests.unit.app.conftest import Console
from tests.unit.app.cuts import DAY_MS, cut

REAL = SHARED / "recordings"
AT_MS = 1_766_188_800_000


@pytest.fixture(scope="module")
def btc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six days of BTCUSDT."""
    folder = tmp_path_factory.mktemp("btc")
    return cut(REAL, folder, "binance", "BTCUSDT", start_ms=AT_MS - 6 * DAY_MS, end_ms=AT_MS)


def told(liqwatch: Console, *words: object) -> dict[str, Any]:
    [line] = liqwatch(*words, "--json").lines()
    found = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert isinstance(found, dict)
    return found


def test_a_position_is_told_with_its_exact_liquidation_price(
    liqwatch: Console, recording: Path, market: SimulatedMarket
) -> None:
    close = float(market.bars.close[-1])
    found = told(liqwatch, "position", "SIM", "long", "5x", "size", "2,000", "--recording", recording)
    tier = market.tiers[0]
    exact = close * (1 - 1 / 5) / (1 - tier.maintenance_margin_rate)
    assert found["liquidation"]["price"] == pytest.approx(exact)
    assert found["liquidation"]["distance_pct"] == pytest.approx(100 * (exact / close - 1))
    assert found["position"] == {
        "side": "long",
        "entry": close,
        "leverage": 5.0,
        "size_usd": 2_000.0,
        "size_assumed": False,
        "margin": 400.0,
        "mode": "isolated",
    }
    assert list(found["liquidation"]["touch_probability"]) == ["1h", "4h", "24h"]
    assert 0 <= found["liquidation"]["crowding_percentile"] <= 100
    assert 0 < found["on_the_way"]["share"] < 1
    assert (found["symbol"], found["exchange"], found["price"]) == ("SIMUSDT", "simulated", close)


def test_a_stop_and_levels_are_told_of_the_same_map(liqwatch: Console, recording: Path) -> None:
    levels = told(liqwatch, "levels", "SIM", "--recording", recording)
    assert levels["above"] or levels["below"]
    for each in levels["below"]:
        zone = each["cluster"]
        stop = told(liqwatch, "stop", "SIM", "long", zone["peak"], "--recording", recording)
        assert stop["seat"] == "inside"
        assert stop["zone"] == zone
        for suggested in (stop["nearer"], stop["farther"]):
            assert suggested is None or not zone["low"] <= suggested["price"] <= zone["high"]


def test_in_words_the_answers_are_the_bot_s(liqwatch: Console, recording: Path) -> None:
    position = liqwatch("position", "SIM", "short", "20x", "--recording", recording).lines()
    assert position[0].startswith("SIM short 20× at ")
    assert any("Odds of a touch" in line for line in position)
    assert not any("<" in line.replace("<1%", "") for line in position)
    assert liqwatch("levels", "SIM", "--recording", recording).lines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("position SIM long 500x", "1× to 125×"),
        ("position SIM long 125x size 2M", "1× to 50×"),
        ("position SIM long 1x size 900M", "$300M at most"),
        ("position SIM long 10x at 1", "lies between"),
        ("position SIM long 10x size 1000 margin 1", "it takes more than $4"),
        ("position SIM long", "(character 5)"),
        ("position SIM long 5x soon", "but not soon"),
        ("position XYZ long 5x", "no symbol 'XYZ'"),
        ("stop SIM long 99k", "waits below the price"),
        ("stop SIM long", "missing after long"),
        ("levels XYZ", "no symbol 'XYZ'"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line_with_the_range_that_is_possible(
    liqwatch: Console, recording: Path, words: str, said: str
) -> None:
    assert said in liqwatch(*words.split(), "--recording", recording).refused()


def test_a_cascade_is_told_from_the_recorded_book(liqwatch: Console, recording: Path) -> None:
    found = told(liqwatch, "cascade", "SIM", "--recording", recording)
    assert found["left_out"] == []
    for name in ("above", "below"):
        side = found[name]
        assert side["book_seen_pct"] > 1
        loads = [chain["absorption"] for chain in side["chains"]]
        assert loads == sorted(loads, reverse=True)
        for chain in side["chains"]:
            assert chain["absorption"] == pytest.approx(chain["cluster"]["usd"] / chain["depth_usd"])
            assert 0 <= chain["least"]["usd"] <= chain["likely"]["usd"] <= chain["most"]["usd"]
        assert side["forced_share"]["least"] < side["forced_share"]["likely"] < side["forced_share"]["most"] <= 1
        assert side["runaway"] is None or side["runaway"] in side["chains"]


def test_without_a_recorded_book_chains_are_left_out_by_name(
    liqwatch: Console, recording: Path, tmp_path: Path
) -> None:
    bookless = tmp_path / "bookless"
    copytree(recording, bookless)
    (bookless / "simulated" / "SIMUSDT" / DEPTH_FILE).unlink()
    found = told(liqwatch, "cascade", "SIM", "--recording", bookless)
    assert found["left_out"] == ["depth: no order book of SIMUSDT"]
    assert found["above"] is found["below"] is None
    assert any("No order book of SIM" in line for line in liqwatch("cascade", "SIM", "--recording", bookless).lines())


def test_a_book_of_another_time_tells_nothing_of_this_one(liqwatch: Console, recording: Path) -> None:
    early = told(liqwatch, "cascade", "SIM", "--recording", recording, "--at", "2026-01-02T00:00:00Z")
    assert early["left_out"] == ["depth: no order book of SIMUSDT"]


@needs_shared
def test_a_real_recording_answers_for_binance_s_own_tiers(liqwatch: Console, btc: Path) -> None:
    found = told(liqwatch, "position", "BTC", "short", "40x", "size", "0,24", "btc", "--recording", btc)
    assert found["tiers_from"] == "binance"
    entry = found["position"]["entry"]
    assert found["position"]["size_usd"] == pytest.approx(0.24 * entry)
    assert found["liquidation"]["price"] == pytest.approx(entry * (1 + 1 / 40) / 1.004)
