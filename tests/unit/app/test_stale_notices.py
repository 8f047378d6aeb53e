"""An exchange that falls silent: who is told, once, also over a restart and a disk that is full."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.alerts.manners import QuietHours
from bot.alerts.reasons import Reason
from bot.alerts.types import Market, Rule
from bot.clock import StepClock
from bot.compose import Composer
from bot.doorbell import Doorbell
from bot.freshness import STALE_MS, Freshness
from bot.liquidation.combining import COMBINED
from bot.market.playback import PlaybackExchange
from bot.markets import Markets
from bot.pictures import PictureDesk
from bot.stale_notices import StaleNotices
from bot.telegram.limits import bare
from bot.telegram.texts import Catalogue
from tests.unit.app.scenes import START_MS, XYZ, FillingDisk, near

MINUTE = 60_000


@dataclass
class Rig:
    """Notices about two exchanges; each step is a check after some minutes, with the exchanges that then answer."""

    db: FillingDisk
    clock: StepClock
    rules: list[Rule]

    def __post_init__(self) -> None:
        self.queued = 0
        self.begin()

    def begin(self) -> None:
        exchanges = {name: PlaybackExchange(name, (), self.clock) for name in ("binance", "okx")}
        self.freshness = Freshness(exchanges)
        self.bell = Doorbell(self.db, per_hour=9)
        self.notices = StaleNotices(
            db=self.db, clock=self.clock, bell=self.bell, rules=lambda: self.rules, queued=self.count
        )

    def count(self) -> None:
        self.queued += 1

    async def restart(self) -> None:
        self.begin()
        await self.bell.restore(now_ms=self.clock.now_ms())
        await self.notices.restore(("binance", "okx"))

    async def after(self, minutes: float, *fresh: str) -> None:
        self.clock.step_to(self.clock.now_ms() + int(minutes * MINUTE))
        for name in fresh:
            self.freshness.take(name, self.clock.now_ms())
        await self.notices.check(self.freshness, ("binance", "okx"))

    async def told(self) -> list[str]:
        """What each message queued so far says, silent ones in brackets, and takes them off."""
        composer = Composer(
            db=self.db,
            markets=Markets(exchanges={}, db=self.db, history_days=1),
            pictures=PictureDesk(),
            catalogue=Catalogue.load(),
            clock=self.clock,
            simulated=frozenset(),
        )
        said = []
        while rows := await self.db.outbox.claim(self.clock.now_ms(), "test", 1_000, 10):
            for row in rows:
                message = await composer.compose(row)
                line = f"{row.chat} {' '.join(bare(message.text).splitlines())}"
                said.append(f"({line})" if message.silent else line)
                begun = await self.db.outbox.begin(row, now_ms=0, lease_ms=1)
                assert begun is not None
                await self.db.outbox.sent(begun, message_id=1, now_ms=0)
        return sorted(said)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        for chat in (1, 2):
            await db.chats.seen(chat, kind="private", now_ms=0)
        rules = [near(1.0, chat=1), near(2.0, chat=1), near(1.0, chat=2, market=Market("okx", "XYZUSDT"))]
        yield Rig(db, StepClock(START_MS), rules)


STALE = (
    "1 Binance data is stale since 00:00 UTC: alerts are paused. "
    "I tell you when it is back; nothing is judged on old prices."
)
BACK = (
    "(1 Binance data is back. It was stale since 00:00 UTC, for {}\N{NO-BREAK SPACE}min. "
    "What price touched in between and left again"
)


async def test_each_chat_of_the_exchange_is_told_once_that_it_is_stale_and_once_that_it_is_back(rig: Rig) -> None:
    await rig.after(0, "binance", "okx")
    await rig.after(5, "okx")
    assert await rig.told() == []
    await rig.after(0.1, "okx")
    assert await rig.told() == [STALE]
    await rig.after(30, "okx")
    assert await rig.told() == []
    await rig.after(1, "binance", "okx")
    assert await rig.told() == [f"{BACK.format(36)} is not told.)"]
    await rig.after(1, "binance", "okx")
    assert await rig.told() == []
    assert rig.queued == 2


async def test_a_second_silence_is_told_again(rig: Rig) -> None:
    for _ in range(2):
        await rig.after(0, "binance", "okx")
        await rig.after(6, "okx")
    assert len(await rig.told()) == 3


async def test_a_restart_neither_repeats_a_notice_nor_forgets_that_the_other_is_due(rig: Rig) -> None:
    await rig.after(0, "binance", "okx")
    await rig.after(6, "okx")
    assert await rig.told() == [STALE]
    await rig.restart()
    await rig.after(6, "okx")
    assert await rig.told() == []
    await rig.after(1, "binance", "okx")
    assert await rig.told() == [f"{BACK.format(13)} is not told.)"]
    await rig.restart()
    await rig.after(1, "binance", "okx")
    assert await rig.told() == []


async def test_what_could_not_be_stored_is_told_when_it_can(rig: Rig) -> None:
    await rig.after(0, "binance", "okx")
    rig.db.full = True
    await rig.after(6, "okx")
    rig.db.full = False
    assert await rig.told() == []
    await rig.after(1, "okx")
    assert await rig.told() == [STALE]


async def test_who_watches_all_exchanges_together_is_told_when_the_last_goes_and_when_the_first_is_back(
    rig: Rig,
) -> None:
    await rig.db.chats.seen(3, kind="private", now_ms=0)
    rig.rules[:] = [near(1.0, chat=3, market=Market(COMBINED, "XYZUSDT"))]
    await rig.after(0, "binance", "okx")
    await rig.after(6, "okx")
    assert await rig.told() == []
    await rig.after(6)
    assert await rig.told() == [STALE.replace("1 Binance", "3 OKX").replace("00:00", "00:06")]
    await rig.after(1, "binance")
    [back] = await rig.told()
    assert back.startswith("(3 Binance data is back.")
    await rig.after(1, "binance", "okx")
    assert await rig.told() == []


async def test_a_chat_in_its_quiet_hours_is_told_silently(rig: Rig) -> None:
    await rig.bell.set_quiet(1, QuietHours(23 * 60, 7 * 60, "UTC"), now_ms=START_MS)
    await rig.after(0, "binance", "okx")
    await rig.after(6, "okx")
    assert await rig.told() == [f"({STALE})"]


async def test_the_log_knows_from_when_to_when_the_data_was_stale(rig: Rig) -> None:
    await rig.after(0, "binance", "okx")
    await rig.after(6, "okx")
    await rig.after(1, "binance", "okx")
    log = await rig.db.decisions.of_exchange(XYZ.exchange, since_ms=START_MS)
    assert [(entry.reason, entry.time_ms, entry.until_ms) for entry in log] == [
        (Reason.BACK, START_MS + 7 * MINUTE, START_MS),
        (Reason.STALE, START_MS + 6 * MINUTE, START_MS),
    ]
    assert STALE_MS == 5 * MINUTE
