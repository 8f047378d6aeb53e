"""Every other venue's client against its fake over loopback HTTP, on real recordings; one clock drives both."""

import asyncio
import csv
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from bot.market.exchange import ExchangeUnavailableError, UnknownSymbolError
from bot.market.types import BAR_MS
from tests.integration.venue_rigs import AT_MS, NOW_MS, RECORDINGS, SHIFT_MS, VENUES, Rig, rig_of
from tests.shared import needs_shared

pytestmark = needs_shared

DAY_MS = 86_400_000
PHASE_MS = NOW_MS % BAR_MS
SYMBOLS = ["BTCUSDT", "ZRXUSDT", "1000SHIBUSDT=DOGEUSDT"]

Column = np.ndarray[tuple[int], np.dtype[np.float64]]


@pytest.fixture(params=VENUES, ids=lambda kind: kind.name)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with rig_of(request.param, SYMBOLS) as made:
        yield made


def recorded(symbol: str, name: str) -> dict[str, Column]:
    with gzip.open(RECORDINGS / "binance" / symbol / name, "rt", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {column: np.array([float(row[index]) for row in rows]) for index, column in enumerate(header)}


async def test_only_trading_usdt_perpetuals_of_coins_are_listed(rig: Rig) -> None:
    found = {one.symbol: one for one in await rig.client.instruments()}
    assert list(found) == ["BTCUSDT", "ZRXUSDT", "1000SHIBUSDT"]
    assert {one.exchange for one in found.values()} == {rig.kind.name}
    assert {one.quote for one in found.values()} == {"USDT"}
    assert found["BTCUSDT"].base == "BTC"
    assert found["BTCUSDT"].max_leverage is not None


async def test_bars_are_the_recordings_in_coins(rig: Rig) -> None:
    start_ms = NOW_MS - 10 * DAY_MS
    bars = await rig.client.bars("BTCUSDT", start_ms=start_ms, end_ms=NOW_MS)
    truth = recorded("BTCUSDT", "bars_5m.csv.gz")
    times = truth["open_time_ms"] + SHIFT_MS
    keep = (times >= start_ms) & (times + BAR_MS <= NOW_MS)
    assert bars.open_ms.tolist() == times[keep].tolist()
    for column in ("open", "high", "low", "close"):
        assert getattr(bars, column).tolist() == truth[column][keep].tolist(), column
    assert bars.volume == pytest.approx(truth["volume"][keep], abs=0.01)
    assert np.isnan(bars.taker_buy_volume).all()
    assert rig.client.status().dropped_rows == {}


async def test_the_open_bar_is_left_out_until_it_closes(rig: Rig) -> None:
    before = await rig.bars()
    assert before.open_ms[-1] == NOW_MS - PHASE_MS - BAR_MS
    rig.clock.advance((BAR_MS - PHASE_MS) / 1000 - 1)
    assert (await rig.bars()).open_ms[-1] == before.open_ms[-1]
    rig.clock.advance(1)
    assert (await rig.bars()).open_ms[-1] == NOW_MS - PHASE_MS


async def test_open_interest_is_one_side_in_coins(rig: Rig) -> None:
    truth = recorded("BTCUSDT", "open_interest_5m.csv.gz")
    times = truth["time_ms"] + SHIFT_MS
    index = int(np.searchsorted(times, NOW_MS))
    around = sorted(truth["open_interest"][index - 1 : index + 1])
    now = await rig.client.open_interest("BTCUSDT")
    assert len(now) == 1
    assert around[0] * 0.999 <= now.coins[0] <= around[1] * 1.001
    assert abs(now.time_ms[0] - NOW_MS) < 1000
    history = await rig.client.open_interest_history("BTCUSDT", start_ms=NOW_MS - DAY_MS, end_ms=NOW_MS)
    if rig.client.gives_open_interest_history:
        keep = (times > NOW_MS - DAY_MS) & (times <= NOW_MS)
        assert history.time_ms.tolist() == times[keep].tolist()[: len(history)]
        assert len(history) >= keep.sum() - 1
        assert history.coins == pytest.approx(truth["open_interest"][keep][: len(history)], rel=1e-6)
    else:
        assert len(history) == 0


async def test_a_contract_without_open_interest_says_so(rig: Rig) -> None:
    assert len(await rig.client.open_interest_history("ZRXUSDT", start_ms=NOW_MS - DAY_MS, end_ms=NOW_MS)) == 0
    with pytest.raises(ExchangeUnavailableError, match="no open interest for ZRXUSDT"):
        await rig.client.open_interest("ZRXUSDT")


async def test_mark_prices_are_of_every_contract_and_of_now(rig: Rig) -> None:
    truth = recorded("BTCUSDT", "bars_5m.csv.gz")
    row = int(np.flatnonzero(truth["open_time_ms"] == AT_MS)[0])
    tick = await rig.client.mark_prices()
    assert set(tick.symbols) == {"BTCUSDT", "ZRXUSDT", "1000SHIBUSDT"}
    assert tick.exchange == rig.kind.name
    assert abs(tick.time_ms - NOW_MS).max() < 1000
    price = tick.price[tick.symbols.index("BTCUSDT")]
    assert truth["low"][row] <= price <= truth["high"][row]
    rig.clock.advance(60)
    later = await rig.client.mark_prices()
    assert later.time_ms.min() - tick.time_ms.max() >= 59_000


async def test_volumes_rank_the_contracts(rig: Rig) -> None:
    volumes = await rig.client.volumes()
    assert sorted(volumes, key=lambda symbol: -volumes[symbol]) == ["BTCUSDT", "1000SHIBUSDT", "ZRXUSDT"]
    truth = recorded("BTCUSDT", "bars_5m.csv.gz")
    day = (truth["open_time_ms"] + DAY_MS > AT_MS) & (truth["open_time_ms"] < AT_MS)
    assert volumes["BTCUSDT"] == pytest.approx((truth["volume"] * truth["close"])[day].sum(), rel=0.05)


async def test_tiers_ascend_from_nothing_alone_and_all_together(rig: Rig) -> None:
    together = await rig.client.risk_tiers()
    assert set(together) == {"BTCUSDT", "ZRXUSDT", "1000SHIBUSDT"}
    for symbol, tiers in together.items():
        assert tiers[0].notional_floor == 0
        assert [tier.notional_floor for tier in tiers[1:]] == [tier.notional_cap for tier in tiers[:-1]]
        assert list(await rig.client.risk_tiers_of(symbol)) == list(tiers)


async def test_a_symbol_that_is_not_listed_is_unknown(rig: Rig) -> None:
    for question in (rig.bars("NOSUCHUSDT"), rig.client.open_interest("NOSUCHUSDT")):
        with pytest.raises(UnknownSymbolError):
            await question


async def test_a_contract_of_another_name_is_asked_for_by_it(rig: Rig) -> None:
    assert len(await rig.bars("1000SHIBUSDT")) == 5


@pytest.mark.parametrize("kind", VENUES, ids=lambda kind: kind.name)
async def test_three_hundred_contracts_from_cold_meet_no_limit(kind: Any) -> None:
    async with rig_of(kind, [f"COIN{number}USDT=DOGEUSDT" for number in range(300)]) as rig:
        symbols = [one.symbol for one in await rig.client.instruments()]
        counts = await asyncio.gather(*(rig.bars(symbol, count=100) for symbol in symbols))
        await rig.client.mark_prices()
        assert {len(bars) for bars in counts} <= {100, 101}
        assert rig.fake.meter.refused == 0
        peaks = rig.fake.meter.peaks
        for name, budget in rig.client.status().budgets.items():
            # What leaves within the budget may arrive together: time goes on while requests are under way.
            assert peaks[name] <= 1.5 * budget.allowed, name
        assert max(peaks.values()) > 0


FAULTS = [(kind, fault) for kind in VENUES for fault in kind.faults]


@pytest.mark.parametrize(("kind", "fault"), FAULTS, ids=[f"{kind.name}-{fault}" for kind, fault in FAULTS])
async def test_each_fault_is_one_kind_of_error_and_ends_when_the_fault_does(kind: Any, fault: str) -> None:
    async with rig_of(kind, SYMBOLS) as rig:
        rig.fake.fail(fault)
        questions: list[Callable[[], Awaitable[object]]] = [rig.bars, rig.client.mark_prices, rig.client.instruments]
        for question in questions:
            with pytest.raises(kind.faults[fault]):
                await question()
        assert rig.fake.meter.requests_while_banned == 0
        rig.fake.heal()
        rig.clock.advance(1801)
        assert len(await rig.bars()) == 5
        assert rig.client.status().banned_until_ms is None


async def test_a_fault_of_three_requests_is_ridden_out(rig: Rig) -> None:
    await rig.client.instruments()
    rig.fake.fail("5xx", path=rig.kind.bars_path, times=3)
    assert len(await rig.bars()) == 5
    assert rig.client.status().retried == 3


async def test_a_slow_venue_is_given_up_on(rig: Rig) -> None:
    rig.fake.fail("slow")
    rig.fake.slow_s = 0.5
    client = rig.new_client(timeout_s=0.02)
    with pytest.raises(ExchangeUnavailableError, match="took too long"):
        await client.mark_prices()
    await client.aclose()


async def test_open_interest_that_stands_still_is_seen_as_such(rig: Rig) -> None:
    rig.fake.fail("stuck_open_interest")
    first = await rig.client.open_interest("BTCUSDT")
    rig.clock.advance(3600)
    second = await rig.client.open_interest("BTCUSDT")
    assert first.coins.tolist() == second.coins.tolist()


@pytest.mark.parametrize("kind", VENUES, ids=lambda kind: kind.name)
async def test_a_venue_whose_time_runs_faster_tells_which_bars_are_closed(kind: Any) -> None:
    async with rig_of(kind, ["BTCUSDT"], speed=60) as rig:
        await rig.client.instruments()
        rig.clock.advance(600)
        bars = await rig.client.bars("BTCUSDT", start_ms=NOW_MS, end_ms=NOW_MS + 11 * 3_600_000)
        assert rig.fake.now_ms() == NOW_MS + 10 * 3_600_000
        assert bars.open_ms[-1] + BAR_MS <= rig.fake.now_ms() < bars.open_ms[-1] + 2 * BAR_MS
        assert abs(rig.client.server_now_ms() - rig.fake.now_ms()) < 1000
