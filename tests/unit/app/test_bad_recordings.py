"""A recording that cannot be trusted: every command ends with one sentence that names the file and the line."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.app.conftest import Console

BARS = "simulated/SIMUSDT/bars_5m.csv.gz"
Spoil = Callable[[list[str]], list[str]]


def without_a_column(lines: list[str]) -> list[str]:
    return [",".join(line.split(",")[:4] + line.split(",")[5:]) for line in lines]


def with_cell(line: int, place: int, value: str) -> Spoil:
    """Line `line` of the file (the header is line 1) with another value in its column `place`."""

    def spoil(lines: list[str]) -> list[str]:
        cells = lines[line - 1].split(",")
        cells[place] = value
        return [*lines[: line - 1], ",".join(cells), *lines[line:]]

    return spoil


def swapped(lines: list[str]) -> list[str]:
    return [*lines[:9], lines[10], lines[9], *lines[11:]]


def doubled(lines: list[str]) -> list[str]:
    return [*lines[:10], lines[9], *lines[10:]]


def shortened(lines: list[str]) -> list[str]:
    return [*lines[:6], lines[6].rpartition(",")[0], *lines[7:]]


def only_a_header(lines: list[str]) -> list[str]:
    return lines[:1]


SPOILED = [
    (without_a_column, "line 1: the column close is missing"),
    (with_cell(5, 2, "NaN"), "line 5: high is NaN, not a number"),
    (with_cell(5, 2, "inf"), "line 5: high is inf, not a number"),
    (with_cell(5, 2, ""), "line 5: high is blank, not a number"),
    (with_cell(6, 4, "-3"), "line 6: close -3.0 is not above zero"),
    (with_cell(8, 5, "-1"), "line 8: volume -1.0 is negative"),
    (with_cell(4, 0, "1767226200123"), "line 4: open_time_ms 1767226200123 is not the start of a 5-minute bar"),
    (swapped, "line 11: open_time_ms 1767228000000 is before the line above"),
    (doubled, "line 11: open_time_ms 1767228000000 is there twice"),
    (shortened, "line 7: "),
    (only_a_header, "line 1: the file has a header and no bars"),
]


@pytest.fixture
def copied(recording: Path, tmp_path: Path) -> Path:
    return shutil.copytree(recording, tmp_path / "copied")


def rewrite(path: Path, spoil: Spoil) -> None:
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.write_bytes(gzip.compress("\n".join([*spoil(lines), ""]).encode()))


def commands(folder: Path, tmp_path: Path) -> list[tuple[object, ...]]:
    rules = tmp_path / "rules.json"
    rules.write_text('[{"chat": 1, "watch": "SIM 1%"}]', encoding="utf-8")
    return [
        ("map", "SIM", "--recording", folder, "--json"),
        ("replay", folder, "--rules", rules, "--json"),
        ("demo", "--recording", folder, "--speed", "max", "--json"),
    ]


@pytest.mark.parametrize(("spoil", "said"), SPOILED, ids=[said for _, said in SPOILED])
def test_the_bad_line_is_named(liqwatch: Console, copied: Path, tmp_path: Path, spoil: Spoil, said: str) -> None:
    rewrite(copied / BARS, spoil)
    for words in commands(copied, tmp_path):
        finished = liqwatch(*words)
        assert finished.refused().startswith(f"{copied / BARS}, {said}")
        assert finished.out == ""


def test_half_a_gzip_file_is_named_with_the_line_at_which_it_breaks(
    liqwatch: Console, copied: Path, tmp_path: Path
) -> None:
    packed = (copied / BARS).read_bytes()
    (copied / BARS).write_bytes(packed[: len(packed) // 2])
    for words in commands(copied, tmp_path):
        said = liqwatch(*words).refused()
        assert said.startswith(f"{copied / BARS}, line ")
        assert said.endswith("the gzip data breaks off here, so the file is not whole")


def test_a_file_that_is_not_gzip_is_named(liqwatch: Console, copied: Path, tmp_path: Path) -> None:
    (copied / BARS).write_text("open_time_ms,open\n", encoding="utf-8")
    for words in commands(copied, tmp_path):
        assert liqwatch(*words).refused() == f"{copied / BARS}, line 1: this is not a gzip file"


def test_bad_tiers_are_named(liqwatch: Console, copied: Path) -> None:
    path = copied / "simulated" / "tiers.json"
    path.write_text('{\n "SIMUSDT": [{"notional_floor": 5}]\n}', encoding="utf-8")
    said = liqwatch("map", "SIM", "--recording", copied).refused()
    assert said == f"{path}, line 2: a tier of SIMUSDT lacks a number ('notional_cap')"


def test_a_gap_is_allowed_and_told_and_its_bars_are_not_made_up(liqwatch: Console, copied: Path) -> None:
    rewrite(copied / BARS, lambda lines: [*lines[:300], *lines[310:]])
    lines = liqwatch("map", "SIM", "--recording", copied).lines()
    assert lines[1] == f"open interest measured, {2 * 288 - 10} bars of 5 minutes, 10 missing"
    [line] = liqwatch("map", "SIM", "--recording", copied, "--json").lines()
    found = json.loads(line)
    assert found["data"]["bars"] == 2 * 288 - 10
    assert "gaps" in found["model"]["limits"]


def test_an_empty_file_of_prices_is_named_by_a_replay(liqwatch: Console, copied: Path, tmp_path: Path) -> None:
    (copied / "simulated" / "SIMUSDT" / "prices.csv.gz").write_bytes(b"")
    finished = liqwatch(*commands(copied, tmp_path)[1])
    assert finished.refused().endswith("prices.csv.gz, line 1: the file is empty")
