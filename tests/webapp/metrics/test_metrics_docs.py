"""docs/metrics.md, the Grafana dashboard and the alert rules name the metrics and labels that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from webapp import db
from webapp.config import ROOT
from webapp.metrics.installation import GAUGES, UP
from webapp.metrics.measured import METRICS, POOLS
from webapp.metrics.scrape import FREE, WANTED
from webapp.metrics.shared import Count, Level, Spread

PAGE, ALERTS, BOARD = ((ROOT / "docs" / name).read_text() for name in ("metrics.md", "alerts.yml", "grafana.json"))
KINDS = {Count: "counter", Level: "gauge", Spread: "histogram"}
COUNTED = {metric.name: KINDS[type(next(iter(metric.cells.values())))] for metric in METRICS}
KNOWN = COUNTED | dict.fromkeys([UP[0], WANTED[0], FREE[0], *(name for name, _ in GAUGES.values())], "gauge")
LABELS = {label for metric in METRICS for label in metric.labels} | {"month"}
BY_PROMETHEUS = {"instance", "job", "le"}
NAME = re.compile(r"\bspendai_\w+")


def samples() -> set[str]:
    """Names that a query may use."""
    parts = {name: ("_bucket", "_sum", "_count") if kind == "histogram" else ("",) for name, kind in KNOWN.items()}
    return {name + part for name in parts for part in parts[name]}


def expressions() -> Iterator[str]:
    """Queries of the dashboard, then those of the alert rules."""
    for panel in json.loads(BOARD)["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for rule in rules():
        yield rule["expr"]


def rules() -> list[dict[str, str]]:
    """Alert rules: the lines of each, up to the next. Of a folded value, the lines below belong to it."""
    found = []
    for text in re.split(r"^ {6}- (?=alert: )", ALERTS, flags=re.M)[1:]:
        unfolded = re.sub(r">-\n((?: {10}.*\n)+)", lambda lines: " ".join(lines[1].split()) + "\n", text)
        found.append(dict(re.findall(r"^ *(\w+): (.+)$", unfolded, re.M)))
    return found


def test_every_metric_is_named_as_prometheus_wants_it() -> None:
    for name, kind in KNOWN.items():
        assert re.fullmatch(r"spendai_[a-z_]+", name)
        assert name.endswith("_total") == (kind == "counter"), name
    times = [name for name in KNOWN if "seconds" in name]
    assert len(times) == 5 and all(re.search(r"_seconds(_total)?$", name) for name in times)


def test_the_pools_are_those_that_there_are() -> None:
    assert (*db.POOLS, *db.READ_POOLS) == POOLS


def test_the_page_describes_every_metric_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `(spendai_\w+)` \| (\w+) \|", PAGE, re.M))
    assert rows == KNOWN
    for metric in METRICS:
        row = re.search(rf"^\| `{metric.name}` .*$", PAGE, re.M)[0]
        assert [label for label in metric.labels if f"`{label}`" not in row] == [], metric.name


@pytest.mark.parametrize("expression", list(expressions()))
def test_a_query_uses_metrics_and_labels_that_there_are(expression: str) -> None:
    names = set(NAME.findall(expression))
    assert names <= samples()
    assert names or expression.startswith("up{")
    used = {label for part in re.findall(r"\bby \(([^)]*)\)", expression) for label in re.split(r",\s*", part)}
    used |= {label for part in re.findall(r"{([^}]*)}", expression) for label in re.findall(r"(\w+)\s*=", part)}
    assert used <= LABELS | BY_PROMETHEUS
    for counter in (name for name in names if KNOWN.get(name) == "counter" or name.endswith("_bucket")):
        assert re.search(rf"(rate|increase)\({counter}", expression), "a counter is of use only by its growth"
    assert expression.count("(") == expression.count(")")


def test_the_dashboard_shows_every_metric() -> None:
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in NAME.findall(BOARD)}
    assert set(KNOWN) - shown == set()


def test_the_panels_of_the_dashboard_lie_side_by_side() -> None:
    board: dict[str, Any] = json.loads(BOARD)
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) == 23
    assert len({panel["id"] for panel in board["panels"]}) == len(places)


def test_an_alert_lasts_as_long_as_what_it_tells() -> None:
    """A gauge that is compared with its own past falls silent when the past is over, and is loud after a reload."""
    assert [rule["alert"] for rule in rules() if "_over_time(" in rule["expr"] or " offset " in rule["expr"]] == []


def test_the_alert_rules_are_whole() -> None:
    found = rules()
    assert len(found) == ALERTS.count("alert:") >= 8
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        assert rule["expr"] and rule["summary"] and "severity" in rule["labels"], rule["alert"]
        named = set(re.findall(r"\$labels\.(\w+)", rule["summary"]))
        assert named <= LABELS | BY_PROMETHEUS
