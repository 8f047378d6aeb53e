"""`liqwatch run` on four exchanges for ten minutes of trouble: maps of all, no crash, and green when it is over.

The bot and the doctor are real processes; the fakes stand behind wires that fail one after the other.
"""

import asyncio
import random
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from bot.settings import EXCHANGES
from tests.e2e.processes import Running, bot, environment, eventually
from tests.fakes.binance import FakeBinance
from tests.fakes.bot_api import TOKEN, FakeBotApi
from tests.fakes.bybit import FakeBybit
from tests.fakes.fault_proxy import Fault, FaultProxy
from tests.fakes.hyperliquid import FakeHyperliquid
from tests.fakes.live_stream import BinanceLiveStream, BybitLiveStream, LiveStream, OkxLiveStream
from tests.fakes.okx import FakeOkx
from tests.shared import SHARED, needs_shared

pytestmark = [needs_shared, pytest.mark.xdist_group("e2e-ten-minutes")]

ADA = 42
DECEMBER_20_MS = 1_766_188_800_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
VENUE_FAULTS = {
    "binance": ("429", "418", "5xx", "html200", "broken_json"),
    "bybit": ("limit", "5xx"),  # "frequent" shuts it out for ten minutes
    "okx": ("limit", "429", "down"),
    "hyperliquid": ("429", "5xx", "html200"),
}
SPOILED_S = (10.0, 25.0)
LAST_CALM_S = 120.0
LONGEST_LOG = 120
"""Lines: two pages, for some eighty troubles."""

Fake = FakeBinance | FakeBybit | FakeOkx | FakeHyperliquid


@dataclass
class World:
    fakes: dict[str, Fake]
    streams: dict[str, LiveStream]
    wires: dict[str, FaultProxy]

    @property
    def settings(self) -> dict[str, object]:
        urls: dict[str, object] = {f"{name.upper()}_API_URL": self.wires[name].url for name in self.fakes}
        urls |= {f"{name.upper()}_STREAM_URL": self.wires[f"{name} stream"].url for name in self.streams}
        return urls | {"BINANCE_WEB_URL": self.wires["binance"].url, "EXCHANGES": ",".join(EXCHANGES)}


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    kinds: dict[str, Callable[..., Fake]] = {
        "binance": FakeBinance,
        "bybit": FakeBybit,
        "okx": FakeOkx,
        "hyperliquid": FakeHyperliquid,
    }
    speakers: dict[str, Callable[..., LiveStream]] = {
        "binance": BinanceLiveStream,
        "bybit": BybitLiveStream,
        "okx": OkxLiveStream,
    }
    here = World({}, {}, {})
    async with AsyncExitStack() as closing:
        for name, kind in kinds.items():
            fake: Fake = kind(SHARED / "recordings", SYMBOLS, at_ms=DECEMBER_20_MS)
            await closing.enter_async_context(fake)
            here.fakes[name] = fake
            here.wires[name] = await closing.enter_async_context(FaultProxy(fake.url))
        for name, speaker in speakers.items():
            stream = await closing.enter_async_context(speaker(here.fakes[name], beat_s=1.0))
            here.streams[name] = stream
            here.wires[f"{name} stream"] = await closing.enter_async_context(FaultProxy(stream.url))
        yield here


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_ten_minutes_of_trouble_leave_maps_of_all_exchanges_and_a_green_doctor(tmp_path: Path) -> None:
    await ten_minutes(tmp_path, seconds=600.0, seed=7)


async def ten_minutes(folder: Path, *, seconds: float, seed: int) -> None:
    async with world() as here, FakeBotApi() as api:
        settings = here.settings | {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": api.url,
            "DATABASE_URL": f"sqlite:///{folder / 'liqwatch.db'}",
            "HISTORY_DAYS": 2,
        }
        async with bot(folder, settings) as running:
            await running.says("liqwatch runs", within_s=60)
            await maps_of_all(api, running, "before")
            for name in ("btc binance", "eth okx", "sol bybit", "btc hyperliquid"):
                await api.say(ADA, f"/watch {name.partition(' ')[2]}:{name.partition(' ')[0]} 1%")
            await eventually(lambda: answered(api, "Watching") >= 4, "all are watched", running, within_s=60)
            await trouble(here, random.Random(seed), seconds - LAST_CALM_S)
            assert running.alive, running.tail()
            await asyncio.sleep(LAST_CALM_S)
            await maps_of_all(api, running, "after")
            verdict = await doctor(folder, settings)
            running.process.send_signal(signal.SIGTERM)
            assert await running.ends(within_s=15) == 0, running.tail()
    assert "Traceback" not in running.err, running.tail()
    assert TOKEN.partition(":")[2] not in running.out + running.err + verdict
    assert running.err.count("\n") <= LONGEST_LOG, running.err
    told = re.findall(r"(\w+) is not heard: ", running.err)
    assert set(told) <= set(EXCHANGES)
    for name in set(told):
        assert running.err.rindex(f"{name} is heard again") > running.err.rindex(f"{name} is not heard"), name


async def maps_of_all(api: FakeBotApi, running: Running, when: str) -> None:
    """A map of each exchange, and one of all together."""
    for name in (*EXCHANGES, ""):
        wanted = len(api.asked("sendPhoto")) + 1
        await api.say(ADA, f"/map BTC {name}".strip())
        what = f"{when} the trouble: a map of {name or 'all'}"
        await eventually(partial(sent, api, wanted), what, running, within_s=90)


async def trouble(here: World, dice: random.Random, seconds: float) -> None:
    """Spoil one wire after the other, two at a time, each in every way."""
    until_s = asyncio.get_running_loop().time() + seconds

    async def spoil(names: Sequence[str]) -> None:
        ways = [(name, fault) for name in names for fault in (*Fault, *VENUE_FAULTS.get(name, ()))]
        dice.shuffle(ways)
        for name, fault in cycle(ways):
            long_s = dice.uniform(*SPOILED_S)
            if asyncio.get_running_loop().time() + long_s > until_s:
                return
            if isinstance(fault, Fault):
                here.wires[name].spoil(fault)
            else:
                here.fakes[name].fail(fault)
            here.wires[name].cut()
            await asyncio.sleep(long_s)
            here.wires[name].heal()
            if name in here.fakes:
                here.fakes[name].heal()
            here.wires[name].cut()

    names = list(here.wires)
    await asyncio.gather(spoil(names[::2]), spoil(names[1::2]))


async def doctor(folder: Path, settings: dict[str, object]) -> str:
    """What `liqwatch doctor` says; nothing of it is a failure."""
    command = (sys.executable, "-m", "bot", "doctor")
    running = await Running.start(*command, name="doctor", folder=folder, cwd=folder, env=environment(settings))
    assert await running.ends(within_s=60) == 0, running.tail()
    lines = running.out.splitlines()
    assert not [line for line in lines if line.startswith("fail")], running.out
    for name in EXCHANGES:
        assert any(line.startswith(f"ok    {name}: ") for line in lines), running.out
    assert sum(" stream: heard" in line for line in lines) == 3, running.out
    return running.out


def sent(api: FakeBotApi, pictures: int) -> bool:
    return len(api.asked("sendPhoto")) >= pictures


def answered(api: FakeBotApi, words: str) -> int:
    return sum(words in (entry.text or "") for entry in api.deliveries)
