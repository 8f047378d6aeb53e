"""Every file of the four exchanges' folders: it is read and gives something, or it is said why nobody reads it."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from bot.market.bad_rows import BadRows
from bot.settings import EXCHANGES
from tests.shared import SHARED, needs_shared
from tests.unit.market.fixture_readers import NOTHING_IN, READ, UNREAD, WHERE_FROM, Reader
from tests.unit.market.grown import grown

FIXTURES = SHARED / "fixtures"


def payload_of(path: Path) -> Any:
    """The JSON of a file: whole, or the answer of a recorded session."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    if path.suffix == ".yaml":
        return json.loads(re.findall(r"^ *string: '(.*?)'$", text, flags=re.MULTILINE | re.DOTALL)[-1])
    return json.loads(text.split("\n= ", 1)[1] if "\n= " in text else text)


def files() -> Iterator[Path]:
    for exchange in EXCHANGES:
        yield from sorted(path for path in (FIXTURES / exchange).rglob("*") if path.is_file())


def reader_of(path: Path) -> Reader | None:
    name = str(path.relative_to(FIXTURES))
    exchange = name.partition("/")[0]
    return next((read for pattern, read in READ[exchange] if fnmatch(name, pattern)), None)


def why_unread(path: Path) -> str | None:
    name = str(path.relative_to(FIXTURES))
    if path.name == "SOURCE.txt":
        return WHERE_FROM
    return next((why for pattern, why in UNREAD[name.partition("/")[0]] if fnmatch(name, pattern)), None)


def is_empty(found: object) -> bool:
    return found is False or (hasattr(found, "__len__") and len(found) == 0)


def names(paths: Iterator[Path]) -> list[str]:
    return [str(path.relative_to(FIXTURES)) for path in paths]


@needs_shared
@pytest.mark.parametrize("name", names(files()) if FIXTURES.is_dir() else [])
def test_a_file_is_read_or_it_is_said_why_not(name: str) -> None:
    path = FIXTURES / name
    read = reader_of(path)
    if read is None:
        assert why_unread(path), f"{name}: nobody reads it, and nobody says why"
        return
    bad, grown_bad = BadRows("a venue"), BadRows("a venue")
    payload = payload_of(path)
    found = read(payload, bad)
    if is_empty(found):
        assert [why for pattern, why in NOTHING_IN if fnmatch(name, pattern)], f"{name}: {bad.counts}"
    again = read(grown(payload), grown_bad)
    assert is_empty(again) == is_empty(found), "a field that is new breaks nothing"
    assert grown_bad.counts == bad.counts


@needs_shared
def test_no_pattern_is_left_over() -> None:
    """A reader or a reason that fits no file would hide a misspelling."""
    known = names(files())
    for exchange, table in READ.items():
        for pattern, _ in table:
            assert [name for name in known if fnmatch(name, pattern) and name.startswith(exchange)], pattern
    for pattern, _ in NOTHING_IN:
        assert [name for name in known if fnmatch(name, pattern)], pattern
