"""Alert rules and the dashboard: valid for promtool, correct alerts, existing metrics, documented
remedies."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from schema.http.graphql_http import REQUEST_STATUS
from schema.services import Services
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.test_readme import anchors

MONITORING = ROOT / "deploy" / "manifests" / "monitoring"
OPERATING = ROOT / "docs" / "operating"
RULES = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
METRIC = re.compile(r"\btracker_\w+")
promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")


def run(*arguments: str | Path) -> None:
    """Run promtool, and fail on its errors."""
    result = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr


def questions() -> Iterator[str]:
    """Return the dashboard's Prometheus queries, with variables filled in."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            expression: str = target["expr"]
            yield expression.replace("$__rate_interval", "5m")


def families(names: set[str]) -> set[str]:
    """Return the metrics of samples."""
    return {re.sub("_(bucket|count|sum)$", "", name) for name in names}


async def samples(services: Services) -> set[str]:
    """Return the sample names of `/metrics`, including metrics without samples."""
    text = (await Api(services).request("GET", "/metrics")).text
    kinds = dict(re.findall(r"^# TYPE (\S+)(?<!_created) (\S+)$", text, re.MULTILINE))
    endings = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}
    return {f"{name}{ending}" for name, kind in kinds.items() for ending in endings[kind]}


@promtool
def test_each_rule_fires_when_it_should_and_not_before() -> None:
    run("check", "rules", "--lint-fatal", MONITORING / "alerts.yaml")
    run("check", "config", MONITORING / "prometheus.yaml")
    run("test", "rules", MONITORING / "alerts_test.yaml")


def test_every_rule_is_among_those_that_were_made_to_fire() -> None:
    cases = yaml.safe_load((MONITORING / "alerts_test.yaml").read_text("utf-8"))["tests"]
    fired = {
        name
        for case in cases
        for question in case["promql_expr_test"]
        for sample in question["exp_samples"]
        for name in re.findall(r'alertname="(\w+)"', sample["labels"])
    }
    assert fired == {rule["alert"] for rule in RULES}


def test_rules_count_every_error_that_is_the_fault_of_the_server() -> None:
    [counted] = {
        frozenset(codes.split("|"))
        for rule in RULES
        for codes in re.findall(r'outcome=~"(INTERNAL.*?)"', rule["expr"])
    }
    assert counted == REQUEST_STATUS.keys() - {"READ_ONLY", "NOT_SIGNED_YET"}


@promtool
def test_every_panel_asks_what_prometheus_understands(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{n}", "expr": text} for n, text in enumerate(questions())]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run("check", "rules", file)


async def test_rules_and_dashboard_name_metrics_that_there_are(services: Services) -> None:
    there = await samples(services)
    named = {name for rule in RULES for name in METRIC.findall(rule["expr"])}
    shown = {name for text in questions() for name in METRIC.findall(text)}
    assert named - there == set()
    assert shown - there == set()


async def test_the_table_of_metrics_is_that_of_the_tracker(services: Services) -> None:
    text = (OPERATING / "monitor.md").read_text("utf-8")
    rows = re.findall(r"^\| (`tracker_.*?) \| ", text, re.MULTILINE)
    told = {name for row in rows for name in METRIC.findall(row)}
    there = families(await samples(services))
    assert told <= there
    assert {name for name in there - told if not name.endswith(("_most", "misses_total"))} == set()


@each_case("rule", RULES, ids=lambda rule: rule["alert"])
def test_operators_are_told_what_to_do_about_each_alert(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/operating/alerts.md"
    text = (OPERATING / "alerts.md").read_text("utf-8")
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(text)
    section = text.split(f"\n## {rule['alert']}\n")[1].split("\n## ")[0]
    assert len(section.split()) >= 20
    assert rule["labels"]["severity"] in ("page", "ticket")
