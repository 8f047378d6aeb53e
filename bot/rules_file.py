"""The rules of a replay: a JSON list of `{"chat": 1, "watch": "BTC 1%"}`, each text as typed after /watch."""

import json
import re
from pathlib import Path

from bot.alerts.grammar import ErrorCode, ParseError, parse_watch
from bot.alerts.types import EVERYWHERE, Rule
from bot.failures import UsageError
from bot.liquidation.values import replace
from bot.recorded import Recorded
from bot.telegram.commands.faults import fault_words
from bot.telegram.limits import bare
from bot.telegram.texts import Catalogue

ENDS = re.compile(r"\s(for|until|till)\s", re.IGNORECASE)
"""Where a rule's end is told."""

SHAPE = '{"chat": 1, "watch": "BTC 1%"}'


def read_rules(path: Path, recorded: Recorded, *, created_ms: int) -> list[Rule]:
    """The rules with ids from 1 in the file's order. Raises UsageError naming the entry that is wrong."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--rules {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--rules {path} is not JSON: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"--rules {path} takes a list such as [{SHAPE}]")
    return [
        _rule(path, number, entry, recorded, created_ms=created_ms) for number, entry in enumerate(entries, start=1)
    ]


def _rule(path: Path, number: int, entry: object, recorded: Recorded, *, created_ms: int) -> Rule:
    where = f"--rules {path}, entry {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("watch"), str):
        raise UsageError(f"{where} takes an object such as {SHAPE}")
    chat = entry.get("chat", 1)
    if not isinstance(chat, int) or isinstance(chat, bool):
        raise UsageError(f"{where} takes a whole number as chat, such as {SHAPE}")
    line = entry["watch"]
    ends = next((found.start() for found in ENDS.finditer(line)), None)
    begun_ms = created_ms if ends is None else _begun_ms(line[:ends], recorded, created_ms)
    read = parse_watch(line, recorded.market, now_ms=begun_ms)
    if isinstance(read, ParseError):
        raise UsageError(f"{where}: {_fault(read, recorded)}")
    return replace(read[0], id=number, chat=chat, created_ms=begun_ms)


def _begun_ms(line: str, recorded: Recorded, otherwise_ms: int) -> int:
    """When the market of a line begins to be recorded: what `for 3d` and `until friday` are counted from."""
    read = parse_watch(line, recorded.market)
    if isinstance(read, ParseError) or read[0].market == EVERYWHERE:
        return otherwise_ms
    return int(recorded.bars(read[0].market).open_ms[0])


def _fault(error: ParseError, recorded: Recorded) -> str:
    """What a chat would be told, on one line."""
    if error.code is ErrorCode.EMPTY:
        return f"watch takes what would be typed after /watch, such as {SHAPE}"
    if error.code is ErrorCode.UNKNOWN_SYMBOL:
        word = str(error.values.get("word", ""))
        return f"the recording has no symbol '{word}'; the nearest are {', '.join(recorded.book.nearest(word))}"
    return bare(fault_words(error, Catalogue.english()))
