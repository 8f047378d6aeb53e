"""`python -m tests.scale --minutes 10`: workers, a sender and a standby on one PostgreSQL, killed at random.

Everything that the bot is made of is real and in processes of its own; the exchange and the Bot API are the fakes. Ends
with a table of what came of it, and with exit code 1 where an invariant does not hold.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from bot.alerts.types import Kind, Market, Rule
from bot.storage.database import Database
from tests.e2e.processes import Running, environment, eventually, fake
from tests.fakes.bot_api.server import TOKEN
from tests.postgres.databases import PostgresServer
from tests.scale.market import AT_MS, SYMBOLS, stage
from tests.scale.verdict import Killed, faults, judge, table
from tests.shared import SHARED

CHATS = range(1000, 1040)
TALKERS = (7, 8, 9)
RULES_EACH = 8
WORKERS = 3
PAUSE_S = (4.0, 12.0)
COMMAND_S = 5.0
CALM_S = 45.0
"""At the end nothing is killed: what is under way comes to its end."""


class Fleet:
    """The processes, by what they are; each start has a name of its own."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        self._folder = folder
        self._settings = settings
        self._starts = 0
        self.workers: list[Running] = []
        self.bots: list[Running] = []

    async def start(self, command: str) -> Running:
        self._starts += 1
        running = await Running.start(
            *(sys.executable, "-m", "bot", command),
            name=f"{command}-{self._starts}",
            folder=self._folder,
            cwd=self._folder,
            env=environment(self._settings),
        )
        (self.workers if command == "worker" else self.bots).append(running)
        return running

    @property
    def sender(self) -> Running | None:
        """The bot that sends, once it does."""
        return next((one for one in self.bots if "liqwatch runs" in one.err), None)

    @property
    def standby(self) -> Running | None:
        """A bot that waits; None while it still starts."""
        return next((one for one in self.bots if "standby: " in one.err and "liqwatch runs" not in one.err), None)

    async def kill(self, one: Running) -> None:
        assert one.alive, one.tail()
        await one.kill()
        (self.workers if one in self.workers else self.bots).remove(one)

    async def abandon(self) -> None:
        """Leave nothing running, whatever went wrong."""
        for one in (*self.workers, *self.bots):
            await one.kill()

    async def end(self) -> None:
        for one in (*self.workers, *self.bots):
            one.process.terminate()
        for one in (*self.workers, *self.bots):
            await one.ends(within_s=30)


class Phone:
    """People who type, and what the server remembers."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session
        self.commands: list[int] = []

    async def command(self, chance: random.Random) -> None:
        number = 200 + len(self.commands)
        self.commands.append(number)
        await self.ask("say", {"chat_id": chance.choice(TALKERS), "text": f"/watch BTC grow {number}% 24h"})

    async def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        url = f"{self._url}/control/{path}"
        call = self._session.get(url) if body is None else self._session.post(url, json=body)
        async with call as reply:
            assert reply.status == 200, await reply.text()
            return (await reply.json())["result"]


async def seed(url: str, chance: random.Random) -> None:
    """Rules of every distance, so that some come true at every moment."""
    async with await Database.open(url) as db:
        for chat in CHATS:
            for _ in range(RULES_EACH):
                market, within_pct = Market("binance", chance.choice(SYMBOLS)), round(chance.uniform(0.05, 4.0), 2)
                await db.rules.add(Rule(0, chat, market, Kind.PROXIMITY, threshold_pct=within_pct, min_strength=1))


async def kill_at_random(fleet: Fleet, chance: random.Random, killed: Killed, *, until_s: float) -> None:
    """kill -9 of one process after the other, each started again; a bot only while another stands by."""
    while time.monotonic() < until_s:
        await asyncio.sleep(chance.uniform(*PAUSE_S))
        role = chance.choice(("sender", "sender", "standby", "worker", "worker", "worker"))
        sender, standby = fleet.sender, fleet.standby
        if role == "sender" and sender is not None and standby is not None:
            await fleet.kill(sender)
            killed_s = time.time()
            await fleet.start("run")
            # The one that stood by, or under load the new one: whoever looks first.
            await eventually(lambda: fleet.sender, "another sends", *fleet.bots, within_s=60)
            if (follower := fleet.sender) is not None:
                killed.hand_overs_s.append(_said_s(follower, "this process sends") - killed_s)
                killed.at_work_s.append(_said_s(follower, "liqwatch runs") - killed_s)
        elif role == "standby" and sender is not None and standby is not None:
            await fleet.kill(standby)
            await fleet.start("run")
        elif role != "worker":
            continue  # the last kill's follower still starts
        else:
            await fleet.kill(chance.choice(fleet.workers))
            await fleet.start("worker")
        killed.roles[role] += 1
        print(f"{time.strftime('%X')} killed a {role}", flush=True)  # noqa: T201


def _said_s(running: Running, words: str) -> float:
    """When a process last said these words, by the time in its log."""
    line = next(line for line in reversed(running.err.splitlines()) if words in line)
    return datetime.fromisoformat(line.split()[0]).timestamp()


async def talk(phone: Phone, chance: random.Random) -> None:
    while True:
        await phone.command(chance)
        await asyncio.sleep(COMMAND_S)


async def run(folder: Path, *, minutes: float, seed_number: int) -> int:
    chance, killed = random.Random(seed_number), Killed()
    stage(SHARED / "recordings", folder / "recording", long_ms=round(minutes * 60_000))
    server = PostgresServer.start()
    try:
        with server.bare() as url:
            async with AsyncExitStack() as closing:
                binance = await closing.enter_async_context(
                    fake(
                        "binance",
                        f"--recording={folder / 'recording'}",
                        f"--symbols={','.join(SYMBOLS)}",
                        f"--at={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(AT_MS / 1000))}",
                        folder=folder,
                    )
                )
                api = await closing.enter_async_context(
                    fake("bot_api", "--any-chat", "--latency-s", "0.3", folder=folder)
                )
                phone = Phone(api, await closing.enter_async_context(aiohttp.ClientSession()))
                settings = {
                    "TELEGRAM_BOT_TOKEN": TOKEN,
                    "TELEGRAM_API_URL": api,
                    "BINANCE_API_URL": binance,
                    "BINANCE_WEB_URL": binance,
                    "DATABASE_URL": url,
                    "HISTORY_DAYS": 10,
                    "WARM_SYMBOLS": 0,
                    "ALERTS_PER_HOUR": 1000,
                    "ALERT_FRESH_MINUTES": 60,
                    "RULES_PER_CHAT": 1000,
                }
                await seed(url, chance)
                fleet = Fleet(folder, settings)
                closing.push_async_callback(fleet.abandon)
                for command in ("worker",) * WORKERS + ("run", "run"):
                    await fleet.start(command)
                await eventually(
                    lambda: fleet.sender and fleet.standby, "one sends and one waits", *fleet.bots, within_s=120
                )
                talking = asyncio.create_task(talk(phone, chance))
                await kill_at_random(fleet, chance, killed, until_s=time.monotonic() + minutes * 60)
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)
                await asyncio.sleep(CALM_S)
                await asyncio.to_thread(_settle, url)
                await fleet.end()
                journal = await phone.ask("journal")
            found = judge(
                lambda statement: _query(url, statement),
                journal,
                killed=killed,
                commands=phone.commands,
                talkers=TALKERS,
            )
    finally:
        server.stop()
    broken = faults(found)
    print(table(found))  # noqa: T201
    print("\n".join(["", *(f"BROKEN {words}" for words in broken)] if broken else ["", "every invariant holds"]))  # noqa: T201
    return 1 if broken else 0


def _settle(url: str) -> None:
    """Wait until every message has its end and every command is done, a minute at most: repeats wait some seconds."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s and _query(url, _UNDER_WAY):
        time.sleep(0.5)


_UNDER_WAY = (
    "(SELECT 1 FROM outbox WHERE done_ms IS NULL AND held = 0 LIMIT 1)"
    " UNION ALL (SELECT 1 FROM updates WHERE handled_ms IS NULL LIMIT 1)"
)


def _query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        return connection.execute(statement.encode()).fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", action="store_true", help="leave the processes' logs in their folder, and name it")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="liqwatch-scale-"))
    code = asyncio.run(run(folder, minutes=options.minutes, seed_number=options.seed))
    if options.keep or code:
        print(f"logs: {folder}")  # noqa: T201
    raise SystemExit(code)


if __name__ == "__main__":
    main()
