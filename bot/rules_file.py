"""The rules of a replay: a JSON list of `{"chat": 1, "watch": "BTC 1%"}`, each text as typed after /watch."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bot.alerts.grammar import ParseError, parse_watch
from bot.alerts.types import Market, Rule
from bot.failures import UsageError


def read_rules(path: Path, resolve: Callable[[str], Market | None], *, created_ms: int) -> list[Rule]:
    """The rules with ids from 1 in the file's order. Raises UsageError naming the entry that is wrong."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--rules {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"--rules {path} is not JSON: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise UsageError(f'--rules {path} takes a list such as [{{"chat": 1, "watch": "BTC 1%"}}]')
    return [
        replace(_rule(path, number, entry, resolve), id=number, created_ms=created_ms)
        for number, entry in enumerate(entries, start=1)
    ]


def _rule(path: Path, number: int, entry: object, resolve: Callable[[str], Market | None]) -> Rule:
    where = f"--rules {path}, entry {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("watch"), str):
        raise UsageError(f'{where} takes an object such as {{"chat": 1, "watch": "BTC 1%"}}')
    chat = entry.get("chat", 1)
    if not isinstance(chat, int) or isinstance(chat, bool):
        raise UsageError(f"{where}: chat takes a whole number")
    read = parse_watch(entry["watch"], resolve)
    if isinstance(read, ParseError):
        word = read.values.get("word", "")
        raise UsageError(f"{where}: '{entry['watch']}' is not understood at '{word}' ({read.code.value})")
    return replace(read[0], chat=chat)
