"""Notices what stands still: the event loop, watched by a thread of its own, and jobs that never end.

It says where they stand, and health is bad until they move. It ends nothing: half a job is worse than a slow one.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from types import FrameType
from typing import Any

from bot.jobs import Job
from bot.telegram.findings import Finding, Trouble

LOOP_STALL_S = 10.0
"""A loop that has not come round for so long is stuck: the slowest thing it does takes a tenth of a second."""

JOB_LIMIT_S = {"prices": 60.0, "hear": 60.0, "bars": 240.0}
OTHER_JOBS_S = 1_200.0

MUST_RUN_S = {"prices": 180.0}
"""A job that has not ended well for so long does not run, whatever the reason; ticks are at most a minute apart."""

BEAT_S = 0.5

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    name: str
    began_s: float
    task: "asyncio.Task[Any] | None"
    told: bool = False


class Watchdog:
    """`async with` it around the work: `beat` runs on the loop, a thread listens. `watched` wraps each job.

    `timed(job, seconds, well)` hears how long each run of a job took, and whether it ended without an error;
    `stalls` counts how often the loop stood still.
    """

    def __init__(
        self,
        *,
        timed: Callable[[str, float, bool], None] = lambda job, seconds, well: None,
        loop_stall_s: float = LOOP_STALL_S,
        job_limit_s: Callable[[str], float] = lambda name: JOB_LIMIT_S.get(name, OTHER_JOBS_S),
        must_run_s: Mapping[str, float] = MUST_RUN_S,
        beat_s: float = BEAT_S,
    ) -> None:
        self._timed = timed
        self._loop_stall_s = loop_stall_s
        self._job_limit_s = job_limit_s
        self._must_run_s = must_run_s
        self._well_s: dict[str, float] = {}
        self._beat_s = beat_s
        self._heard_s = time.monotonic()
        self._worst_lag_s = 0.0
        self._runs: dict[int, _Run] = {}
        self._stalled = False
        self.stalls = 0
        self._end = threading.Event()
        self._loop_thread = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Watch the loop of the calling thread, which must run `beat`, from another thread."""
        self._loop_thread, self._heard_s = threading.get_ident(), time.monotonic()
        self._end.clear()
        listener = threading.Thread(target=self._listen, name="watchdog", daemon=True)
        listener.start()
        try:
            yield
        finally:
            self._end.set()
            listener.join()

    async def beat(self) -> None:
        """Come round every half second, measure how late, and look at the jobs. Ends only when cancelled."""
        while True:
            due_s = time.monotonic() + self._beat_s
            await asyncio.sleep(self._beat_s)
            self._heard_s = time.monotonic()
            self._worst_lag_s = max(self._worst_lag_s, self._heard_s - due_s)
            for run in self._stuck():
                if not run.told:
                    run.told = True
                    where = "\n".join(waits_at(run.task))
                    log.error("The job %s has not ended in %d s; it waits at\n%s", run.name, self._age_s(run), where)

    def watched(self, name: str, job: Job) -> Job:
        """The job, with a note of when each of its runs began and when the last one ended well."""
        self._well_s[name] = time.monotonic()

        @wraps(job)
        async def run() -> None:
            noted = _Run(name, time.monotonic(), asyncio.current_task())
            self._runs[id(noted)] = noted
            well = False
            try:
                await job()
                self._well_s[name], well = time.monotonic(), True
            finally:
                del self._runs[id(noted)]
                self._timed(name, self._age_s(noted), well)
                if noted.told:
                    log.warning("The job %s has ended after all", name)

        return run

    def take_lag_s(self) -> float:
        """The worst lateness of the loop since this was last asked; what is going on now counts."""
        worst_s, self._worst_lag_s = self._worst_lag_s, 0.0
        return max(worst_s, self._silent_s() - self._beat_s, 0.0)

    def findings(self) -> list[Finding]:
        """What stands still now. May be asked from any thread."""
        silent_s = self._silent_s()
        stalled = [Finding(Trouble.LOOP_STILL, seconds=silent_s)] if silent_s > self._loop_stall_s else []
        stuck = [Finding(Trouble.JOB_STUCK, run.name, self._age_s(run)) for run in self._stuck()]
        names = {finding.subject for finding in stuck}
        return [*stalled, *stuck, *(finding for finding in self._idle() if finding.subject not in names)]

    def _idle(self) -> list[Finding]:
        """The jobs that should have run and did not."""
        now_s = time.monotonic()
        idle_s = {name: now_s - well_s for name, well_s in self._well_s.copy().items() if name in self._must_run_s}
        return [
            Finding(Trouble.JOB_SILENT, name, silent_s)
            for name, silent_s in idle_s.items()
            if silent_s > self._must_run_s[name]
        ]

    def _listen(self) -> None:
        while not self._end.wait(min(1.0, self._loop_stall_s / 4)):
            silent_s = self._silent_s()
            if silent_s > self._loop_stall_s and not self._stalled:
                self.stalls += 1
                frame = sys._current_frames().get(self._loop_thread)
                where = "".join(traceback.format_stack(frame)[-12:]) if frame else "an unknown place"
                log.critical("The event loop has stood still for %d s; it stands at\n%s", silent_s, where)
            elif self._stalled and silent_s <= self._loop_stall_s:
                log.warning("The event loop moves again")
            self._stalled = silent_s > self._loop_stall_s

    def _stuck(self) -> list[_Run]:
        return [run for run in list(self._runs.values()) if self._age_s(run) > self._job_limit_s(run.name)]

    def _silent_s(self) -> float:
        return time.monotonic() - self._heard_s

    def _age_s(self, run: _Run) -> float:
        return time.monotonic() - run.began_s


def waits_at(task: "asyncio.Task[Any] | None") -> list[str]:
    """The lines at which a task waits, outermost first; asyncio itself tells only the outermost."""
    lines: list[str] = []
    inner: Any = task.get_coro() if task is not None else None
    while isinstance(inner, Coroutine):
        frame: FrameType | None = getattr(inner, "cr_frame", None)
        if frame is not None:
            lines.append(f"  {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}")
        inner = getattr(inner, "cr_await", None)
    return lines or ["  an unknown place"]
