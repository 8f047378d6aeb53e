"""The Binance client against the fake venue over loopback HTTP, on real recordings; one clock drives both."""

import asyncio
import csv
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import numpy as np
import pytest

from bot.market.binance import BinanceExchange
from bot.market.exchange import ExchangeError, ExchangeUnavailableError, GeoBlockedError, RateLimitedError
from bot.market.exchange import UnknownSymbolError as Unknown
from bot.market.types import BAR_MS, Bars
from tests.fakes.binance import FakeBinance
from tests.fakes.clock import VirtualClock
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

RECORDINGS = SHARED / "recordings"
DAY_MS = 86_400_000
AT_MS = 1_766_188_800_000  # 2025-12-20T00:00:00Z, the moment of the recordings that is "now"
NOW_MS = 1_790_000_123_000  # what the clock shows: 23 s into a bar, somewhere in 2026
PHASE_MS = NOW_MS % BAR_MS
SHIFT_MS = (NOW_MS - AT_MS) // BAR_MS * BAR_MS


class Rig:
    """The fake, the client and the clock of both."""

    def __init__(self, fake: FakeBinance, client: BinanceExchange, clock: VirtualClock) -> None:
        self.fake = fake
        self.client = client
        self.clock = clock

    async def bars(self, symbol: str = "BTCUSDT", count: int = 5) -> Bars:
        now_ms = self.fake.now_ms()
        return await self.client.bars(symbol, start_ms=now_ms - (count + 1) * BAR_MS, end_ms=now_ms)


def new_client(fake: FakeBinance, clock: VirtualClock, **options: float) -> BinanceExchange:
    # A transport of its own keeps a proxy of the machine's environment out of the test.
    return BinanceExchange(
        clock=clock,
        api_url=fake.url,
        web_url=fake.url,
        transport=httpx.AsyncHTTPTransport(),
        timeout_s=options.get("timeout_s", 10.0),
    )


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = VirtualClock(NOW_MS)
    names = ["BTCUSDT", "ZRXUSDT", "币安人生USDT=ARBUSDT"]
    async with FakeBinance(RECORDINGS, names, at_ms=AT_MS, wall=lambda: clock.now_ms() / 1000) as fake:
        client = new_client(fake, clock)
        yield Rig(fake, client, clock)
        await client.aclose()


def recorded(symbol: str, name: str) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    with gzip.open(RECORDINGS / "binance" / symbol / name, "rt", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {column: np.array([float(row[index]) for row in rows]) for index, column in enumerate(header)}


async def test_only_trading_usdt_perpetuals_are_listed(rig: Rig) -> None:
    found = {one.symbol: one for one in await rig.client.instruments()}
    assert list(found) == ["BTCUSDT", "ZRXUSDT", "币安人生USDT"]
    assert (found["BTCUSDT"].tick_size, found["ZRXUSDT"].tick_size) == (0.1, 0.0001)
    assert found["币安人生USDT"].base == "币安人生"


async def test_thirty_days_of_bars_are_the_recordings_to_the_last_digit(rig: Rig) -> None:
    bars = await rig.client.bars("ZRXUSDT", start_ms=NOW_MS - 30 * DAY_MS, end_ms=NOW_MS)
    truth = recorded("ZRXUSDT", "bars_5m.csv.gz")
    keep = (truth["open_time_ms"] + SHIFT_MS >= NOW_MS - 30 * DAY_MS) & (
        truth["open_time_ms"] + SHIFT_MS + BAR_MS <= NOW_MS
    )
    assert bars.open_ms.tolist() == (truth["open_time_ms"][keep] + SHIFT_MS).tolist()
    for column in ("open", "high", "low", "close", "volume"):
        assert getattr(bars, column).tolist() == truth[column][keep].tolist(), column
    assert len(bars) == 8639
    assert rig.fake.meter.requests == {"/fapi/v1/klines": 18}
    assert rig.client.status().weight.used == rig.fake.meter.weight_now() == 36


async def test_the_open_bar_is_left_out_until_it_closes(rig: Rig) -> None:
    before = await rig.bars()
    assert before.open_ms[-1] == NOW_MS - PHASE_MS - BAR_MS
    rig.clock.advance((BAR_MS - PHASE_MS) / 1000 - 1)
    assert (await rig.bars()).open_ms[-1] == before.open_ms[-1]
    rig.clock.advance(1)
    after = await rig.bars()
    truth = recorded("BTCUSDT", "bars_5m.csv.gz")
    row = int(np.flatnonzero(truth["open_time_ms"] == AT_MS)[0])
    assert after.open_ms[-1] == NOW_MS - PHASE_MS
    for column in ("open", "high", "low", "close", "volume"):
        assert getattr(after, column)[-1] == truth[column][row], column


async def test_open_interest_history_is_the_recordings(rig: Rig) -> None:
    start_ms = NOW_MS - 60 * DAY_MS
    history = await rig.client.open_interest_history("BTCUSDT", start_ms=start_ms, end_ms=NOW_MS)
    truth = recorded("BTCUSDT", "open_interest_5m.csv.gz")
    keep = truth["time_ms"] + SHIFT_MS <= NOW_MS - 45_000
    assert history.time_ms.tolist() == (truth["time_ms"][keep] + SHIFT_MS).tolist()
    assert history.coins.tolist() == truth["open_interest"][keep].tolist()
    assert rig.fake.meter.peak_data_requests == 18


async def test_the_newest_open_interest_row_comes_45_seconds_late(rig: Rig) -> None:
    boundary_ms = NOW_MS - PHASE_MS + BAR_MS

    async def newest() -> int:
        history = await rig.client.open_interest_history("BTCUSDT", start_ms=NOW_MS - DAY_MS, end_ms=NOW_MS + DAY_MS)
        return int(history.time_ms[-1])

    rig.clock.advance((boundary_ms + 44_000 - NOW_MS) / 1000)
    assert await newest() == boundary_ms - BAR_MS
    rig.clock.advance(1)
    assert await newest() == boundary_ms


async def test_open_interest_now_lies_between_the_samples_around_it(rig: Rig) -> None:
    truth = recorded("BTCUSDT", "open_interest_5m.csv.gz")
    index = int(np.searchsorted(truth["time_ms"] + SHIFT_MS, NOW_MS))
    around = sorted(truth["open_interest"][index - 1 : index + 1])
    now = await rig.client.open_interest("BTCUSDT")
    assert len(now) == 1
    assert around[0] <= now.coins[0] <= around[1]


async def test_a_contract_without_recorded_open_interest_says_so(rig: Rig) -> None:
    history = await rig.client.open_interest_history("ZRXUSDT", start_ms=NOW_MS - DAY_MS, end_ms=NOW_MS)
    assert len(history) == 0
    with pytest.raises(ExchangeUnavailableError, match="no open interest for ZRXUSDT"):
        await rig.client.open_interest("ZRXUSDT")


async def test_mark_prices_walk_the_path_of_the_bar(rig: Rig) -> None:
    truth = recorded("BTCUSDT", "bars_5m.csv.gz")
    row = int(np.flatnonzero(truth["open_time_ms"] == AT_MS)[0])
    prices: list[float] = []
    rig.clock.advance(-PHASE_MS / 1000)
    for _ in range(300):
        tick = await rig.client.mark_prices()
        prices.append(float(tick.price[tick.symbols.index("BTCUSDT")]))
        rig.clock.advance(1)
    assert prices[0] == truth["open"][row]
    assert (max(prices), min(prices)) == pytest.approx((truth["high"][row], truth["low"][row]), rel=1e-5)
    assert prices[-1] == pytest.approx(truth["close"][row], rel=1e-4)
    assert tick.symbols == ("BTCUSDT", "ZRXUSDT", "币安人生USDT")
    assert tick.time_ms[0] == rig.fake.now_ms() - 1000


async def test_volumes_rank_the_contracts(rig: Rig) -> None:
    volumes = await rig.client.volumes()
    assert max(volumes, key=lambda symbol: volumes[symbol]) == "BTCUSDT"
    assert min(volumes, key=lambda symbol: volumes[symbol]) == "ZRXUSDT"


async def test_risk_tiers_are_the_published_ones(rig: Rig) -> None:
    tiers = await rig.client.risk_tiers()
    assert rig.client.status().tiers == "published"
    assert (tiers["BTCUSDT"][0].max_leverage, tiers["ZRXUSDT"][0].max_leverage) == (150, 50)
    assert next(iter(await rig.client.instruments())).max_leverage == 150


async def test_an_unknown_symbol_is_told_apart(rig: Rig) -> None:
    for question in (rig.bars("NOSUCHUSDT"), rig.client.open_interest("NOSUCHUSDT")):
        with pytest.raises(Unknown):
            await question


async def test_names_outside_ascii_travel_whole(rig: Rig) -> None:
    assert len(await rig.bars("币安人生USDT")) == 5


class UnhurriedClock(VirtualClock):
    """Lets the answers that are on their way arrive before its time moves, as seconds of waiting would."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.1)
        await super().sleep(seconds)


async def test_five_hundred_symbols_from_cold_stay_below_half_of_the_limit() -> None:
    clock = UnhurriedClock(NOW_MS)
    names = [f"COIN{number}USDT=DOGEUSDT" for number in range(500)]
    async with FakeBinance(RECORDINGS, names, at_ms=AT_MS, wall=lambda: clock.now_ms() / 1000) as fake:
        client = new_client(fake, clock)
        symbols = [one.symbol for one in await client.instruments()]

        async def fetch(symbol: str) -> int:
            return len(await client.bars(symbol, start_ms=NOW_MS - 100 * BAR_MS, end_ms=NOW_MS))

        counts = await asyncio.gather(*(fetch(symbol) for symbol in symbols))
        tick = await client.mark_prices()
        await client.aclose()
    assert len(counts) == len(tick.symbols) == 500
    assert set(counts) <= {99, 100}  # the newest bar closes meanwhile
    assert 600 < fake.meter.peak_weight <= 1200
    assert fake.meter.refused == 0
    # Two windows of 850, and the venue's own minute, which may end later than the first of them.
    assert clock.now_ms() - NOW_MS <= 3 * 60_000


async def test_a_venue_whose_time_runs_faster_tells_which_bars_are_closed() -> None:
    clock = VirtualClock(NOW_MS)
    async with FakeBinance(
        RECORDINGS, ["BTCUSDT"], at_ms={"BTCUSDT": AT_MS}, speed=60, wall=lambda: clock.now_ms() / 1000
    ) as fake:
        client = new_client(fake, clock)
        clock.advance(600)
        bars = await client.bars("BTCUSDT", start_ms=NOW_MS, end_ms=NOW_MS + DAY_MS)
        assert fake.now_ms() == NOW_MS + 10 * 3_600_000
        assert bars.open_ms[-1] + BAR_MS <= fake.now_ms() < bars.open_ms[-1] + 2 * BAR_MS
        assert abs(client.server_now_ms() - fake.now_ms()) < 1000
        await client.aclose()


FAULTS: list[tuple[str, type[ExchangeError]]] = [
    ("down", ExchangeUnavailableError),
    ("429", RateLimitedError),
    ("418", RateLimitedError),
    ("451", GeoBlockedError),
    ("5xx", ExchangeUnavailableError),
    ("html200", ExchangeUnavailableError),
    ("broken_json", ExchangeUnavailableError),
]


@pytest.mark.parametrize(("kind", "error"), FAULTS)
async def test_each_fault_is_one_kind_of_error_and_ends_when_the_fault_does(
    rig: Rig, kind: str, error: type[ExchangeError]
) -> None:
    rig.fake.fail(kind)
    questions: list[Callable[[], Awaitable[object]]] = [rig.bars, rig.client.mark_prices, rig.client.instruments]
    for question in questions:
        with pytest.raises(error):
            await question()
    assert rig.fake.meter.requests_while_banned == (1 if kind == "418" else 0)
    rig.fake.heal()
    rig.clock.advance(1801)
    assert len(await rig.bars()) == 5
    assert rig.client.status().banned_until_ms is None


@pytest.mark.parametrize("kind", ["down", "5xx", "html200"])
async def test_a_fault_of_three_requests_is_ridden_out(rig: Rig, kind: str) -> None:
    rig.fake.fail(kind, path="/fapi/v1/klines", times=3)
    assert len(await rig.bars()) == 5
    assert rig.client.status().retried == 3


async def test_a_slow_venue_is_given_up_on(rig: Rig) -> None:
    rig.fake.fail("slow")
    rig.fake.slow_s = 0.5
    client = new_client(rig.fake, rig.clock, timeout_s=0.02)
    with pytest.raises(ExchangeUnavailableError, match="took too long"):
        await client.mark_prices()
    await client.aclose()


async def test_open_interest_that_stands_still_is_seen_as_such(rig: Rig) -> None:
    rig.fake.fail("stuck_open_interest")
    first = await rig.client.open_interest("BTCUSDT")
    rig.clock.advance(3600)
    second = await rig.client.open_interest("BTCUSDT")
    history = await rig.client.open_interest_history("BTCUSDT", start_ms=NOW_MS, end_ms=NOW_MS + 2 * 3_600_000)
    assert first.coins.tolist() == second.coins.tolist()
    assert len(history) == 0


async def test_a_ban_is_obeyed_by_every_request_until_it_ends(rig: Rig) -> None:
    rig.fake.fail("418", times=1)
    with pytest.raises(RateLimitedError) as caught:
        await rig.bars()
    assert caught.value.until_ms == NOW_MS + 121_000
    for _ in range(12):
        with pytest.raises(RateLimitedError):
            await rig.client.mark_prices()
        rig.clock.advance(10)
    assert rig.fake.meter.requests_while_banned == 1
    rig.clock.advance(1)
    assert len(await rig.bars()) == 5
