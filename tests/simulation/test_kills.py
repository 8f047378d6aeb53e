"""kill -9 at random moments under load, with a strict Bot API server that takes its time.

Nothing is lost, and nothing doubled unmarked, neither alerts nor answers.
"""

import json
import multiprocessing
import random
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from tests.simulation import kill_subject
from tests.simulation.conftest import Note
from tests.simulation.kill_subject import CHATS

ROOT = Path(__file__).resolve().parents[2]
TALKERS = (101, 102, 103)
"""Chats that send commands and get no alerts, so that the order of alerts is told apart from answers."""


STARTS_CUT_SHORT = 0.2
"""The share of processes that are killed while they still start."""


class Server:
    """The fake Bot API as a process, and its control over HTTP."""

    def __init__(self, folder: Path) -> None:
        command = (sys.executable, "-m", "tests.fakes.bot_api", "--any-chat", "--latency-s", "0.04")
        self._errors = (folder / "server.err").open("wb")
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self._errors)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().decode().strip()

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/control/{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            return json.load(reply)["result"]

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()


@dataclass
class Lives:
    """One database and one server through as many processes as it takes."""

    folder: Path
    server: Server
    kills: int = 0
    in_flight: int = 0
    commands: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / "liqwatch.db"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.simulation.kill_subject"])

    def start(self, begun: Event | None) -> BaseProcess:
        arguments = (f"sqlite:///{self.path}", self.server.url, begun)
        process = self._context.Process(target=kill_subject.run, args=arguments, daemon=True)
        process.start()
        return process

    def kill_one(self, chance: random.Random) -> None:
        """Let a process live for a random moment, with commands coming in, and kill it."""
        begun = self._context.Event()
        process = self.start(begun)
        for _ in range(chance.randrange(3)):
            self.commands.append(1 + len(self.commands))
            self.server.ask("say", {"chat_id": chance.choice(TALKERS), "text": f"/do {self.commands[-1]}"})
        if chance.random() < STARTS_CUT_SHORT:
            time.sleep(chance.uniform(0.02, 0.5))
        else:
            assert begun.wait(30), "the process never came to work"
            time.sleep(chance.uniform(0.0, 0.6))
        process.kill()
        process.join()
        self.kills += 1
        self.in_flight += self.count("SELECT count(*) FROM outbox WHERE state = 'sending'")

    def make_good(self) -> None:
        process = self.start(None)
        process.join(120)
        assert process.exitcode == 0

    def count(self, statement: str) -> int:
        return int(self.rows(statement)[0][0])

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            return [(0,)]
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            return connection.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return [(0,)]
            raise
        finally:
            connection.close()

    def verdict(self) -> dict[str, int]:
        """What came of it all, from the server's memory and the database's."""
        arrived = [entry for entry in self.server.ask("journal") if entry["status"] == 200 and entry["text"]]
        alerts = [entry for entry in arrived if entry["chat_id"] in CHATS]
        answers = [entry for entry in arrived if entry["chat_id"] in TALKERS]
        keys = self.rows("SELECT dedupe_key, chat, unsure, state FROM outbox ORDER BY id")
        return {
            "kills": self.kills,
            "alerts decided": len(keys),
            "alerts delivered": len(alerts),
            "alerts lost": len({key for key, *_ in keys} - {bare(entry) for entry in alerts}),
            "alerts without an end": sum(state not in ("sent",) for *_, state in keys),
            "alerts never decided": len({bare(entry) for entry in alerts} - {key for key, *_ in keys}),
            "repeats, marked and silent": sum(is_marked(entry) for entry in alerts),
            "unmarked duplicates": unmarked_copies(alerts),
            "ambiguous": sum(unsure for _, _, unsure, _ in keys),
            "in flight at the kills": self.in_flight,
            "chats out of order": sum(self.is_disordered(chat, alerts, keys) for chat in CHATS),
            "commands": len(self.commands),
            "commands without effect": len(self.commands)
            - self.count("SELECT count(DISTINCT threshold_pct) FROM rules WHERE kind = 'growth'"),
            "commands done twice": self.count("SELECT count(*) FROM rules WHERE kind = 'growth'") - len(self.commands),
            "commands unanswered": len({f"done {number}" for number in self.commands} - {bare(e) for e in answers}),
            "answers repeated, marked": sum(is_marked(entry) for entry in answers),
            "answers doubled unmarked": unmarked_copies(answers),
        }

    def is_disordered(self, chat: int, alerts: list[dict[str, Any]], keys: list[tuple[Any, ...]]) -> bool:
        seen = list(dict.fromkeys(bare(entry) for entry in alerts if entry["chat_id"] == chat))
        return seen != [key for key, owner, *_ in keys if owner == chat]


def bare(entry: dict[str, Any]) -> str:
    return str(entry["text"]).removeprefix("Repeat: ")


def is_marked(entry: dict[str, Any]) -> bool:
    return str(entry["text"]).startswith("Repeat: ") and bool(entry["silent"])


def unmarked_copies(entries: list[dict[str, Any]]) -> int:
    """Copies beyond the first that do not say so."""
    plain = Counter((entry["chat_id"], bare(entry)) for entry in entries if not is_marked(entry))
    return sum(copies - 1 for copies in plain.values())


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Lives]:
    server = Server(tmp_path)
    yield Lives(tmp_path, server)
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
    server.end()


@pytest.mark.xdist_group("kills")
@pytest.mark.parametrize(
    "kills", [pytest.param(12, id="a dozen"), pytest.param(200, id="two hundred", marks=pytest.mark.soak)]
)
def test_kills_lose_nothing_and_double_nothing_unmarked(lives: Lives, kills: int, note_figures: Note) -> None:
    chance = random.Random(kills)
    for _ in range(kills):
        lives.kill_one(chance)
    lives.make_good()
    found = lives.verdict()
    note_figures("kill -9 under load", found)
    expected_none = (
        "alerts lost",
        "alerts without an end",
        "alerts never decided",
        "unmarked duplicates",
        "chats out of order",
        "commands without effect",
        "commands done twice",
        "commands unanswered",
        "answers doubled unmarked",
    )
    assert {name: found[name] for name in expected_none} == dict.fromkeys(expected_none, 0)
    assert found["alerts decided"] > 4 * kills, "the load is no load"
    assert found["ambiguous"] <= found["in flight at the kills"], "only what was being sent at a kill is in doubt"
    assert found["repeats, marked and silent"] <= found["ambiguous"]
