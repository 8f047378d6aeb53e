"""A recording reads back as it was written, and one that cannot be trusted is refused with file and line."""

import gzip
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.margin import RiskTier
from bot.market.columns import RecordingError
from bot.market.recorded_books import newest_book
from bot.market.recording import Gap, Recording, Truth, gaps
from bot.market.recording_writer import RecordingWriter
from bot.market.types import BAR_MS, Bars, OpenInterest, Prices, Prints
from tests.shared import SHARED, needs_shared

HEADER = "open_time_ms,open,high,low,close,volume"
DEPTH_NAME = "BTCUSDT/depth.csv.gz"
ROWS = ["300000,10,12,9,11,5", "600000,11,11.5,10,10.5,0", "1200000,10.5,11,10,11,7.25"]


def packed(*lines: str) -> bytes:
    return gzip.compress(("\n".join(lines) + "\n").encode())


def folder_with(path: Path, data: bytes, name: str = "BTCUSDT/bars_5m.csv.gz") -> Path:
    """A recording of one market, with `data` in the place of one of its files."""
    home = path / "binance"
    (home / "BTCUSDT").mkdir(parents=True, exist_ok=True)
    (home / "BTCUSDT" / "bars_5m.csv.gz").write_bytes(packed(HEADER, *ROWS))
    (home / name).write_bytes(data)
    return path


def equal(left: Any, right: Any) -> bool:
    """Whether two structs of arrays hold the same values, NaN counting as itself."""
    for field in fields(left):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if isinstance(a, np.ndarray):
            if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=a.dtype == np.float64):
                return False
        elif a != b:
            return False
    return True


class TestReading:
    def test_bars_come_as_arrays_with_nan_for_columns_that_are_not_there(self, tmp_path: Path) -> None:
        bars = Recording(folder_with(tmp_path, packed(HEADER, *ROWS))).bars("binance", "BTCUSDT")
        assert bars.open_ms.tolist() == [300000, 600000, 1200000]
        assert bars.close.tolist() == [11, 10.5, 11]
        assert np.isnan(bars.quote_volume).all()
        assert np.isnan(bars.taker_buy_volume).all()
        assert bars.open_ms.dtype == np.int64

    def test_columns_are_found_by_name_in_any_order_beside_others(self, tmp_path: Path) -> None:
        data = packed("note,volume,close,low,high,open,open_time_ms", "x,5,11,9,12,10,300000")
        bars = Recording(folder_with(tmp_path, data)).bars("binance", "BTCUSDT")
        assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0]) == (10, 12, 9, 11, 5)

    def test_windows_line_ends_a_byte_order_mark_and_a_second_gzip_member_are_read(self, tmp_path: Path) -> None:
        text = "\ufeff" + "\r\n".join([HEADER, *ROWS])
        data = gzip.compress(text[:40].encode()) + gzip.compress(text[40:].encode())
        assert len(Recording(folder_with(tmp_path, data)).bars("binance", "BTCUSDT")) == 3

    def test_a_gap_is_allowed_and_told(self, tmp_path: Path) -> None:
        bars = Recording(folder_with(tmp_path, packed(HEADER, *ROWS))).bars("binance", "BTCUSDT")
        assert gaps(bars) == (Gap(900_000, 1_200_000),)
        assert gaps(bars)[0].bars == 1

    def test_what_was_not_recorded_is_none(self, tmp_path: Path) -> None:
        recording = Recording(folder_with(tmp_path, packed(HEADER, *ROWS)))
        assert recording.exchanges == ("binance",)
        assert recording.symbols("binance") == ("BTCUSDT",)
        assert recording.symbols("okx") == ()
        assert recording.open_interest("binance", "BTCUSDT") is None
        assert recording.prices("binance", "BTCUSDT") is None
        assert recording.truth("binance", "BTCUSDT") is None
        assert recording.prints("binance") is None
        assert recording.tiers("binance") == {}

    def test_a_print_without_an_average_fill_has_its_orders_price(self, tmp_path: Path) -> None:
        header = "time_ms,symbol,side,price,average_price,quantity,status"
        data = packed(header, "5,币安人生USDT,SELL,1.5,1.25,3,FILLED", "5,BTCUSDT,BUY,9,0,1,NEW")
        prints = Recording(folder_with(tmp_path, data, "liquidations.csv.gz")).prints("binance")
        assert prints is not None
        assert prints.symbol == ("币安人生USDT", "BTCUSDT")
        assert prints.is_long.tolist() == [True, False]
        assert prints.price.tolist() == [1.25, 9]


class TestRefusing:
    @pytest.mark.parametrize(
        ("lines", "line", "what"),
        [
            (["open_time_ms,open,high,low,volume", "300000,1,1,1,1"], 1, "the column close is missing"),
            ([HEADER + ",open", ROWS[0] + ",1"], 1, "the column open is there twice"),
            ([HEADER], 1, "no bars"),
            ([HEADER, ROWS[0], "600000,11,nan,10,10.5,0"], 3, "high is nan, not a number"),
            ([HEADER, ROWS[0], "600000,11,inf,10,10.5,0"], 3, "high is inf, not a number"),
            ([HEADER, "300000,10,12,9,x,5"], 2, "close is x, not a number"),
            ([HEADER, "300000,10,12,9,1_1,5"], 2, "close is 1_1, not a number"),
            ([HEADER, "300000,10,12,9,,5"], 2, "close is blank, not a number"),
            ([HEADER, ROWS[0], "600000,11,12"], 3, "3 cells stand under a header of 6"),
            ([HEADER, ROWS[0], ROWS[1] + ",4"], 3, "7 cells stand under a header of 6"),
            ([HEADER, "300000,10,12,9,11,5,1", "600000,11,12,10,11"], 2, "7 cells stand under a header of 6"),
            ([HEADER, ROWS[0], "", ROWS[1]], 3, "the line is blank"),
            ([HEADER, ROWS[1], ROWS[0]], 3, "open_time_ms 300000 is before the line above"),
            ([HEADER, ROWS[0], ROWS[0]], 3, "open_time_ms 300000 is there twice"),
            ([HEADER, "300001,10,12,9,11,5"], 2, "300001 is not the start of a 5-minute bar"),
            ([HEADER, "300000.5,10,12,9,11,5"], 2, "300000.5) is not a whole number"),
            ([HEADER, "-300000,10,12,9,11,5"], 2, "-300000 is negative"),
            ([HEADER, "300000,10,8,9,9,5"], 2, "high 8.0 is below low 9.0"),
            ([HEADER, "300000,10,12,9,13,5"], 2, "close 13.0 is outside 9.0 to 12.0"),
            ([HEADER, "300000,10,12,-9,11,5"], 2, "low -9.0 is not above zero"),
            ([HEADER, "300000,10,12,0,11,5"], 2, "low 0.0 is not above zero"),
            ([HEADER, "300000,10,12,9,11,-5"], 2, "volume -5.0 is negative"),
            ([HEADER + ",quote_volume", "300000,10,12,9,11,5,nan"], 2, "quote_volume is nan"),
            ([HEADER + ",taker_buy_volume", "300000,10,12,9,11,5,-1"], 2, "taker_buy_volume -1.0 is negative"),
        ],
    )
    def test_bad_bars_are_told_with_their_line(self, tmp_path: Path, lines: list[str], line: int, what: str) -> None:
        recording = Recording(folder_with(tmp_path, packed(*lines)))
        with pytest.raises(RecordingError) as caught:
            recording.bars("binance", "BTCUSDT")
        text = str(caught.value)
        assert f"bars_5m.csv.gz, line {line}: " in text
        assert what in text
        assert "\n" not in text

    def test_half_a_gzip_is_told_with_the_line_where_it_breaks(self, tmp_path: Path) -> None:
        rows = [f"{300000 * n},10,12,9,11,{(n * 7919) % 10007}" for n in range(1, 2000)]
        whole = packed(HEADER, *rows)
        recording = Recording(folder_with(tmp_path, whole[: len(whole) // 2]))
        with pytest.raises(RecordingError, match=r"bars_5m\.csv\.gz, line \d{3,4}: the gzip data breaks off here"):
            recording.bars("binance", "BTCUSDT")

    def test_a_file_that_is_no_gzip_is_told(self, tmp_path: Path) -> None:
        recording = Recording(folder_with(tmp_path, b"open_time_ms,open\n1,2\n"))
        with pytest.raises(RecordingError, match=r"line 1: this is not a gzip file"):
            recording.bars("binance", "BTCUSDT")

    def test_a_damaged_gzip_is_told(self, tmp_path: Path) -> None:
        data = bytearray(packed(HEADER, *ROWS))
        data[-6] ^= 0xFF
        recording = Recording(folder_with(tmp_path, bytes(data)))
        with pytest.raises(RecordingError, match=r"bars_5m\.csv\.gz, line \d+: "):
            recording.bars("binance", "BTCUSDT")

    def test_an_empty_file_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="line 1: the file is empty"):
            Recording(folder_with(tmp_path, b"")).bars("binance", "BTCUSDT")

    def test_a_missing_folder_file_or_market_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="nowhere: there is no such folder"):
            Recording(tmp_path / "nowhere")
        with pytest.raises(RecordingError, match="the folder holds no <exchange>"):
            Recording(tmp_path)
        recording = Recording(folder_with(tmp_path, packed(HEADER, *ROWS)))
        with pytest.raises(RecordingError, match=r"ETHUSDT/bars_5m\.csv\.gz: the file is missing"):
            recording.bars("binance", "ETHUSDT")

    def test_a_market_with_open_interest_and_no_bars_is_told(self, tmp_path: Path) -> None:
        folder_with(tmp_path, packed("time_ms,open_interest"), "BTCUSDT/open_interest_5m.csv.gz")
        (tmp_path / "binance" / "BTCUSDT" / "bars_5m.csv.gz").unlink()
        with pytest.raises(RecordingError, match=r"bars_5m\.csv\.gz: the file is missing"):
            Recording(tmp_path)

    @pytest.mark.parametrize(
        ("name", "lines", "line", "what"),
        [
            ("open_interest_5m", ["time_ms,open_interest", "1,5", "1,6"], 3, "time_ms 1 is there twice"),
            ("open_interest_5m", ["time_ms,open_interest", "1,-5"], 2, "open_interest -5.0 is negative"),
            ("open_interest_5m", ["time_ms,oi", "1,5"], 1, "the column open_interest is missing"),
            ("prices", ["time_ms,price", "2,5", "1,6"], 3, "time_ms 1 is before the line above"),
            ("prices", ["time_ms,price", "2,0"], 2, "price 0.0 is not above zero"),
            ("truth", ["side,liquidation_price,usd", "long,1,1", "both,1,1"], 3, "side is both, not long or short"),
            ("truth", ["side,liquidation_price,usd", "long,1,nan"], 2, "usd is nan, not a number"),
        ],
    )
    def test_the_other_files_of_a_market_are_as_strict(
        self, tmp_path: Path, name: str, lines: list[str], line: int, what: str
    ) -> None:
        recording = Recording(folder_with(tmp_path, packed(*lines), f"BTCUSDT/{name}.csv.gz"))
        read = {
            "open_interest_5m": recording.open_interest,
            "prices": recording.prices,
            "truth": recording.truth,
        }[name]
        with pytest.raises(RecordingError) as caught:
            read("binance", "BTCUSDT")
        assert f"{name}.csv.gz, line {line}: {what}" in str(caught.value)

    @pytest.mark.parametrize(
        ("row", "what"),
        [
            ("5,BTCUSDT,HOLD,1,1,1,FILLED", "side is HOLD, not SELL or BUY"),
            ("5,BTCUSDT,SELL,1,x,1,FILLED", "average_price is x, not a number"),
            ("5,BTCUSDT,SELL,1,1,1", "6 cells stand under a header of 7"),
            ("3,BTCUSDT,SELL,1,1,1,FILLED", "time_ms 3 is before the line above"),
        ],
    )
    def test_bad_prints_are_told_with_their_line(self, tmp_path: Path, row: str, what: str) -> None:
        header = "time_ms,symbol,side,price,average_price,quantity,status"
        data = packed(header, "4,BTCUSDT,BUY,1,1,1,FILLED", row)
        with pytest.raises(RecordingError) as caught:
            Recording(folder_with(tmp_path, data, "liquidations.csv.gz")).prints("binance")
        assert f"liquidations.csv.gz, line 3: {what}" in str(caught.value)

    def test_prints_that_are_not_text_are_told(self, tmp_path: Path) -> None:
        header = b"time_ms,symbol,side,price,average_price,quantity,status\n"
        data = gzip.compress(header + b"4,\xff\xfe,BUY,1,1,1,FILLED\n")
        with pytest.raises(RecordingError, match="line 2: the line is not UTF-8 text"):
            Recording(folder_with(tmp_path, data, "liquidations.csv.gz")).prints("binance")

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ('{"BTCUSDT": [', "line 1: this is not JSON"),
            ("[]", "line 1: the file must map symbols"),
            ('{\n"BTCUSDT": []}', "line 2: BTCUSDT has no list of tiers"),
            ('{\n\n"BTCUSDT": [{"notional_floor": 0}]}', "line 3: a tier of BTCUSDT lacks a number"),
            ('{"BTCUSDT": [{"notional_floor": NaN}]}', "NaN is not a number"),
        ],
    )
    def test_bad_tiers_are_told_with_their_line(self, tmp_path: Path, text: str, what: str) -> None:
        with pytest.raises(RecordingError) as caught:
            Recording(folder_with(tmp_path, text.encode(), "tiers.json")).tiers("binance")
        assert what in str(caught.value)
        assert "tiers.json" in str(caught.value)

    def test_tiers_that_do_not_meet_are_refused(self, tmp_path: Path) -> None:
        row = {"maintenance_margin_rate": 0.01, "maintenance_amount": 0, "max_leverage": 50}
        rows = [
            {"notional_floor": 0, "notional_cap": 10, **row},
            {"notional_floor": 20, "notional_cap": 30, **row},
        ]
        recording = Recording(folder_with(tmp_path, json.dumps({"BTCUSDT": rows}).encode(), "tiers.json"))
        with pytest.raises(RecordingError, match="the tiers of BTCUSDT do not follow each other from zero"):
            recording.tiers("binance")


prices = st.floats(min_value=1e-300, max_value=1e300)
sizes = st.floats(min_value=0, max_value=1e300)


@st.composite
def some_bars(draw: st.DrawFn) -> Bars:
    steps = draw(st.lists(st.integers(1, 50), min_size=1, max_size=12))
    n = len(steps)
    four = np.array(draw(st.lists(st.lists(prices, min_size=4, max_size=4), min_size=n, max_size=n)))
    columns = [np.array(draw(st.lists(sizes, min_size=n, max_size=n))) for _ in range(3)]
    quote, taker = (c if draw(st.booleans()) else np.full(n, np.nan) for c in columns[1:])
    return Bars(
        open_ms=np.cumsum(steps).astype(np.int64) * BAR_MS,
        open=four[:, 0],
        high=four.max(axis=1),
        low=four.min(axis=1),
        close=four[:, 1],
        volume=columns[0],
        quote_volume=quote,
        taker_buy_volume=taker,
    )


DEPTH = "time_ms,side,price,quantity"


class TestDepth:
    def test_a_book_is_read_best_first_whatever_the_order_of_its_lines(self, tmp_path: Path) -> None:
        lines = ("5,bid,99,1", "5,ask,102,2", "5,bid,100,3", "5,ask,101,4")
        [book] = Recording(folder_with(tmp_path, packed(DEPTH, *lines), DEPTH_NAME)).books("binance", "BTCUSDT")
        assert (book.time_ms, book.bid_price.tolist(), book.bid_coins.tolist()) == (5, [100.0, 99.0], [3.0, 1.0])
        assert (book.ask_price.tolist(), book.ask_coins.tolist()) == ([101.0, 102.0], [4.0, 2.0])

    def test_books_of_several_moments_are_told_apart_and_the_newest_of_now_is_found(self, tmp_path: Path) -> None:
        lines = [f"{ms},{side},{price},1" for ms in (5, 9, 20) for side, price in (("bid", 99 + ms), ("ask", 100 + ms))]
        home = folder_with(tmp_path, packed(DEPTH, *lines), "BTCUSDT/depth_5m.csv.gz")
        books = Recording(home).books("binance", "BTCUSDT")
        assert [(book.time_ms, book.bid_price[0]) for book in books] == [(5, 104.0), (9, 108.0), (20, 119.0)]
        found = {now: newest_book(books, now, within_ms=6) for now in (4, 5, 12, 15, 16, 20, 27)}
        assert {now: book and book.time_ms for now, book in found.items()} == {
            4: None,
            5: 5,
            12: 9,
            15: 9,
            16: None,
            20: 20,
            27: None,
        }

    def test_a_market_without_a_book_has_none(self, tmp_path: Path) -> None:
        assert Recording(folder_with(tmp_path, packed(HEADER, *ROWS))).books("binance", "BTCUSDT") == ()

    @pytest.mark.parametrize(
        ("lines", "what"),
        [
            (["5,bid,100,1", "6,ask,101,1"], "best bid"),
            (["5,bid,100,1", "5,ask,101,1", "4,bid,100,1"], "before the line above"),
            (["5,bid,100,1", "5,ask,100,1"], "best bid"),
            (["5,bid,100,1"], "best bid"),
            (["5,bid,0,1", "5,ask,101,1"], "above zero"),
            (["5,bid,100,0", "5,ask,101,1"], "above zero"),
            (["5,buy,100,1", "5,ask,101,1"], "not bid or ask"),
        ],
    )
    def test_a_book_that_cannot_be_is_refused(self, tmp_path: Path, lines: list[str], what: str) -> None:
        recording = Recording(folder_with(tmp_path, packed(DEPTH, *lines), DEPTH_NAME))
        with pytest.raises(RecordingError, match=what):
            recording.books("binance", "BTCUSDT")


class TestWriting:
    @given(bars=some_bars())
    def test_bars_read_back_as_they_were_written(self, tmp_path_factory: pytest.TempPathFactory, bars: Bars) -> None:
        home = tmp_path_factory.mktemp("recording")
        RecordingWriter(home, "simulated").bars("SIMUSDT", bars)
        assert equal(Recording(home).bars("simulated", "SIMUSDT"), bars)

    @given(rows=st.lists(st.tuples(prices, sizes, st.booleans(), st.sampled_from(["BTCUSDT", "币安人生USDT"]))))
    def test_everything_else_reads_back_as_it_was_written(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, bool, str]]
    ) -> None:
        home = folder_with(tmp_path_factory.mktemp("recording"), packed(HEADER, *ROWS))
        times = np.arange(len(rows), dtype=np.int64) * 7
        price, size = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
        is_long = np.array([r[2] for r in rows], dtype=np.bool_)
        writer, recording = RecordingWriter(home, "binance"), Recording(home)

        samples = OpenInterest(time_ms=times, coins=size)
        writer.open_interest("BTCUSDT", samples)
        path = Prices(time_ms=times, price=price)
        writer.prices("BTCUSDT", path)
        truth = Truth(is_long=is_long, liquidation_price=price, usd=size)
        writer.truth("BTCUSDT", truth)
        prints = Prints(time_ms=times, symbol=tuple(r[3] for r in rows), is_long=is_long, price=price, coins=size)
        writer.prints(prints)

        assert equal(recording.open_interest("binance", "BTCUSDT"), samples)
        assert equal(recording.prices("binance", "BTCUSDT"), path)
        assert equal(recording.truth("binance", "BTCUSDT"), truth)
        assert equal(recording.prints("binance"), prints)

    def test_tiers_read_back_as_they_were_written(self, tmp_path: Path) -> None:
        home = folder_with(tmp_path, packed(HEADER, *ROWS))
        tiers = {"币安人生USDT": (RiskTier(0, 5000, 0.015, 0, 50), RiskTier(5000, 1e7, 0.025, 50, 20))}
        RecordingWriter(home, "binance").tiers(tiers)
        assert Recording(home).tiers("binance") == tiers

    def test_the_same_input_gives_the_same_bytes_and_leaves_nothing_beside(self, tmp_path: Path) -> None:
        bars = Recording(folder_with(tmp_path / "in", packed(HEADER, *ROWS))).bars("binance", "BTCUSDT")
        for name in ("a", "b"):
            RecordingWriter(tmp_path / name, "binance").bars("BTCUSDT", bars)
        one, two = (tmp_path / name / "binance/BTCUSDT/bars_5m.csv.gz" for name in ("a", "b"))
        assert one.read_bytes() == two.read_bytes()
        assert [child.name for child in one.parent.iterdir()] == ["bars_5m.csv.gz"]

    def test_a_number_that_is_not_finite_is_not_written_and_the_old_file_stays(self, tmp_path: Path) -> None:
        home = folder_with(tmp_path, packed("time_ms,price", "1,5"), "BTCUSDT/prices.csv.gz")
        bad = Prices(time_ms=np.array([1], dtype=np.int64), price=np.array([np.nan]))
        with pytest.raises(ValueError, match="finite"):
            RecordingWriter(home, "binance").prices("BTCUSDT", bad)
        kept = Recording(home).prices("binance", "BTCUSDT")
        assert kept is not None
        assert kept.price.tolist() == [5]


@needs_shared
class TestSharedRecordings:
    @pytest.fixture
    def recording(self) -> Recording:
        return Recording(SHARED / "recordings")

    def test_every_market_of_december_2025_is_read_without_a_gap(self, recording: Recording) -> None:
        symbols = recording.symbols("binance")
        assert len(symbols) == 8
        for symbol in symbols:
            bars = recording.bars("binance", symbol)
            assert len(bars) > 8_700
            assert gaps(bars) == ()
            samples = recording.open_interest("binance", symbol)
            assert (samples is None) == (symbol == "ZRXUSDT")
            assert samples is None or len(samples) == 8_927

    def test_the_fall_of_10_october_2025_is_in_it(self, recording: Recording) -> None:
        bars = recording.bars("binance", "ZRXUSDT")
        assert len(bars) == 30_958
        day = (bars.open_ms >= 1760054400000) & (bars.open_ms < 1760140800000)
        assert bars.high[day].max() > 0.23
        assert bars.low[day].min() < 0.111

    def test_the_prints_of_december_are_read(self, recording: Recording) -> None:
        prints = recording.prints("binance")
        assert prints is not None
        assert len(prints) == 2_045
        assert int(prints.is_long.sum()) == 880

    def test_bars_read_and_written_read_the_same(self, recording: Recording, tmp_path: Path) -> None:
        bars = recording.bars("binance", "WIFUSDT")
        RecordingWriter(tmp_path, "binance").bars("WIFUSDT", bars)
        assert equal(Recording(tmp_path).bars("binance", "WIFUSDT"), bars)
