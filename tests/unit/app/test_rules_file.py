"""The rules of a replay: what is read, and one sentence for each thing that is wrong."""

import json
from pathlib import Path

import pytest

from bot.alerts.types import Kind, Market
from bot.failures import UsageError
from bot.liquidation import Side
from bot.market.recording import Recording
from bot.recorded import Recorded, open_recorded
from bot.rules_file import read_rules

SIM = Market("simulated", "SIMUSDT")


@pytest.fixture(scope="module")
def recorded(recording: Path) -> Recorded:
    return open_recorded(Recording(recording))


def test_rules_are_read_as_typed_with_ids_in_the_files_order(recorded: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    entries = [
        {"chat": 7, "watch": "SIM 1%"},
        {"watch": "sim-usdt-swap short 2,5% 10M"},
        {"chat": -100123, "watch": "SIM grow 30% 4h", "comment": "kept apart"},
    ]
    path.write_text(json.dumps(entries), encoding="utf-8")
    near, wide, growing = read_rules(path, recorded, created_ms=5)
    assert [(rule.id, rule.chat, rule.created_ms) for rule in (near, wide, growing)] == [
        (1, 7, 5),
        (2, 1, 5),
        (3, -100123, 5),
    ]
    assert {rule.market for rule in (near, wide, growing)} == {SIM}
    assert (near.kind, near.threshold_pct) == (Kind.PROXIMITY, 1.0)
    assert (wide.side, wide.threshold_pct, wide.min_usd) == (Side.SHORT, 2.5, 10e6)
    assert (growing.kind, growing.threshold_pct, growing.window_ms) == (Kind.GROWTH, 30.0, 4 * 3_600_000)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('[{"chat": 1, "watch": "SIM 1%"},]', "is not JSON: "),
        ("[" * 100_000, "is not JSON: "),
        ("[]", 'takes a list such as [{"chat": 1, "watch": "BTC 1%"}]'),
        ('{"chat": 1, "watch": "SIM 1%"}', "takes a list such as ["),
        ('"SIM 1%"', "takes a list such as ["),
        ('["SIM 1%"]', 'entry 1 takes an object such as {"chat": 1, "watch": "BTC 1%"}'),
        ('[{"watch": "SIM 1%"}, {"chat": 2}]', "entry 2 takes an object such as {"),
        ('[{"watch": 1}]', "entry 1 takes an object such as {"),
        ('[{"chat": "me", "watch": "SIM 1%"}]', "entry 1 takes a whole number as chat, such as {"),
        ('[{"chat": true, "watch": "SIM 1%"}]', "entry 1 takes a whole number as chat, such as {"),
        ('[{"watch": ""}]', "entry 1: watch takes what would be typed after /watch, such as {"),
        ('[{"watch": "ABC 1%"}]', "entry 1: the recording has no symbol 'ABC'; the nearest are SIMUSDT"),
        ('[{"watch": "SIM 900%"}]', "entry 1: 900% is out of range: a distance is between 0.1% and 20%."),
        ('[{"watch": "SIM 0%"}]', "entry 1: 0% is out of range: a distance is between 0.1% and 20%."),
        ('[{"watch": "SIM -1%"}]', "entry 1: -1% is out of range: a distance is between 0.1% and 20%."),
        ('[{"watch": "SIM grow 1%"}]', "entry 1: 1% is out of range: a growth is between 5% and 500%."),
        ('[{"watch": "SIM abc"}]', "entry 1: I understood SIM, but not abc."),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_entry(
    recorded: Recorded, tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "rules.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_rules(path, recorded, created_ms=0)
    assert str(caught.value).startswith(f"--rules {path}")
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--rules .*missing.json cannot be read: No such file or directory"):
        read_rules(tmp_path / "missing.json", recorded, created_ms=0)
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_rules(tmp_path, recorded, created_ms=0)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"bytes.json is not JSON: 'utf-8' codec"):
        read_rules(tmp_path / "bytes.json", recorded, created_ms=0)


def test_an_end_is_counted_from_the_recordings_beginning(recorded: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "ends.json"
    path.write_text(json.dumps([{"watch": "SIM 1% for 3d"}, {"watch": "digest weekly"}]), encoding="utf-8")
    rule, digest = read_rules(path, recorded, created_ms=5)
    begun_ms = int(recorded.history(SIM).open_ms[0])
    assert (rule.created_ms, rule.expires_ms) == (begun_ms, begun_ms + 3 * 86_400_000)
    assert (digest.kind, digest.created_ms) == (Kind.DIGEST, 5)
