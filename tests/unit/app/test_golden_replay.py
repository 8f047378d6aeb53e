"""Twenty rules of every kind over the real recordings: the list of alerts, reviewed as a trader would, and kept.

A line an alert: when, which rule, kind, track and episode, how loud, and what came of it. No market data is in it.
After a change of behaviour: `REWRITE_GOLDEN=1 pytest tests/unit/app/test_golden_replay.py` (with `-m soak` for the
whole list, some minutes), then read the difference: is each alert that came or went one that a trader would want?
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.times import parse_time_ms
from tests.shared import SHARED, needs_shared
from tests.unit.app.conftest import Console
from tests.unit.app.cuts import DAY_MS, cut

pytestmark = needs_shared

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
RULES = GOLDEN / "rules.json"
SYMBOLS = ("ARB", "AVAX", "BTC", "DOGE", "ETH", "SOL", "WIF", "ZRX")
DECEMBER_MS = parse_time_ms("2025-12-01T00:00:00Z")
NORMAL_BTC = 1
"""The number of the rule `BTC 1%`."""


def key_of(alert: dict[str, Any]) -> str:
    names = ("rule", "exchange", "symbol", "track", "episode", "kind")
    return ":".join(str(alert[name]) for name in names)


def fate(receipt: dict[str, Any] | None) -> str:
    """What came of an alert, in a few words."""
    if receipt is None:
        return ""
    after = f", {receipt['after_s'] / 60:.0f} min"
    came = f", reached in {receipt['touched_after_s'] / 60:.0f} min" if receipt["touched"] else ", not reached"
    return f" -> {receipt['ending']}{after}{came}"


def told(lines: Sequence[str]) -> str:
    """The golden text of a replay: its digest, a summary by rule, and a line an alert."""
    parsed = [json.loads(line) for line in lines]
    *parsed, summary = parsed
    receipts = {one["of"]: one for one in parsed if one["kind"] == "receipt"}
    alerts = [one for one in parsed if one["kind"] != "receipt"]
    listed = [
        f"{datetime.fromtimestamp(one['time_ms'] / 1000, tz=UTC):%Y-%m-%d %H:%M} #{one['rule']} {one['kind']} "
        f"{one['track']}:{one['episode']} {one['severity']}{fate(receipts.get(key_of(one)))}"
        for one in alerts
    ]
    watched = [entry["watch"] for entry in json.loads(RULES.read_text(encoding="utf-8"))]
    rules = [
        f"#{rule['rule']} {line}: {rule['alerts']} alerts, {rule['alerts_per_day']} a day, "
        f"reached {rule['hits']['touched']} of {rule['hits']['decided']}, chance {rule['hits']['chance']}"
        for rule, line in zip(summary["rules"], watched, strict=True)
    ]
    clusters = summary["clusters"]
    lost = f"identities lost per cluster-day: {clusters['lost_per_cluster_day']} of {clusters['cluster_days']} days"
    digest = sha256("\n".join(listed).encode()).hexdigest()[:16]
    return "\n".join(
        [f"alerts: {len(alerts)}, receipts: {len(receipts)}, digest {digest}", lost, *rules, "", *listed, ""]
    )


def compare(text: str, name: str) -> None:
    path = GOLDEN / "replays" / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_first_days_are_told_as_kept(liqwatch: Console, tmp_path: Path) -> None:
    for symbol in SYMBOLS:
        cut(
            SHARED / "recordings",
            tmp_path,
            "binance",
            f"{symbol}USDT",
            start_ms=DECEMBER_MS,
            end_ms=DECEMBER_MS + 3 * DAY_MS,
        )
    compare(told(liqwatch("replay", tmp_path, "--rules", RULES, "--json").lines()), "first_days.txt")


@pytest.mark.soak
@pytest.mark.timeout(3_000)
def test_every_recording_is_told_as_kept(liqwatch: Console) -> None:
    lines = liqwatch("replay", SHARED / "recordings", "--rules", RULES, "--json").lines()
    compare(told(lines), "recordings.txt")


def test_a_normal_rule_on_bitcoin_was_told_at_most_six_times_on_any_day() -> None:
    """By the kept list, which the test above holds."""
    kept = (GOLDEN / "replays" / "recordings.txt").read_text(encoding="utf-8").splitlines()
    days = [line[:10] for line in kept if f" #{NORMAL_BTC} proximity " in line]
    assert len(set(days)) > 20
    assert max(days.count(day) for day in set(days)) <= 6


def test_identities_stay_in_the_kept_list() -> None:
    kept = (GOLDEN / "replays" / "recordings.txt").read_text(encoding="utf-8").splitlines()
    assert float(kept[1].split()[4]) <= 0.3


def test_flips_alternate_in_the_kept_list() -> None:
    kept = (GOLDEN / "replays" / "recordings.txt").read_text(encoding="utf-8").splitlines()
    sides = [line.split(" flip-")[1].split(":")[0] for line in kept if " flip flip-" in line]
    assert len(sides) > 20
    assert all(before != after for before, after in pairwise(sides))
