"""The alert rules and the dashboard ask for nothing but what the program shows, by its names and labels."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.alerts.types import Kind
from bot.metrics import Metrics
from bot.telegram.findings import Trouble
from tests.unit.app.test_health import FIGURES

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
RULES: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text(encoding="utf-8"))["groups"]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
TARGETS_OWN = {"job", "instance", "le"}
MOST_SERIES = 250
"""Of a bot on two exchanges: so many, whatever its users do."""

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")


def full() -> Metrics:
    """Of a bot that has something of everything to show."""
    metrics = Metrics()
    metrics.timed("prices", 0.2, True)
    metrics.seen(FIGURES)
    return metrics


def exposed() -> dict[str, set[str]]:
    """The labels of every sample that is shown, by its name; `up` is Prometheus' own."""
    shown: dict[str, set[str]] = {"up": set()}
    for family in text_string_to_metric_families(full().page().decode()):
        for sample in family.samples:
            shown.setdefault(sample.name, set()).update(sample.labels)
    return shown


def panels() -> Iterator[tuple[str, str]]:
    """Each panel's title with each of its expressions."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES for rule in group["rules"]]


EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in rules()] + list(panels())


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=lambda value: str(value)[:40])
def test_an_expression_names_what_is_there(title: str, expression: str) -> None:
    shown = exposed()
    named = re.findall(r"\b((?:liqwatch|process)_\w+|up)\b(?:\{([^}]*)\})?", expression)
    assert named, title
    labels = set(re.findall(r"by \(([^)]*)\)", expression))
    for name, selector in named:
        assert name in shown, (title, name)
        picked = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector))
        grouped = {word.strip() for group in labels for word in group.split(",")}
        assert picked | grouped <= shown[name] | TARGETS_OWN, (title, name)


@pytest.mark.parametrize("panel", DASHBOARD["panels"], ids=lambda panel: panel["title"])
def test_a_legend_names_labels_that_are_there(panel: dict[str, Any]) -> None:
    shown = exposed()
    for target in panel["targets"]:
        [name, *_] = re.findall(r"\b(?:liqwatch|process)_\w+", target["expr"])
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= shown[name] | TARGETS_OWN


def test_values_in_selectors_are_ones_that_occur() -> None:
    text = " ".join(expression for _, expression in EXPRESSIONS)
    outcomes = {one for found in re.findall(r'outcome=~?"([^"]*)"', text) for one in found.split("|")}
    assert outcomes == {"sent", "ambiguous", "retried", "dead"}
    assert {one for found in re.findall(r'name="([^"]*)"', text) for one in [found]} == {"prices"}


def test_the_dashboard_has_the_panels_that_an_operator_looks_for() -> None:
    titles = " ".join(panel["title"].lower() for panel in DASHBOARD["panels"])
    for word in ("feeds", "lag", "queue", "sent", "ambiguous", "loop", "tick", "errors"):
        assert word in titles
    spots = [tuple(panel["gridPos"][side] for side in "xywh") for panel in DASHBOARD["panels"]]
    cells = [(x + i, y + j) for x, y, w, h in spots for i in range(w) for j in range(h)]
    assert len(cells) == len(set(cells)), "no panel lies on another"
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(spots)


def test_every_rule_says_what_is_wrong_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_names_follow_the_convention_and_no_label_grows_with_the_users() -> None:
    families = list(text_string_to_metric_families(full().page().decode()))
    own = [family for family in families if family.name.startswith("liqwatch_")]
    assert all("_ms" not in family.name for family in own), "seconds and bytes are the base units"
    labels = {label for family in own for sample in family.samples for label in sample.labels}
    bounded = {"outcome", "kind", "name", "level", "state", "exchange", "budget", "error", "trouble", "version", "le"}
    assert labels == bounded
    assert sum(len(family.samples) for family in families) <= MOST_SERIES
    kinds = {sample.labels["kind"] for family in own for sample in family.samples if "kind" in sample.labels}
    assert kinds == {kind.value for kind in Kind}
    troubles = {sample.labels["trouble"] for family in own for sample in family.samples if "trouble" in sample.labels}
    assert troubles == {trouble.value for trouble in Trouble}


@needs_promtool
def test_prometheus_itself_finds_no_fault_with_the_names() -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=full().page(), capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, (done.stdout + done.stderr).decode()) == (0, "")


@needs_promtool
def test_prometheus_itself_takes_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", DEPLOY / "prometheus-rules.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
