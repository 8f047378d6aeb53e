"""`liqwatch map` on recordings: the contract's JSON, the picture, and each way to ask for what is not there."""

import json
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bot.market.feed import prints_of_rows, rows_of_prints
from bot.market.recording import Recording
from bot.market.recording_writer import RecordingWriter
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.times import utc_text
from tests.shared import SHARED, needs_shared
from tests.unit.app.conftest import Console
from tests.unit.app.cuts import DAY_MS, cut

REAL = SHARED / "recordings"
BTC_AT = "2025-12-20T00:00:00Z"
BTC_AT_MS = 1_766_188_800_000
ZRX_AT = "2025-10-10T20:00:00Z"
ZRX_AT_MS = 1_760_126_400_000
SPELLINGS = ("ZRX-USDT-SWAP", "ZRX/USDT:USDT", "ZRXUSDT.P", "BINANCE:ZRXUSDT.P", "zrx", "ZRXUSDT", "$zrx", "ＺＲＸ")


@pytest.fixture(scope="module")
def btc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of BTCUSDT up to the moment."""
    folder = tmp_path_factory.mktemp("btc")
    return cut(REAL, folder, "binance", "BTCUSDT", start_ms=BTC_AT_MS - 10 * DAY_MS, end_ms=BTC_AT_MS + DAY_MS)


@pytest.fixture(scope="module")
def zrx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zrx")
    return cut(REAL, folder, "binance", "ZRXUSDT", start_ms=ZRX_AT_MS - 10 * DAY_MS, end_ms=ZRX_AT_MS + DAY_MS)


def shown(liqwatch: Console, *words: object) -> dict[str, Any]:
    """The one JSON object that `map --json` prints."""
    [line] = liqwatch("map", *words, "--json").lines()
    found = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert isinstance(found, dict)
    return found


def holds_the_contract(found: dict[str, Any], *, notional: float | None) -> None:
    """Everything the contract says of one map; `notional` is the open interest's, where it was measured."""
    assert list(found) == ["symbol", "exchange", "time_ms", "price", "bins", "clusters", "model", "data"]
    assert list(found["bins"]) == ["low", "high", "long_usd", "short_usd"]
    bins = {name: np.array(column) for name, column in found["bins"].items()}
    price = found["price"]
    assert len({len(column) for column in bins.values()}) == 1
    assert (bins["low"] < bins["high"]).all()
    assert np.array_equal(bins["high"][:-1], bins["low"][1:])
    assert (bins["long_usd"][bins["low"] >= price] == 0).all()
    assert (bins["short_usd"][bins["high"] <= price] == 0).all()
    for side in ("long_usd", "short_usd"):
        assert (bins[side] >= 0).all()
        assert bins[side].sum() > 0
        if notional is not None:
            assert bins[side].sum() <= notional * (1 + 1e-9)
    holds_clusters(found["clusters"], price)
    assert list(found["model"])[:3] == ["version", "calibrated", "open_interest"]
    assert list(found["data"]) == ["bars", "from_ms", "to_ms", "age_s"]


def holds_clusters(clusters: list[dict[str, Any]], price: float) -> None:
    """Longs below price, shorts above, each whole and in its ranges."""
    assert clusters
    assert len({each["id"] for each in clusters}) == len(clusters)
    for each in clusters:
        assert each["low"] <= each["peak"] <= each["high"]
        assert each["usd"] > 0
        assert 0 <= each["strength"] <= 100
        assert isinstance(each["strength"], int)
        odds = list(each["touch_probability"].values())
        assert list(each["touch_probability"]) == ["1h", "4h", "24h"]
        assert 0 <= odds[0] <= odds[1] <= odds[2] <= 1
        if each["side"] == "long":
            assert each["high"] <= price
            assert each["distance_pct"] == pytest.approx((each["high"] / price - 1) * 100)
        else:
            assert each["side"] == "short"
            assert each["low"] >= price
            assert each["distance_pct"] == pytest.approx((each["low"] / price - 1) * 100)
        expected = each["expected_liquidations"]
        assert expected is None or 0 <= expected["usd"] <= expected["high"]


class TestSimulatedMarket:
    """On a recording made here, so that it runs anywhere."""

    def test_the_json_holds_the_contract(self, liqwatch: Console, recording: Path, market: SimulatedMarket) -> None:
        found = shown(liqwatch, "SIM", "--recording", recording)
        close, coins = float(market.bars.close[-1]), float(market.open_interest.coins[-1])
        holds_the_contract(found, notional=close * coins)
        end_ms = int(market.bars.open_ms[-1]) + BAR_MS
        assert (found["symbol"], found["exchange"]) == ("SIMUSDT", "simulated")
        assert (found["time_ms"], found["price"]) == (end_ms, close)
        assert found["data"] == {
            "bars": len(market.bars),
            "from_ms": int(market.bars.open_ms[0]),
            "to_ms": end_ms,
            "age_s": 0.0,
        }
        assert found["model"]["open_interest"] == "measured"

    def test_at_a_moment_nothing_later_is_known(
        self, liqwatch: Console, recording: Path, market: SimulatedMarket, tmp_path: Path
    ) -> None:
        end_ms = int(market.bars.open_ms[300])
        early = cut(recording, tmp_path, "simulated", "SIMUSDT", start_ms=0, end_ms=end_ms)
        RecordingWriter(early, "simulated").tiers({"SIMUSDT": market.tiers})
        printed = prints_of_rows(row for row in rows_of_prints(market.prints) if row.time_ms <= end_ms)
        RecordingWriter(early, "simulated").prints(printed)
        assert len(printed) > 0
        whole = shown(liqwatch, "SIM", "--recording", recording, "--at", end_ms + 61_000)
        assert whole["time_ms"] == end_ms
        assert whole["data"]["age_s"] == 61.0
        alone = shown(liqwatch, "SIM", "--recording", early)
        assert {**whole, "data": None} == {**alone, "data": None}

    def test_without_open_interest_the_map_says_that_it_was_estimated(
        self, liqwatch: Console, market: SimulatedMarket, tmp_path: Path
    ) -> None:
        RecordingWriter(tmp_path / "r", "binance").bars("SIMUSDT", market.bars)
        found = shown(liqwatch, "sim", "--recording", tmp_path / "r")
        holds_the_contract(found, notional=None)
        assert found["model"]["open_interest"] == "estimated"
        assert "volume_model" in found["model"]["limits"]
        assert "open interest estimated" in liqwatch("map", "sim", "--recording", tmp_path / "r").lines()[1]

    def test_a_range_is_within_the_full_map_bin_by_bin(self, liqwatch: Console, recording: Path) -> None:
        within_full_map(liqwatch, ("6h", "12h", "1d"), "SIM", "--recording", recording)

    def test_a_range_longer_than_the_history_counts_all_that_was_seen_to_open(
        self, liqwatch: Console, recording: Path
    ) -> None:
        month, week = (shown(liqwatch, "SIM", "--recording", recording, "--range", f"{n}d")["bins"] for n in (30, 7))
        assert month == week

    def test_the_picture_is_a_readable_png(self, liqwatch: Console, recording: Path, tmp_path: Path) -> None:
        path = tmp_path / "map.png"
        liqwatch("map", "SIM", "--recording", recording, "--png", path).lines()
        with Image.open(BytesIO(path.read_bytes())) as picture:
            picture.load()
            assert (picture.format, picture.size) == ("PNG", (1280, 800))

    def test_a_simulated_market_s_picture_differs_from_the_same_one_s_that_is_called_real(
        self, liqwatch: Console, recording: Path, market: SimulatedMarket, tmp_path: Path
    ) -> None:
        writer = RecordingWriter(tmp_path / "real", "binance")
        writer.bars("SIMUSDT", market.bars)
        writer.open_interest("SIMUSDT", market.open_interest)
        writer.tiers({"SIMUSDT": market.tiers})
        for folder, name in ((recording, "simulated.png"), (tmp_path / "real", "real.png")):
            liqwatch("map", "SIM", "--recording", folder, "--png", tmp_path / name)
        with Image.open(tmp_path / "simulated.png") as simulated, Image.open(tmp_path / "real.png") as real:
            # The banner stands over the top of the picture; below the titles both are alike.
            top = (0, 0, 1280, 120)
            assert np.abs(np.asarray(simulated.crop(top), int) - np.asarray(real.crop(top), int)).sum() > 50_000

    def test_the_words_name_each_cluster_from_the_highest_down(self, liqwatch: Console, recording: Path) -> None:
        head, source, *zones = liqwatch("map", "SIM", "--recording", recording).lines()
        found = shown(liqwatch, "SIM", "--recording", recording)
        assert head.startswith(f"simulated SIMUSDT  {utc_text(found['time_ms'])}  price ")
        assert source == f"open interest measured, {found['data']['bars']} bars of 5 minutes"
        by_price = sorted(found["clusters"], key=lambda each: -each["peak"])
        assert [zone.split()[0] for zone in zones] == [each["side"] for each in by_price]


class TestWrongWords:
    """Each is one sentence that says what would be right."""

    def test_an_unknown_symbol_names_the_nearest(self, liqwatch: Console, recording: Path) -> None:
        said = liqwatch("map", "SOMUSDT", "--recording", recording).refused()
        assert said == "the recording has no symbol 'SOMUSDT'; the nearest are SIMUSDT"

    @pytest.mark.parametrize("at", ["2020-01-01", "2039-01-01", "1000-01-01T00:00Z", "9999-12-31T23:59:59Z"])
    def test_a_time_outside_the_recording_names_those_inside(
        self, liqwatch: Console, recording: Path, market: SimulatedMarket, at: str
    ) -> None:
        first = utc_text(int(market.bars.open_ms[35]) + BAR_MS)
        last = utc_text(int(market.bars.open_ms[-1]) + BAR_MS)
        said = liqwatch("map", "SIM", "--recording", recording, "--at", at).refused()
        assert said.startswith(f"--at takes a time from {first} to {last}, of which the recording of SIMUSDT can tell")
        for fine in (first, last):
            assert shown(liqwatch, "SIM", "--recording", recording, "--at", fine)["data"]["age_s"] == 0

    def test_the_first_hours_of_a_recording_are_too_little_for_a_map(
        self, liqwatch: Console, recording: Path, market: SimulatedMarket, tmp_path: Path
    ) -> None:
        early_ms = int(market.bars.open_ms[35])
        assert "--at takes a time from" in liqwatch("map", "SIM", "--recording", recording, "--at", early_ms).refused()
        short = cut(recording, tmp_path / "short", "simulated", "SIMUSDT", start_ms=0, end_ms=early_ms)
        said = liqwatch("map", "SIM", "--recording", short).refused()
        assert said == "a map takes 36 bars of 5 minutes or more, and the recording of SIMUSDT has 35"

    @pytest.mark.parametrize("at", ["noon", "", "2025-12-20T25:00:00Z"])
    def test_a_bad_time(self, liqwatch: Console, recording: Path, at: str) -> None:
        said = liqwatch("map", "SIM", "--recording", recording, "--at", at).refused()
        assert said == f"--at takes a time such as 2025-12-20T00:00:00Z, not '{at}'"

    @pytest.mark.parametrize("length", ["week", "0d", "31d", "-7d"])
    def test_a_bad_range(self, liqwatch: Console, recording: Path, length: str) -> None:
        said = liqwatch("map", "SIM", "--recording", recording, f"--range={length}").refused()
        assert said == f"--range takes a length of time from 5m to 30d such as 12h or 7d, not '{length}'"

    def test_an_exchange_that_the_recording_has_not(self, liqwatch: Console, recording: Path) -> None:
        said = liqwatch("map", "SIM", "--recording", recording, "--exchange", "okx").refused()
        assert said == "--exchange takes one of simulated, not 'okx'"

    def test_an_exchange_that_is_not_set(self, liqwatch: Console) -> None:
        said = liqwatch("map", "BTC", "--exchange", "nyse").refused()
        assert said == "--exchange takes one of binance, not 'nyse'"

    def test_a_time_without_a_recording(self, liqwatch: Console) -> None:
        assert liqwatch("map", "BTC", "--at", BTC_AT).refused() == "--at goes with --recording: the live map is of now"

    def test_a_picture_that_cannot_be_written(self, liqwatch: Console, recording: Path, tmp_path: Path) -> None:
        path = tmp_path / "nowhere" / "map.png"
        said = liqwatch("map", "SIM", "--recording", recording, "--png", path).refused()
        assert said == f"--png {path} cannot be written: No such file or directory"
        assert liqwatch("map", "SIM", "--recording", recording, "--png", tmp_path).refused().endswith("Is a directory")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((), "Missing command: see liqwatch --help"),
            (("map",), "Missing argument 'symbol': see liqwatch --help"),
            (("map", "BTC", "--png"), "Option '--png' requires an argument: see liqwatch --help"),
            (("map", "BTC", "--colour", "red"), "No such option: --colour"),
            (("mop",), "No such command 'mop'"),
            (("simulate",), "Missing option '--out': see liqwatch --help"),
        ],
    )
    def test_words_that_are_missing_or_unknown(self, liqwatch: Console, words: tuple[str, ...], said: str) -> None:
        assert said in liqwatch(*words).refused()

    def test_no_recording_at_all(self, liqwatch: Console, tmp_path: Path) -> None:
        assert liqwatch("map", "SIM", "--recording", "missing").refused() == "missing: there is no such folder"
        (tmp_path / "empty").mkdir()
        said = liqwatch("map", "SIM", "--recording", "empty").refused()
        assert said == "empty: the folder holds no <exchange>/<SYMBOL>/bars_5m.csv.gz"

    def test_a_wrong_setting_is_named_before_any_work(
        self, liqwatch: Console, recording: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TICK_SECONDS", "soon")
        said = liqwatch("map", "SIM", "--recording", recording).refused()
        assert said == "TICK_SECONDS takes a number of seconds from 0.5 to 60"


@needs_shared
class TestRealMarkets:
    """The recordings of December and of the crash of 10 October."""

    def test_bitcoin_with_measured_open_interest(self, liqwatch: Console, btc: Path) -> None:
        found = shown(liqwatch, "BTCUSDT", "--recording", btc, "--at", BTC_AT)
        samples = Recording(REAL).open_interest("binance", "BTCUSDT")
        assert samples is not None
        coins = float(samples.coins[samples.time_ms == BTC_AT_MS][0])
        holds_the_contract(found, notional=coins * found["price"])
        assert (found["time_ms"], found["model"]["open_interest"]) == (BTC_AT_MS, "measured")
        assert {each["side"] for each in found["clusters"]} == {"long", "short"}

    def test_zrx_before_its_crash_without_open_interest(self, liqwatch: Console, zrx: Path) -> None:
        found = shown(liqwatch, "ZRX-USDT-SWAP", "--recording", zrx, "--at", ZRX_AT)
        holds_the_contract(found, notional=None)
        assert (found["symbol"], found["model"]["open_interest"]) == ("ZRXUSDT", "estimated")

    def test_the_whole_folder_as_it_stands(self, liqwatch: Console) -> None:
        found = shown(liqwatch, "BTCUSDT", "--recording", REAL, "--at", BTC_AT)
        assert found["data"]["from_ms"] == 1_764_547_200_000
        holds_the_contract(found, notional=None)

    def test_a_week_is_within_the_full_map_bin_by_bin(self, liqwatch: Console, btc: Path) -> None:
        within_full_map(liqwatch, ("1d", "7d"), "BTC", "--recording", btc, "--at", BTC_AT)

    def test_every_spelling_is_the_same_contract(self, liqwatch: Console, zrx: Path) -> None:
        maps = [shown(liqwatch, spelling, "--recording", zrx, "--at", ZRX_AT) for spelling in SPELLINGS]
        assert all(found == maps[0] for found in maps)


def within_full_map(liqwatch: Console, ranges: tuple[str, ...], *words: object) -> None:
    """Each longer range holds at least what the shorter one does, and the full map at least what the longest does."""
    maps = [*(shown(liqwatch, *words, "--range", length)["bins"] for length in ranges), shown(liqwatch, *words)["bins"]]
    for shorter, longer in pairwise(maps):
        for side in ("long_usd", "short_usd"):
            part, full = spread_over(shorter, longer, side), np.array(longer[side])
            assert (part <= full * (1 + 1e-6) + 1.0).all()
            assert part.sum() < full.sum()


def spread_over(found: dict[str, list[float]], other: dict[str, list[float]], side: str) -> Any:
    """The values of `found` in the bins of `other`, which holds all of its bins."""
    place = {low: index for index, low in enumerate(other["low"])}
    values = np.zeros(len(other["low"]))
    for low, value in zip(found["low"], found[side], strict=True):
        values[place[low]] = value
    return values
