"""A recording that grows: whatever comes in whatever order, and whenever it is cut off, a strict reader takes it."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.margin import RiskTier
from bot.market.columns import RecordingError
from bot.market.feed import Print, rows_of_prints
from bot.market.growing import LONGEST_WAIT_S, MOST_WAITING, GrowingFile
from bot.market.growth import BOOK_STEPS, GrowingMarket, GrowingPrints, GrowingTiers
from bot.market.recording import Recording, read_tiers
from bot.market.recording_writer import RecordingWriter
from bot.market.types import BAR_MS, Bars, Depth, OpenInterest
from tests.fakes.full_disk import files_end_at

HEADER = ("time_ms", "price")
T0 = 1_766_188_800_000
NAN = float("nan")


def rows(*times: int) -> list[tuple[int, str]]:
    return [(time_ms, f"{time_ms},1.5") for time_ms in times]


def lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def bars(first: int, count: int, *, quote: float = 20.0, taker: float = 4.0) -> Bars:
    price, open_ms = np.full(count, 9.5), T0 + (first + np.arange(count, dtype=np.int64)) * BAR_MS
    return Bars(open_ms, price, price, price, price, price, np.full(count, quote), np.full(count, taker))


def samples(*pairs: tuple[int, float]) -> OpenInterest:
    return OpenInterest(np.array([time for time, _ in pairs], dtype=np.int64), np.array([coins for _, coins in pairs]))


class TestFile:
    def test_each_writing_adds_a_member_and_the_whole_is_one_table(self, tmp_path: Path) -> None:
        file = GrowingFile(tmp_path / "a.csv.gz", HEADER)
        for number in range(3):
            file.add(rows(number))
            file.write(number)
        assert lines(file.path) == ["time_ms,price", "0,1.5", "1,1.5", "2,1.5"]
        assert list(tmp_path.iterdir()) == [file.path]

    def test_a_late_row_is_put_where_it_belongs(self, tmp_path: Path) -> None:
        file = GrowingFile(tmp_path / "a.csv.gz", HEADER)
        for times in ((5, 3), (4,), (9, 1)):
            file.add(rows(*times))
            file.write(0)
        assert [line.split(",")[0] for line in lines(file.path)[1:]] == ["1", "3", "4", "5", "9"]

    def test_it_is_continued_after_its_last_row(self, tmp_path: Path) -> None:
        file = GrowingFile(tmp_path / "a.csv.gz", HEADER)
        file.add(rows(7))
        file.write(0)
        again = GrowingFile(tmp_path / "a.csv.gz", HEADER)
        assert (again.rows, again.newest_ms, again.waiting) == (1, 7, 0)
        again.add(rows(8))
        again.write(0)
        assert lines(file.path) == ["time_ms,price", "7,1.5", "8,1.5"]

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (gzip.compress(b"time_ms,price,note\n1,2,x\n"), "cannot be continued"),
            (gzip.compress(b"time_ms,price\nsoon,2\n"), "begins with no time"),
            (gzip.compress(b"time_ms,price\n1,2\n")[:-4], "breaks off"),
            (b"hello", "not a gzip file"),
            (gzip.compress(b"\xff\xfe"), "not UTF-8"),
        ],
        ids=("other columns", "no time", "broken off", "no gzip", "no text"),  # the bytes hold the time of day
    )
    def test_a_file_that_cannot_be_continued_is_refused_and_stays_as_it_is(
        self, tmp_path: Path, data: bytes, said: str
    ) -> None:
        path = tmp_path / "a.csv.gz"
        path.write_bytes(data)
        with pytest.raises(RecordingError, match=said):
            GrowingFile(path, HEADER)
        assert path.read_bytes() == data

    def test_a_new_file_is_written_at_once_a_young_one_by_the_minute_and_a_large_one_rarely(
        self, tmp_path: Path
    ) -> None:
        file = GrowingFile(tmp_path / "a.csv.gz", HEADER)
        assert not file.due(0)
        file.add(rows(*range(1000)))
        assert file.due(0)
        file.write(0)
        assert not file.due(LONGEST_WAIT_S)
        file.add(rows(1000))
        assert not file.due(LONGEST_WAIT_S - 1)
        assert file.due(LONGEST_WAIT_S)
        file.add(rows(*range(1001, 1020)))
        assert not file.due(59)
        assert file.due(60)

    def test_what_waits_is_bounded_and_what_is_lost_is_counted(self, tmp_path: Path) -> None:
        file = GrowingFile(tmp_path / "a.csv.gz", HEADER)
        file.add(rows(*range(MOST_WAITING + 5)))
        assert (file.waiting, file.dropped) == (MOST_WAITING, 5)

    def test_a_full_disk_leaves_the_file_as_it_was_and_nothing_of_what_waits_is_lost(self, tmp_path: Path) -> None:
        file = GrowingFile(tmp_path / "a.csv.gz", HEADER)
        file.add(rows(1))
        file.write(0)
        file.add(rows(2))
        with files_end_at(10), pytest.raises(OSError, match="too large"):
            file.write(0)
        assert lines(file.path) == ["time_ms,price", "1,1.5"]
        assert list(tmp_path.iterdir()) == [file.path]
        file.write(0)
        assert lines(file.path)[-1] == "2,1.5"

    def test_a_rest_of_a_killed_writing_is_no_hindrance(self, tmp_path: Path) -> None:
        file = GrowingFile(tmp_path / "a.csv.gz", HEADER)
        (tmp_path / ".a.csv.gz.new").write_bytes(b"half of")
        file.add(rows(1))
        file.write(0)
        assert list(tmp_path.iterdir()) == [file.path]


class TestMarket:
    @given(
        st.lists(
            st.tuples(st.integers(0, 30), st.integers(0, 5), st.lists(st.integers(0, 400), max_size=6), st.booleans()),
            max_size=12,
        )
    )
    def test_whatever_comes_in_whatever_order_a_strict_reader_takes_it(
        self, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, list[int], bool]]
    ) -> None:
        out = tmp_path_factory.mktemp("recording")
        market = GrowingMarket(out / "okx" / "BTCUSDT")
        newest, prices, seen = -1, [-1], 0
        for first, count, times, again in steps:
            seen += market.add_bars(bars(first, count))
            newest = max(newest, first + count - 1 if count else -1)
            for time_ms in times:
                assert market.add_price(time_ms, 2.5) == (time_ms > prices[-1])
                prices += [time_ms] if time_ms > prices[-1] else []
                market.add_open_interest(samples((time_ms, 1.0)))
            market.write(0, all_of_it=True)
            if newest >= 0:
                found = Recording(out)
                assert len(found.bars("okx", "BTCUSDT")) == seen
                assert int(found.bars("okx", "BTCUSDT").open_ms[-1]) == T0 + newest * BAR_MS == market.newest_bar_ms
                read = found.prices("okx", "BTCUSDT")
                assert (read.time_ms.tolist() if read else []) == prices[1:]
            else:
                assert not (out / "okx").exists()
            if again:
                market = GrowingMarket(out / "okx" / "BTCUSDT") if newest >= 0 else market

    def test_a_volume_that_the_venue_does_not_publish_has_no_column_nor_after_a_restart(self, tmp_path: Path) -> None:
        home = tmp_path / "bybit" / "BTCUSDT"
        for first in (0, 3):
            market = GrowingMarket(home)
            assert market.add_bars(bars(first, 3, taker=NAN)) == 3
            market.write(0, all_of_it=True)
        found = Recording(tmp_path).bars("bybit", "BTCUSDT")
        assert found.quote_volume.tolist() == [20.0] * 6
        assert np.isnan(found.taker_buy_volume).all()

    def test_a_bar_that_lacks_what_the_file_has_is_left_out(self, tmp_path: Path) -> None:
        market = GrowingMarket(tmp_path / "okx" / "BTCUSDT")
        assert market.add_bars(bars(0, 1)) == 1
        assert market.add_bars(bars(1, 1, quote=NAN)) == 0
        assert market.newest_bar_ms == T0


class TestPrints:
    def test_late_and_repeated_prints_come_to_lie_in_order_and_once(self, tmp_path: Path) -> None:
        first, second, late = (Print(T0 + ms, "币安人生USDT", True, 0.5, 3.0) for ms in (10, 20, 15))
        prints = GrowingPrints(tmp_path / "binance")
        assert prints.add([second, first, first]) == 2
        prints.write(0, all_of_it=True)
        again = GrowingPrints(tmp_path / "binance")
        assert again.add([first, late, second]) == 1
        again.write(0, all_of_it=True)
        market = GrowingMarket(tmp_path / "binance" / "BTCUSDT")
        market.add_bars(bars(0, 1))
        market.write(0, all_of_it=True)
        found = Recording(tmp_path).prints("binance")
        assert found is not None
        assert found.time_ms.tolist() == [T0 + 10, T0 + 15, T0 + 20]
        assert set(found.symbol) == {"币安人生USDT"}
        assert found.is_long.all()


def test_a_print_at_the_bankruptcy_price_is_read_back_as_one(tmp_path: Path) -> None:
    rows = [Print(T0, "BTCUSDT", True, 88_000.5, 0.25), Print(T0 + 1, "BTCUSDT", False, 90_000.0, 1.0, True)]
    prints = GrowingPrints(tmp_path / "bybit")
    prints.add(rows)
    prints.write(0)
    market = GrowingMarket(tmp_path / "bybit" / "BTCUSDT")
    market.add_bars(bars(0, 1))
    market.write(0)
    found = Recording(tmp_path).prints("bybit")
    assert found is not None
    assert list(rows_of_prints(found)) == rows
    RecordingWriter(tmp_path, "bybit").prints(found)
    again = Recording(tmp_path).prints("bybit")
    assert again is not None
    assert list(rows_of_prints(again)) == rows


def test_what_was_heard_is_in_place_only_after_its_prints_and_is_read_back_joined(tmp_path: Path) -> None:
    prints = GrowingPrints(tmp_path / "okx")
    prints.add([Print(T0 + 10, "BTCUSDT", True, 1.0, 1.0)])
    prints.add_heard([(T0, T0 + 60_000)])
    prints.write(0)
    prints.add([Print(T0 + 70_000, "BTCUSDT", True, 1.0, 1.0)])
    prints.add_heard([(T0 + 60_000, T0 + 90_000), (T0 + 200_000, T0 + 210_000)])
    prints.write(30)  # the second print waits, and so does what was heard with it
    path = tmp_path / "okx" / "heard.csv.gz"
    assert lines(path) == ["start_ms,end_ms", f"{T0},{T0 + 60_000}"]
    prints.write(60)
    assert len(lines(path)) == 4
    market = GrowingMarket(tmp_path / "okx" / "BTCUSDT")
    market.add_bars(bars(0, 1))
    market.write(0)
    recording = Recording(tmp_path)
    found = recording.prints("okx")
    assert found is not None
    assert recording.heard("okx", found) == ((T0, T0 + 90_000), (T0 + 200_000, T0 + 210_000))


def test_tiers_are_kept_as_last_told_and_written_only_where_they_changed(tmp_path: Path) -> None:
    old, new = RiskTier(0, 10, 0.01, 0, 50), RiskTier(0, 20, 0.01, 0, 50)
    GrowingTiers(tmp_path, "okx").put({"BTCUSDT": (old,), "ETHUSDT": (old,)})
    path = tmp_path / "okx" / "tiers.json"
    before = path.stat().st_mtime_ns
    again = GrowingTiers(tmp_path, "okx")
    again.put({"BTCUSDT": (old,), "ETHUSDT": ()})
    assert path.stat().st_mtime_ns == before
    again.put({"BTCUSDT": (new,)})
    assert read_tiers(path) == {"BTCUSDT": (new,), "ETHUSDT": (old,)}


def a_book(time_ms: int, levels: int = 300) -> Depth:
    away, coins = 1e-4 * np.arange(1.0, levels + 1.0), np.full(levels, 2.5)
    return Depth(time_ms, 10.0 * np.exp(-away), coins, 10.0 * np.exp(away), coins)


def test_books_are_kept_in_steps_from_the_first_bar_on_and_once_each(tmp_path: Path) -> None:
    folder = tmp_path / "binance" / "BTCUSDT"
    market = GrowingMarket(folder)
    assert market.add_book(a_book(T0)) == 0
    market.add_bars(bars(0, 3))
    assert [market.add_book(a_book(T0 + ms)) for ms in (5, 5, 9)] == [1, 0, 1]
    market.write(0.0, all_of_it=True)
    assert GrowingMarket(folder).add_book(a_book(T0 + 9)) == 0
    found = Recording(tmp_path).books("binance", "BTCUSDT")
    assert [book.time_ms for book in found] == [T0 + 5, T0 + 9]
    assert all(len(book.bid_price) == len(book.ask_price) == BOOK_STEPS for book in found)
    assert found[0].usd_to(9.8) == pytest.approx(a_book(T0).usd_to(9.8), rel=0.05)
