"""The server's keeper: `python -m tests.postgres.server` runs a PostgreSQL until its stdin ends, then removes it.

Whoever started it holds the other end of stdin, so that the server ends with them however they end. A line on stdout
tells the folder of its socket once it answers; a reason and the exit code 3 tell that there is none to be had. The
lines `stop` and `start` on stdin do so, each answered by one line.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

USER = "postgres"
"""The superuser of the server, whatever the machine's users are called."""
_START_S = 60.0
_ROOM = 2**30
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "max_connections": "60",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "logging_collector": "off",
}


GUARDED = "guarded"
"""Whoever logs in under this name needs the password that the role was given."""
_WHO = f"local all {GUARDED} scram-sha-256\nlocal all all trust\n"


class NoServerError(Exception):
    """This machine has no PostgreSQL that could be started; says why."""


def find_binary(name: str) -> Path:
    """A program of PostgreSQL: on PATH, or where Debian puts the newest. Raises NoServerError."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: _number(path.parts[-3]))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if found is None:
        raise NoServerError(f"PostgreSQL is not installed: no {name} on PATH nor in /usr/lib/postgresql/*/bin")
    return Path(found)


def _number(version: str) -> int:
    return int(version) if version.isdigit() else 0


def as_whom() -> dict[str, Any]:
    """How a subprocess becomes a user that PostgreSQL accepts: it refuses root."""
    if os.name != "posix":
        raise NoServerError("PostgreSQL is started for tests on POSIX systems only")
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NoServerError("PostgreSQL refuses root, and there is neither a user postgres nor nobody to run it as")


def serve() -> None:
    """Make a cluster in memory where there is room, run it until stdin ends, and leave nothing behind."""
    whom, initdb, postgres = as_whom(), find_binary("initdb"), find_binary("postgres")
    folder = Path(tempfile.mkdtemp(prefix="liqwatch-pg-", dir=_memory()))
    try:
        if whom:
            os.chown(folder, whom["user"], whom["group"])
        data = folder / "data"
        made = subprocess.run(
            [initdb, "-D", data, "-U", USER, "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            **whom,
        )
        if made.returncode != 0:
            raise NoServerError(f"initdb failed: {made.stderr.strip()}")
        (data / "pg_hba.conf").write_text(_WHO)
        _run(postgres, data, folder, whom)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """Where files are in memory, if there is room for a server."""
    memory = Path("/dev/shm")  # noqa: S108 (a folder of its own is made in it)
    return memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM else None


def _run(postgres: Path, data: Path, folder: Path, whom: dict[str, Any]) -> None:
    server = _start(postgres, data, folder, whom)
    try:
        _say(str(folder))
        for line in sys.stdin:
            if line.strip() == "stop":
                _stop(server, signal.SIGINT)
            elif server.poll() is not None:
                server = _start(postgres, data, folder, whom)
            _say("done")
    finally:
        # At once: what is in it is thrown away.
        _stop(server, signal.SIGQUIT)


def _start(postgres: Path, data: Path, folder: Path, whom: dict[str, Any]) -> "subprocess.Popen[bytes]":
    settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(
            [postgres, "-D", data, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            **whom,
        )
    try:
        _wait_until_ready(server, data / "postmaster.pid", folder / "log")
    except BaseException:
        _stop(server, signal.SIGQUIT)
        raise
    return server


def _stop(server: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    server.send_signal(how)
    server.wait(30)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _wait_until_ready(server: "subprocess.Popen[bytes]", status: Path, log: Path) -> None:
    """The last line of the server's own pid file says how it is; reading it needs no client."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        lines = status.read_text().splitlines() if status.exists() else []
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return
        time.sleep(0.02)
    raise NoServerError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:].strip()}")


if __name__ == "__main__":
    # Ctrl-C goes to the whole group of a terminal; the end of stdin is what counts here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        serve()
    except NoServerError as problem:
        sys.stdout.write(f"{problem}\n")
        sys.exit(3)
