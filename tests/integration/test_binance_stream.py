"""The liquidation stream against a server that breaks off, talks nonsense, falls silent and repeats itself."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from bot.market.binance_stream import BinanceStream
from bot.market.feed import LiquidationFeed, Print, Stretch
from tests.fakes.binance_stream import HEARTBEAT, FakeStream, Scene, forced_order, sends
from tests.integration.listening import HastyClock, eventually
from tests.shared import SHARED, needs_shared

RECORDED = SHARED / "fixtures" / "binance" / "ws_recorded"
T0 = 1_791_565_602_120
FIRST = Print(T0, "BTCUSDT", is_long=True, price=82651.9, coins=0.19)


@asynccontextmanager
async def heard(*scenes: Scene, **options: float) -> AsyncIterator[tuple[BinanceStream, FakeStream]]:
    async with FakeStream(list(scenes)).open() as server:
        stream = BinanceStream(clock=HastyClock(), url=server.url, jitter=lambda: 0.5, **options)  # type: ignore[arg-type]
        task = asyncio.create_task(stream.run())
        try:
            yield stream, server
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def gathered(stream: LiquidationFeed, count: int) -> list[Print]:
    rows: list[Print] = []
    async with asyncio.timeout(5):
        while len(rows) < count:
            rows.extend(stream.take().prints)
            await asyncio.sleep(0.005)
    return rows


async def test_prints_are_the_average_fill_times_all_that_was_filled() -> None:
    frames = (forced_order(T0), forced_order(T0 + 1, "我踏马来了USDT", side="BUY", average="0.02", filled="7"))
    async with heard(sends(*frames)) as (stream, server):
        rows = await gathered(stream, 2)
        assert rows == [FIRST, Print(T0 + 1, "我踏马来了USDT", is_long=False, price=0.02, coins=7.0)]
        assert server.paths == ["/market/stream?streams=!forceOrder@arr/!markPrice@arr@1s"]
        status = stream.status()
        assert (status.alive, status.last_print_ms, status.prints, status.dropped) == (True, T0 + 1, 2, 0)


@needs_shared
async def test_every_recorded_forced_order_is_understood() -> None:
    frames = [json.loads(path.read_text()) for path in sorted(RECORDED.glob("forceOrder*.json"))]
    wrapped = [frame if "stream" in frame else {"stream": "!forceOrder@arr", "data": frame} for frame in frames]
    async with heard(sends(*map(json.dumps, wrapped))) as (stream, _):
        rows = {row.time_ms: row for row in await gathered(stream, len(frames))}
    assert len(rows) == len(frames) == 5
    assert rows[1791565602120] == FIRST
    assert rows[1791091174219] == Print(1791091174219, "XRPUSDT", is_long=False, price=1.4912, coins=127.2)


async def test_a_line_that_breaks_is_made_again_and_what_it_repeats_counts_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = sends(HEARTBEAT, forced_order(T0), then=0.0)
    async with heard(broken, broken, sends(forced_order(T0), forced_order(T0 + 5))) as (stream, server):
        rows = await gathered(stream, 2)
        assert [row.time_ms for row in rows] == [T0, T0 + 5]
        assert len(server.paths) == 3
        assert stream.status().connections == 3
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert all("heard" in line for line in told)


async def test_a_silent_line_is_left_and_its_silence_is_not_counted_as_listened() -> None:
    silent = sends(HEARTBEAT, then=30.0)
    async with heard(silent, sends(forced_order(T0)), silence_s=0.15) as (stream, server):
        await gathered(stream, 1)
        assert len(server.paths) == 2


async def test_noise_keeps_no_line_alive_and_each_kind_of_it_is_dropped() -> None:
    async def noise(line: object) -> None:
        while True:
            for frame in ("", "[", b"\xff\xfe", "[" * 100_000, '{"data":{"e":"forceOrder","o":[]}}', "7", "null"):
                await line.send(frame)  # type: ignore[attr-defined]
            await line.send(forced_order(T0, filled="0"))  # type: ignore[attr-defined]
            await line.send(forced_order(T0, side="HOLD"))  # type: ignore[attr-defined]
            await line.send(forced_order(T0, average="NaN"))  # type: ignore[attr-defined]
            await line.send(forced_order(T0, "BTCUSD_PERP", kind=2))  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)

    async with heard(noise, sends(forced_order(T0)), silence_s=0.2) as (stream, server):
        assert await gathered(stream, 1) == [FIRST]
        assert len(server.paths) == 2


async def test_a_line_is_left_before_it_is_too_old_and_the_next_is_there_at_once() -> None:
    async with heard(sends(), most_life_s=0.1) as (stream, server):
        await eventually(lambda: len(server.paths) >= 3)
        assert stream.take().stretches


async def test_what_nobody_takes_is_kept_up_to_a_bound_and_counted_beyond() -> None:
    frames = [forced_order(T0 + number) for number in range(25)]
    async with heard(sends(*frames), most_waiting=10) as (stream, _):
        await eventually(lambda: stream.status().prints == 25)
        assert [row.time_ms for row in stream.take().prints] == [T0 + number for number in range(15, 25)]
        assert stream.status().dropped == 15
        assert stream.take().prints == ()


async def test_stretches_of_one_line_join_without_a_gap() -> None:
    async with heard(sends()) as (stream, _):
        stretches: list[Stretch] = []
        for _ in range(3):
            await eventually(lambda: stream.status().alive)
            await asyncio.sleep(0.05)
            stretches += stream.take().stretches
    assert len(stretches) >= 2
    for before, after in pairwise(stretches):
        assert before[1] == after[0]


async def test_nobody_there_is_told_once_and_tried_again_with_longer_pauses(caplog: pytest.LogCaptureFixture) -> None:
    class Clock(HastyClock):
        def __init__(self) -> None:
            self.slept: list[float] = []

        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)
            await asyncio.sleep(0)

    clock = Clock()
    stream = BinanceStream(clock=clock, url="ws://127.0.0.1:9", jitter=lambda: 0.5)
    task = asyncio.create_task(stream.run())
    await eventually(lambda: len(clock.slept) >= 9)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.slept[:9] == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0]
    told = [record for record in caplog.records if "nothing can be proven" in record.getMessage()]
    assert len(told) == 1
    assert not stream.status().alive
    assert stream.take().stretches == ()
