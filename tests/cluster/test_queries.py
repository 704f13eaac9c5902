"""Dashboard, rules and documents ask for what the exporter makes, by its name."""

import re

import pytest

from raymon.sinks.prometheus.gauges import GAUGES
from tests.cluster.files import (
    CLUSTER,
    DASHBOARD,
    dashboard_queries,
    gauges_of,
    labels_of,
    manifest,
    panels,
    rules,
)

QUERIES = [*dashboard_queries(), *((rule["alert"], rule["expr"]) for rule in rules())]


@pytest.mark.parametrize(("where", "query"), QUERIES)
def test_a_query_is_of_gauges_and_labels_that_there_are(where: str, query: str) -> None:
    gauges = gauges_of(query)
    assert gauges
    assert gauges <= set(GAUGES)
    # Nothing of Ray's own, whose names are not raymon's to keep.
    assert set(re.findall(r"\bray_\w+", query)) == {f"ray_{name}" for name in gauges}
    for gauge, labels in labels_of(query):
        assert labels <= {"run", *GAUGES[gauge].labels}


@pytest.mark.parametrize(("where", "query"), [(where, query) for where, query in QUERIES])
def test_a_series_stands_for_its_run_whichever_process_it_comes_from(
    where: str, query: str
) -> None:
    # Each use is aggregated away from WorkerId, or matched on the run.
    uses = len(re.findall(r"\bray_raymon_\w+", query))
    by_run = len(re.findall(r"by \(run[^)]*\) \((?:last_over_time\()?ray_raymon_\w+", query))
    on_run = len(re.findall(r"unless on \(run\) ray_raymon_\w+", query))
    assert by_run + on_run == uses


def test_the_dashboard_shows_every_gauge() -> None:
    shown = set().union(*(gauges_of(query) for _, query in dashboard_queries()))
    assert shown == set(GAUGES)


def test_every_query_of_the_dashboard_is_of_the_runs_that_are_chosen() -> None:
    for where, query in dashboard_queries():
        uses = len(re.findall(r"\bray_raymon_\w+", query))
        assert query.count('{run=~"$run"}') == uses, where


def test_panels_have_their_place_and_an_id_by_which_they_can_be_embedded() -> None:
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    rows = [panel["title"] for panel in panels() if panel["type"] == "row"]
    assert rows == [
        "Loss and metrics",
        "Throughput",
        "Health",
        "Evaluation and checkpoints",
        "Embedding tables",
    ]


def test_every_alert_says_what_it_is_about_and_how_bad_it_is() -> None:
    for rule in rules():
        assert "{{ $labels.run }}" in rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith(".")
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_the_operator_has_the_rules_that_prometheus_has() -> None:
    ours = manifest("prometheus/raymon.rules.yml")
    assert manifest("kuberay/prometheusrule.yaml")["spec"] == ours


def test_the_unit_tests_of_the_rules_cover_every_alert() -> None:
    cases = manifest("prometheus/raymon.rules.test.yml")["tests"]
    fired = {
        check["alertname"]
        for case in cases
        for check in case["alert_rule_test"]
        if check.get("exp_alerts")
    }
    quiet = {
        check["alertname"]
        for case in cases
        for check in case["alert_rule_test"]
        if not check.get("exp_alerts")
    }
    assert fired == quiet == {rule["alert"] for rule in rules()}


def test_the_readme_lists_every_gauge_with_its_labels() -> None:
    listed = re.findall(
        r"^\| `(raymon_\w+)(?:\{([\w,]+)\})?` \|", (CLUSTER / "README.md").read_text(), re.M
    )
    found = {name: tuple(filter(None, labels.split(","))) for name, labels in listed}
    assert found == {name: gauge.labels for name, gauge in GAUGES.items()}


def test_grafana_finds_the_dashboard_and_its_data() -> None:
    (provider,) = manifest("grafana/provisioning/dashboards/raymon.yml")["providers"]
    assert provider["type"] == "file"
    assert DASHBOARD.parent.name == provider["options"]["path"].rsplit("/", 1)[-1]
    (source,) = manifest("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["type"] == "prometheus"
