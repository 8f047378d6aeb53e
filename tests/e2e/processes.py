"""Processes under test: `liqwatch run` and the servers it talks to, each with its output in files."""

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = Path(sys.executable).with_name("lo-bot-api-emulator")
TAIL_LINES = 40


class Running:
    """A process that was started. Its output may be read while it runs and after it was killed."""

    def __init__(self, process: Process, folder: Path, name: str) -> None:
        self.process = process
        self.name = name
        self._out = folder / f"{name}.out"
        self._err = folder / f"{name}.err"

    @classmethod
    async def start(cls, *command: str | Path, name: str, folder: Path, cwd: Path, env: Mapping[str, str]) -> "Running":
        """Start a command; `name` is new for each start in a folder."""
        with (folder / f"{name}.out").open("xb") as out, (folder / f"{name}.err").open("xb") as err:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env=dict(env)
            )
        return cls(process, folder, name)

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def tail(self) -> str:
        """What a failure shows of this process."""
        lines = [*self.out.splitlines()[-TAIL_LINES:], "--- stderr", *self.err.splitlines()[-TAIL_LINES:]]
        return "\n".join([f"--- {self.name} (exit code {self.process.returncode})", *lines])

    async def says(self, words: str, *, within_s: float) -> None:
        """Wait until it has written these words. Fails at once where it ends without them."""
        await eventually(
            lambda: words in self.out + self.err or not self.alive, f"{words!r} is said", self, within_s=within_s
        )
        assert words in self.out + self.err, f"it ended without saying {words!r}\n{self.tail()}"

    async def ends(self, *, within_s: float) -> int:
        """The exit code."""
        try:
            async with asyncio.timeout(within_s):
                return await self.process.wait()
        except TimeoutError:
            raise AssertionError(f"it runs on after {within_s:g} s\n{self.tail()}") from None

    async def kill(self) -> None:
        """kill -9, where it still runs."""
        if self.alive:
            self.process.kill()
        await self.process.wait()


async def eventually(
    condition: Callable[[], object], what: str, *running: Running, within_s: float, every_s: float = 0.05
) -> None:
    """Wait for what no event tells of; a failure shows the ends of the processes' output."""
    end_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end_s:
            raise AssertionError("\n".join([f"not within {within_s:g} s: {what}", *(one.tail() for one in running)]))
        await asyncio.sleep(every_s)


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """The environment of somebody who set nothing but these; where liquidations are streamed, nobody answers."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TEMP") if name in os.environ}
    stream = {"BINANCE_STREAM_URL": "ws://127.0.0.1:9"}
    return kept | stream | {name: str(value) for name, value in settings.items()}


def free_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        return int(wire.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections on this loopback port."""
    with socket.socket() as wire:
        return wire.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def bot(folder: Path, settings: Mapping[str, object], *, name: str = "bot") -> AsyncIterator[Running]:
    """`liqwatch run` in `folder`, killed at the end where it still runs."""
    command = (sys.executable, "-m", "bot", "run")
    running = await Running.start(*command, name=name, folder=folder, cwd=folder, env=environment(settings))
    try:
        yield running
    finally:
        await running.kill()


@asynccontextmanager
async def fake(module: str, *arguments: object, folder: Path) -> AsyncIterator[str]:
    """A fake of tests.fakes as a process; gives the URL that it prints as its first line."""
    name = module.replace(".", "-")
    command = (sys.executable, "-m", f"tests.fakes.{module}", *map(str, arguments))
    running = await Running.start(*command, name=name, folder=folder, cwd=ROOT, env=environment({}))
    try:
        await running.says("http://", within_s=30)
        yield running.out.split()[0]
    finally:
        await running.kill()


@asynccontextmanager
async def emulator(journal: Path, *, folder: Path) -> AsyncIterator[str]:
    """The Bot API emulator as a process; gives its URL once it answers."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = (EMULATOR, "--port", str(port), "--enable-control", "--journal", journal)
    running = await Running.start(*command, name="emulator", folder=folder, cwd=folder, env=environment({}))
    try:
        await eventually(lambda: listens(port), "the emulator listens", running, within_s=30)
        yield url
    finally:
        await running.kill()
