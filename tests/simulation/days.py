"""One simulated day, and what must hold after it."""

import asyncio
import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.faulty_disk import FaultyDisk
from tests.fakes.virtual_time import LoopClock, VirtualLoop
from tests.simulation.lives import Life, Mortal, prepare
from tests.simulation.world import ALERTED, DAY_S, GONE, NEW_GROUP, TALKERS, Arrived, Plan, Telegram

ENDS = ("expired: told in the summary that message ", "unconfirmed again after a repeat", "the process ended at each")
"""Why an alert may end undelivered; beside these, only that its chat refuses the bot."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a day came to."""

    seed: int
    figures: Counter[str]
    wrong: Sequence[str]


class Hospital:
    """Where days are lived through: one file and one disk for all of them, so that statements are compiled once."""

    def __init__(self, folder: Path) -> None:
        self._template, self._path = folder / "template.db", folder / "day.db"
        asyncio.run(prepare(self._template))
        self._disk = FaultyDisk(self._path, inline=True, access=Mortal, synced=False)

    def live_through(self, seed: int) -> Day:
        """Simulate a day in virtual time; the same seed gives the same day."""
        for leftover in self._path.parent.glob("day.db*"):
            leftover.unlink()
        shutil.copy(self._template, self._path)
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            # Tasks that a kill cut off are nobody's news.
            runner.get_loop().set_exception_handler(lambda loop, context: None)
            telegram, lives = runner.run(self._day(seed))
        return Day(seed, *_verdict(self._path, telegram, lives))

    async def _day(self, seed: int) -> tuple[Telegram, int]:
        plan, clock, disk = Plan(seed), LoopClock(), self._disk
        telegram = Telegram(plan, clock)
        happenings = [
            asyncio.create_task(_people(plan, telegram), name="world of people"),
            asyncio.create_task(_disk_troubles(plan, telegram, disk), name="world of disks"),
        ]
        lives, deaths = 0, list(plan.deaths_after_writes)
        for kill_s in (*plan.kills_s, DAY_S):
            while telegram.now_s < kill_s:
                lives += 1
                disk.start_anew()
                life = Life(disk, telegram, plan, clock)
                life.mortal.writes_left = deaths.pop() if deaths else None
                await life.until_killed(kill_s - telegram.now_s)
                await disk.db.close()
                await clock.sleep(plan.chance.uniform(0.5, 30))
        for happening in happenings:
            happening.cancel()
        telegram.healed = True
        disk.heal()
        disk.start_anew()
        await Life(disk, telegram, plan, clock).until_settled(6 * 3600)
        await disk.db.close()
        return telegram, lives


async def _disk_troubles(plan: Plan, telegram: Telegram, disk: FaultyDisk) -> None:
    for span in plan.disk:
        await asyncio.sleep(max(0.0, span.start_s - telegram.now_s))
        disk.suffer(span.kind)
        await asyncio.sleep(max(0.0, span.end_s - telegram.now_s))
        disk.heal()


async def _people(plan: Plan, telegram: Telegram) -> None:
    said = [(moment, "say") for moment in plan.says_s]
    stood = [(plan.blocked[0], "kicked"), (plan.blocked[1], "member")]
    for number, (moment, what) in enumerate(sorted([*said, *stood]), start=1):
        await asyncio.sleep(max(0.0, moment - telegram.now_s))
        if what == "say":
            telegram.say(TALKERS[number % len(TALKERS)], f"/do {number}")
        else:
            telegram.stands(GONE, what)


def _verdict(path: Path, telegram: Telegram, lives: int) -> tuple[Counter[str], list[str]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM outbox ORDER BY id")]
        effects = [row[0] for row in connection.execute("SELECT threshold_pct FROM rules WHERE kind = 'growth'")]
        [verdict] = connection.execute("PRAGMA integrity_check").fetchone()
    alerts = [item for item in telegram.arrived if item.bare.startswith("#")]
    answers = [item for item in telegram.arrived if not item.bare.startswith("#")]
    figures = Counter({"days": 1, "lives": lives, "alerts": len(rows), "answers": len(answers)})
    figures |= Counter({f"telegram {what}": times for what, times in telegram.calls.items()})
    figures["ambiguous"] = sum(row["unsure"] for row in rows)
    figures["repeats, marked"] = sum(item.marked for item in telegram.arrived)
    figures["told in a summary"] = sum(str(row["last_error"]).startswith(ENDS[0]) for row in rows)
    figures["in doubt to the end"] = sum(str(row["last_error"]).startswith(ENDS[1:]) for row in rows)
    figures["refused by the chat"] = sum(is_refused(row) for row in rows)
    wrong = [] if verdict == "ok" else [f"the database is damaged: {verdict}"]
    wrong += [*_lost(rows, alerts), *_doubled(alerts, rows), *_disordered(rows, alerts)]
    wrong += [*_unanswered(telegram, effects, answers)]
    return figures, wrong


def is_refused(row: dict[str, Any]) -> bool:
    reason = str(row["last_error"])
    return row["state"] == "dead" and (reason.startswith("Forbidden") or reason == "the bot was kicked")


def _lost(rows: list[dict[str, Any]], alerts: Sequence[Arrived]) -> list[str]:
    """Each alert is seen by somebody, by itself, in its group's message or in a summary; or says why not."""
    seen = {item.bare for item in alerts}
    by_id = {row["id"]: row for row in rows}
    wrong = []
    for row in rows:
        if row["state"] == "dead" and str(row["last_error"]).startswith(ENDS[0]):
            lead = by_id[int(str(row["last_error"]).split()[-2])]
        else:
            lead = by_id[row["lead"]] if row["lead"] is not None else row
        if lead["state"] == "sent" and f"#{lead['id']}" not in seen:
            wrong.append(f"alert {row['id']} counts as sent and never arrived")
        elif row["state"] not in ("sent", "dead"):
            wrong.append(f"alert {row['id']} has no end: {row['state']}")
        elif lead["state"] == "dead" and not (str(lead["last_error"]).startswith(ENDS) or is_refused(lead)):
            wrong.append(f"alert {row['id']} ended for another reason: {lead['last_error']}")
    return wrong


def _doubled(alerts: Sequence[Arrived], rows: list[dict[str, Any]]) -> list[str]:
    unsure = {f"#{row['id']}": row["unsure"] for row in rows}
    copies = Counter(item.bare for item in alerts)
    plain = Counter(item.bare for item in alerts if not item.marked)
    wrong = [f"{text} arrived {times} times unmarked" for text, times in plain.items() if times > 1]
    return wrong + [f"{text} has more copies than doubts" for text, times in copies.items() if times > 1 + unsure[text]]


def _disordered(rows: list[dict[str, Any]], alerts: Sequence[Arrived]) -> list[str]:
    """Messages of a chat arrive in the order they were decided; one held back on purpose stands aside."""
    held = {f"#{row['id']}" for row in rows if row["held"]}
    wrong = []
    for chats in ((1,), (2,), (GONE,), (ALERTED[-1], NEW_GROUP), *((chat,) for chat in TALKERS)):
        first = [text for text in dict.fromkeys(item.bare for item in alerts if item.chat in chats) if text not in held]
        if first != sorted(first, key=lambda text: int(text[1:])):
            wrong.append(f"chat {chats[0]} is out of order: {first}")
    return wrong


def _unanswered(telegram: Telegram, effects: list[float], answers: Sequence[Arrived]) -> list[str]:
    """Each command is done once, and no answer is doubled unmarked; one refused for a minute is dropped."""
    numbers = [int(text.split()[-1]) for _, text in telegram.said]
    wrong = [] if sorted(effects) == sorted(map(float, numbers)) else [f"commands {numbers} gave {sorted(effects)}"]
    plain = Counter(item.bare for item in answers if not item.marked)
    return wrong + [f"{text} came {times} times unmarked" for text, times in plain.items() if times > 1]
