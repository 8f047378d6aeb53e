"""What a service manager hears, over a real socket."""

import asyncio
import logging
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.service_manager import BEATS_A_LIMIT, STATUS_EVERY_S, ServiceManager

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no unix sockets here")


class Systemd:
    """The manager's end of the wire."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.bind("\0" + address[1:] if address.startswith("@") else address)
        self._wire.setblocking(False)

    def close(self) -> None:
        self._wire.close()

    def heard(self) -> list[str]:
        """Every line that has arrived."""
        lines: list[str] = []
        while True:
            try:
                lines += self._wire.recv(65_536).decode().split("\n")
            except BlockingIOError:
                return lines


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest) -> Iterator[Systemd]:
    # A socket's path has room for 107 characters, which the folders of tests may need for themselves.
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/notify"
        with closing(Systemd(name if request.param == "path" else f"@liqwatch-test{folder}")) as manager:
            yield manager


def environment(systemd: Systemd, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": systemd.address, **more}


async def hear(manager: ServiceManager, systemd: Systemd, standstills: list[str]) -> list[str]:
    """One round of beats."""
    beating = asyncio.create_task(manager.beat(standstills=lambda: standstills, status=lambda: "3 markets watched"))
    await asyncio.sleep(0)
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    return systemd.heard()


async def test_it_hears_of_the_start_of_each_beat_and_of_the_end(systemd: Systemd) -> None:
    manager = ServiceManager.of(environment(systemd, WATCHDOG_USEC="60000000"))
    manager.ready()
    assert systemd.heard() == ["READY=1", "STATUS=started"]
    assert await hear(manager, systemd, []) == ["WATCHDOG=1", "STATUS=3 markets watched"]
    manager.stopping()
    assert systemd.heard()[0] == "STOPPING=1"


async def test_while_something_stands_still_it_hears_what_and_no_beat(systemd: Systemd) -> None:
    manager = ServiceManager.of(environment(systemd, WATCHDOG_USEC="60000000"))
    stuck = ["the job prices has not ended in 90 s", "another\nline"]
    assert await hear(manager, systemd, stuck) == ["STATUS=the job prices has not ended in 90 s; another line"]
    assert "WATCHDOG=1" in await hear(manager, systemd, []), "and beats again once it moves"


async def test_a_loop_that_stands_still_makes_no_beat(systemd: Systemd) -> None:
    manager = ServiceManager.of(environment(systemd, WATCHDOG_USEC="30000"))
    beating = asyncio.create_task(manager.beat(standstills=list, status=str))
    await asyncio.sleep(0)
    first = systemd.heard().count("WATCHDOG=1")
    standstill = asyncio.get_running_loop().time() + 0.1
    while asyncio.get_running_loop().time() < standstill:
        pass
    assert (first, systemd.heard()) == (1, [])
    beating.cancel()


@pytest.mark.parametrize(
    ("more", "beat_s"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77"}, 30 / BEATS_A_LIMIT),
        ({"WATCHDOG_USEC": "900000000"}, STATUS_EVERY_S),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "78"}, STATUS_EVERY_S),
        ({"WATCHDOG_USEC": "0"}, STATUS_EVERY_S),
        ({"WATCHDOG_USEC": "soon"}, STATUS_EVERY_S),
        ({}, STATUS_EVERY_S),
    ],
)
async def test_beats_come_thrice_as_often_as_it_asks(systemd: Systemd, more: dict[str, str], beat_s: float) -> None:
    manager = ServiceManager.of(environment(systemd, **more), pid=77)
    assert manager.beat_s == beat_s
    asked = more.get("WATCHDOG_PID", "77") == "77" and more.get("WATCHDOG_USEC", "0") not in ("0", "soon")
    assert ("WATCHDOG=1" in await hear(manager, systemd, [])) is asked


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "notify"])
async def test_without_a_manager_nobody_is_told_and_no_task_stays(address: str) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000"})
    manager.ready()
    await asyncio.wait_for(manager.beat(standstills=list, status=str), 1)
    manager.stopping()


async def test_a_manager_that_is_gone_is_no_fault_of_the_bot(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    manager.ready()
    manager.stopping()
    told = [record for record in caplog.records if "NOTIFY_SOCKET" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.WARNING], "said once"
