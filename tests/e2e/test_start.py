"""Starting and stopping `liqwatch run` as a process: what it says where something is wrong, and how it ends."""

import re
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.processes import Running, bot, eventually, free_port, listens
from tests.fakes.binance import FakeBinance
from tests.fakes.bot_api import TOKEN, FakeBotApi
from tests.shared import SHARED, needs_shared

ADA = 42
DECEMBER_20_MS = 1_766_188_800_000

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("e2e-start")]


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


def nowhere() -> str:
    """A loopback address where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def to(api: FakeBotApi, exchange: str | None = None) -> dict[str, object]:
    """The settings of a bot on this Bot API server and this exchange."""
    exchange = exchange or nowhere()
    return {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": api.url,
        "BINANCE_API_URL": exchange,
        "BINANCE_WEB_URL": exchange,
    }


async def refusal(running: Running, *, code: int) -> str:
    """The one sentence of a process that ended with `code`, and nothing else on either stream."""
    assert await running.ends(within_s=30) == code, running.tail()
    assert running.out == ""
    assert running.err.count("\n") == 1, running.err
    assert running.err.startswith("liqwatch: ")
    return running.err.removeprefix("liqwatch: ").rstrip("\n")


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("TICK_SECONDS", "fast", "a number of seconds from 0.5 to 60"),
        ("TELEGRAM_BOT_TOKEN", "4711:secret", "the token @BotFather gave"),
        ("TELEGRAM_BOT_TOKEN_FILE", "no-such-file", "a readable file"),
    ],
)
async def test_a_wrong_setting_is_named_with_what_it_takes(tmp_path: Path, name: str, value: str, takes: str) -> None:
    async with bot(tmp_path, {name: value}) as running:
        said = await refusal(running, code=2)
    assert said.startswith(f"{name} takes ")
    assert takes in said
    assert value not in said


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_was(tmp_path: Path, api: FakeBotApi) -> None:
    database = tmp_path / "liqwatch.db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.execute("INSERT INTO alembic_version VALUES ('9999_from_the_future')")
    connection.commit()
    before = list(connection.iterdump())
    async with bot(tmp_path, to(api)) as running:
        said = await refusal(running, code=1)
    assert "newer Liqwatch" in said
    assert "9999_from_the_future" in said
    assert list(connection.iterdump()) == before
    connection.close()
    assert not api.requests, "nothing was asked of Telegram"


async def test_a_second_process_on_the_same_file_is_refused_and_the_first_goes_on(
    tmp_path: Path, api: FakeBotApi
) -> None:
    async with bot(tmp_path, to(api), name="first") as first:
        await first.says("liqwatch runs", within_s=30)
        async with bot(tmp_path, to(api), name="second") as second:
            said = await refusal(second, code=1)
        assert f"in use by another Liqwatch (process {first.process.pid})" in said
        await api.say(ADA, "/start")
        await reads(api, "Liqwatch tells you", first)
        await stops(first, signal.SIGTERM)


async def test_a_token_that_telegram_refuses_ends_it_with_one_sentence(tmp_path: Path, api: FakeBotApi) -> None:
    secret = "AAEnotTheTokenOfAnybody_0123456789-x"
    async with bot(tmp_path, to(api) | {"TELEGRAM_BOT_TOKEN": f"987654321:{secret}"}) as running:
        assert await running.ends(within_s=30) == 1, running.tail()
    *_, last = running.err.splitlines()
    assert last.startswith("liqwatch: ")
    assert "TELEGRAM_BOT_TOKEN" in last
    assert secret not in running.out + running.err
    assert "Traceback" not in running.err


async def test_a_dead_exchange_is_named_once_and_people_are_told(tmp_path: Path, api: FakeBotApi) -> None:
    url = nowhere()
    async with bot(tmp_path, to(api, url)) as running:
        await api.say(ADA, "/start")
        await reads(api, "Liqwatch tells you", running)
        await api.say(ADA, "/map BTC")
        await reads(api, "No map of BTC now. The exchange does not answer.", running)
        await api.say(ADA, "/watch BTC 1%")
        await reads(api, "BTC is not watched yet", running)
        await running.says(f"no exchange answers (binance at {url})", within_s=30)
        assert "SIMULATED" not in running.out + running.err
        await stops(running, signal.SIGTERM)
    assert "Traceback" not in running.err
    assert TOKEN.partition(":")[2] not in running.out + running.err


@needs_shared
async def test_an_exchange_that_comes_late_dies_and_comes_back_is_taken_up_without_help(
    tmp_path: Path, api: FakeBotApi
) -> None:
    port = free_port()
    settings = to(api, f"http://127.0.0.1:{port}") | {"TICK_SECONDS": 0.5}
    async with bot(tmp_path, settings) as running:
        await running.says("no exchange answers", within_s=30)
        async with FakeBinance(SHARED / "recordings", ["BTCUSDT"], at_ms=DECEMBER_20_MS, port=port) as exchange:
            await running.says("watching contracts=1", within_s=45)
            await api.say(ADA, "/map BTC")
            await eventually(lambda: api.asked("sendPhoto"), "the map is sent", running, within_s=30)
            await api.say(ADA, "/watch BTC 1%")
            await reads(api, "Watching BTC", running)
            exchange.fail("down")
            await running.says("binance is not heard", within_s=30)
            await api.say(ADA, "/rules")
            await reads(api, "rules 1/25", running)
            exchange.heal()
            await running.says("binance is heard again", within_s=30)
            await stops(running, signal.SIGINT)
    for once in ("no exchange answers", "binance is not heard", "binance is heard again"):
        assert running.err.count(once) == 1, once
    assert "Traceback" not in running.err


@needs_shared
async def test_what_waits_at_telegram_is_answered_when_the_contracts_are_known(tmp_path: Path, api: FakeBotApi) -> None:
    async with FakeBinance(SHARED / "recordings", ["BTCUSDT"], at_ms=DECEMBER_20_MS) as exchange:
        exchange.slow_s = 1.0
        exchange.fail("slow", path="/fapi/v1/exchangeInfo", times=1)
        await api.say(ADA, "/watch BTC 1%")
        async with bot(tmp_path, to(api, exchange.url)) as running:
            await eventually(lambda: api.deliveries, "the command is answered", running, within_s=30)
            assert "Watching BTC" in (api.deliveries[0].text or "")
            await stops(running, signal.SIGTERM)


async def test_a_telegram_that_comes_late_is_taken_up_with_what_waits_there_and_the_menu_is_set(tmp_path: Path) -> None:
    async with FakeBotApi() as api:
        await api.close_port()
        async with bot(tmp_path, to(api)) as running:
            await running.says("Telegram cannot be reached", within_s=30)
            await api.open_port()
            await api.say(ADA, "/help")
            await reads(api, "What you can send", running)
            await eventually(lambda: api.asked("setMyCommands"), "the menu is set", running, within_s=30)
            await stops(running, signal.SIGTERM)
    assert "Traceback" not in running.err


async def test_a_running_bot_tells_its_health_and_its_figures_and_sigterm_ends_both(
    tmp_path: Path, api: FakeBotApi
) -> None:
    port = free_port()
    async with bot(tmp_path, to(api) | {"METRICS_PORT": port}) as running, aiohttp.ClientSession() as session:
        await running.says("health is told", within_s=30)
        await api.say(ADA, "/start")
        await reads(api, "Liqwatch tells you", running)
        async with session.get(f"http://127.0.0.1:{port}/healthz") as reply:
            assert (reply.status, await reply.json()) == (200, {"status": "ok", "troubles": []})
        async with session.get(f"http://127.0.0.1:{port}/metrics") as reply:
            page = await reply.text()
        assert 'liqwatch_messages_total{outcome="dead"} 0.0' in page
        assert 'liqwatch_price_age_seconds{exchange="binance"} NaN' in page
        assert TOKEN.partition(":")[2] not in page
        await stops(running, signal.SIGTERM)
        assert not listens(port)


async def test_a_metrics_port_that_is_taken_ends_it_with_one_sentence(tmp_path: Path, api: FakeBotApi) -> None:
    async with bot(tmp_path, to(api) | {"METRICS_PORT": api.port}) as running:
        said = await refusal(running, code=1)
    assert f"METRICS_PORT {api.port} on 127.0.0.1 cannot be served" in said


async def test_ctrl_c_while_it_waits_for_an_exchange_ends_it_at_once(tmp_path: Path) -> None:
    exchange = nowhere()
    async with bot(tmp_path, {"BINANCE_API_URL": exchange, "BINANCE_WEB_URL": exchange}) as running:
        await running.says("no answer yet from binance", within_s=30)
        running.process.send_signal(signal.SIGINT)
        assert await running.ends(within_s=3.5) == 0, "it does not wait for the simulation that nobody will see"


async def test_without_a_token_and_an_exchange_a_simulated_market_is_shown_with_an_alert_and_its_chart(
    tmp_path: Path,
) -> None:
    exchange = nowhere()
    async with bot(tmp_path, {"BINANCE_API_URL": exchange, "BINANCE_WEB_URL": exchange}) as running:
        minute = time.monotonic() + 60
        await running.says("no answer yet from binance", within_s=minute - time.monotonic())
        await running.says("SIMULATED MARKET: prices and positions", within_s=minute - time.monotonic())
        within_s = minute - time.monotonic()
        await eventually(lambda: charts(running.out), "an alert names its chart", running, within_s=within_s)
        [chart] = charts(running.out)[:1]
        assert (tmp_path / chart).read_bytes().startswith(b"\x89PNG")
        assert "SIMULATED" in alert_above(running.out, chart)
        await running.says("Watching SIMC", within_s=minute - time.monotonic())
        await stops(running, signal.SIGINT)
    assert running.out.count("Sample: ") == 1, "what an alert looks like is shown once"
    assert "Traceback" not in running.err
    assert running.err.count("\n") == 1, "said once that no exchange answers, and nothing else"


async def stops(running: Running, number: signal.Signals) -> None:
    running.process.send_signal(number)
    assert await running.ends(within_s=10) == 0, running.tail()


async def reads(api: FakeBotApi, words: str, running: Running) -> None:
    """Wait until a message in Ada's chat holds these words."""

    def there() -> bool:
        return any(words in (entry.text or "") for entry in api.deliveries)

    read = [entry.text for entry in api.deliveries]
    await eventually(there, f"{words!r} in the chat, after {read}", running, within_s=30)


def charts(out: str) -> list[str]:
    """The pictures that the terminal's messages name."""
    return re.findall(r"▣ (\S+\.png)", out)


def alert_above(out: str, chart: str) -> str:
    """The message that a picture belongs to."""
    return out[: out.index(chart)].rpartition("Liqwatch: ")[2]
