"""A hundred thousand alerts at once, at Telegram's own limits, in virtual time: the rate is used, replies pass by."""

import asyncio
import math
import resource
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.delivery.limits import TOKEN_RATE, RateLimiter
from bot.delivery.messenger import Message, NotSentError
from bot.delivery.paced import PacedMessenger
from bot.delivery.worker import OutboxWorker
from bot.storage.outbox import Claimed, OutboxRow
from tests.fakes.bot_api.rates import Rates
from tests.fakes.bot_api.refusal import Refusal
from tests.fakes.faulty_disk import FaultyDisk
from tests.fakes.virtual_time import LoopClock, VirtualLoop
from tests.simulation.conftest import Note

ASKS_EVERY_S = 0.4
"""So often somebody asks for something meanwhile: 2.5 replies a second beside the alerts."""


class StrictTelegram:
    """A messenger that holds Telegram's limits to the millisecond and answers within a tenth of a second."""

    def __init__(self, clock: LoopClock) -> None:
        self.rates = Rates()
        self.delivered = 0
        self.first_s = self.last_s = 0.0
        self._clock = clock

    async def send(self, chat_id: int, message: Message) -> int:
        now_s = self._clock.monotonic()
        try:
            self.rates.count(chat_id, now_s)
        except Refusal as refusal:
            raise NotSentError("Too Many Requests", retry_after_s=1.0) from refusal
        await self._clock.sleep(0.08)
        self.delivered += 1
        self.first_s, self.last_s = self.first_s or now_s, now_s
        return self.delivered

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        await self.send(chat_id, message)

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        """Nobody taps."""


@dataclass(slots=True)
class Report:
    """What a run came to."""

    alerts: int
    delivered: int = 0
    refused: int = 0
    seconds: float = 0.0
    waits_s: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)

    @property
    def rate_share(self) -> float:
        """Messages a second of those that the limiter allows a token, replies included."""
        return (self.delivered - 1) / self.seconds / TOKEN_RATE

    @property
    def reply_p99_s(self) -> float:
        return sorted(self.waits_s)[math.ceil(0.99 * len(self.waits_s)) - 1]

    def figures(self) -> dict[str, float]:
        return {
            "alerts queued at once": self.alerts,
            "messages delivered, replies included": self.delivered,
            "virtual seconds": round(self.seconds),
            "% of the allowed rate": round(100 * self.rate_share, 1),
            "refusals (429)": self.refused,
            f"s from question to reply, p99 of {len(self.waits_s)}": round(self.reply_p99_s, 3),
            "MB more memory at the end than after a tenth": round(self.rss_mb[-1] - self.rss_mb[0], 1),
        }


async def flood(folder: Path, *, alerts: int, chats: int) -> Report:
    """Queue so many alerts for so many chats at once, and send them while people ask."""
    disk = FaultyDisk((await _prepared(folder)), inline=True, synced=False)
    clock = LoopClock()
    telegram, report = StrictTelegram(clock), Report(alerts)
    limiter = RateLimiter(clock)
    worker = OutboxWorker(db=disk.db, messenger=telegram, compose=_compose, clock=clock, limiter=limiter)
    rows = [OutboxRow(f"key-{n}", 1 + n % chats, {"n": n}, created_ms=clock.now_ms()) for n in range(alerts)]
    for start in range(0, alerts, 5_000):
        await disk.db.outbox.add(rows[start : start + 5_000])
    del rows
    paced = PacedMessenger(telegram, limiter)
    sending = asyncio.create_task(worker.run())
    asking = asyncio.create_task(_ask(paced, clock, report))
    milestone = alerts // 10
    while await disk.db.outbox_desk.waiting():
        await clock.sleep(2.0)
        if telegram.delivered >= milestone:
            milestone += alerts // 10
            report.rss_mb.append(_rss_mb())
    report.delivered, report.seconds = telegram.delivered, telegram.last_s - telegram.first_s
    asking.cancel()
    await worker.stop()
    await sending
    report.refused = telegram.rates.refused
    assert (await disk.db.outbox.counts()) == {"sent": alerts}
    await disk.db.close()
    return report


async def _prepared(folder: Path) -> Path:
    disk = await FaultyDisk.open(folder, inline=True)
    await disk.db.close()
    return folder / "liqwatch.db"


async def _ask(paced: PacedMessenger, clock: LoopClock, report: Report) -> None:
    """People of other chats ask, whatever else goes on."""

    async def one(chat: int) -> None:
        asked_s = clock.monotonic()
        await paced.send(chat, Message("a map"))
        report.waits_s.append(clock.monotonic() - asked_s)

    number, replies = 0, set()
    while True:
        number += 1
        reply = asyncio.create_task(one(1_000_000 + number))
        replies.add(reply)
        reply.add_done_callback(replies.discard)
        await clock.sleep(ASKS_EVERY_S)


async def _compose(row: Claimed) -> Message:
    return Message(f"alert {row.id}")


def _rss_mb() -> float:
    """What this process holds now (Linux), else what it held at most."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@pytest.mark.parametrize(
    ("alerts", "chats"),
    [
        pytest.param(1_000, 250, id="a small flood"),
        pytest.param(100_000, 20_000, id="a hundred thousand", marks=[pytest.mark.soak, pytest.mark.timeout(3_000)]),
    ],
)
def test_a_flood_of_alerts_uses_the_rate_and_lets_replies_pass(
    tmp_path: Path, alerts: int, chats: int, note_figures: Note
) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        report = runner.run(flood(tmp_path, alerts=alerts, chats=chats))
    note_figures("A flood of alerts at Telegram's limits", report.figures())
    assert report.refused == 0, "we caused a 429"
    assert report.rate_share >= 0.95
    assert report.reply_p99_s < 1.0
    assert report.rss_mb[-1] - report.rss_mb[0] < 30, "memory is flat"
