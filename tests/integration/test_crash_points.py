"""A real process killed with SIGKILL at each named point, then started again: nothing lost, no unmarked copy."""

import json
import multiprocessing
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from bot.storage.errors import DatabaseInUseError
from bot.storage.lock import FileLock
from tests.integration import crash_subject
from tests.integration.crash_subject import CHATS, POINTS, SLOTS, TRACKS
from tests.postgres.kinds import bare_sqlite_only
from tests.unit.storage.full_tables import stored

PATIENCE = "while the server asks for patience"
# The points after which nobody can know whether the message arrived.
UNSURE = {"before the request", "after the request", "after the answer, before it is stored"}


class Lives:
    """One database and one server's memory, through as many processes as it takes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.server = folder / "server.jsonl"
        self.context: ForkServerContext = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.integration.crash_subject", "bot.storage.database"])

    def start(self, point: str = "") -> BaseProcess:
        arguments = (self.url, self.server, point)
        process = self.context.Process(target=crash_subject.live, args=arguments, daemon=True)
        process.start()
        return process

    def live(self, point: str = "") -> int | None:
        process = self.start(point)
        process.join(30)
        return process.exitcode

    def rows(self) -> list[dict[str, Any]]:
        return sorted(stored(self.url)["outbox"], key=lambda row: row["id"])

    def under_way(self) -> bool:
        """Whether a request was on its way when the last process ended."""
        return any(row["state"] == "sending" for row in self.rows())

    def arrived(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.server.read_text().splitlines()] if self.server.exists() else []

    def check(self) -> int:
        """Hold the invariants; returns how many outcomes were unsure."""
        rows, arrived = self.rows(), self.arrived()
        assert len(rows) == len(CHATS) * SLOTS * len(TRACKS), "each event has one row"
        assert {row["state"] for row in rows} == {"sent"}, "nothing is lost"
        copies = Counter(key for item in arrived for key in item["keys"])
        unmarked = Counter(key for item in arrived for key in item["keys"] if not (item["repeat"] and item["silent"]))
        unsure = {row["id"]: row["unsure"] for row in rows}
        for row in rows:
            doubts = unsure[row["lead"] or row["id"]]
            assert 1 <= copies[row["dedupe_key"]] <= 1 + doubts, "a copy only where delivery was unknown"
            assert unmarked[row["dedupe_key"]] <= 1, "a second copy is marked and silent"
        assert any(row["lead"] for row in rows), "alerts of one moment are one message"
        for chat in CHATS:
            keys = list(dict.fromkeys(key for item in arrived if item["chat"] == chat for key in item["keys"]))
            assert keys == [row["dedupe_key"] for row in rows if row["chat"] == chat], "order in a chat holds"
            for track in TRACKS:
                episodes = [int(key.split(":")[4]) for key in keys if key.split(":")[3] == track]
                assert episodes == list(range(1, SLOTS + 1)), "episodes are the events"
        self.check_log(rows)
        return sum(row["unsure"] for row in rows)

    def check_log(self, rows: list[dict[str, Any]]) -> None:
        """Each event has its line in the decision log, and what is carried by another message is said to be."""
        lines = [(line["key"], line["lead"]) for line in stored(self.url)["decisions"] if line["key"]]
        log = dict(lines)
        keys = {row["id"]: row["dedupe_key"] for row in rows}
        assert len(lines) == len(rows)
        for row in rows:
            assert row["lead"] is None or log[row["dedupe_key"]] == keys[row["lead"]]


@pytest.fixture
def lives(bare_database_url: str, tmp_path: Path) -> Iterator[Lives]:
    yield Lives(bare_database_url, tmp_path)
    for child in multiprocessing.active_children():
        child.kill()
        child.join()


def test_an_undisturbed_life_sends_each_message_once(lives: Lives) -> None:
    assert lives.live() == 0
    assert lives.check() == 0
    assert sum(len(item["keys"]) for item in lives.arrived()) == len(CHATS) * SLOTS * len(TRACKS)
    assert len(lives.arrived()) <= len(CHATS) * SLOTS


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_each_point_loses_nothing_and_repeats_only_what_is_unsure(lives: Lives, point: str) -> None:
    assert lives.live(point) == -signal.SIGKILL
    # On a machine that is late, a chat's wait may be over, and its next request on its way, by the time of the kill.
    expected = lives.under_way() if point == PATIENCE else point in UNSURE
    assert lives.live() == 0
    unsure = lives.check()
    assert (unsure > 0) == expected
    assert unsure <= len(CHATS)


@bare_sqlite_only
def test_the_same_point_again_and_again_ends_well_too(lives: Lives) -> None:
    for _ in range(3):
        assert lives.live("after the request") == -signal.SIGKILL
    assert lives.live() == 0
    assert lives.check() >= 3


@bare_sqlite_only
def test_kills_at_random_moments_lose_nothing(lives: Lives) -> None:
    chance = random.Random(20251010)
    for _ in range(12):
        process = lives.start()
        time.sleep(chance.uniform(0.02, 0.5))
        process.kill()
        process.join()
    assert lives.live() == 0
    lives.check()


@bare_sqlite_only
def test_a_second_process_on_the_same_file_is_refused_and_a_killed_one_frees_it(lives: Lives) -> None:
    path = Path(make_url(lives.url).database or "")
    lives.live("after the claim")
    lock = FileLock(path)
    assert lives.live() == 1
    with pytest.raises(DatabaseInUseError):
        FileLock(path)
    lock.release()
    assert lives.live() == 0
    lives.check()
