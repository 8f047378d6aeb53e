"""`liqwatch record` on the four fakes, an hour in seconds: what it writes is what the venues said, and can be used."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bot.clock import SystemClock
from bot.failures import FailedError, UsageError
from bot.liquidation.values import replace
from bot.market.exchange import LiveExchange
from bot.market.feed import LiquidationFeed
from bot.market.recording import Recording, gaps
from bot.market.types import BAR_MS
from bot.one_map import MapRequest, make_map
from bot.place_commands import PlaceRequest, tell_cascade
from bot.record import RecordRequest, cannot_write, held, record_exchanges
from bot.recorder import Wanted, is_a_name
from bot.replay import replay_recording
from bot.scoring import score_recording
from bot.settings import EXCHANGES, Settings
from bot.venues import open_exchanges, open_feeds
from tests.fakes.clock import HurriedClock
from tests.fakes.full_disk import files_end_at
from tests.fakes.live_stream import BinanceLiveStream, BybitLiveStream, LiveStream, OkxLiveStream, Venue
from tests.integration.test_four_venues import Fakes, four_fakes, settings_of
from tests.integration.venue_rigs import NOW_MS
from tests.shared import needs_shared

pytestmark = needs_shared

HOUR_MS = 3_600_000
HALF_HOUR_MS = HOUR_MS // 2
SPEED = 300.0
WANTED = Wanted(symbols=("BTC", "ZRX"), history_ms=30 * HOUR_MS, tick_s=60.0, most_books=0)


@dataclass
class Scene:
    """The four fakes, a client of each, and what a recorder is given."""

    fakes: Fakes
    exchanges: dict[str, LiveExchange]
    feeds: dict[str, LiquidationFeed]
    clock: HurriedClock
    out: Path
    said: list[str]

    async def record(self, for_ms: int = HOUR_MS, wanted: Wanted = WANTED, *names: str) -> None:
        await record_exchanges(
            {name: self.exchanges[name] for name in names or EXCHANGES},
            self.feeds,
            request=RecordRequest(self.out, for_ms=for_ms),
            wanted=wanted,
            clock=self.clock,
            stop=asyncio.Event(),
            print_line=self.said.append,
        )


class WallClock(SystemClock):
    """For streams: the hurried market's time of day, and real patience."""

    def __init__(self, clock: HurriedClock) -> None:
        self._hurried = clock

    def now_ms(self) -> int:
        return self._hurried.now_ms()


@asynccontextmanager
async def scene(out: Path) -> AsyncIterator[Scene]:
    clock = HurriedClock(NOW_MS, SPEED)
    async with four_fakes(lambda: clock.now_ms() / 1000) as fakes, AsyncExitStack() as closing:
        kinds: dict[str, Callable[[Venue], LiveStream]] = {
            "binance": BinanceLiveStream,
            "bybit": BybitLiveStream,
            "okx": OkxLiveStream,
        }
        streams = {name: await closing.enter_async_context(kind(fakes[name])) for name, kind in kinds.items()}
        urls = {f"{name}_stream_url": stream.url for name, stream in streams.items()}
        settings = settings_of(fakes).model_copy(update=urls)
        exchanges = open_exchanges(settings, clock=clock)
        for exchange in exchanges.values():
            closing.push_async_callback(exchange.aclose)
        feeds = open_feeds(settings, exchanges, clock=WallClock(clock))
        telling = asyncio.create_task(liquidate(list(streams.values())))
        try:
            yield Scene(fakes, exchanges, feeds, clock, out, [])
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


async def liquidate(streams: list[LiveStream]) -> None:
    while True:
        for stream in streams:
            await stream.liquidate("BTCUSDT", price="88000.5", coins=0.25)
        await asyncio.sleep(0.1)


async def test_an_hour_of_four_exchanges_can_be_mapped_replayed_and_scored(tmp_path: Path) -> None:
    out = tmp_path / "recording"
    async with scene(out) as on:
        await on.record(HALF_HOUR_MS)
        recording = Recording(out)
        assert set(recording.exchanges) == set(EXCHANGES)
        for name, exchange in on.exchanges.items():
            assert recording.symbols(name) == ("BTCUSDT", "ZRXUSDT")
            bars = recording.bars(name, "BTCUSDT")
            truth = await exchange.bars("BTCUSDT", start_ms=int(bars.open_ms[0]), end_ms=int(bars.open_ms[-1]) + BAR_MS)
            assert bars.open_ms.tolist() == truth.open_ms.tolist()
            assert bars.close.tolist() == truth.close.tolist()
            assert np.isnan(bars.taker_buy_volume).all() == (name != "binance")
            assert gaps(bars) == ()
            assert NOW_MS + HALF_HOUR_MS - int(bars.open_ms[-1]) < 3 * BAR_MS
            prices = recording.prices(name, "BTCUSDT")
            assert prices is not None
            assert 15 <= len(prices) <= 32, name
            samples = recording.open_interest(name, "BTCUSDT")
            assert samples is not None
            assert len(samples) > (300 if exchange.gives_open_interest_history else 0), name
            assert recording.tiers(name)["BTCUSDT"]
        for name in on.feeds:
            prints = recording.prints(name)
            assert prints is not None
            assert len(prints) > 20, name
            assert (prints.at_bankruptcy is None) == (name == "binance")
            assert set(prints.coins.tolist()) <= {0.25, 1.0}
            ((first_ms, last_ms),) = recording.heard(name, prints)
            assert first_ms - NOW_MS < HALF_HOUR_MS // 2
            assert abs(NOW_MS + HALF_HOUR_MS - last_ms) < 4 * BAR_MS, name
    assert on.said[0].startswith("recording binance, bybit, okx, hyperliquid to ")
    assert "hyperliquid: 2 contracts, " in on.said[-1]

    settings = Settings(_env_file=None)
    for name in EXCHANGES:
        (line,) = await make_map(map_request(out, name), settings)
        assert json.loads(line)["data"]["bars"] > 300
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps([{"chat": 1, "watch": "BTC 1%"}]), encoding="utf-8")
    summary = json.loads(list(replay_recording(out, rules, json=True))[-1])
    assert summary["kind"] == "summary"
    assert summary["days"]["binance:BTCUSDT"] > 0.1
    assert list(score_recording(out, json=True))


async def test_books_are_recorded_beside_and_a_cascade_is_told_from_them(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        await on.record(HALF_HOUR_MS, replace(WANTED, symbols=("ZRX",), most_books=1), "okx")
    recording = Recording(tmp_path)
    books, bars = recording.books("okx", "ZRXUSDT"), recording.bars("okx", "ZRXUSDT")
    assert 1 <= len(books) <= 8
    assert not any(book.is_thin for book in books)
    assert books[-1].middle == pytest.approx(bars.close[-1], rel=0.02)
    at_ms = max(books[-1].time_ms, int(bars.open_ms[-1]) + BAR_MS)
    request = PlaceRequest(["ZRX"], tmp_path, None, at_ms, json=True)
    [line] = await tell_cascade(request, Settings(_env_file=None))
    told = json.loads(line)
    assert (told["below"] is None) == (at_ms - books[-1].time_ms > BAR_MS)


async def test_a_folder_is_continued_without_a_gap_and_without_a_repeat(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        await on.record(1_200_000, WANTED, "binance", "hyperliquid")
        before = Recording(tmp_path).bars("binance", "BTCUSDT")
        await on.clock.sleep(900)
        await on.record(1_200_000, WANTED, "binance", "hyperliquid")
        after = Recording(tmp_path).bars("binance", "BTCUSDT")
    assert after.open_ms[: len(before)].tolist() == before.open_ms.tolist()
    assert len(after) - len(before) >= 6
    assert gaps(after) == ()
    assert Recording(tmp_path).prices("hyperliquid", "BTCUSDT") is not None


async def test_an_exchange_that_is_down_is_told_and_recorded_once_it_answers(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        on.fakes["bybit"].fail("5xx")

        async def heal() -> None:
            await on.clock.sleep(300)
            while not any("bybit: not heard yet" in line for line in on.said):
                await on.clock.sleep(10)
            on.fakes["bybit"].heal()

        healing = asyncio.create_task(heal())
        await on.record(1_200_000, WANTED, "okx", "bybit")
        await healing
    assert Recording(tmp_path).symbols("bybit") == ("BTCUSDT", "ZRXUSDT")
    assert gaps(Recording(tmp_path).bars("okx", "BTCUSDT")) == ()
    assert any("bybit: not heard yet (Bybit gave no usable answer" in line for line in on.said)


async def test_the_most_traded_are_recorded_where_none_are_named_and_all_where_all_are(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        for wanted in ((), None):
            await on.record(60_000, Wanted(wanted, history_ms=HOUR_MS, tick_s=10.0), "okx")
            assert "okx: 2 contracts" in on.said[-1]


async def test_a_contract_on_no_exchange_ends_it_with_the_nearest_names(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        wanted = Wanted(("BTC", "ZZRX"), history_ms=HOUR_MS, tick_s=10.0)
        with pytest.raises(UsageError, match="no exchange lists 'ZZRX'; the nearest are ZRXUSDT"):
            await on.record(HOUR_MS, wanted, "okx", "binance")


async def test_a_contract_that_is_gone_is_let_go_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:

        async def delist() -> None:
            while not (tmp_path / "binance/ZRXUSDT/bars_5m.csv.gz").exists():
                await on.clock.sleep(30)
            await on.clock.sleep(60)
            del on.fakes["binance"].markets["ZRXUSDT"]

        gone = asyncio.create_task(delist())
        await on.record(HALF_HOUR_MS, WANTED, "binance")
        await gone
    found = Recording(tmp_path)
    newest = {symbol: int(found.bars("binance", symbol).open_ms[-1]) for symbol in ("BTCUSDT", "ZRXUSDT")}
    assert newest["BTCUSDT"] - newest["ZRXUSDT"] >= 3 * BAR_MS
    assert "binance: 1 contract," in on.said[-1]


async def test_nothing_recorded_is_a_failure_that_says_why(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        on.fakes["okx"].fail("geo")
        with pytest.raises(FailedError, match="nothing was recorded: okx: OKX does not serve this place"):
            await on.record(60_000, WANTED, "okx")


async def test_a_disk_that_takes_no_more_ends_it_with_a_sentence_and_a_whole_recording(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        await on.record(60_000, WANTED, "okx")
        before = len(Recording(tmp_path).bars("okx", "BTCUSDT"))
        size = largest_file(tmp_path)
        with files_end_at(size), pytest.raises(FailedError, match=r"the disk refuses .* the same command goes on"):
            await on.record(HOUR_MS, WANTED, "okx")
        assert len(Recording(tmp_path).bars("okx", "BTCUSDT")) == before
    assert "the disk is full" in str(cannot_write(tmp_path, OSError(28, "No space left on device")))


def map_request(out: Path, exchange: str) -> MapRequest:
    return MapRequest("BTC", recording=out, exchange=exchange, at_ms=None, range_ms=None, png=None, json=True)


def largest_file(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_folder_is_for_one_recorder_and_must_take_files(tmp_path: Path) -> None:
    with held(tmp_path / "new"), pytest.raises(FailedError, match="another liqwatch record"), held(tmp_path / "new"):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--out takes a folder"), held(tmp_path / "file"):
        pass


@pytest.mark.parametrize(("asked", "takes"), [("binance,kraken", "kraken"), ("BYBIT, okx ,okx", None)])
def test_exchanges_are_those_that_there_are(asked: str, takes: str | None) -> None:
    request, settings = RecordRequest(Path("x"), exchanges=asked), Settings(_env_file=None)
    if takes is None:
        assert request.settings(settings).exchanges == ("bybit", "okx")
    else:
        with pytest.raises(UsageError, match=f"--exchanges takes .* not '{takes}'"):
            request.settings(settings)


@pytest.mark.parametrize("symbol", ["", "../x", "A/B", ".hidden", "A,B", "A\nB"])
def test_a_name_that_would_leave_the_folder_or_break_a_row_is_none(symbol: str) -> None:
    assert not is_a_name(symbol)
    assert is_a_name("币安人生USDT")
