"""Who sends, of several processes: turns at the lease, in virtual time."""

import asyncio
import random
import time
from dataclasses import dataclass, field

import pytest

from bot.clock import SystemClock
from bot.storage.errors import CannotOpenError
from bot.storage.leases import Lease
from bot.storage.nodes import Role
from bot.tenure import MARGIN_S, TIMES, Tenure, Times
from tests.fakes.virtual_time import LoopClock, in_virtual_time

HANDED_OVER_S = 10.0
"""What the operator is promised."""


@dataclass
class Row:
    """The lease as the database has it, by the loop's time."""

    epoch: int = 0
    holder: str = ""
    expires_s: float = 0.0


@dataclass
class FakeLeases:
    """One process' way to the row: `down` while the database does not answer it, `stuck` while it hangs."""

    row: Row
    down: bool = False
    stuck: bool = False

    async def take(self, name: str, holder: str, *, valid_ms: int) -> int | None:
        await self._answer()
        if self.now_s() < self.row.expires_s:
            return None
        self.row.epoch, self.row.holder, self.row.expires_s = self.row.epoch + 1, holder, self.now_s() + valid_ms / 1000
        return self.row.epoch

    async def renew(self, name: str, epoch: int, *, valid_ms: int) -> bool:
        await self._answer()
        if epoch == self.row.epoch:
            self.row.expires_s = self.now_s() + valid_ms / 1000
        return epoch == self.row.epoch

    async def release(self, name: str, epoch: int) -> None:
        await self._answer()
        if epoch == self.row.epoch:
            self.row.expires_s = 0.0

    async def look(self, name: str) -> Lease | None:
        await self._answer()
        return Lease(name, self.row.epoch, self.row.holder, round(1000 * max(0.0, self.row.expires_s - self.now_s())))

    async def _answer(self) -> None:
        if self.stuck:
            await asyncio.sleep(3600)
        if self.down:
            raise CannotOpenError("The database does not answer.")

    def now_s(self) -> float:
        return now_s()


class RealLeases(FakeLeases):
    """By the machine's own time, for whoever asks from another thread."""

    def now_s(self) -> float:
        return time.monotonic()


class FakeNodes(dict[str, Role]):
    async def beat(self, node: str, role: Role) -> None:
        self[node] = role

    async def leave(self, node: str) -> None:
        self.pop(node, None)


@dataclass
class Way:
    """A database as one process sees it."""

    leases: FakeLeases
    nodes: FakeNodes
    fenced: list[int] = field(default_factory=list)

    def fence(self, epoch: int) -> None:
        self.fenced.append(epoch)


@dataclass
class Process:
    """A process that notes when its turns begin and end; `drains_s` is how long it takes to end one."""

    name: str
    way: Way
    drains_s: float = 0.0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    turns: list[tuple[float, float]] = field(default_factory=list)
    began_s: float | None = None

    def __post_init__(self) -> None:
        self.tenure = Tenure(self.way, LoopClock(), self.name, apart=False)
        self.task = asyncio.create_task(self.tenure.serve(self.stop, self._serve))

    async def _serve(self, over: asyncio.Event) -> None:
        self.began_s = now_s()
        await over.wait()
        self.turns.append((self.began_s, now_s()))
        self.began_s = None
        await asyncio.sleep(self.drains_s)

    @property
    def serves(self) -> bool:
        return self.began_s is not None

    async def kill(self) -> None:
        """End it at once: what it held it cannot give back."""
        self.way.leases.down = True
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def end(self) -> None:
        self.stop.set()
        await self.task


def now_s() -> float:
    return asyncio.get_running_loop().time()


def two(drains_s: float = 0.0) -> tuple[Process, Process]:
    row, nodes = Row(), FakeNodes()
    return (
        Process("first", Way(FakeLeases(row), nodes), drains_s),
        Process("second", Way(FakeLeases(row), nodes)),
    )


@in_virtual_time
async def test_one_sends_and_the_other_waits_as_its_standby() -> None:
    first, second = two()
    await asyncio.sleep(120)
    assert first.began_s is not None
    assert (second.began_s, second.turns) == (None, [])
    assert first.way.nodes == {"first": "sender", "second": "standby"}
    assert (first.way.fenced, second.way.fenced) == ([1], [])
    await second.end()
    await first.end()


@in_virtual_time
async def test_a_killed_holder_is_followed_within_ten_seconds() -> None:
    first, second = two()
    await asyncio.sleep(31.4)
    await first.kill()
    killed_s = now_s()
    await asyncio.sleep(HANDED_OVER_S)
    assert second.began_s is not None
    assert killed_s + 2 < second.began_s < killed_s + 9
    assert second.way.fenced == [2]
    await second.end()


@in_virtual_time
async def test_a_holder_that_ends_in_peace_is_followed_at_once() -> None:
    first, second = two()
    await asyncio.sleep(30)
    await first.end()
    ended_s = now_s()
    await asyncio.sleep(HANDED_OVER_S)
    assert second.began_s is not None
    assert second.began_s - ended_s <= 1
    await second.end()


@in_virtual_time
async def test_a_holder_that_drains_keeps_its_lease_until_it_is_done() -> None:
    first, second = two(drains_s=60.0)
    await asyncio.sleep(30)
    ending = asyncio.create_task(first.end())
    await asyncio.sleep(59)
    assert (second.serves, first.tenure.may_send()) == (False, True)
    await ending
    await asyncio.sleep(1)
    assert (second.serves, first.tenure.may_send()) == (True, False)
    await second.end()


@in_virtual_time
async def test_a_holder_whose_database_is_gone_stops_before_its_lease_ends() -> None:
    first, second = two()
    await asyncio.sleep(30)
    expires_s = first.way.leases.row.expires_s
    first.way.leases.down = True
    await asyncio.sleep(20)
    [(_, stopped_s)] = first.turns
    assert stopped_s <= expires_s
    assert second.began_s is not None
    assert second.began_s >= expires_s
    assert not first.tenure.may_send()
    assert second.tenure.may_send()
    await second.end()
    first.way.leases.down = False
    await asyncio.sleep(2)
    assert first.began_s is not None, "it is a standby like any other"
    await first.end()


@in_virtual_time
async def test_a_renewal_that_hangs_ends_the_turn_before_the_lease_ends() -> None:
    first, second = two()
    await asyncio.sleep(30)
    first.way.leases.stuck = True
    expires_s = first.way.leases.row.expires_s
    await asyncio.sleep(TIMES.valid_ms / 1000 + 1)
    [(_, stopped_s)] = first.turns
    assert stopped_s <= expires_s - MARGIN_S + 0.01
    assert second.began_s is not None
    await second.end()
    first.task.cancel()
    await asyncio.gather(first.task, return_exceptions=True)


@in_virtual_time
async def test_a_short_trouble_of_the_database_costs_nothing() -> None:
    first, second = two()
    await asyncio.sleep(30)
    first.way.leases.down = True
    await asyncio.sleep(4)
    first.way.leases.down = False
    await asyncio.sleep(60)
    assert first.turns == []
    assert second.began_s is None
    await second.end()
    await first.end()


@in_virtual_time
async def test_no_two_ever_send_at_once_however_lines_fail() -> None:
    dice, row, nodes = random.Random(9), Row(), FakeNodes()
    processes = [Process(str(number), Way(FakeLeases(row), nodes), drains_s=dice.uniform(0, 3)) for number in range(4)]
    most = changes = 0
    for _ in range(4000):
        await asyncio.sleep(0.25)
        sending = [process.name for process in processes if process.tenure.may_send()]
        most = max(most, len(sending))
        if dice.random() < 0.05:
            leases = dice.choice(processes).way.leases
            leases.down = not leases.down
            changes += 1
    assert most == 1
    assert row.epoch > 20, "the lease went from hand to hand"
    for process in processes:
        await process.kill()


@in_virtual_time
async def test_what_a_turn_raises_ends_the_waiting_and_frees_the_lease() -> None:
    async def fail(over: asyncio.Event) -> None:
        raise RuntimeError("the token is refused")

    row = Row()
    tenure = Tenure(Way(FakeLeases(row), FakeNodes()), LoopClock(), "first", apart=False)
    with pytest.raises(RuntimeError, match="refused"):
        await tenure.serve(asyncio.Event(), fail)
    assert row.expires_s == 0.0


async def _until_over(over: asyncio.Event) -> None:
    await over.wait()


@in_virtual_time
async def test_what_runs_beside_the_waiting_ends_with_it() -> None:
    beats = list[float]()

    async def beat() -> None:
        while True:
            beats.append(now_s())
            await asyncio.sleep(1.0)

    first, second = two()
    standby = Tenure(second.way, LoopClock(), "third", beside=beat, apart=False)
    await second.end()
    stop = asyncio.Event()
    waiting = asyncio.create_task(standby.serve(stop, _until_over))
    await asyncio.sleep(30)
    assert len(beats) >= 30
    await first.end()
    await asyncio.sleep(1)
    heard = len(beats)
    await asyncio.sleep(30)
    assert len(beats) == heard
    stop.set()
    await waiting


async def test_a_loop_that_stands_still_does_not_lose_its_lease() -> None:
    row, stop, over_early = Row(), asyncio.Event(), list[bool]()

    async def serve(over: asyncio.Event) -> None:
        time.sleep(6.5)  # noqa: ASYNC251 - this is what is tested
        over_early.append(over.is_set() or row.expires_s < time.monotonic())
        stop.set()
        await over.wait()

    tenure = Tenure(
        Way(RealLeases(row), FakeNodes()), SystemClock(), "first", times=Times(valid_ms=6_000, renew_s=0.1, look_s=0.05)
    )
    await tenure.serve(stop, serve)
    assert over_early == [False]
    assert row.epoch == 1


async def test_a_loop_that_stands_still_for_too_long_gives_its_lease_up() -> None:
    row, stop, may_send = Row(), asyncio.Event(), list[bool]()

    async def serve(over: asyncio.Event) -> None:
        time.sleep(4.0)  # noqa: ASYNC251 - this is what is tested
        may_send.append(tenure.may_send())
        stop.set()
        await over.wait()

    tenure = Tenure(
        Way(RealLeases(row), FakeNodes()), SystemClock(), "first", times=Times(renew_s=0.1, look_s=0.05, stuck_s=0.3)
    )
    await tenure.serve(stop, serve)
    assert may_send == [False]
