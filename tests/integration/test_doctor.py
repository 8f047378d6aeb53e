"""`liqwatch doctor`, `migrate` and the live `map`, against servers that answer, refuse, or are not there."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.alerts.types import Kind, Market, Rule
from bot.clock import SystemClock
from bot.doctor import examine
from bot.failures import FailedError, UsageError
from bot.health import Health
from bot.health_server import health_server
from bot.market.recording_writer import RecordingWriter
from bot.market.simulator import SimulatedMarket, simulate
from bot.market.simulator_parameters import SimulationParameters
from bot.market.types import BAR_MS, Bars
from bot.migrate_command import migrate_database
from bot.one_map import MapRequest, make_map
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.errors import CannotOpenError, DatabaseInUseError
from bot.storage.outbox import OutboxRow
from tests.fakes.binance import FakeBinance
from tests.fakes.bot_api import TOKEN, FakeBotApi
from tests.fakes.live_stream import BinanceLiveStream
from tests.postgres.databases import PostgresServer
from tests.unit.app.scenes import near

NOWHERE = "http://127.0.0.1:9"
DAY_MS = 86_400_000
WRONG_TOKEN = "987654321:" + "BB_another_token_that_nobody_gave_000"


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return simulate(SimulationParameters(days=2, warmup_days=1, lots_per_bar=6, tick_s=60, seed=5))


@pytest.fixture(scope="module")
def recording(market: SimulatedMarket, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated market under the name of a real one."""
    folder = tmp_path_factory.mktemp("recording")
    writer = RecordingWriter(folder, "binance")
    writer.bars("BTCUSDT", market.bars)
    writer.open_interest("BTCUSDT", market.open_interest)
    return folder


@pytest.fixture
async def binance(recording: Path, market: SimulatedMarket) -> AsyncIterator[FakeBinance]:
    at_ms = int(market.bars.open_ms[0]) + 2 * DAY_MS - 3_600_000
    async with FakeBinance(recording, ["BTCUSDT"], at_ms=at_ms) as fake:
        yield fake


@pytest.fixture
def settings(tmp_path: Path) -> "Setter":
    return Setter(tmp_path)


class Setter:
    """Settings with a database of their own, and nothing reachable that is not named."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'liqwatch.db'}"

    def __call__(self, **values: Any) -> Settings:
        urls = {"binance_api_url": NOWHERE, "binance_web_url": NOWHERE, "telegram_api_url": NOWHERE}
        urls["binance_stream_url"] = "ws://127.0.0.1:9"
        return Settings(_env_file=None, **{"database_url": self.url, **urls, **values})

    def on(self, binance: FakeBinance, **values: Any) -> Settings:
        return self(binance_api_url=binance.url, binance_web_url=binance.url, **values)


async def examined(settings: Settings) -> tuple[int, list[str]]:
    lines: list[str] = []
    code = await examine(settings, print_line=lines.append, listen_s=0.5)
    assert all(line.startswith(("ok    ", "fail  ", "--    ")) for line in lines)
    assert all("\n" not in line for line in lines)
    return code, lines


async def test_all_is_well_where_everything_answers(settings: Setter, binance: FakeBinance) -> None:
    async with FakeBotApi() as api, BinanceLiveStream(binance) as stream:
        telegram = {"telegram_bot_token": TOKEN, "telegram_api_url": api.url}
        code, lines = await examined(settings.on(binance, binance_stream_url=stream.url, **telegram))
    assert code == 0
    assert lines[:2] == ["ok    settings are read", f"ok    database {settings.url}: 0 rules"]
    assert lines[2].startswith("ok    Telegram knows the bot as @")
    assert lines[3].startswith("ok    binance: 1 contracts, prices of 20")
    age = re.search(r"\((\d+\.\d) s old\), (\d+) of 1200 requests used in 60 s$", lines[3])
    assert age is not None
    assert (0 <= float(age[1]) < 60, int(age[2])) == (True, 11)
    assert re.fullmatch(r"ok    binance stream: heard after \d\.\d s, \d\.\d s late", lines[4])
    assert len(lines) == 5, "a line for each check"


async def test_a_stream_that_is_not_there_is_named_and_no_fault_of_the_bot(
    settings: Setter, binance: FakeBinance
) -> None:
    code, lines = await examined(settings.on(binance))
    assert code == 0
    assert re.match(r"fail  binance stream: .*Connect call failed", lines[-1])
    assert lines[-1].endswith("Check the network and BINANCE_STREAM_URL.")


async def test_a_stream_without_a_heart_beat_is_told_after_a_while(settings: Setter, binance: FakeBinance) -> None:
    async with BinanceLiveStream(binance) as stream:
        stream.fail("silence")
        code, lines = await examined(settings.on(binance, binance_stream_url=stream.url))
    assert code == 0
    assert lines[-1].startswith("fail  binance stream: no heart-beat within 0.5 s. Prices are asked for instead")


async def test_without_a_token_the_bot_can_run_in_the_terminal(settings: Setter, binance: FakeBinance) -> None:
    async with await Database.open(settings.url) as db:
        await db.rules.add(near(1.0))
    code, lines = await examined(settings.on(binance))
    assert code == 0
    assert lines[1] == f"ok    database {settings.url}: 1 rule"
    assert lines[2] == "--    no TELEGRAM_BOT_TOKEN: the bot will show its chat in the terminal"


async def test_an_exchange_that_does_not_answer_is_named(settings: Setter) -> None:
    code, lines = await examined(settings())
    assert code == 1
    assert lines[-2].startswith("fail  binance: ")
    assert "connection failed" in lines[-2]
    assert lines[-2].endswith("Check the network and BINANCE_API_URL.")
    assert lines[-1] == "fail  no exchange gives fresh prices"


async def test_an_exchange_that_refuses_this_place_is_named(settings: Setter, binance: FakeBinance) -> None:
    binance.fail("451")
    code, lines = await examined(settings.on(binance))
    assert code == 1
    assert lines[-2].startswith("fail  binance: ")


async def test_a_token_that_telegram_does_not_know_is_said_to_be_wrong_and_never_shown(
    settings: Setter, binance: FakeBinance
) -> None:
    async with FakeBotApi() as api:
        chosen = settings.on(binance, telegram_bot_token=WRONG_TOKEN, telegram_api_url=api.url)
        code, lines = await examined(chosen)
        assert code == 1
        assert lines[2].startswith("fail  Telegram does not accept TELEGRAM_BOT_TOKEN: ")
    assert lines[3].startswith("ok    binance"), "one failure does not hide what else works"
    assert WRONG_TOKEN.partition(":")[2] not in "\n".join(lines)


async def test_a_telegram_that_is_not_there_is_named(settings: Setter, binance: FakeBinance) -> None:
    code, lines = await examined(settings.on(binance, telegram_bot_token=TOKEN))
    assert code == 1
    assert lines[2].startswith(f"fail  Telegram at {NOWHERE} does not answer")
    assert lines[2].endswith("check the network and TELEGRAM_API_URL")
    assert TOKEN.partition(":")[2] not in "\n".join(lines)


async def test_a_database_in_use_is_a_running_bot_and_no_fault(settings: Setter, binance: FakeBinance) -> None:
    async with await Database.open(settings.url):
        code, lines = await examined(settings.on(binance))
        with pytest.raises(DatabaseInUseError, match="in use by another Liqwatch"):
            await migrate_database(settings())
    assert code == 0
    assert lines[1] == f"ok    database {settings.url} is in use, by a running bot"


async def test_it_finds_what_the_running_bot_tells_its_operators_and_its_health_page(
    settings: Setter, binance: FakeBinance
) -> None:
    binance.fail("451")
    chosen, clock = settings.on(binance, telegram_bot_token=TOKEN), SystemClock()
    async with await Database.open(chosen.database_url) as db:
        await db.outbox.add([OutboxRow("key", 1, {}, created_ms=clock.now_ms() - 700_000)])
        health = Health(db, clock, price_ages=lambda: {"binance": 500.0}, ears=lambda: "unreachable", standstills=list)
        await health.look()
        code, lines = await examined(chosen)
    app_finds = [re.sub(r"\d+", "N", str(finding)) for finding in health.findings()]
    doctor_finds = [re.sub(r"\d+", "N", line.removeprefix("fail  ")) for line in lines[-len(app_finds) :]]
    assert code == 1
    assert doctor_finds == app_finds
    assert app_finds == [
        "a message has waited N s to be delivered",
        "no exchange gives fresh prices",
        "Telegram is not heard (unreachable)",
    ]


async def test_what_a_running_bot_says_of_itself_is_told_too(settings: Setter, binance: FakeBinance) -> None:
    still = ["the event loop has stood still for 12 s"]
    async with await Database.open(settings.url):
        with health_server("127.0.0.1", 0, troubles=lambda: still, page=bytes) as port:
            code, lines = await examined(settings.on(binance, metrics_port=port))
    assert (code, lines[-1]) == (1, "fail  the running bot: the event loop has stood still for 12 s")


async def test_a_database_that_cannot_be_opened_is_named(
    tmp_path: Path, settings: Setter, binance: FakeBinance
) -> None:
    url = f"sqlite:///{tmp_path / 'nowhere' / 'liqwatch.db'}"
    code, lines = await examined(settings.on(binance, database_url=url))
    assert code == 1
    assert lines[1].startswith("fail  database: ")
    assert str(tmp_path / "nowhere") in lines[1]
    with pytest.raises(CannotOpenError):
        await migrate_database(settings(database_url=url))


async def test_migrate_makes_the_schema_and_can_be_run_again(settings: Setter) -> None:
    for _ in range(2):
        assert await migrate_database(settings()) == f"the database {settings.url} has this version's schema"
    async with await Database.open(settings.url) as db:
        assert await db.rules.all() == []


async def test_a_postgresql_is_told_with_its_version_and_size(
    settings: Setter, binance: FakeBinance, postgres: PostgresServer
) -> None:
    with postgres.ready() as url:
        _, lines = await examined(settings.on(binance, database_url=url))
    assert lines[1] == f"ok    database {url.partition('?')[0]}: 0 rules"
    assert re.match(r"ok    PostgreSQL \d+(\.\d+)+, UTF8, \d+\.\d MiB; how much space it has left", lines[2])


class TestLiveMap:
    """`liqwatch map` without a recording."""

    @staticmethod
    def request(symbol: str = "btc", **changes: Any) -> MapRequest:
        values = {"recording": None, "exchange": None, "at_ms": None, "range_ms": None, "png": None, "json": True}
        return MapRequest(symbol=symbol, **{**values, **changes})

    async def test_the_map_is_of_now(self, settings: Setter, binance: FakeBinance) -> None:
        [line] = await make_map(self.request(exchange="binance"), settings.on(binance))
        found = json.loads(line)
        assert (found["symbol"], found["exchange"]) == ("BTCUSDT", "binance")
        assert found["model"]["open_interest"] == "measured"
        assert 0 <= found["data"]["age_s"] <= 310
        assert {each["side"] for each in found["clusters"]} <= {"long", "short"}
        assert sum(found["bins"]["long_usd"]) > 0

    async def test_a_range_counts_less(self, settings: Setter, binance: FakeBinance) -> None:
        chosen = settings.on(binance)
        whole, part = [
            json.loads(next(await make_map(self.request(range_ms=range_ms), chosen)))["bins"]
            for range_ms in (None, 6 * 3_600_000)
        ]
        assert 0 < sum(part["long_usd"]) < sum(whole["long_usd"])

    async def test_an_unknown_symbol_names_the_nearest(self, settings: Setter, binance: FakeBinance) -> None:
        with pytest.raises(UsageError, match="no exchange lists 'BTX'; the nearest are BTCUSDT"):
            await make_map(self.request("BTX"), settings.on(binance))

    async def test_where_no_exchange_answers_that_is_said(self, settings: Setter, binance: FakeBinance) -> None:
        binance.fail("451")
        with pytest.raises(FailedError, match=r"no exchange answers \(binance\): check the network"):
            await make_map(self.request(), settings.on(binance))

    async def test_a_contract_without_bars_is_said_to_have_no_map(self, settings: Setter, binance: FakeBinance) -> None:
        binance.fail("451", path="/fapi/v1/klines")
        with pytest.raises(FailedError, match="there is no map of BTCUSDT now: exchange down"):
            await make_map(self.request(), settings.on(binance))


async def test_bars_that_are_missing_in_the_store_are_told(settings: Setter, binance: FakeBinance) -> None:
    now_ms = SystemClock().now_ms() // BAR_MS * BAR_MS
    async with await Database.open(settings.url) as db:
        await db.rules.add(
            Rule(0, 1, Market("binance", "BTCUSDT"), Kind.PROXIMITY, threshold_pct=1.0, created_ms=now_ms)
        )
        open_ms = now_ms - BAR_MS * np.array([9, 8, 7, 3, 2, 1], dtype=np.int64)
        ones = np.ones(6)
        bars = Bars(open_ms, ones, ones, ones, ones, ones, ones, ones)
        await db.series.save_bars({Market("binance", "BTCUSDT"): bars})
    _, lines = await examined(settings.on(binance))
    assert lines[2] == "--    BTCUSDT on binance: 3 of 9 bars are missing"
