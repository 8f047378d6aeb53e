"""The life of a line, on Binance's stream: a server that breaks off, talks nonsense, falls silent, repeats itself."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from bot.market.binance_parse import EXCHANGE, VENUE
from bot.market.binance_stream import binance_stream
from bot.market.feed import LiquidationFeed, Print, Stretch
from bot.market.stream import Manner, Stream
from bot.market.stream_book import MOST_WAITING, StreamBook
from tests.fakes.binance_stream import HEARTBEAT, FakeStream, Scene, forced_order, mark_prices, sends
from tests.integration.listening import HastyClock, eventually

T0 = 1_791_565_602_120
FIRST = Print(T0, "BTCUSDT", is_long=True, price=82651.9, coins=0.19)


class ThenClock(HastyClock):
    """Its wall begins a second after the first liquidation."""

    def __init__(self) -> None:
        self._began_s = self.monotonic()
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return T0 + 1_000 + int((self.monotonic() - self._began_s) * 1000)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


@asynccontextmanager
async def heard(
    *scenes: Scene,
    silence_s: float = 8.0,
    most_life_s: float = 3600.0,
    most_waiting: int = MOST_WAITING,
    clock: ThenClock | None = None,
) -> AsyncIterator[tuple[Stream, FakeStream]]:
    clock = clock or ThenClock()
    async with FakeStream(list(scenes)).open() as server:
        book = StreamBook(EXCHANGE, VENUE, clock, most_waiting=most_waiting)
        manner = Manner(silence_s, most_life_s, jitter=lambda: 0.5)
        stream = binance_stream(clock=clock, url=server.url, book=book, manner=manner)
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
        assert server.paths == ["/market/stream?streams=!markPrice@arr@1s/!forceOrder@arr/!contractInfo"]
        status = stream.status()
        assert (status.alive, status.last_print_ms, status.prints, status.dropped) == (True, T0 + 1, 2, 0)


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


async def test_a_line_is_left_before_it_is_too_old_and_only_when_the_next_is_heard() -> None:
    async with heard(sends(), most_life_s=0.1) as (stream, server):
        await eventually(lambda: len(server.paths) >= 4)
        status = stream.status()
        assert (status.alive, status.gaps) == (True, 0)
        assert server.most_open == 2, "the new line is heard before the old one is left"
        assert len(stream.take().stretches) == 1, "nothing is missed between two lines"


async def test_an_old_line_stays_while_its_successor_is_not_heard() -> None:
    unheard = sends(then=0.0)
    async with heard(sends(), unheard, unheard, sends(), most_life_s=0.1) as (stream, server):
        await eventually(lambda: len(server.paths) >= 4)
        assert (stream.status().gaps, len(stream.take().stretches)) == (0, 1)


async def test_what_two_lines_say_at_once_counts_once() -> None:
    repeated = sends(HEARTBEAT, forced_order(T0), then=None)
    async with heard(repeated, most_life_s=0.05) as (stream, server):
        await eventually(lambda: len(server.paths) >= 5)
        assert stream.status().prints == 1


async def test_a_line_that_breaks_leaves_a_gap_in_what_was_listened_to() -> None:
    async with heard(sends(HEARTBEAT, then=0.02), sends()) as (stream, server):
        await eventually(lambda: len(server.paths) == 2 and stream.status().alive)
        assert stream.status().gaps == 1
        await eventually(lambda: stream.status().lag_ms is not None)


async def test_prices_are_merged_from_messages_that_bring_part_of_them() -> None:
    parts = (mark_prices(T0, BTCUSDT="82651.9", ETHUSDT="2450.4"), mark_prices(T0 + 1000, ETHUSDT="2451"))
    async with heard(sends(*parts, then=30.0)) as (stream, _):
        await eventually(lambda: stream.status().last_message_ms is not None)
        await asyncio.sleep(0.05)
        tick = stream.prices.news()
        found = dict(zip(tick.symbols, zip(tick.time_ms.tolist(), tick.price.tolist(), strict=True), strict=True))
        assert found == {"BTCUSDT": (T0, 82651.9), "ETHUSDT": (T0 + 1000, 2451.0)}
        assert stream.status().lag_ms is not None


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
    class Clock(ThenClock):
        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)
            await asyncio.sleep(0)

    clock = Clock()
    stream = binance_stream(clock=clock, url="ws://127.0.0.1:9", manner=Manner(8.0, jitter=lambda: 0.5))
    task = asyncio.create_task(stream.run())
    await eventually(lambda: len(clock.slept) >= 9)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.slept[:9] == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0]
    told = [record for record in caplog.records if "nothing new can be proven" in record.getMessage()]
    assert len(told) == 1
    assert not stream.status().alive
    assert stream.take().stretches == ()
