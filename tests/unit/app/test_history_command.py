"""`liqwatch history`, and those pictures of `liqwatch map` that look back or take it apart, on a recording."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.shared import SHARED, needs_shared
from tests.unit.app.conftest import Console
from tests.unit.app.cuts import DAY_MS, cut

AT_MS = 1_766_923_200_000  # 2025-12-28T12:00:00Z

pytestmark = needs_shared


@pytest.fixture(scope="module")
def sol(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six days of SOLUSDT up to the moment."""
    folder = tmp_path_factory.mktemp("sol")
    return cut(SHARED / "recordings", folder, "binance", "SOLUSDT", start_ms=AT_MS - 6 * DAY_MS, end_ms=AT_MS)


def check_png(path: Path) -> bytes:
    found = path.read_bytes()
    with Image.open(BytesIO(found)) as image:
        assert image.size == (1280, 800)
    return found


def test_the_clusters_of_the_period_are_counted_and_the_largest_told(
    liqwatch: Console, sol: Path, tmp_path: Path
) -> None:
    asked = ("history", "SOL", "--recording", sol, "--range", "1d", "--png", tmp_path / "lives.png")
    [line] = liqwatch(*asked, "--json").lines()
    told = json.loads(line)
    assert (told["symbol"], told["exchange"], told["to_ms"]) == ("SOLUSDT", "binance", AT_MS)
    assert told["to_ms"] - told["from_ms"] == DAY_MS
    count = told["clusters"]
    assert count["total"] == count["swept"] + count["faded"] + count["merged"] + count["standing"]
    sizes = [each["usd"] for each in told["biggest"]]
    assert 0 < len(sizes) <= 5
    assert sizes == sorted(sizes, reverse=True)
    for each in told["biggest"]:
        assert each["low"] < each["high"]
        assert told["from_ms"] <= each["born_ms"] <= each["biggest_ms"] <= (each["ended_ms"] or AT_MS)
        assert (each["end"] is None) == (each["ended_ms"] is None)
    check_png(tmp_path / "lives.png")
    sweeps = told["sweeps"]
    assert sweeps["seen"] == sweeps["went_on"] + sweeps["came_back"] <= count["swept"]
    assert {each["end"] for each in told["gone"]} <= {"swept", "faded"}
    for each in told["gone"]:
        known = [each["price_after_pct"][f"{hours}h"] is not None for hours in (1, 4, 24)]
        assert known == sorted(known, reverse=True)


def test_the_same_in_words_is_what_the_bot_says(liqwatch: Console, sol: Path) -> None:
    lines = liqwatch("history", "SOL", "--recording", sol, "--range", "12h").lines()
    assert "SOL" in lines[0]
    assert "12\xa0hr" in lines[0]
    assert lines[1].startswith("Swept: ")


def test_a_map_s_picture_can_look_back_or_show_leverage(liqwatch: Console, sol: Path, tmp_path: Path) -> None:
    pictures = set()
    for way in ((), ("--heatmap", "--range", "12h"), ("--by-leverage",)):
        path = tmp_path / "map.png"
        liqwatch("map", "SOL", "--recording", sol, "--png", path, *way).lines()
        pictures.add(check_png(path))
    assert len(pictures) == 3


def test_an_unknown_symbol_is_answered_with_the_nearest(liqwatch: Console, sol: Path) -> None:
    assert "SOLUSDT" in liqwatch("history", "SIL", "--recording", sol).refused()
