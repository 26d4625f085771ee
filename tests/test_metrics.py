"""The published names keep to Prometheus's conventions and to a bounded set of series."""

import re

import pytest
from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from smsgw import __version__, metrics

DECLARED = {
    name: value for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)
}
FAMILIES = {family.name: family for family in metrics.REGISTRY.collect()}
BOUNDED_LABELS = {
    "carrier", "command", "direction", "how", "intent", "kind", "operation", "partner", "read_as",
    "reason", "result", "state", "status",
}  # fmt: skip


def full_name(metric: MetricWrapperBase) -> str:
    (family,) = metric.describe()
    return family.name


@pytest.mark.parametrize("name", DECLARED)
def test_is_registered_under_our_prefix_and_says_what_it_means(name: str) -> None:
    metric = DECLARED[name]
    assert full_name(metric).startswith("smsgw_")
    assert FAMILIES[full_name(metric)].documentation.endswith(".")


@pytest.mark.parametrize("name", DECLARED)
def test_labels_take_values_from_fixed_sets_only(name: str) -> None:
    assert set(DECLARED[name]._labelnames) <= BOUNDED_LABELS


@pytest.mark.parametrize("name", [n for n, m in DECLARED.items() if isinstance(m, Gauge)])
def test_gauges_do_not_pass_for_counters(name: str) -> None:
    assert not full_name(DECLARED[name]).endswith(("_total", "_count", "_sum", "_bucket"))


@pytest.mark.parametrize("name", [n for n, m in DECLARED.items() if isinstance(m, Histogram)])
def test_histograms_name_their_unit(name: str) -> None:
    assert full_name(DECLARED[name]).endswith(("_seconds", "_items"))


@pytest.mark.parametrize("name", DECLARED)
def test_times_are_in_seconds(name: str) -> None:
    assert not re.search(r"_(ms|milliseconds|minutes|hours)\b", full_name(DECLARED[name]))


def test_counters_move_by_the_batch_and_are_written_with_total() -> None:
    assert isinstance(metrics.MOS, Counter)
    child = metrics.MOS.labels("a-carrier-of-this-test", "help")
    child.inc(64)
    text = generate_latest(metrics.REGISTRY).decode()
    assert 'smsgw_mos_total{carrier="a-carrier-of-this-test",intent="help"} 64.0' in text
    metrics.MOS.remove("a-carrier-of-this-test", "help")


def test_no_series_of_start_times() -> None:
    metrics.MOS.labels("a-carrier-of-this-test", "help").inc()
    assert "_created" not in generate_latest(metrics.REGISTRY).decode()
    metrics.MOS.remove("a-carrier-of-this-test", "help")


def test_tells_the_version_and_the_process() -> None:
    text = generate_latest(metrics.REGISTRY).decode()
    assert f'version="{__version__}"' in text
    assert "python_info{" in text


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("deliver_sm", "deliver_sm"),
        ("ESME_RTHROTTLED", "ESME_RTHROTTLED"),
        ("0x00000400", "other"),
        ("0x0000abcd", "other"),
        ("", ""),
    ],
    ids=["command", "status", "vendor-status", "unknown-command", "request"],
)
def test_bounded(name: str, label: str) -> None:
    assert metrics.bounded(name) == label
