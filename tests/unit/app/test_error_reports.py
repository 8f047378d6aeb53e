"""What the log complains of reaches the operators once a kind, counted, and again after an hour if it goes on."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.error_reports import AGAIN_MS, KINDS_A_MESSAGE, MOST_KINDS, ErrorReports
from bot.log_counts import hearing
from bot.storage.database import Database
from bot.telegram.limits import TEXT_UNITS, utf16_length
from bot.telegram.notices import notice_message
from bot.telegram.texts import Catalogue
from tests.fakes.bot_api import TOKEN
from tests.fakes.bot_api.html import parse
from tests.fakes.clock import VirtualClock
from tests.fakes.faulty_disk import READ_ONLY, FaultyDisk
from tests.unit.storage.values import NOW

ADMINS = (7, 8)
MINUTE_MS = 60_000
log = logging.getLogger("bot.markets")


@dataclass
class Reported:
    """Reports on a database, heard from the process's real log."""

    db: Database
    clock: VirtualClock
    queued: int = 0
    reports: ErrorReports = field(init=False)

    def __post_init__(self) -> None:
        self.reports = ErrorReports(self.db, self.clock, ADMINS, self._count)

    def _count(self) -> None:
        self.queued += 1

    async def after(self, minutes: float) -> list[str]:
        """What the first operator was told since, so many minutes later, as plain text; checked as Telegram would."""
        before = {entry.id for entry in await self.db.outbox_desk.newest()}
        self.clock.advance(minutes * 60)
        await self.reports.tell()
        new = [one for one in reversed(await self.db.outbox_desk.newest()) if one.id not in before]
        assert [one.chat for one in new] == [*ADMINS] * (len(new) // 2), "each operator is told the same"
        said = []
        for entry in new[::2]:
            for texts in map(Catalogue.load().texts, ("en", "zh", "ru", "es", "tr", "pt")):
                message = notice_message(entry.payload, texts, chat=7, now_ms=self.clock.now_ms())
                assert utf16_length(parse(message.text).text) <= TEXT_UNITS
            said.append(parse(self.english(entry.payload)).text)
        return said

    def english(self, payload: object) -> str:
        plain = json.loads(json.dumps(payload))
        return notice_message(plain, Catalogue.load().texts("en"), chat=7, now_ms=self.clock.now_ms()).text


@pytest.fixture
async def house() -> AsyncIterator[Reported]:
    async with await Database.open("sqlite://", inline=True) as db:
        yield Reported(db, VirtualClock(NOW))


@pytest.fixture(autouse=True)
def heard(house: Reported) -> Iterator[None]:
    with hearing(house.reports.hear, "WARNING"):
        yield


async def test_a_burst_of_one_kind_is_told_once_with_its_count(house: Reported) -> None:
    for symbol in range(500):
        log.warning("no map: %s has no bars", symbol)
    [told] = await house.after(1)
    assert "WARNING, 500 times since" in told
    assert "bot.markets: no map: 0 has no bars" in told, "the first of them stands for all"
    log.warning("no map: %s has no bars", 1)
    assert await house.after(30) == []
    assert house.queued == 1


async def test_what_goes_on_is_told_again_after_an_hour_with_what_came_since(house: Reported) -> None:
    log.error("the disk is full")
    assert len(await house.after(1)) == 1
    for _ in range(3):
        log.error("the disk is full")
    assert await house.after(AGAIN_MS / MINUTE_MS - 2) == []
    [again] = await house.after(2)
    assert "ERROR, goes on, 3 more times since" in again
    assert await house.after(120) == [], "what has ended is not told again"


async def test_kinds_differ_by_sentence_place_and_exception(house: Reported) -> None:
    log.error("it broke")
    logging.getLogger("bot.watch").error("it broke")
    log.error("it broke", exc_info=ValueError("a"))
    log.error("it broke", exc_info=ValueError("b"))
    [told] = await house.after(1)
    assert told.count("it broke") == 3
    assert "2 times since" in told
    assert "ValueError: a" in told


async def test_the_gravest_come_first_and_the_rest_with_the_next_round(house: Reported) -> None:
    for kind in range(KINDS_A_MESSAGE + 3):
        log.warning(f"kind {kind}")
    log.critical("the loop stands")
    [first] = await house.after(1)
    assert first.index("the loop stands") < first.index("kind 0")
    assert first.count("WARNING") == KINDS_A_MESSAGE - 1
    assert "And 4 other kinds: the log has them." in first
    [second] = await house.after(1)
    assert second.count("WARNING") == 4


async def test_more_kinds_than_can_be_kept_are_counted(house: Reported) -> None:
    for kind in range(MOST_KINDS + 50):
        log.warning(f"kind {kind}")
    [told] = await house.after(1)
    assert f"And {MOST_KINDS + 50 - KINDS_A_MESSAGE} other kinds" in told


async def test_no_secret_and_no_markup_gets_through(house: Reported) -> None:
    log.error("refused <b>%s", f"https://host/bot{TOKEN}/x", exc_info=OSError("postgresql://me:secret@db/x"))
    [told] = await house.after(1)
    assert TOKEN.partition(":")[2] not in told
    assert "secret" not in told
    assert "refused <b>https://host/bot[token]/x" in told


async def test_errors_ring_and_warnings_do_not(house: Reported) -> None:
    log.warning("late")
    await house.after(1)
    log.error("broken")
    await house.after(1)
    silent = [entry.payload["silent"] for entry in reversed(await house.db.outbox_desk.newest())]
    assert silent == [True, True, False, False]


async def test_a_bot_that_starts_over_and_over_tells_the_same_once_an_hour(house: Reported) -> None:
    for _ in range(5):
        log.error("no exchange answers")
        await house.after(0)
        again = Reported(house.db, house.clock)
        with hearing(again.reports.hear, "WARNING"):
            log.error("no exchange answers")
        assert await again.after(0) == []
    entries = await house.db.outbox_desk.newest()
    assert len(entries) == len(ADMINS)


async def test_what_cannot_be_queued_waits_until_the_database_takes_it(tmp_path: Path, house: Reported) -> None:
    disk = await FaultyDisk.open(tmp_path, inline=True)
    away = Reported(disk.db, house.clock)
    with hearing(away.reports.hear, "ERROR"):
        log.error("the disk is full")
    disk.suffer(READ_ONLY)
    await away.reports.tell()
    assert away.queued == 0
    disk.heal()
    await away.reports.tell()
    assert away.queued == 1
    await disk.db.close()
