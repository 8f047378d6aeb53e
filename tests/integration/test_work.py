"""The port for work, one contract for both queues: in memory, and PgQueuer in PostgreSQL."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from bot.alerts.types import Market
from bot.clock import SystemClock
from bot.storage.database import Database
from bot.storage.slots import Slot
from bot.work import BACK_FILL, BARS, RECOMPUTE, URGENCY, HereWork, Work
from tests.postgres.databases import PostgresServer

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.xdist_group("work")

LONG_S = 30.0
"""A time that passes only where something is wrong."""


class HurriedClock(SystemClock):
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


@pytest.fixture(scope="module")
def shared_url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.bare() as url:
        yield url


@pytest.fixture(params=["here", "postgresql"])
async def node(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Work]]:
    """Makes the queue as another process sees it: in memory there is one process alone."""
    if request.param == "here":
        here = HereWork(HurriedClock())
        yield lambda: here
        return
    from bot.storage.work_queue import WorkQueue

    url = request.getfixturevalue("shared_url")
    async with await Database.open(url):
        pass
    queues: list[WorkQueue] = []

    def another() -> WorkQueue:
        queues.append(WorkQueue(url, urgency=URGENCY, silent_s=1.0))
        return queues[-1]

    yield another
    for queue in queues:
        await queue.aclose()


class Doer:
    """Somebody who runs, and notes what was done; `fails` tells how often a job fails first."""

    def __init__(self, work: Work, *, at_once: int = 2, fails: int = 0) -> None:
        self.done: list[Slot] = []
        self.begun: list[Slot] = []
        self._fails = Counter[Slot]()
        self._most_fails = fails
        self.task = asyncio.create_task(work.run(dict.fromkeys(URGENCY, self._do), at_once=at_once))

    async def _do(self, slot: Slot) -> None:
        self.begun.append(slot)
        if self._fails[slot] < self._most_fails:
            self._fails[slot] += 1
            raise RuntimeError("the exchange is down")
        self.done.append(slot)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    end_s = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end_s, "it never came"
        await asyncio.sleep(0.02)


def slots(job: str, name: str, count: int) -> list[Slot]:
    """Jobs of markets that no other test has."""
    return [Slot(job, 300_000, Market("binance", f"{name}{number}USDT")) for number in range(count)]


async def test_a_job_offered_by_many_is_done_once(node: Callable[[], Work]) -> None:
    nodes = [node() for _ in range(3)]
    wanted = slots(RECOMPUTE, "ONCE", 20)
    new = await asyncio.gather(*(one.offer(wanted) for one in nodes for _ in range(2)))
    assert sum(new) == len(wanted)
    doers = [Doer(one) for one in nodes[:2]]
    await until(lambda: sum(len(doer.done) for doer in doers) >= len(wanted))
    assert await nodes[2].offer(wanted) == 0, "what was done is not offered again either"
    last = slots(RECOMPUTE, "LAST", 1)
    await nodes[0].offer(last)
    await until(lambda: any(last[0] in doer.done for doer in doers))
    for doer in doers:
        await doer.end()
    assert Counter(slot for doer in doers for slot in doer.done) == Counter([*wanted, *last])


async def test_a_job_keeps_what_it_is_of(node: Callable[[], Work]) -> None:
    work, wanted = node(), Slot(BACK_FILL, 1_766_188_800_000, Market("okx", "1000币USDT"))
    await work.offer([wanted])
    doer = Doer(work)
    await until(lambda: doer.done)
    await doer.end()
    assert doer.done == [wanted]


async def test_what_presses_is_done_first(node: Callable[[], Work]) -> None:
    work = node()
    await work.offer(slots(BACK_FILL, "SLOW", 4))
    await work.offer(slots(RECOMPUTE, "NEXT", 4))
    await work.offer(slots(BARS, "FAST", 4))
    doer = Doer(work, at_once=1)
    await until(lambda: len(doer.done) == 12)
    await doer.end()
    begun = [slot.job for slot in doer.begun]
    assert begun.index(RECOMPUTE) < begun.index(BACK_FILL)
    assert begun[:4] == [BARS] * 4


async def test_a_job_that_fails_is_tried_again_and_given_up_in_the_end(node: Callable[[], Work]) -> None:
    work = node()
    await work.offer(slots(RECOMPUTE, "TWICE", 1))
    doer = Doer(work, fails=1)
    await until(lambda: doer.done)
    await doer.end()
    assert len(doer.begun) == 2
    await work.offer(slots(RECOMPUTE, "NEVER", 1))
    failing = Doer(work, fails=1000)
    await until(lambda: len(failing.begun) == 3)
    await asyncio.sleep(0.2)
    await failing.end()
    assert failing.begun == slots(RECOMPUTE, "NEVER", 1) * 3
    healthy, after = Doer(work), slots(RECOMPUTE, "AFTER", 1)
    await work.offer(after)
    await until(lambda: healthy.done)
    await healthy.end()
    assert healthy.done == after


async def test_whoever_stops_takes_nothing_more_and_ends_what_is_under_way(node: Callable[[], Work]) -> None:
    work, go_on, ended = node(), asyncio.Event(), list[Slot]()

    async def do(slot: Slot) -> None:
        await go_on.wait()
        ended.append(slot)

    wanted = slots(RECOMPUTE, "STOP", 6)
    await work.offer(wanted)
    running = asyncio.create_task(work.run(dict.fromkeys(URGENCY, do), at_once=2))
    await asyncio.sleep(0.5)
    running.cancel()
    await asyncio.sleep(0.1)
    go_on.set()
    await asyncio.gather(running, return_exceptions=True)
    assert len(ended) <= 2
    doer = Doer(work)
    await until(lambda: len(doer.done) + len(ended) >= len(wanted))
    await doer.end()
    assert set(ended) | set(doer.done) == set(wanted)


async def test_the_job_of_a_killed_process_is_taken_over_within_seconds(shared_url: str) -> None:
    from bot.storage.work_queue import WorkQueue

    async with await Database.open(shared_url):
        pass
    queue, wanted = WorkQueue(shared_url, urgency=URGENCY, silent_s=1.0), slots(RECOMPUTE, "TAKEN", 2)
    await queue.offer(wanted)
    command = (sys.executable, "-m", "tests.integration.work_subject", shared_url)
    subject = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert subject.stdout is not None
    taken = {(await asyncio.wait_for(subject.stdout.readline(), LONG_S)).decode().strip() for _ in wanted}
    assert taken == {slot.market.symbol for slot in wanted}
    doer = Doer(queue)
    await asyncio.sleep(1.5)
    assert doer.begun == [], "as long as its process lives it is left alone"
    subject.kill()
    await subject.wait()
    killed_s = time.monotonic()
    await until(lambda: len(doer.done) == len(wanted))
    assert time.monotonic() - killed_s < 10
    await doer.end()
    await queue.aclose()


async def test_a_queue_that_the_server_throws_out_goes_on_and_says_so_once(
    postgres: PostgresServer, shared_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    from bot.storage.work_queue import WorkQueue

    async with await Database.open(shared_url):
        pass
    queue, offering = (WorkQueue(shared_url, urgency=URGENCY, silent_s=1.0) for _ in range(2))
    before, after = slots(RECOMPUTE, "HEARD", 1), slots(RECOMPUTE, "AGAIN", 1)
    doer = Doer(queue)
    await offering.offer(before)
    await until(lambda: doer.done == before)
    postgres.run_text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'liqwatch jobs'",
        shared_url,
    )
    await offering.aclose()
    await offering.offer(after)
    await until(lambda: after[0] in doer.done)
    await doer.end()
    for each in (queue, offering):
        await each.aclose()
    told = [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR", "CRITICAL")]
    assert len(told) == 2, told
    assert told[0].startswith("no jobs are taken for now")
    assert told[1] == "jobs are taken again"
