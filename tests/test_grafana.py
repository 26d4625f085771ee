"""The dashboard asks only for what the program publishes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics import Histogram, MetricWrapperBase

from smsgw import metrics

DASHBOARD = json.loads(
    (Path(__file__).parents[1] / "config" / "grafana-overview.json").read_text(encoding="utf-8")
)
SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "info": ("_info",),
    "gauge": ("",),
}
PUBLISHED = {
    family.name + suffix: family.name
    for family in metrics.REGISTRY.collect()
    for suffix in SUFFIXES[family.type]
}
OURS = {
    family.name: metric
    for metric in vars(metrics).values()
    if isinstance(metric, MetricWrapperBase)
    for family in metric.describe()
}
PROMQL = {
    "by", "histogram_quantile", "increase", "max", "min", "rate", "sum", "time",
}  # fmt: skip
SERVER_LABELS = {"instance", "job", "version", "python"}  # the scrape's own, and the build's

Panel = dict[str, Any]
PANELS: list[Panel] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS: list[str] = [target["expr"] for panel in PANELS for target in panel["targets"]]
QUERIES: list[str] = [
    variable["query"]["query"]
    for variable in DASHBOARD["templating"]["list"]
    if variable["type"] == "query"
]


def labels_of(published: str) -> set[str]:
    family = PUBLISHED[published]
    own = set(OURS[family]._labelnames) if family in OURS else set()
    return own | ({"le"} if published.endswith("_bucket") else set())


def names_in(expression: str) -> set[str]:
    """The metric names of a PromQL expression: what is left of its identifiers."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby \([^)]*\)", " ", bare)
    return set(re.findall(r"[A-Za-z_]\w*", bare)) - PROMQL


@pytest.mark.parametrize("expression", TARGETS)
def test_every_metric_is_published(expression: str) -> None:
    names = names_in(expression)
    assert names
    assert names <= PUBLISHED.keys()


def test_every_metric_is_shown() -> None:
    shown = {PUBLISHED[name] for expression in TARGETS for name in names_in(expression)}
    assert {name for name in OURS if name not in shown} == set()


@pytest.mark.parametrize("query", QUERIES)
def test_variables_are_filled_from_published_metrics(query: str) -> None:
    asked = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", query)
    assert asked
    assert asked[1] in PUBLISHED
    assert asked[2] in labels_of(asked[1]) | SERVER_LABELS


@pytest.mark.parametrize("expression", TARGETS)
def test_selects_and_groups_by_labels_that_the_metrics_have(expression: str) -> None:
    known = SERVER_LABELS.union(*(labels_of(name) for name in names_in(expression)))
    for name, matchers in re.findall(r"(\w+)\{([^}]*)\}", expression):
        selected = set(re.findall(r"(\w+)\s*(?:=~|!=|=)", re.sub(r'"[^"]*"', '""', matchers)))
        assert selected <= labels_of(name) | SERVER_LABELS
    for group in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in group.split(",")} <= known


@pytest.mark.parametrize("expression", TARGETS)
def test_asks_for_buckets_that_exist(expression: str) -> None:
    for name, bound in re.findall(r'(\w+)_bucket\{le="([^"]+)"', expression):
        histogram = OURS[name]
        assert isinstance(histogram, Histogram)
        assert float(bound) in histogram._upper_bounds


@pytest.mark.parametrize("expression", TARGETS)
def test_brackets_and_quotes_close(expression: str) -> None:
    assert expression.count('"') % 2 == 0
    for opening, closing in ("()", "[]", "{}"):
        assert expression.count(opening) == expression.count(closing)


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_every_panel_says_what_it_shows(panel: Panel) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert all(target["legendFormat"] for target in panel["targets"])


def test_rows() -> None:
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == [
        "Links", "Rates", "Queue", "Answers", "Notices", "Storage", "Billing cache", "Partners",
        "Process",
    ]  # fmt: skip


def test_panels_have_ids_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_reads_from_whichever_data_source_is_chosen() -> None:
    assert any(
        variable["type"] == "datasource" and variable["name"] == "datasource"
        for variable in DASHBOARD["templating"]["list"]
    )
    for panel in PANELS:
        for asking in (panel, *panel["targets"]):
            assert asking["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
