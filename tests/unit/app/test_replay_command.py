"""`liqwatch replay`: the same bytes each time, the crash told of, and no chat's alerts changed by another's rules."""

import gc
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.heap import uncollected
from bot.market.simulator import SimulatedMarket
from bot.replay import replay_recording
from bot.times import parse_time_ms
from tests.shared import SHARED, needs_shared
from tests.unit.app.conftest import Console
from tests.unit.app.cuts import DAY_MS, HOUR_MS, cut

CRASH_MS = parse_time_ms("2025-10-10T21:00:00Z")
NEAR, GROWING = "SIM 1%", "SIM grow 5% 3h strength 1"
KEYS = [
    *("time_ms", "kind", "symbol", "exchange", "rule", "track", "episode", "severity", "price"),
    *("cluster", "reason", "text", "delivery"),
]


def rules_file(folder: Path, *lines: str | tuple[int, str]) -> Path:
    """A file of rules, of chat 1 where none is named."""
    chats = [(1, line) if isinstance(line, str) else line for line in lines]
    path = folder / f"rules-{len(list(folder.glob('rules-*')))}.json"
    path.write_text(json.dumps([{"chat": chat, "watch": line} for chat, line in chats]), encoding="utf-8")
    return path


def lines_of(liqwatch: Console, recording: Path, rules: Path) -> list[dict[str, Any]]:
    """All that one replay prints."""
    return [json.loads(line) for line in liqwatch("replay", recording, "--rules", rules, "--json").lines()]


def replayed(liqwatch: Console, recording: Path, rules: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The alerts and the summary of one replay."""
    *told, summary = lines_of(liqwatch, recording, rules)
    return [line for line in told if line["kind"] != "receipt"], summary


def of_rule(alerts: Sequence[dict[str, Any]], rule: int) -> list[dict[str, Any]]:
    """One rule's alerts, without the number that it had among the others."""
    return [
        {name: value for name, value in alert.items() if name not in ("rule", "text", "delivery")}
        for alert in alerts
        if alert["rule"] == rule
    ]


def test_the_same_input_gives_the_same_bytes(liqwatch: Console, recording: Path, tmp_path: Path) -> None:
    rules = rules_file(tmp_path, NEAR, GROWING)
    once, again = (liqwatch("replay", recording, "--rules", rules, "--json").out for _ in range(2))
    assert once == again
    assert once.count("\n") > 2


def test_each_alert_is_one_line_of_the_contract_in_order_of_time(
    liqwatch: Console, recording: Path, market: SimulatedMarket, tmp_path: Path
) -> None:
    alerts, _ = replayed(liqwatch, recording, rules_file(tmp_path, NEAR, GROWING))
    assert [list(alert) for alert in alerts] == [KEYS] * len(alerts)
    assert {alert["kind"] for alert in alerts} == {"proximity", "growth", "new_cluster"}
    times = [alert["time_ms"] for alert in alerts]
    assert times == sorted(times)
    assert times[0] >= int(market.bars.open_ms[0]) + DAY_MS
    assert len({(a["rule"], a["track"], a["episode"], a["kind"]) for a in alerts}) == len(alerts)
    for alert in alerts:
        assert (alert["symbol"], alert["exchange"]) == ("SIMUSDT", "simulated")
        assert alert["cluster"]["id"] == alert["track"]
        assert "SIM" in alert["text"].splitlines()[0]
        if alert["kind"] == "proximity":
            assert abs(alert["cluster"]["distance_pct"]) <= 1.0


def test_a_simulated_market_is_called_so_in_every_text(liqwatch: Console, recording: Path, tmp_path: Path) -> None:
    alerts, _ = replayed(liqwatch, recording, rules_file(tmp_path, NEAR))
    assert alerts
    for alert in alerts:
        assert "simulated" in alert["text"].splitlines()[0].lower()


def test_the_summary_counts_what_was_printed(
    liqwatch: Console, recording: Path, market: SimulatedMarket, tmp_path: Path
) -> None:
    alerts, summary = replayed(liqwatch, recording, rules_file(tmp_path, NEAR, GROWING))
    watched = len(market.bars) / 288 - 1
    assert list(summary) == ["kind", "alerts", "messages", "held", "receipts", "rules", "kinds", "days", "clusters"]
    assert (summary["kind"], summary["alerts"]) == ("summary", len(alerts))
    assert summary["days"] == {"simulated:SIMUSDT": watched}
    assert [rule["rule"] for rule in summary["rules"]] == [1, 2]
    for rule in summary["rules"]:
        assert rule["alerts"] == len(of_rule(alerts, rule["rule"]))
        assert rule["alerts_per_day"] == pytest.approx(rule["alerts"] / watched, abs=1e-3)
    lived = summary["clusters"]
    assert lived["cluster_days"] > 0
    assert 0 <= lived["lost"] <= lived["ended"].get("faded", 0)
    assert lived["lost_per_cluster_day"] == pytest.approx(lived["lost"] / lived["cluster_days"], abs=1e-3)


def test_every_alert_that_came_to_an_end_has_one_receipt_that_names_it(
    liqwatch: Console, recording: Path, tmp_path: Path
) -> None:
    *told, summary = lines_of(liqwatch, recording, rules_file(tmp_path, NEAR, GROWING))
    alerts = {
        f"{one['rule']}:{one['exchange']}:{one['symbol']}:{one['track']}:{one['episode']}:{one['kind']}": one
        for one in told
        if one["kind"] != "receipt"
    }
    receipts = [one for one in told if one["kind"] == "receipt"]
    assert receipts
    assert len({one["of"] for one in receipts}) == len(receipts) == summary["receipts"]
    for one in receipts:
        alert = alerts[one["of"]]
        assert one["time_ms"] == alert["time_ms"] + 1000 * one["after_s"] > alert["time_ms"]
        assert one["ending"] in ("swept", "faded", "expired")
        assert one["touched"] == (one["short_of_pct"] <= 0) == (one["touched_after_s"] is not None)
        if one["touched"] and one["chance"] is not None:
            assert 0 < one["touched_after_s"] <= one["after_s"]
    [near, _] = summary["rules"]
    hits = near["hits"]
    assert hits["followed"] == near["alerts"]
    assert hits["inside"] + hits["decided"] <= hits["followed"]
    assert hits["rate"] == pytest.approx(hits["touched"] / hits["decided"], abs=1e-4)
    assert 0 < hits["chance"] < 1


def test_a_feed_that_was_heard_tells_what_a_sweep_gave(liqwatch: Console, recording: Path, tmp_path: Path) -> None:
    told = lines_of(liqwatch, recording, rules_file(tmp_path, NEAR))
    heard = [one for one in told if one["kind"] == "receipt" and one["printed_usd"] is not None]
    assert heard, "the simulated venue prints all of its liquidations"
    assert any(one["printed_usd"] > 0 for one in heard if one["touched"])
    assert all("Liquidated there since" in one["text"] for one in heard)


def test_each_alert_tells_whether_it_rings_at_once_with_another_or_later(
    liqwatch: Console, recording: Path, tmp_path: Path
) -> None:
    rules = rules_file(tmp_path, NEAR, "SIM 2%", "SIM 3%", "SIM 5%", "SIM 8%", GROWING)
    alerts, summary = replayed(liqwatch, recording, rules)
    keys = {
        f"{a['rule']}:{a['exchange']}:{a['symbol']}:{a['track']}:{a['episode']}:{a['kind']}": a["delivery"]
        for a in alerts
    }
    reasons = {delivery["reason"] for delivery in keys.values()}
    assert reasons >= {"told", "grouped"}
    for alert in alerts:
        delivery = alert["delivery"]
        carrier = keys[delivery["with"]] if delivery["with"] else delivery
        assert carrier["with"] is None, "whatever is carried, is carried by a message"
        assert delivery["due_ms"] <= alert["time_ms"] + 3_600_000
        assert delivery["reason"].startswith("held") or delivery["due_ms"] <= alert["time_ms"] + 5_000
    assert summary["messages"] == sum(delivery["with"] is None for delivery in keys.values())
    assert summary["held"] == sum(delivery["reason"].startswith("held") for delivery in keys.values())


def test_no_chat_s_alerts_change_with_the_rules_of_others(liqwatch: Console, recording: Path, tmp_path: Path) -> None:
    alone, _ = replayed(liqwatch, recording, rules_file(tmp_path, (7, NEAR), (7, GROWING)))
    crowd = [(chat, f"SIM {percent}%") for chat, percent in ((8, 0.5), (9, 1), (10, 1), (11, 5))]
    after, _ = replayed(liqwatch, recording, rules_file(tmp_path, (7, NEAR), (7, GROWING), *crowd, (12, GROWING)))
    before, _ = replayed(liqwatch, recording, rules_file(tmp_path, (12, GROWING), *crowd, (7, NEAR), (7, GROWING)))
    assert alone
    assert [alert for alert in after if alert["rule"] <= 2] == alone
    assert of_rule(before, 6) == of_rule(alone, 1)
    assert of_rule(before, 7) == of_rule(alone, 2)
    assert of_rule(before, 3) == of_rule(before, 4) == of_rule(alone, 1), "the same rule of other chats"


def test_in_words_each_alert_is_one_line_with_its_time(liqwatch: Console, recording: Path, tmp_path: Path) -> None:
    rules = rules_file(tmp_path, NEAR)
    alerts, counts = replayed(liqwatch, recording, rules)
    *told, summary = liqwatch("replay", recording, "--rules", rules).lines()
    assert len(told) == len(alerts) + counts["receipts"]
    assert all(line.startswith("2026-01-0") and "Z  " in line for line in told)
    assert summary == f"{len(alerts)} alerts; for all figures add --json"


def test_a_recording_shorter_than_the_warm_up_has_nothing_to_tell(
    liqwatch: Console, recording: Path, market: SimulatedMarket, tmp_path: Path
) -> None:
    start_ms = int(market.bars.open_ms[0])
    short = cut(recording, tmp_path / "s", "simulated", "SIMUSDT", start_ms=start_ms, end_ms=start_ms + 6 * HOUR_MS)
    alerts, summary = replayed(liqwatch, short, rules_file(tmp_path, NEAR))
    assert alerts == []
    assert summary["alerts"] == 0
    assert summary["days"] == {"simulated:SIMUSDT": 0}


def test_a_bad_rules_file_is_one_sentence_and_no_output(liqwatch: Console, recording: Path, tmp_path: Path) -> None:
    for lines, said in (
        (("SIM 900%",), "entry 1: 900% is out of range: a distance is between 0.1% and 20%."),
        (("SIM 1%", "ABC 1%"), "entry 2: the recording has no symbol 'ABC'; the nearest are SIMUSDT"),
        ((), 'takes a list such as [{"chat": 1, "watch": "BTC 1%"}]'),
    ):
        rules = rules_file(tmp_path, *lines)
        finished = liqwatch("replay", recording, "--rules", rules, "--json")
        assert finished.refused() == f"--rules {rules}{',' if lines else ''} {said}"
        assert finished.out == ""
    assert liqwatch("replay", recording, "--rules", "none").refused().startswith("--rules none cannot be read")
    assert liqwatch("replay", recording).refused() == "Missing option '--rules': see liqwatch --help"


@needs_shared
class TestTheCrashOfZrx:
    """Three days before 10 October 2025 and half a day after: 0.237 to 0.110 within minutes."""

    def test_alerts_come_in_the_fall_and_are_few(self, liqwatch: Console, tmp_path: Path) -> None:
        start_ms, end_ms = CRASH_MS - 3 * DAY_MS, CRASH_MS + 4 * HOUR_MS
        zrx = cut(SHARED / "recordings", tmp_path / "zrx", "binance", "ZRXUSDT", start_ms=start_ms, end_ms=end_ms)
        alerts, summary = replayed(liqwatch, zrx, rules_file(tmp_path, "ZRX-USDT-SWAP 2%"))
        falling = [alert for alert in alerts if CRASH_MS <= alert["time_ms"] <= CRASH_MS + HOUR_MS]
        assert falling
        assert {alert["cluster"]["side"] for alert in falling} >= {"long"}
        assert all(alert["symbol"] == "ZRXUSDT" for alert in alerts)
        assert summary["alerts"] == len(alerts)
        # A crash is news, not a flood: prices halved, and the chat's phone rang a handful of times.
        assert len(falling) <= 6
        prices = np.array([alert["price"] for alert in falling])
        assert prices.min() < 0.22


def test_a_replay_makes_no_rings_of_objects_as_it_goes(
    recording: Path, market: SimulatedMarket, tmp_path: Path
) -> None:
    """It runs without the collector: what is let go of must be freed at once, however long the recording."""
    rules = rules_file(tmp_path, NEAR, GROWING)
    with uncollected():
        gc.collect()
        told = sum(1 for _ in replay_recording(recording, rules, json=True))
        assert told > 10
        assert gc.collect() < len(market.bars)
    assert gc.isenabled()
