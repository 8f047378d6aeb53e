"""`liqwatch run` under a service manager: a real process, a real socket."""

import signal
import socket
import tempfile
from pathlib import Path

import pytest

from tests.e2e.processes import bot, eventually, free_port
from tests.fakes.bot_api import TOKEN, FakeBotApi

pytestmark = [
    pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no unix sockets here"),
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("e2e-start"),
]


async def test_the_manager_hears_the_start_each_beat_and_the_stop(tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    heard: list[str] = []
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address := f"{folder}/notify")
        manager.setblocking(False)

        def says(line: str) -> bool:
            try:
                while True:
                    heard.extend(manager.recv(65_536).decode().split("\n"))
            except BlockingIOError:
                return any(one.startswith(line) for one in heard)

        async with FakeBotApi() as api:
            settings = {
                "TELEGRAM_BOT_TOKEN": TOKEN,
                "TELEGRAM_API_URL": api.url,
                "BINANCE_API_URL": nowhere,
                "BINANCE_WEB_URL": nowhere,
                "NOTIFY_SOCKET": address,
                "WATCHDOG_USEC": 1_500_000,
            }
            async with bot(tmp_path, settings) as running:
                await eventually(lambda: says("READY=1"), "it has started", running, within_s=60)
                heard.clear()
                await eventually(lambda: says("WATCHDOG=1"), "it beats", running, within_s=30)
                assert says("STATUS=0 markets watched"), heard
                running.process.send_signal(signal.SIGTERM)
                await eventually(lambda: says("STOPPING=1"), "it tells that it stops", running, within_s=30)
                assert await running.ends(within_s=30) == 0
