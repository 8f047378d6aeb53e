"""deploy/liqwatch.service: what it names exists, and systemd itself finds nothing wrong with it where it is at hand."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.observation import Observation
from bot.service_manager import ServiceManager
from bot.settings import Settings
from bot.watchdog import JOB_LIMIT_S, LOOP_STALL_S

ROOT = Path(__file__).resolve().parents[3]
UNIT = ROOT / "deploy" / "liqwatch.service"
EXPOSURE_AT_MOST = 1.5

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


def values(name: str) -> list[str]:
    """What the unit says of a directive, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_every_variable_it_sets_is_a_setting() -> None:
    known = {name.upper() for name in Settings.model_fields} | {"MPLCONFIGDIR"}
    named = {assignment.partition("=")[0] for assignment in values("Environment")}
    assert named <= known
    assert {"DATABASE_URL", "TELEGRAM_BOT_TOKEN_FILE"} <= named


def test_the_token_comes_as_a_credential_and_stands_nowhere() -> None:
    assert values("LoadCredential") == ["token:/etc/liqwatch/token"]
    assert "TELEGRAM_BOT_TOKEN_FILE=%d/token" in values("Environment")
    assert not [line for line in values("Environment") if line.startswith("TELEGRAM_BOT_TOKEN=")]
    assert values("LimitCORE") == ["0"]


def test_the_database_lies_in_the_one_folder_that_is_its_own() -> None:
    [folder] = values("StateDirectory")
    assert f"DATABASE_URL=sqlite:///%S/{folder}/liqwatch.db" in values("Environment"), "%S begins with a slash"
    assert values("WorkingDirectory") == [f"%S/{folder}"]


def test_the_manager_waits_longer_than_the_bot_needs_to_notice_and_to_stop() -> None:
    assert values("Type") == ["notify"]
    [watchdog_s], [stop_s] = values("WatchdogSec"), values("TimeoutStopSec")
    assert float(watchdog_s) > LOOP_STALL_S
    assert float(watchdog_s) >= JOB_LIMIT_S["prices"]
    assert float(stop_s) > 10, "what is under way is finished within ten seconds"
    manager = ServiceManager.of({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": str(int(float(watchdog_s) * 1e6))})
    assert manager.beat_s <= float(watchdog_s) / 3
    assert Observation(Settings(_env_file=None), manager).watchdog.findings() == []


@needs_systemd
def test_systemd_takes_every_line_of_it(tmp_path: Path) -> None:
    program = tmp_path / "liqwatch"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    copy = tmp_path / "liqwatch.service"
    text = UNIT.read_text(encoding="utf-8")
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={program}", text), encoding="utf-8")
    done = analyze("verify", copy)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_it_leaves_little_exposed() -> None:
    done = analyze("security", "--offline=true", "--json=short", UNIT)
    assert done.returncode == 0, done.stderr
    figure = analyze("security", "--offline=true", UNIT).stdout
    found = re.search(r"Overall exposure level for liqwatch.service: ([\d.]+)", figure)
    assert found is not None, figure
    assert float(found[1]) <= EXPOSURE_AT_MOST
    open_doors = {one["name"] for one in json.loads(done.stdout) if one["set"] is False and one["exposure"]}
    assert open_doors <= {
        "RootDirectory=/RootImage=",
        "RestrictAddressFamilies=~AF_UNIX",
        "RestrictAddressFamilies=~AF_(INET|INET6)",
        "PrivateNetwork=",
        "DeviceAllow=",
        "IPAddressDeny=",
    }, "what a bot on the internet needs, and no more"
