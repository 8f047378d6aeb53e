"""What came of a run: from the database's rows and the Bot API's journal, as a table of figures and invariants."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Row = tuple[Any, ...]
Query = Callable[[str], list[Row]]

MOST_HAND_OVER_S = 10.0

NONE_OF = (
    "alerts lost",
    "alerts without an end",
    "messages that no row knows, beyond what was ambiguous",
    "repeats not marked or not silent",
    "chats out of order",
    "bars not judged",
    "commands without effect",
    "commands done twice",
    "commands unanswered",
    "answers doubled unmarked",
)
"""What must be 0."""


@dataclass
class Killed:
    """What was killed, and how long it took until somebody else did its work."""

    roles: Counter[str] = field(default_factory=Counter)
    hand_overs_s: list[float] = field(default_factory=list)
    """Until a standby has the lease."""
    at_work_s: list[float] = field(default_factory=list)
    """Until it sends and hears: beyond the lease, what a busy machine takes to load the rules."""


def judge(
    query: Query,
    journal: Sequence[Mapping[str, Any]],
    *,
    killed: Killed,
    commands: Sequence[int],
    talkers: Sequence[int],
) -> dict[str, float]:
    """Figures by name. `commands` are the numbers that were typed, in the chats `talkers`."""
    delivered = [entry for entry in journal if entry["status"] == 200 and str(entry["method"]).startswith("send")]
    delivered = [entry for entry in delivered if entry["method"] != "sendChatAction"]
    answers = [entry for entry in delivered if entry["chat_id"] in talkers]
    alerts = {(entry["chat_id"], entry["message_id"]): entry for entry in delivered if entry["chat_id"] not in talkers}
    rows = query("SELECT id, chat, state, message_id, unsure, lead FROM outbox ORDER BY id")
    owners = ", ".join(map(str, talkers))
    rows = [row for row in rows if row[1] not in talkers]
    leads = [row for row in rows if row[5] is None]
    told = {(chat, message_id) for _, chat, state, message_id, *_ in leads if state == "sent"}
    unsure = sum(row[4] for row in leads)
    repeated = [(chat, message_id) for _, chat, state, message_id, doubts, _ in leads if state == "sent" and doubts]
    growth = query(f"SELECT threshold_pct FROM rules WHERE kind = 'growth' AND chat IN ({owners})")  # noqa: S608
    made = Counter(round(threshold) for (threshold,) in growth)
    return {
        **{f"kills: {role}": count for role, count in sorted(killed.roles.items())},
        "alerts decided": len(rows),
        "messages delivered": len(alerts),
        "alerts lost": len(told - set(alerts)) + sum(row[2] == "dead" for row in rows),
        "alerts without an end": sum(row[2] not in ("sent", "dead") for row in rows),
        "ambiguous at a kill": unsure,
        "repeats, marked and silent": sum(_is_marked(entry) for entry in alerts.values()),
        "messages that no row knows, beyond what was ambiguous": max(0, len(set(alerts) - told) - unsure),
        "repeats not marked or not silent": sum(not _is_marked(alerts[key]) for key in repeated if key in alerts),
        "chats out of order": _out_of_order(leads),
        **_bars(query),
        "commands": len(commands),
        "commands without effect": len(set(commands) - set(made)),
        "commands done twice": sum(count - 1 for count in made.values()),
        "commands unanswered": sum(not _answering(number, answers) for number in commands),
        "answers doubled unmarked": sum(max(0, len(_plain(number, answers)) - 1) for number in commands),
        "hand-overs": len(killed.hand_overs_s),
        "hand-over p50 s": round(median(killed.hand_overs_s or [0.0]), 1),
        "hand-over max s": round(max(killed.hand_overs_s or [0.0]), 1),
        "at work again p50 s": round(median(killed.at_work_s or [0.0]), 1),
        "at work again max s": round(max(killed.at_work_s or [0.0]), 1),
    }


def faults(found: Mapping[str, float]) -> list[str]:
    """What must not be, in words."""
    broken = [f"{name}: {found[name]:g}" for name in NONE_OF if found[name]]
    if found["hand-over max s"] > MOST_HAND_OVER_S:
        broken.append(f"a hand-over took {found['hand-over max s']:g} s")
    needed = ("alerts decided", "hand-overs", "maps drawn by workers", "commands")
    return broken + [f"{name}: none, so nothing is proven" for name in needed if not found[name]]


def table(found: Mapping[str, float]) -> str:
    wide = max(map(len, found))
    must = dict.fromkeys(NONE_OF, "must be 0") | {"hand-over max s": f"must be at most {MOST_HAND_OVER_S:g}"}
    return "\n".join(f"{name:<{wide}}  {value:>8g}  {must.get(name, '')}".rstrip() for name, value in found.items())


def _bars(query: Query) -> dict[str, float]:
    """How the maps of all bars came to be. A bar counts from the first that was judged of its market."""
    judged = query("SELECT symbol, slot_ms FROM slots WHERE job = 'recompute' ORDER BY slot_ms")
    drawn = query("SELECT symbol, slot_ms, made_by FROM drawings")
    picks = query("SELECT job_id, count(*) FROM pgqueuer_log WHERE status = 'picked' GROUP BY job_id")
    of_market: defaultdict[str, list[int]] = defaultdict(list)
    for symbol, slot_ms in judged:
        of_market[symbol].append(slot_ms)
    last_ms = max((slot_ms for _, slot_ms in judged), default=0)
    missed = sum((last_ms - slots[0]) // 300_000 + 1 - len(set(slots)) for slots in of_market.values())
    return {
        "bars judged": len(judged),
        "bars not judged": missed,
        "maps drawn by workers": len(drawn),
        "workers that drew": len({made_by for *_, made_by in drawn}),
        "jobs taken": len(picks),
        "jobs taken over or tried again": sum(count > 1 for _, count in picks),
    }


def _out_of_order(leads: Sequence[Row]) -> int:
    """Chats whose messages did not come in the order in which they were decided."""
    ids: defaultdict[int, list[int]] = defaultdict(list)
    for _, chat, state, message_id, *_ in leads:
        if state == "sent":
            ids[chat].append(message_id)
    return sum(found != sorted(found) for found in ids.values())


def _is_marked(entry: Mapping[str, Any]) -> bool:
    return "Repeat:" in str(entry["text"]) and bool(entry["silent"])


def _answering(number: int, answers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [entry for entry in answers if f"{number}%" in str(entry["text"])]


def _plain(number: int, answers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [entry for entry in _answering(number, answers) if not _is_marked(entry)]
