"""Whole conversations in two languages, kept as text in tests/golden/conversations and read by people.

After a change of words: `REWRITE_GOLDEN=1 pytest tests/unit/telegram/test_transcripts.py`, then read the difference.
"""

import os
from pathlib import Path

import pytest

from tests.fakes.chat import Chat, SameTaps
from tests.fakes.desk import FakeDesk
from tests.fakes.several_desk import SeveralDesk
from tests.unit.telegram.conversations import Script, alerts, chats, house, markets, rules

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "conversations"
SECOND = "ru"
"""The second language: it has four plural forms, and cases."""

SCRIPTS = tuple(script for room in (rules, markets, chats, alerts, house) for script in room.SCRIPTS)
ON_SEVERAL_EXCHANGES = frozenset({markets.several_exchanges, house.every_setting})


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
async def test_a_conversation_reads_as_kept(script: Script) -> None:
    first = Chat(desk=desk_for(script))
    await script(first)
    check(first, GOLDEN / f"{script.__name__}.txt")
    again = SameTaps(desk=desk_for(script), language=SECOND, taps=tuple(first.tapped))
    await script(again)
    check(again, GOLDEN / SECOND / f"{script.__name__}.txt")


def desk_for(script: Script) -> FakeDesk:
    return SeveralDesk() if script in ON_SEVERAL_EXCHANGES else FakeDesk()


def check(chat: Chat, path: Path) -> None:
    if os.environ.get("REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(chat.transcript, encoding="utf-8")
    assert chat.transcript == path.read_text(encoding="utf-8")


def test_no_kept_conversation_is_left_over() -> None:
    for folder in (GOLDEN, GOLDEN / SECOND):
        assert {path.stem for path in folder.glob("*.txt")} == {script.__name__ for script in SCRIPTS}
