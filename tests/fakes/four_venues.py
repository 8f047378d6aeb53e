"""`python -m tests.fakes.four_venues`: four exchanges over recordings, REST and streams, with faults while one likes.

Prints the settings that lead a bot to them, one a line, then what it does to them.
"""

import argparse
import asyncio
import random
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from tests.fakes import live_stream
from tests.fakes.binance import FakeBinance
from tests.fakes.bybit import FakeBybit
from tests.fakes.hyperliquid import FakeHyperliquid
from tests.fakes.live_stream import BinanceLiveStream, BybitLiveStream, LiveStream, OkxLiveStream, Venue
from tests.fakes.okx import FakeOkx

KINDS = {"binance": FakeBinance, "bybit": FakeBybit, "okx": FakeOkx, "hyperliquid": FakeHyperliquid}
STREAMS: Mapping[str, Callable[[Venue], LiveStream]] = {
    "binance": BinanceLiveStream,
    "bybit": BybitLiveStream,
    "okx": OkxLiveStream,
}
REST_FAULTS = ("down", "5xx", "html200", "broken_json")
FAULT_S = 8.0
LIQUIDATION_S = 0.5

Fake = FakeBinance | FakeBybit | FakeOkx | FakeHyperliquid


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def settings(fakes: Mapping[str, Fake], streams: Mapping[str, LiveStream]) -> Sequence[str]:
    """The environment of a bot that talks to these."""
    return [
        f"EXCHANGES={','.join(fakes)}",
        *(f"{name.upper()}_API_URL={fake.url}" for name, fake in fakes.items()),
        f"BINANCE_WEB_URL={fakes['binance'].url}",
        *(f"{name.upper()}_STREAM_URL={stream.url}" for name, stream in streams.items()),
    ]


async def liquidate(stream: LiveStream, chance: random.Random) -> None:
    """A liquidation now and then, near the price."""
    while True:
        await asyncio.sleep(LIQUIDATION_S * 2 * chance.random())
        market = chance.choice(list(stream.venue.markets.values()))
        is_long = chance.random() < 0.5
        price = market.price(stream.venue.now_ms()) * (0.996 if is_long else 1.004)
        await stream.liquidate(market.symbol, price=f"{price:.6g}", coins=500 / price, is_long=is_long)


async def trouble(fakes: Mapping[str, Fake], streams: Mapping[str, LiveStream], seconds: float, seed: int) -> None:
    """One fault after another, here and there, for so long; then all is well."""
    chance, loop = random.Random(seed), asyncio.get_running_loop()
    until_s = loop.time() + seconds
    while loop.time() < until_s:
        if chance.random() < 0.5:
            name = chance.choice(list(streams))
            kind = chance.choice(live_stream.FAULTS)
            streams[name].fail(kind)
            say(f"{name}: stream {kind}")
        else:
            name = chance.choice(list(fakes))
            kind = chance.choice(REST_FAULTS)
            fakes[name].fail(kind)
            say(f"{name}: {kind}")
        await asyncio.sleep(FAULT_S * (0.5 + chance.random()))
        for healed in (*fakes.values(), *streams.values()):
            healed.heal()
    say("no more faults")


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until a signal ends it."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    at_ms = int(datetime.fromisoformat(arguments.at).timestamp() * 1000)
    symbols = arguments.symbols.split(",")
    async with AsyncExitStack() as stack:
        fakes: dict[str, Fake] = {
            name: await stack.enter_async_context(kind(arguments.recording, symbols, at_ms=at_ms))
            for name, kind in KINDS.items()
        }
        streams = {name: await stack.enter_async_context(kind(fakes[name])) for name, kind in STREAMS.items()}
        for line in settings(fakes, streams):
            say(line)
        works = [
            asyncio.create_task(liquidate(stream, random.Random(number)))
            for number, stream in enumerate(streams.values())
        ]
        works.append(asyncio.create_task(trouble(fakes, streams, arguments.faults, arguments.seed)))
        await ended.wait()
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fakes.four_venues", description="Four exchanges over a recording.")
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--symbols", default="BTCUSDT,ETHUSDT,ZRXUSDT", help="comma-separated")
    parser.add_argument("--at", required=True, help="the moment of the recording that is now, with its zone")
    parser.add_argument("--faults", type=float, default=0.0, help="for so many seconds things go wrong")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
